"""What fulfilled wishes add to a pair, beside its score."""

from collections.abc import Iterable, Mapping

import numpy as np

from matching._arrays import Ints
from matching._scoring.score import MICRO
from schemas import Adjustment, Role, Wish

ROLES: tuple[Role, Role] = ("mentor", "learner")


def wish_points(rank: int) -> int:
    """Return the micro-points of a fulfilled wish: 1 point for the first, then 1/rank.

    Each side may wish, so a pair gains at most 2 points; and what a city adds below a
    wish does not change what the wish is worth.
    """
    return round(MICRO / rank)


class Wishes:
    """The wishes of all cities, by who wishes for whom.

    Args:
        wishes: As the problem gives them.

    """

    def __init__(self, wishes: Iterable[Wish]) -> None:
        self._ranks: dict[tuple[Role, str, str], int] = {
            (wish.role, wish.city, partner): rank
            for wish in wishes
            for rank, partner in enumerate(wish.partners, 1)
        }

    def points(
        self, role: Role, row: Mapping[str, int], column: Mapping[str, int]
    ) -> Ints:
        """Return (mentors, learners) micro-points for the wishes of one side."""
        shape = (len(row), len(column))
        if not self._ranks:
            return np.broadcast_to(np.int64(0), shape)  # no memory for nothing
        table = np.zeros(shape, np.int64)
        for (side, city, partner), rank in self._ranks.items():
            mentor, learner = (city, partner) if role == "mentor" else (partner, city)
            if side == role and mentor in row and learner in column:
                table[row[mentor], column[learner]] = wish_points(rank)
        return table

    def fulfilled(self, mentor: str, learner: str) -> tuple[Adjustment, ...]:
        """Return what this pair gains by wishes, the mentor's first."""
        return tuple(
            Adjustment(
                code="wish",
                city=city,
                role=role,
                rank=rank,
                points=wish_points(rank) / MICRO,
            )
            for role, city, partner in (
                ("mentor", mentor, learner),
                ("learner", learner, mentor),
            )
            if (rank := self._ranks.get((role, city, partner)))  # type: ignore[arg-type]
        )
