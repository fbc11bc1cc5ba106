"""Objective `served`: most learners with a mentor, then most places, then most points.

Three flows, one after the other, instead of one with a large bonus: how many learners
can be served, how many places can be filled, and the best of the assignments that do
both. Both maxima can be had at once, since augmenting a flow never takes a learner's
last mentor away.
"""

import numpy as np

from matching._arrays import Bools, Ints
from matching._solving.flow import Network, fullest


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
    newly, places = (
        fullest(mentor, learner, capacity, most).optimal_flow()
        for most in (one, demand)
    )
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
