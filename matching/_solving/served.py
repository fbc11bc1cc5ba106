"""Objective `served`: most learners with a mentor, then most places, then most points.

Three flows, one after the other, instead of one with a large bonus: how many learners
can be served, how many places can be filled, and the best of the assignments that do
both. Both maxima can be had at once, since augmenting a flow never takes a learner's
last mentor away.
"""

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow

from matching._arrays import Bools, Ints
from matching._solving.flow import Network


def most_served(
    worth: Ints, candidate: Bools, capacity: Ints, demand: Ints, served: Bools
) -> Bools:
    """Return the pairs, (mentors, learners); also pairs worth 0 or less are used.

    Args:
        worth: (mentors, learners).
        candidate: Which pairs may be used.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.
        served: Learners that have a mentor already, so that all places are further.

    """
    mentors, learners = worth.shape
    mentor, learner = np.nonzero(candidate)
    one = np.where(served, 0, np.minimum(demand, 1))
    newly = _most_places(mentor, learner, capacity, one)
    places = _most_places(mentor, learner, capacity, demand)
    source, first, further = range(mentors + learners, mentors + learners + 3)
    node = mentors + np.arange(learners)
    network = Network(mentors + learners + 3)
    network.supply[[source, first, further]] = places, -newly, newly - places
    network.add(source, np.arange(mentors), capacity)
    pairs = network.add(mentor, mentors + learner, 1, -worth[mentor, learner])
    network.add(node, first, one)
    network.add(node, further, demand - one)
    chosen = np.zeros(worth.shape, np.bool_)
    chosen[mentor, learner] = network.solve()[pairs]
    return chosen


def _most_places(mentor: Ints, learner: Ints, capacity: Ints, demand: Ints) -> int:
    """Return how many pairs can be made at once."""
    mentors, learners = capacity.size, demand.size
    source, sink = mentors + learners, mentors + learners + 1
    solver = SimpleMaxFlow()
    for tail, head, most in (
        (np.full(mentors, source), np.arange(mentors), capacity),
        (mentor, mentors + learner, np.ones(mentor.size)),
        (mentors + np.arange(learners), np.full(learners, sink), demand),
    ):
        solver.add_arcs_with_capacity(
            tail.astype(np.int32), head.astype(np.int32), most.astype(np.int64)
        )
    status = solver.solve(source, sink)
    if status != solver.OPTIMAL:
        raise RuntimeError(f"The flow solver answered {status}.")
    return int(solver.optimal_flow())
