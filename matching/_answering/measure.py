"""The whole of an assignment in figures."""

from collections.abc import Iterable

import numpy as np

from matching._arrays import Bools, Ints
from matching._errors import InvalidProblem
from matching._round import Round
from matching._scoring.score import MICRO
from schemas import Measures, Policy, Problem


def measure(
    problem: Problem, policy: Policy, pairs: Iterable[tuple[str, str]]
) -> Measures:
    """Return the figures of any assignment, whoever made it.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: What the pairs are scored by.
        pairs: (mentor id, learner id), each pair once; rules need not hold.

    Raises:
        InvalidProblem: If a pair stands twice or names a city without a place.
        InvalidPolicy: As `match` does.
        Infeasible: As `match` does.

    """
    found = Round(problem, policy)
    chosen = np.zeros(found.worth.shape, np.bool_)
    for at, (mentor, learner) in enumerate(pairs):
        if mentor not in found.row or learner not in found.column:
            message = f"{mentor} – {learner}: no place as mentor and learner."
            raise InvalidProblem([(f"/pairs/{at}", "role", message)])
        place = found.row[mentor], found.column[learner]
        if chosen[place]:
            message = f"{mentor} – {learner} stands higher up already."
            raise InvalidProblem([(f"/pairs/{at}", "duplicate", message)])
        chosen[place] = True
    return measures(found, chosen)


def measures(found: Round, chosen: Bools) -> Measures:
    """Return the figures of these pairs, (mentors, learners)."""
    scores = np.where(chosen, found.scores.total, 0)
    best = scores.max(axis=0, initial=0)
    return Measures(
        total=int(scores.sum()) / MICRO,
        value=int(found.worth[chosen].sum()) / MICRO,
        mean=round(int(best.sum()) / best.size / MICRO, 6) if best.size else None,
        worst_off=int(best.min()) / MICRO if best.size else None,
        learners_served=int(np.count_nonzero(chosen.any(axis=0))),
        learners=best.size,
        places_filled=int(np.count_nonzero(chosen)),
        gini=gini(best) if best.size else None,
        blocking_pairs=int(np.count_nonzero(blocking(found, chosen))),
    )


def gini(values: Ints) -> float:
    """Return the Gini coefficient: mean absolute difference over twice the mean.

    0 when all are equal, also when all are 0 (Sen, On Economic Inequality, 1973).

    Examples:
        >>> gini(np.array([0, 0, 4]))
        0.666667

    """
    ordered = np.sort(values)
    total, size = int(ordered.sum()), ordered.size
    if not total:
        return 0.0
    ranks = 2 * np.arange(1, size + 1) - size - 1
    return round(int((ranks * ordered).sum()) / (size * total), 6)


def blocking(found: Round, chosen: Bools) -> Bools:
    """Return the blocking pairs, (mentors, learners).

    A pair blocks if it is admissible, not made, and each side has a free place or
    strictly prefers the other to its worst partner that is not pinned; both prefer by
    score and own wish, ties by id (Gale and Shapley 1962; Roth 1984 for capacities).
    """
    free: Bools = found.admissible & ~chosen
    loose = chosen & ~found.pinned
    never = np.iinfo(np.int64).max
    for axis, rank, places in zip(
        (1, 0), found.ranks, (found.capacity, found.demand), strict=True
    ):
        worst = np.where(loose, rank, never).min(axis=axis, initial=never)
        worst[chosen.sum(axis=axis) < places] = -1
        free &= rank > np.expand_dims(worst, axis)
    return free
