"""What cities left out of earlier rounds bring to a pair, beside its score."""

from collections.abc import Iterable, Sequence

import numpy as np

from matching._arrays import Ints
from matching._scoring.score import MICRO
from matching._scoring.wishes import ROLES
from schemas import Adjustment, City, LeftOut, Role

MOST_ROUNDS = 2
"""So many rounds count: with a point each at the most, a side brings up to 2 points."""

_Rounds = tuple[str | None, ...]
"""Names of rounds; None: one without a name."""


class Credit:
    """What each city brings to every pair it is in, whoever the other one is.

    It is a constant of the city. So under `total`, `served` and `fair` a city that has
    a partner without credit has one with it, too: what leaves the city out is worth as
    much as before, what pairs it is worth more.

    Args:
        left_out: As the problem gives them.
        points: For each round, as the policy gives them; 0: nothing counts.

    """

    def __init__(self, left_out: Iterable[LeftOut], points: float) -> None:
        self._each = round(points * MICRO)
        self._counted = _counted(left_out) if self._each else {}

    def points(self, role: Role, cities: Sequence[City]) -> Ints:
        """Return the micro-points of these cities, one each, in this role."""
        return np.array([self._points(role, city.id) for city in cities], np.int64)

    def _points(self, role: Role, city: str) -> int:
        return self._each * len(self._counted.get((role, city), ()))

    def _named(self, role: Role, city: str) -> tuple[str, ...]:
        return tuple(name for name in self._counted[role, city] if name is not None)

    def given(self, mentor: str, learner: str) -> tuple[Adjustment, ...]:
        """Return what this pair gains by credits, the mentor's first."""
        return tuple(
            Adjustment(
                code="left_out",
                city=city,
                role=role,
                rank=None,
                points=points / MICRO,
                rounds=self._named(role, city),
            )
            for role, city in zip(ROLES, (mentor, learner), strict=True)
            if (points := self._points(role, city))
        )


def _counted(left_out: Iterable[LeftOut]) -> dict[tuple[Role, str], _Rounds]:
    """Return the rounds that count, by role and city."""
    rounds: dict[tuple[Role, str], list[str | None]] = {}
    for one in left_out:
        rounds.setdefault((one.role, one.city), []).append(one.round)
    return {key: _latest(names) for key, names in rounds.items()}


def _latest(rounds: Sequence[str | None]) -> _Rounds:
    """Return those that count: the last by name, then those without a name.

    Where rounds are named by their year the last ones are the latest.
    """
    named = sorted({name for name in rounds if name is not None})
    return (*named[-MOST_ROUNDS:], *[None] * rounds.count(None))[:MOST_ROUNDS]
