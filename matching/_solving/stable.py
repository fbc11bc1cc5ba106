"""Objective `stable`: deferred acceptance, the learners proposing.

Both sides rank by numbers, no two alike on one list, and a city with several places
takes its best ones: then learners propose down their lists, mentors keep the best they
have been offered, and no pair blocks the end (Gale and Shapley, "College admissions and
the stability of marriage", Amer. Math. Monthly 69, 1962; for several places on both
sides Roth, "Stability and polarization of interests in job matching", Econometrica 52,
1984).
"""

from heapq import heappush, heappushpop

import numpy as np

from matching._arrays import Bools, Ints


def stable(
    mentor_rank: Ints,
    learner_rank: Ints,
    candidate: Bools,
    capacity: Ints,
    demand: Ints,
) -> Bools:
    """Return the pairs, (mentors, learners), of which none is blocked.

    Args:
        mentor_rank: (mentors, learners) how much the mentor likes the learner; the
            numbers of a mentor differ.
        learner_rank: (mentors, learners) how much the learner likes the mentor; the
            numbers of a learner differ.
        candidate: Which pairs may be used.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.

    """
    chosen = np.zeros(candidate.shape, np.bool_)
    candidate = candidate & (capacity > 0)[:, np.newaxis]
    lists = [
        rows[np.argsort(learner_rank[rows, learner])]  # the best at the end
        for learner, rows in enumerate(map(np.flatnonzero, candidate.T))
    ]
    left = [rows.tolist() for rows in lists]
    kept: list[list[tuple[int, int]]] = [[] for _ in capacity]
    places = capacity.tolist()
    # A learner stands here once for every place that it still wants filled, and can.
    asking = [
        learner
        for learner, want in enumerate(demand.tolist())
        for _ in range(min(want, lists[learner].size))
    ]
    while asking:
        learner = asking.pop()
        if not left[learner]:
            continue
        mentor = left[learner].pop()
        offer = int(mentor_rank[mentor, learner]), learner
        if len(kept[mentor]) < places[mentor]:
            heappush(kept[mentor], offer)
        else:
            asking.append(heappushpop(kept[mentor], offer)[1])
    for mentor, offers in enumerate(kept):
        chosen[mentor, [learner for _, learner in offers]] = True
    return chosen
