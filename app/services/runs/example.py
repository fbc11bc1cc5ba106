"""The IncluCities round, matched by this program: what anybody may look at.

It comes from the facts that ship with the service, never from its database: the front
page shows the same on every installation, and nothing of a network.
"""

from dataclasses import dataclass
from functools import cache

import matching
from app import data
from schemas import City, Explanation, Pairing, Policy, Problem, Role, Solution

_TRIALS = 100
"""Perturbed trials; a run makes more, but nobody waits for it to read a page."""


@dataclass(frozen=True)
class Example:
    """A round with its outcome.

    Attributes:
        problem: The eight cities.
        policy: The rules that they are matched by.
        solution: The pairings, with how firm each is.
        withdrawn: The cities that left before the round was matched.
        is_as_made: Whether these are the pairs that the project made.

    """

    problem: Problem
    policy: Policy
    solution: Solution
    withdrawn: tuple[City, ...]
    is_as_made: bool

    def with_role(self, role: Role) -> list[City]:
        """Return the mentors, or the learners."""
        return [city for city in self.problem.cities if role in city.roles]

    def pairing(self, mentor: str, learner: str) -> Pairing | None:
        """Return the pairing of the two, or None: it is not proposed."""
        for one in self.solution.pairings:
            if (one.mentor, one.learner) == (mentor, learner):
                return one
        return None


@cache
def example() -> Example:
    """Match the round, once in the life of the process."""
    request = data.inclucities()
    problem, policy = request.problem(), request.policy
    solution = matching.match(problem, policy, trials=_TRIALS)
    pairs = {(one.mentor, one.learner) for one in solution.pairings}
    return Example(
        problem=problem,
        policy=policy,
        solution=solution,
        withdrawn=data.withdrawn(),
        is_as_made=pairs == set(data.real_pairs()),
    )


def why(mentor: City, learner: City) -> Explanation:
    """Return where the score of a pair of the example comes from, proposed or not."""
    round_ = example()
    return matching.explain(
        round_.problem, round_.policy, mentor=mentor.id, learner=learner.id
    )
