"""Objective `fair`: leximin over learners, then most places, then most points.

Each learner counts by its best pairing. One such pairing a learner, its key, decides
leximin: fewest learners at the lowest level, then at the next, and so on. This is the
lexicographic bottleneck assignment problem (Burkard and Rendl, "Lexicographic
bottleneck problems", Oper. Res. Lett. 10, 1991): at each level an assignment with costs
0 and 1 is solved, and by complementary slackness with its prices exactly the pairs and
places that all best assignments may use are kept for the next level.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching._arrays import Bools, Ints
from matching._solving.flow import Network

NOBODY = -1
"""The key mentor of a learner that stays at what it has without one."""
_SHARPNESS = 58
"""Bits that the largest penalty times the number of nodes may have."""


def best_for_the_worst_off(  # noqa: PLR0913 -- the parts of one problem
    worth: Ints,
    level: Ints,
    candidate: Bools,
    capacity: Ints,
    demand: Ints,
    base: Ints,
    settled: Callable[[int], None],
) -> Bools:
    """Return the pairs, (mentors, learners).

    Args:
        worth: (mentors, learners), for the sum that decides last.
        level: (mentors, learners), how good a pair is for its learner, as ranks
            from 0.
        candidate: Which pairs may be used.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.
        base: The level of each learner that gets none of these pairs.
        settled: Called with the number of learners that can no longer change level.

    """
    face = _Face(level, candidate, capacity, base, demand > 0)
    while face.descend():
        settled(int(np.count_nonzero(face.reached() <= face.done)))
    return _fill(worth, candidate, capacity, demand, face)


class _Face:
    """All key assignments that are best on the levels looked at so far.

    Attributes:
        pair: (mentors, learners) pairs that such an assignment may use.
        alone: Learners that may stay at their base.
        full: Mentors that every such assignment fills.
        key: One such assignment: each learner's mentor, or `NOBODY`.

    """

    def __init__(
        self, level: Ints, candidate: Bools, capacity: Ints, base: Ints, active: Bools
    ) -> None:
        self.learners = np.flatnonzero(active)
        self.level = level[:, self.learners]
        self.base = base[self.learners]
        self.capacity = capacity
        self.pair = candidate[:, self.learners] & (self.level > self.base)
        self.alone = np.ones(self.learners.size, np.bool_)
        self.full = np.zeros(capacity.size, np.bool_)
        self.key = np.full(self.learners.size, NOBODY)
        self.done = -1  # the last level looked at; levels count from 0
        self._spread()

    def reached(self) -> Ints:
        """Return the level that each learner has in `key`."""
        if not self.level.size:
            return self.base
        paired = self.level[self.key, np.arange(self.key.size)]
        return np.where(self.key == NOBODY, self.base, paired)

    def descend(self) -> bool:
        """Settle the next level that any key is at; return False after the last."""
        reached = self.reached()
        ahead = reached[reached > self.done]
        if not ahead.size:
            return False
        lowest = ahead.min()
        # The key shows that nobody needs to be between the last level and this one.
        self.pair &= (self.level <= self.done) | (self.level >= lowest)
        self.alone &= (self.base <= self.done) | (self.base >= lowest)
        self.done = lowest
        cost = (self.level == lowest).astype(np.int32)
        alone_cost = (self.base == lowest).astype(np.int32)
        prices = self._prices(cost, alone_cost)
        better = prices is None
        if prices is None:
            self.key = self._cheapest(cost, alone_cost)
            prices = self._prices(cost, alone_cost)
            assert prices is not None  # noqa: S101 -- what is cheapest has prices
        mentor, learner = prices
        self.pair &= mentor[:, np.newaxis] + cost == learner
        self.alone &= alone_cost == learner
        self.full |= mentor > 0
        if better:
            self._spread()
        return True

    def _spread(self) -> None:
        """Replace `key` by one of this face that is good on the next levels, too.

        Low levels cost very much more than higher ones. Only speed depends on it: the
        next levels then seldom need an assignment of their own.
        """
        levels = self.level[self.pair]
        ahead = levels[levels > self.done]
        if ahead.size:
            reached = self.reached()
            above = reached[reached > self.done]
            bits = _SHARPNESS - sum(self.pair.shape).bit_length()
            middle = max(np.median(above if above.size else ahead), self.done + 1)
            self.key = self._cheapest(
                *(
                    np.exp2(np.interp(level, [self.done, middle], [bits, 0])).astype(
                        np.int64
                    )
                    for level in (self.level, self.base)
                )
            )

    def _cheapest(self, cost: NDArray[Any], alone_cost: NDArray[Any]) -> Ints:
        """Return the key assignment of this face with the least cost."""
        mentors, learners = self.pair.shape
        mentor, learner = np.nonzero(self.pair)
        sink = mentors + learners
        node = mentors + np.arange(learners)
        network = Network(sink + 1)
        network.supply[node] = 1
        network.supply[:mentors][self.full] = -self.capacity[self.full]
        network.supply[sink] = self.capacity[self.full].sum() - learners
        pairs = network.add(mentors + learner, mentor, 1, cost[mentor, learner])
        network.add(node, [sink], self.alone, alone_cost)
        network.add(np.arange(mentors), [sink], np.where(self.full, 0, self.capacity))
        used = network.solve()[pairs].astype(np.bool_)
        key = np.full(learners, NOBODY)
        key[learner[used]] = mentor[used]
        return key

    def _prices(
        self, cost: NDArray[np.int32], alone_cost: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
        """Return the prices that prove `key` cheapest, or None if it is not.

        A mentor's price is the least cost at which one of its learners can give up its
        place along a chain of moves, ending where a place is free; a learner's price is
        its cheapest option at these prices.
        """
        mentors, learners = self.pair.shape
        paired = np.flatnonzero(self.key != NOBODY)
        mentor = self.key[paired]
        load = np.bincount(mentor, minlength=mentors)
        spare = ~self.full & (load < self.capacity)
        far = np.int32(learners + 1)
        at_first = np.where(spare, 0, far).astype(np.int32)
        # Beyond reach of any sum of prices and costs.
        option = np.where(self.pair, cost, 4 * far)
        stay = np.where(self.alone, alone_cost, 4 * far)
        own = cost[mentor, paired]
        price = at_first
        while True:
            cheapest = (option + price[:, np.newaxis]).min(axis=0, initial=4 * far)
            cheapest = np.minimum(cheapest, stay)
            lower = at_first.copy()
            np.minimum.at(lower, mentor, cheapest[paired] - own)
            if (lower[~self.full] < 0).any() or (lower < -far).any():
                return None
            if np.array_equal(lower, price):
                break
            price = lower
        alone = self.key == NOBODY
        if (cheapest[alone] < alone_cost[alone]).any():
            return None
        return price, cheapest


def _fill(
    worth: Ints, candidate: Bools, capacity: Ints, demand: Ints, face: _Face
) -> Bools:
    """Return the pairs with most places, then most points, whose keys lie in the face.

    A learner's mentors reach it by three nodes: `key` takes its key, `extra` what it
    has beside, and `either` the pairs that may be one or the other.
    """
    mentors, learners = face.pair.shape
    source, sink = range(mentors + 4 * learners, mentors + 4 * learners + 2)
    key, either, extra, out = (
        mentors + part * learners + np.arange(learners) for part in range(4)
    )
    full = face.full[:, np.newaxis]
    arrivals = [
        (head, *np.nonzero(pairs))
        for head, pairs in (
            (key, face.pair & full),
            (either, face.pair & ~full),
            (extra, candidate[:, face.learners] & ~face.pair & ~full),
        )
    ]
    must = ~face.alone
    rest = demand[face.learners] - must
    fixed = int(capacity[face.full].sum()) - np.count_nonzero(must)
    free = int(capacity[~face.full].sum())

    def flows(places: int | None) -> list[Ints]:
        """Return the best flows that fill so many places beside the fixed keys.

        None: as many places as can be, whatever the points.
        """
        counting = places is None
        network = Network(sink + 1)
        network.supply[:mentors][face.full] = capacity[face.full]
        network.supply[key[must]] = -1
        network.supply[source] = free if places is None else places - fixed
        network.supply[sink] = -network.supply.sum()
        for head, mentor, learner in arrivals:
            cost = 0 if counting else -worth[mentor, face.learners[learner]]
            network.add(mentor, head[learner], 1, cost)
        network.add(out, [sink], rest, -1 if counting else 0)
        network.add(source, np.arange(mentors), np.where(face.full, 0, capacity))
        network.add(either, key, 1)
        network.add(either, extra, rest)
        network.add(key, out, face.alone)
        network.add(extra, out, rest)
        network.add(source, [sink], free if counting else 0)
        return network.solve()

    places = int(flows(None)[len(arrivals)].sum())
    chosen = np.zeros(worth.shape, np.bool_)
    for (_, mentor, learner), flow in zip(arrivals, flows(places), strict=False):
        used = flow.astype(np.bool_)
        chosen[mentor[used], face.learners[learner[used]]] = True
    return chosen
