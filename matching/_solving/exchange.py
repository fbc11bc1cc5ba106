"""What forcing any pair costs, all pairs at once, from one optimal assignment.

In an optimal flow the cheapest way to use one more unit on an arc is the shortest path
back through the residual network (Ahuja, Magnanti and Orlin, Network Flows, 1993,
section 9.6). Here every such path alternates between mentors and learners, so all of
them follow from the shortest paths of a graph of mentors alone, and one node for
places that stay free.
"""

from dataclasses import dataclass

import numpy as np

from matching._arrays import Bools, Ints
from matching._solving.shortest import FAR, shortest


@dataclass(frozen=True, eq=False)
class Scale:
    """Learners, places and points as one number, exactly.

    A path changes the points by less than half of `place`, and the places by one at
    the most, so the three can be read back.

    Attributes:
        place: What a filled place is worth.
        first: What a learner's first mentor is worth besides.

    """

    place: int = 0
    first: int = 0

    @classmethod
    def of(cls, objective: str, worth: Ints, nodes: int) -> "Scale":
        """Return what the objective counts before points.

        Args:
            objective: `served` counts learners and places, the others points alone.
            worth: (mentors, learners) micro-points.
            nodes: Of the network in which paths are looked for: none visits one twice.

        """
        if objective != "served":
            return cls()
        place = 4 * nodes * (int(worth.max(initial=0)) + 1)
        return cls(place, 8 * place)

    def points(self, price: Ints) -> Ints:
        """Return the points in a price: what is left beside learners and places."""
        if not self.place:
            return price
        beside = price - self.first * np.rint(price / self.first).astype(np.int64)
        return beside - self.place * np.rint(beside / self.place).astype(np.int64)


def forcing_prices(  # noqa: PLR0913 -- the parts of one assignment
    worth: Ints,
    candidate: Bools,
    pinned: Bools,
    chosen: Bools,
    capacity: Ints,
    demand: Ints,
    first: int,
) -> Ints:
    """Return (mentors, learners) what the optimum loses by each forced pair.

    `FAR` where no assignment has the pair.

    Args:
        worth: (mentors, learners) what a pair is worth.
        candidate: Pairs that the optimum was chosen from.
        pinned: Pairs that were made whatever they are worth.
        chosen: The optimum, pins included.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.
        first: What a learner's first mentor is worth besides.

    """
    mentors = len(worth)
    loose = chosen & ~pinned
    spare = chosen.sum(axis=1) < capacity
    load = chosen.sum(axis=0)
    open_learner = load < demand
    # What a learner gains by one mentor more, and loses by one less.
    gain = np.where(load == 0, first, 0)
    loss = np.where(load == 1, first, 0)
    free = mentors
    length = np.full((mentors + 1, mentors + 1), FAR)
    np.fill_diagonal(length, 0)
    givers, takers = np.nonzero(loose)
    # Of mentor m' that has lost a learner, and of m'' that is to lose one:
    # m' takes over a learner of m'';
    for giver, taker in zip(givers.tolist(), takers.tolist(), strict=True):
        moved = worth[giver, taker] - worth[:, taker]
        can = candidate[:, taker] & ~chosen[:, taker]
        length[:-1, giver] = np.where(
            can, np.minimum(length[:-1, giver], moved), length[:-1, giver]
        )
    # m' takes a learner that wants one more, or keeps its place free;
    joins = np.where(candidate & ~chosen & open_learner, -worth - gain, 0)
    length[:-1, free] = np.minimum(joins.min(axis=1, initial=0), 0)
    # m'' has a place to spare, or one of its learners goes without.
    leaves = np.where(loose, worth + loss, FAR).min(axis=1, initial=FAR)
    length[free, :-1] = np.where(spare, 0, leaves)
    length = shortest(length)
    # A learner with a pair forced on it takes the place it has left, or drops a mentor.
    back = np.where(open_learner, length[free, :-1, np.newaxis] - gain, FAR)
    for giver, taker in zip(givers.tolist(), takers.tolist(), strict=True):
        np.minimum(
            back[:, taker],
            worth[giver, taker] + length[giver, :-1],
            out=back[:, taker],
        )
    price = back - worth
    price[back > FAR // 2] = FAR
    price[chosen] = 0
    return price
