"""Assignments under caps and minimum loads, each objective exact.

While the capped groups of each side nest, they are nodes of one flow: laminar families
on the two sides of a transportation problem (Edmonds 1970 for two matroids; Ahuja,
Magnanti and Orlin 1993 for the flow). Where they overlap, or a mentor may have none
instead of its least, the problem is NP-hard in general and goes to `branched`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matching._arrays import Bools, Floats, Ints
from matching._solving.circulation import Circulation
from matching._solving.limits import Forest, Limits

Families = tuple[Forest, Forest, Forest, Forest]
"""Mentors in the round, learners in the round, learners of a mentor, mentors of a
learner."""


def families(limits: Limits, mentors: int, learners: int) -> Families | None:
    """Return the capped groups as forests, or None if some of them overlap."""
    found = (
        limits.family("mentor", within_partner=False, size=mentors),
        limits.family("learner", within_partner=False, size=learners),
        limits.family("learner", within_partner=True, size=learners),
        limits.family("mentor", within_partner=True, size=mentors),
    )
    return None if None in found else found  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Demand:
    """Places, pins and limits: everything but what a pair is worth.

    Attributes:
        usable: (mentors, learners) pairs that may be used; pins are.
        pinned: (mentors, learners) pairs that must be.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.
        limits: Caps and minimum loads.

    """

    usable: Bools
    pinned: Bools
    capacity: Ints
    demand: Ints
    limits: Limits


def _within(groups: Ints, group: Ints, outside: Ints) -> Ints:
    """Return the node of every group, or the node outside where there is none.

    Args:
        groups: (…, groups) the nodes of all groups.
        group: (k,) which group, or `NONE`.
        outside: What stands for `NONE`; (…, 1) or a single node.

    """
    # A last column for the last index, which is `NONE`.
    width = (*groups.shape[:-1], 1)
    nodes = np.concatenate([groups, np.broadcast_to(outside, width)], axis=-1)
    return nodes[..., group]


class LimitedFlow:
    """One flow with a node for every capped group.

    A unit goes from the source through the mentor's groups, the mentor, the learner's
    groups within that mentor, the pair, the mentor's groups within that learner, the
    learner and its groups to the sink.

    Args:
        given: Places, pins and limits.
        nested: The capped groups.
        keyed: Whether one pair of each learner is its key, the one that counts for
            `fair`. Then every pair is a node that leads to its learner's key or to
            what it has beside; learners' own groups cannot stand between.

    """

    def __init__(self, given: Demand, nested: Families, *, keyed: bool) -> None:
        of_mentors, of_learners, in_mentor, in_learner = nested
        self.mentor, self.learner = np.nonzero(given.usable)
        mentors, learners = self._cities = given.usable.shape
        self._taken = 0
        source, sink = self._nodes(2)
        mentor, learner = self._nodes(mentors), self._nodes(learners)
        mentor_group = self._nodes(of_mentors.most.size)
        learner_group = self._nodes(of_learners.most.size)
        inner = self._nodes(mentors * in_mentor.most.size).reshape(
            mentors, in_mentor.most.size
        )
        outer = self._nodes(learners * in_learner.most.size).reshape(
            learners, in_learner.most.size
        )
        pair = self._nodes(self.mentor.size if keyed else 0)
        beside = self._nodes(learners if keyed else 0)
        net = self.net = Circulation(self._taken)
        net.add(sink, source, int(given.demand.sum()))
        net.add(
            _within(mentor_group, of_mentors.parent, source),
            mentor_group,
            of_mentors.most,
        )
        net.add(
            _within(mentor_group, of_mentors.innermost, source),
            mentor,
            given.capacity,
            given.limits.least,
        )
        net.add(
            _within(inner, in_mentor.parent, mentor[:, np.newaxis]).ravel(),
            inner.ravel(),
            np.tile(in_mentor.most, mentors),
        )
        self._tail = _within(inner, in_mentor.innermost, mentor[:, np.newaxis])
        self._head = _within(outer, in_learner.innermost, learner[:, np.newaxis]).T
        at = self.mentor, self.learner
        ends = pair if keyed else self._head[at]
        self.pairs = self.keys = net.add(self._tail[at], ends, 1, given.pinned[at])
        if keyed:
            self.keys = net.add(pair, learner[self.learner], 1)
            net.add(pair, beside[self.learner], 1)
        net.add(
            outer.ravel(),
            _within(outer, in_learner.parent, learner[:, np.newaxis]).ravel(),
            np.tile(in_learner.most, learners),
        )
        leave = _within(learner_group, of_learners.innermost, sink)
        one = np.minimum(given.demand, 1)
        self.first = net.add(learner, leave, one)
        net.add(beside if keyed else learner, leave, given.demand - one)
        net.add(
            learner_group,
            _within(learner_group, of_learners.parent, sink),
            of_learners.most,
        )
        net.close()

    def _nodes(self, count: int) -> Ints:
        """Return the numbers of so many new nodes."""
        self._taken += count
        return np.arange(self._taken - count, self._taken)

    def chosen(self) -> Bools:
        """Return the pairs of the flow that was found last."""
        chosen = np.zeros(self._cities, np.bool_)
        used = self.net.flow_of(self.pairs) > 0
        chosen[self.mentor[used], self.learner[used]] = True
        return chosen

    def most(self, worth: Ints) -> None:
        """Keep the flows with the largest sum of worth."""
        at = self.mentor, self.learner
        self.net.make_cheapest(self.net.costs({self.pairs: -worth[at]}))

    def most_learners(self) -> None:
        """Keep the flows that serve most learners."""
        self.net.make_cheapest(self.net.costs({self.first: -1}))

    def most_pairs(self, counted: Bools) -> None:
        """Keep the flows with most of the pairs that count."""
        self.most(counted.astype(np.int64))

    def best_for_the_worst_off(
        self, level: Ints, base: int, settled: Callable[[int], None]
    ) -> None:
        """Keep the flows that are leximin over the learners' keys.

        Args:
            level: (mentors, learners) how good a pair is for its learner, as ranks.
            base: The level of a learner without a mentor.
            settled: Called with the number of learners that can no longer change level.

        """
        learners = self._cities[1]
        levels = level[self.mentor, self.learner]
        done = -1
        self.net.make_cheapest(self.net.costs({}))
        while True:
            reached = np.where(self.chosen(), level, base).max(axis=0, initial=base)
            ahead = reached[reached > done]
            settled(learners - ahead.size)
            if not ahead.size:
                return
            lowest = int(ahead.min())
            # Fewest between the last level and this one (the flow shows: none), then
            # fewest at this one: a digit each, and no digit is above `learners`.
            between, here = (
                ((done < levels) & (levels < lowest)).astype(np.int64),
                (levels == lowest).astype(np.int64),
            )
            alone = (done < base < lowest) * (learners + 1) + (base == lowest)
            self.net.make_cheapest(
                self.net.costs(
                    {self.keys: between * (learners + 1) + here, self.first: -alone}
                )
            )
            done = lowest

    def prices(self, worth: Ints, first: int) -> Floats:
        """Return (mentors, learners) what forcing each pair costs; `inf`: impossible.

        A forced pair costs its own worth less than nothing, and leads one unit more
        from its learner's end back to its mentor's, along the cheapest detour.

        Args:
            worth: (mentors, learners), of which the flow has the largest sum.
            first: What a learner's first mentor is worth besides.

        """
        at = self.mentor, self.learner
        cost = self.net.costs({self.pairs: -worth[at], self.first: -first})
        ends, end = np.unique(self._head, return_inverse=True)
        far = self.net.detours(cost, ends)
        return far[end.reshape(self._head.shape), self._tail] - worth
