"""Scores: Σ weight · value, in whole micro-points so that every sum is exact."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching._arrays import Bools, Ints
from matching._errors import InvalidPolicy
from matching._scoring.criteria import CRITERIA
from matching._scoring.features import Cities, Features
from schemas import Criterion, Weights

MICRO = 1_000_000
"""Micro-points in a point; also the units of a value of 1 and of a weight of 1."""


def normalise(weights: Weights) -> dict[Criterion, int]:
    """Return each criterion's weight in millionths, together exactly 100 points.

    What rounding leaves over goes to the largest remainders (Hamilton's method).

    Raises:
        InvalidPolicy: If all weights are 0.

    Examples:
        >>> sum(normalise(Weights(focus=1, language=1, context=1)).values())
        100000000

    """
    exact = {name: Fraction(getattr(weights, name)) for name in CRITERIA}
    whole = sum(exact.values())
    if not whole:
        message = "At least one weight must be above 0."
        raise InvalidPolicy([("/weights", "all_zero", message)])
    ideal = {name: weight * 100 * MICRO / whole for name, weight in exact.items()}
    given = {name: int(weight) for name, weight in ideal.items()}
    short = 100 * MICRO - sum(given.values())
    by_remainder = sorted(ideal, key=lambda name: given[name] - ideal[name])
    for name in by_remainder[:short]:
        given[name] += 1
    return given


@dataclass(frozen=True)
class Table:
    """One criterion for all pairs, (mentors, learners).

    Attributes:
        weight: In millionths of a point.
        values: In millionths, 0 where the value cannot be known.
        known: Whether it can be known.

    """

    weight: int
    values: NDArray[np.int32]
    known: NDArray[np.bool_]

    def points(self, at: Any = ...) -> Ints:  # noqa: ANN401 -- any index
        """Return the micro-points of the pairs at this index."""
        # A product of two whole numbers below 2**47: exact before it is rounded.
        exact = self.values[at] * np.float64(self.weight)
        points: Ints = np.rint(exact / MICRO).astype(np.int64)
        return points


def tabulate(
    criterion: Criterion, mentors: Features, learners: Features
) -> tuple[NDArray[np.int32], Bools]:
    """Return (mentors, learners) values in millionths, and which of them are known."""
    values, known = CRITERIA[criterion](mentors, learners)
    micro = np.multiply(values, MICRO, dtype=np.float64)
    # Cosines may pass 1 by a rounding error.
    np.minimum(np.rint(micro, out=micro), MICRO, out=micro)
    known = np.broadcast_to(known, micro.shape)
    if not known.all():
        micro[~known] = 0
    return micro.astype(np.int32), known


class Scores:
    """Every pair's score and what it consists of.

    Args:
        mentors: One row each.
        learners: One column each.
        weights: As the policy gives them.

    Attributes:
        tables: A `Table` per criterion.
        total: (mentors, learners) scores in micro-points.

    """

    def __init__(self, mentors: Cities, learners: Cities, weights: Weights) -> None:
        shape = (len(mentors), len(learners))
        sides = Features(mentors), Features(learners)
        self.tables: dict[Criterion, Table] = {}
        self.total: Ints = np.zeros(shape, np.int64)
        for name, weight in normalise(weights).items():
            if 0 in shape:
                values, known = np.zeros(shape, np.int32), np.zeros(shape, np.bool_)
            else:
                values, known = tabulate(name, *sides)
            table = Table(weight, values, known)
            self.tables[name] = table
            if weight:
                self.total += table.points()
