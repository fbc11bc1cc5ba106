"""Objective `total`: the assignment with the most points, exact at every size.

Small problems go to the flow solver whole. Larger ones start from the best few
partners of each city; the prices of that answer show every pair left out that could
improve it; such pairs join until there is none. This is column generation for the
transportation problem (Ford and Fulkerson 1958; Dantzig and Wolfe 1960), so the end is
the optimum over all pairs, not over the short lists.
"""

import numpy as np

from matching._arrays import Bools, Ints
from matching._solving.flow import Network

WHOLE = 20_000
"""Up to this many candidate pairs the solver takes them all at once."""
FIRST = 12
"""Partners of each city that a large problem starts with."""
MORE = 8
"""Most partners of each city that join in one go, when many could improve."""


def most_points(worth: Ints, candidate: Bools, capacity: Ints, demand: Ints) -> Bools:
    """Return the pairs, (mentors, learners), with the largest sum of worth.

    Args:
        worth: (mentors, learners); only pairs worth more than 0 are used.
        candidate: Which pairs may be used.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.

    """
    candidate = candidate & (worth > 0)
    column = candidate
    if np.count_nonzero(candidate) > WHOLE:
        masked = np.where(candidate, worth, 0)
        column = candidate & (_top(masked, FIRST, 0) | _top(masked, FIRST, 1))
    while True:
        chosen, mentor_price, learner_price = _solve(worth, column, capacity, demand)
        if column is candidate:
            return chosen
        gain = worth - mentor_price[:, np.newaxis]
        gain -= learner_price
        better = candidate & ~column & (gain > 0)
        count = np.count_nonzero(better)
        if not count:
            return chosen
        if count > WHOLE:
            gain[~better] = 0
            better &= _top(gain, MORE, 0) | _top(gain, MORE, 1)
        column = column | better


def _top(values: Ints, count: int, axis: int) -> Bools:
    """Mark the `count` largest values of every line along the axis."""
    if axis == 0:
        # A partition wants its line in one piece.
        return _top(np.ascontiguousarray(values.T), count, 1).T
    size = values.shape[1]
    if size <= count:
        return np.ones(values.shape, np.bool_)
    best = np.argpartition(values, size - count, axis=1)[:, size - count :]
    marked = np.zeros(values.shape, np.bool_)
    np.put_along_axis(marked, best, values=True, axis=1)
    return marked


def _solve(
    worth: Ints, column: Bools, capacity: Ints, demand: Ints
) -> tuple[Bools, Ints, Ints]:
    """Return the best pairs among these columns, and a price for every city."""
    mentors, learners = worth.shape
    source, sink = mentors + learners, mentors + learners + 1
    learner, mentor = np.nonzero(column.T)  # by learner, as `_prices` wants them
    points = worth[mentor, learner]
    most = min(capacity.sum(), demand.sum())
    network = Network(sink + 1)
    network.supply[[source, sink]] = most, -most
    network.add(source, np.arange(mentors), capacity)
    pairs = network.add(mentor, mentors + learner, 1, -points)
    network.add(mentors + np.arange(learners), sink, demand)
    network.add(source, [sink], most)
    used = network.solve()[pairs].astype(np.bool_)
    chosen = np.zeros(worth.shape, np.bool_)
    chosen[mentor[used], learner[used]] = True
    spare = chosen.sum(axis=1) < capacity
    served = chosen.sum(axis=0) > 0
    return chosen, *_prices(mentor, learner, points, used, spare, served)


def _prices(  # noqa: PLR0913 -- the parts of one answer
    mentor: Ints, learner: Ints, points: Ints, used: Bools, spare: Bools, served: Bools
) -> tuple[Ints, Ints]:
    """Return the dual prices of an optimal answer over some pairs, in `points`.

    A mentor with a place to spare costs 0, a learner without a mentor is worth 0; a
    pair that is not used is worth at most the two prices together, a used one at least.
    They are shortest distances from the free places in the residual network (Bellman
    and Ford), all arcs relaxed at once until nothing changes.
    """
    far = np.int64(2**61)
    of_free_mentor = np.where(spare, 0, far)
    of_served = np.where(served, 0, far)
    over, under = ~used, used
    starts = np.flatnonzero(np.r_[True, np.diff(learner[over]) > 0][: over.sum()])
    reached = learner[over][starts]
    mentors_at, learners_at = of_free_mentor, of_served
    while True:
        next_learners = of_served.copy()
        if starts.size:
            offers = np.minimum.reduceat(
                mentors_at[mentor[over]] - points[over], starts
            )
            next_learners[reached] = np.minimum(next_learners[reached], offers)
        next_mentors = of_free_mentor.copy()
        np.minimum.at(
            next_mentors,
            mentor[under],
            next_learners[learner[under]] + points[under],
        )
        if np.array_equal(next_mentors, mentors_at) and np.array_equal(
            next_learners, learners_at
        ):
            return mentors_at, np.maximum(0, -learners_at)
        mentors_at, learners_at = next_mentors, next_learners
