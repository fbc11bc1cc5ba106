"""How good a ranking is: exact with ties, and how sure with few networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRIALS = 10_000


@dataclass(frozen=True)
class Place:
    """Where the true partner stands; equals may stand in any order.

    Every figure is its mean over all orders of the equals, so a ranking gains nothing
    by the order in which it happens to list them. With all equal it is pure chance.

    Attributes:
        better: How many stand before it.
        equal: How many have its score, itself counted.

    """

    better: int
    equal: int

    def reciprocal_rank(self) -> Fraction:
        """Return the mean of 1 / rank."""
        ranks = range(self.better + 1, self.better + self.equal + 1)
        return sum((Fraction(1, rank) for rank in ranks), Fraction()) / self.equal

    def hit(self, within: int) -> Fraction:
        """Return the share of orders that put it among the first `within`."""
        first = min(max(within - self.better, 0), self.equal)
        return Fraction(first, self.equal)


def place(scores: Mapping[str, Any], true: str) -> Place:
    """Return where `true` stands when the highest score comes first."""
    own = scores[true]
    return Place(
        better=sum(score > own for score in scores.values()),
        equal=sum(score == own for score in scores.values()),
    )


def interval(
    values: NDArray[np.float64], groups: Sequence[str], *, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean (Efron 1979).

    Whole groups are drawn with replacement, because values of one group depend on
    each other: drawing single ones would make the interval too narrow.

    Args:
        values: One per case.
        groups: The group of each case.
        seed: The same seed, the same interval.

    """
    names, at = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(at, weights=values)
    counts = np.bincount(at)
    random = np.random.default_rng(seed)
    drawn = random.integers(names.size, size=(TRIALS, names.size))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
