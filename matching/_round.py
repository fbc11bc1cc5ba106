"""A problem and a policy made into tables: who sits where, what each pair is worth."""

from functools import reduce
from operator import or_

import numpy as np

from matching._admissible import check, pin, removed
from matching._arrays import Bools, Ints
from matching._scoring.score import Scores
from matching._scoring.wishes import ROLES, Wishes
from matching._solving.instance import Instance
from schemas import Policy, Problem


class Round:
    """Mentors and learners with places, sorted by id, and everything between them.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Weights, rules, pins and bans.

    Attributes:
        mentors: The rows: cities that take learners.
        learners: The columns: cities that want mentors.
        scores: What every pair scores, and why.
        own: Per role, (mentors, learners) micro-points for that side's own wishes.
        worth: Scores and wishes together, in micro-points.
        removed: What every rule and decision removes.
        apart: Pairs of a city with itself.
        pinned: Pairs that must be.

    Raises:
        InvalidPolicy: For what the policy names that is not there.
        Infeasible: If a pin clashes with something.

    """

    def __init__(self, problem: Problem, policy: Policy) -> None:
        check(problem, policy)
        self.problem, self.policy = problem, policy
        self.cities = sorted(problem.cities, key=lambda city: city.id)
        self.mentors = [city for city in self.cities if city.mentor_capacity]
        self.learners = [city for city in self.cities if city.learner_demand]
        self.row = {city.id: at for at, city in enumerate(self.mentors)}
        self.column = {city.id: at for at, city in enumerate(self.learners)}
        self.scores = Scores(self.mentors, self.learners, policy.weights)
        self.wishes = Wishes(problem.wishes)
        self.own = {
            role: self.wishes.points(role, self.row, self.column) for role in ROLES
        }
        self.worth: Ints = self.scores.total + self.own["mentor"] + self.own["learner"]
        self.removed = removed(
            self.mentors, self.learners, problem, policy, self.scores.total
        )
        self.pinned = pin(self.mentors, self.learners, policy, self.removed)
        self.apart = np.zeros(self.worth.shape, np.bool_)
        for city in self.row.keys() & self.column.keys():
            self.apart[self.row[city], self.column[city]] = True
        self.admissible: Bools = ~reduce(or_, self.removed.values(), self.apart)
        self.capacity = np.array(
            [city.mentor_capacity for city in self.mentors], np.int64
        )
        self.demand = np.array(
            [city.learner_demand for city in self.learners], np.int64
        )

    def instance(self) -> Instance:
        """Return what the solver has to know."""
        return Instance(
            self.worth, self.admissible, self.capacity, self.demand, self.pinned
        )
