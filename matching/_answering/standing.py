"""Assignments that keep what stands: the fewest changes first, then the most points."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush
from itertools import count

import numpy as np

from matching._arrays import Bools
from matching._solving.branched import TooHard
from matching._solving.circulation import Impossible
from matching._solving.instance import Instance

_MOST_PAIRS = 10_000
"""Up to so many mentors × learners, all repairs that undo standing pairings and bring
more points are found; above, those that no mixture of two others could equal."""
_MOST_TRIES = 200
"""Most assignments that are looked at besides the best of each number of changes."""


class Standing:
    """An instance, and the pairings that stand in it.

    Args:
        instance: Who can be paired with whom; what stands is admissible.
        kept: (mentors, learners) the pairings that stand.

    """

    def __init__(self, instance: Instance, kept: Bools) -> None:
        self.instance = replace(instance, allowed=instance.allowed | kept)
        self.kept = kept

    def part(self, mentors: Bools, learners: Bools) -> "Standing":
        """Return the same for some of the cities alone."""
        kept = self.kept[np.ix_(mentors, learners)]
        return Standing(self.instance.part(mentors, learners), kept)

    @cached_property
    def undisturbed(self) -> Instance:
        """The instance in which all that stands must stay."""
        return replace(self.instance, pinned=self.instance.pinned | self.kept)

    @property
    def ceiling(self) -> int:
        """More than the value of any assignment."""
        instance = self.instance
        places = instance.capacity.sum(), instance.demand.sum()
        most = int(min(*places, instance.worth.size))
        return most * int(instance.worth.max(initial=0)) + 1

    def value(self, chosen: Bools) -> int:
        """Return the micro-points of these pairs, adjustments included."""
        return int(self.instance.worth[chosen].sum())

    def undone(self, chosen: Bools) -> int:
        """Return how many standing pairings are not among these."""
        return int(np.count_nonzero(self.kept & ~chosen))

    def solved(self, instance: Instance) -> Bools | None:
        """Return the pairs with the most points; None if none are known."""
        try:
            return instance.solve("total").chosen
        except (Impossible, TooHard):
            return None

    def weighted(self, points: int, stay: int) -> Bools | None:
        """Return the best pairs where standing ones count for more; None if none is.

        Args:
            points: What a micro-point counts.
            stay: What a standing pairing counts besides.

        """
        worth = points * self.instance.worth + stay * self.kept
        return self.solved(replace(self.instance, worth=worth))


def levels(standing: Standing) -> Iterator[Bools]:
    """Yield the best assignment for each number of undone pairings that brings more.

    Those on the upper hull of points over changes are flows, in which a standing
    pairing brings so much more (Everett, Operations Research 11, 1963: what is best at
    a price is best at its own number of changes). Those between are integer programs.
    """
    last = standing.solved(standing.undisturbed)
    if last is None:
        last = standing.weighted(1, standing.ceiling)
    most = standing.weighted(int(standing.kept.sum()) + 1, 1)
    if last is None or most is None:
        return
    yield last
    for corner in (*_corners(standing, last, most), most):
        if standing.kept.size <= _MOST_PAIRS:
            for undone in range(standing.undone(last) + 1, standing.undone(corner)):
                chosen = standing.instance.solve_keeping(standing.kept, undone)
                if chosen is not None and standing.value(chosen) > standing.value(last):
                    last = chosen
                    yield chosen
        if standing.value(corner) > standing.value(last):
            last = corner
            yield corner


def _corners(standing: Standing, left: Bools, right: Bools) -> Iterator[Bools]:
    """Yield the corners of the upper hull between two of them, fewest undone first."""
    more_undone = standing.undone(right) - standing.undone(left)
    more_points = standing.value(right) - standing.value(left)
    if more_undone <= 1 or more_points <= 0:
        return
    corner = standing.weighted(more_undone, more_points)
    if corner is None:
        return

    def height(chosen: Bools) -> int:
        value, undone = standing.value(chosen), standing.undone(chosen)
        return more_undone * value - more_points * undone

    if height(corner) > height(left):
        yield from _corners(standing, left, corner)
        yield corner
        yield from _corners(standing, corner, right)


@dataclass(frozen=True, order=True)
class _Branch:
    """A part of all assignments, by what must and must not be in it."""

    loss: int
    number: int
    chosen: Bools
    instance: Instance


def ranked(standing: Standing) -> Iterator[Bools]:
    """Yield the assignments that undo nothing, the one with most points first.

    What is left after the best one is divided into parts by its pairs: all before one
    are in, that one is out (Murty, Operations Research 16, 1968; Lawler, Management
    Science 18, 1972). Assignments to which a pair could simply be added are left out.
    """
    number = count()
    branches: list[_Branch] = []

    def grow(instance: Instance) -> None:
        chosen = standing.solved(instance)
        if chosen is not None:
            branch = _Branch(-standing.value(chosen), next(number), chosen, instance)
            heappush(branches, branch)

    grow(standing.undisturbed)
    for _ in range(_MOST_TRIES):
        if not branches:
            return
        branch = heappop(branches)
        if not _open(standing, branch.chosen).any():
            yield branch.chosen
        pinned = branch.instance.pinned.copy()
        for place in np.argwhere(branch.chosen & ~pinned).tolist():
            allowed = branch.instance.allowed.copy()
            allowed[tuple(place)] = False
            grow(replace(branch.instance, allowed=allowed, pinned=pinned.copy()))
            pinned[tuple(place)] = True


def _open(standing: Standing, chosen: Bools) -> Bools:
    """Return the pairs that bring points and could simply be added."""
    instance = standing.instance
    free = instance.allowed & ~chosen & (instance.worth > 0)
    free &= (chosen.sum(axis=1) < instance.capacity)[:, np.newaxis]
    free &= chosen.sum(axis=0) < instance.demand
    if instance.limits and free.any():
        for place in np.argwhere(free).tolist():
            more = chosen.copy()
            more[tuple(place)] = True
            held = replace(instance, allowed=more, pinned=more)
            free[tuple(place)] = held.is_possible()
    return free
