"""What the round loses if a pair must be: exact, for all pairs at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from matching._answering.conflict import solve
from matching._arrays import Bools, Floats, Ints
from matching._round import Round
from matching._scoring.score import MICRO
from matching._solving.branched import TooHard
from matching._solving.circulation import Impossible
from matching._solving.exchange import Scale, forcing_prices
from matching._solving.instance import Solved
from matching._solving.shortest import FAR
from schemas import Policy, Problem

MOST_MENTORS = 500
"""Up to so many mentors `match` prices alternates: the work grows with their cube."""
_MOST_DETOURS = 50_000_000
"""Up to so many learners × pairs it does so under caps and loads."""
_MOST_RESOLVED = 10_000
"""Up to so many alternates × pairs it does so by solving anew."""


@dataclass(frozen=True, eq=False)
class Prices:
    """What every possible pairing would cost the round.

    Attributes:
        mentors: Ids, one per row.
        learners: Ids, one per column.
        points: (mentors, learners) points that the value of the optimum loses if the
            pair must be; 0 for pairs that it has, NaN for pairs that cannot be.

    """

    mentors: tuple[str, ...]
    learners: tuple[str, ...]
    points: Floats


def prices(problem: Problem, policy: Policy | None = None) -> Prices:
    """Return the exact price of every pair: what the optimum loses by forcing it.

    Under `total` and `served` all of them are read from the optimal flow at once; under
    `fair`, `stable`, and where a flow is not enough, each is a matching of its own.
    Under `served` a price below 0 gains points, but loses learners or places; under
    `fair` and `stable` points are not what is maximised either.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Objective, weights, rules, pins and bans; None: the default.

    Raises:
        InvalidPolicy: As `match` does.
        Infeasible: As `match` does.

    Examples:
        >>> from matching import Problem
        >>> def city(id, role, **areas):
        ...     return {"id": id, "name": id, "country": "BE", "roles": [role],
        ...             "areas": areas}
        >>> found = prices(Problem.from_dict({"cities": [
        ...     city("ghent", "mentor", housing={"strength": 4}),
        ...     city("liege", "mentor", housing={"strength": 1}),
        ...     city("arlon", "learner", housing={"need": 4}),
        ... ]}))
        >>> found.mentors, found.learners, found.points.tolist()
        (('ghent', 'liege'), ('arlon',), [[0.0], [26.25]])

    """
    found = Round(problem, policy or Policy())
    solved = solve(found)
    points = _from_flow(found, solved)
    if points is None:
        points = np.full(found.worth.shape, np.nan)
        for place in np.argwhere(found.forceable).tolist():
            points[tuple(place)] = _resolved(found, solved, *place)
    return Prices(
        mentors=tuple(city.id for city in found.mentors),
        learners=tuple(city.id for city in found.learners),
        points=points,
    )


def some_prices(
    found: Round, solved: Solved, places: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], float | None]:
    """Return the prices of these pairs, None where that would be too much work.

    Args:
        found: The round.
        solved: Its optimum.
        places: (mentor row, learner column) of pairs.

    """
    asked = list(places)
    mentors, learners = found.worth.shape
    points = None
    if _is_flow(found, solved):
        if solved.flow is None:
            affordable = mentors <= MOST_MENTORS
        else:
            affordable = learners * found.worth.size <= _MOST_DETOURS
        points = _from_flow(found, solved) if affordable else None
    elif len(asked) * found.worth.size <= _MOST_RESOLVED:
        points = np.full(found.worth.shape, np.nan)
        for place in asked:
            points[place] = _resolved(found, solved, *place)
    if points is None:
        return dict.fromkeys(asked)
    return {
        place: None if np.isnan(points[place]) else float(points[place])
        for place in asked
    }


def _is_flow(found: Round, solved: Solved) -> bool:
    return found.policy.objective in {"total", "served"} and solved.engine == "flow"


def _from_flow(found: Round, solved: Solved) -> Floats | None:
    """Return all prices in points, or None if the optimum is no cheapest flow."""
    if not _is_flow(found, solved):
        return None
    objective = found.policy.objective
    flow = solved.flow
    nodes = flow.net.nodes if flow else sum(found.worth.shape) + 1
    scale = Scale.of(objective, found.worth, nodes)
    worth = found.worth + scale.place
    price: Ints
    if flow is not None:
        detour = flow.prices(worth, scale.first)
        price = np.where(np.isfinite(detour), detour, FAR).astype(np.int64)
        price[solved.chosen] = 0
    else:
        candidate = found.admissible & ~found.pinned
        if objective == "total":
            candidate &= found.worth > 0
        price = forcing_prices(
            worth,
            candidate,
            found.pinned,
            solved.chosen,
            found.capacity,
            found.demand,
            scale.first,
        )
    possible = found.forceable & (price < FAR // 2)
    return np.where(possible, scale.points(price) / MICRO, np.nan)


def _resolved(found: Round, solved: Solved, row: int, column: int) -> float:
    """Return a price in points by solving anew; NaN if the pair cannot be."""
    if solved.chosen[row, column]:
        return 0.0
    pinned: Bools = found.pinned.copy()
    pinned[row, column] = True
    if (pinned.sum(axis=1) > found.capacity).any() or (
        pinned.sum(axis=0) > found.demand
    ).any():
        return np.nan
    instance = replace(found.instance(), pinned=pinned)
    try:
        forced = instance.solve(found.policy.objective)
    except (Impossible, TooHard):
        return np.nan
    lost = found.worth[solved.chosen].sum() - found.worth[forced.chosen].sum()
    return int(lost) / MICRO
