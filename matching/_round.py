"""A problem and a policy made into tables: who sits where, what each pair is worth."""

from collections.abc import Callable
from functools import cached_property, reduce
from operator import attrgetter, or_

import numpy as np

from matching._admissible import check, pin, removed
from matching._arrays import Bools, Ints
from matching._rules import Sides
from matching._scoring.credit import Credit
from matching._scoring.score import Scores
from matching._scoring.wishes import ROLES, Wishes
from matching._solving.instance import Instance, strict_ranks
from matching._solving.limits import NONE, Cap, Limits
from schemas import Adjustment, City, Policy, Problem


class Round:
    """Mentors and learners with places, sorted by id, and everything between them.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Weights, rules, pins, bans and the credit for those left out.

    Attributes:
        mentors: The rows: cities that take learners.
        learners: The columns: cities that want mentors.
        scores: What every pair scores, and why.
        own: Per role, (mentors, learners) micro-points for that side's own wishes.
        credit: What cities left out before bring to a pair.
        credited: The same in micro-points, (mentors, 1) and (learners,).
        worth: Scores, wishes and credits together, in micro-points.
        sides: Both sides as the rules look at them.
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
        self.credit = Credit(problem.left_out, policy.left_out_credit)
        self.credited = (
            self.credit.points("mentor", self.mentors)[:, np.newaxis],
            self.credit.points("learner", self.learners),
        )
        self.worth = self._worth(self.scores.total)
        self.sides = Sides(self.mentors, self.learners, problem, self.scores.total)
        self.removed = removed(self.sides, policy)
        self.pinned = pin(self.sides, policy, self.removed)
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

    def _worth(self, scores: Ints) -> Ints:
        """Return scores, wishes and credits together, (mentors, learners)."""
        worth: Ints = scores + self.own["mentor"] + self.own["learner"]
        for points in self.credited:
            worth += points
        return worth

    @cached_property
    def forceable(self) -> Bools:
        """Pairs that could be pinned: nothing but the lowest score may forbid them."""
        masks = (mask for rule, mask in self.removed.items() if rule != "min_score")
        forceable: Bools = ~reduce(or_, masks, self.apart)
        return forceable

    @cached_property
    def ranks(self) -> tuple[Ints, Ints]:
        """Mentors' and learners' preferences, (mentors, learners): score and own wish.

        Of equals the smaller id is preferred: it stands first.
        """
        return self._ranks(self.scores.total)

    def _ranks(self, scores: Ints) -> tuple[Ints, Ints]:
        return strict_ranks(scores + self.own["mentor"], scores + self.own["learner"])

    @cached_property
    def limits(self) -> Limits:
        """The policy's caps and minimum loads; nobody without a group is capped."""
        sides = {"mentor": self.mentors, "learner": self.learners}
        load = self.policy.min_load
        # Whoever is used has one learner: that is no limit.
        limits = load.mentor > int(load.only_if_used)
        # Nobody can have more than this: a larger least is the same as one more.
        most = np.minimum(self.capacity, len(self.learners)).max(initial=0)
        return Limits(
            caps=tuple(
                Cap(
                    side=cap.side,
                    within_partner=cap.per == "partner",
                    group=_numbered(sides[cap.side], attrgetter(cap.by)),
                    most=cap.max,
                )
                for cap in self.policy.caps
            ),
            least=min(load.mentor, int(most) + 1) if limits else 0,
            only_if_used=load.only_if_used and limits,
        )

    def adjustments(self, mentor: str, learner: str) -> tuple[Adjustment, ...]:
        """Return what this pair gains beside its score: wishes, then credits."""
        return (
            *self.wishes.fulfilled(mentor, learner),
            *self.credit.given(mentor, learner),
        )

    def place(self, mentor: str, learner: str) -> tuple[int, int] | None:
        """Return row and column of a pair, or None if one of the two has no place."""
        if mentor in self.row and learner in self.column:
            return self.row[mentor], self.column[learner]
        return None

    def instance(self) -> Instance:
        """Return what the solver has to know."""
        return self._instance(self.worth, self.admissible, lambda: self.ranks)

    def instance_of(self, scores: Ints, allowed: Bools) -> Instance:
        """Return the same with other scores, (mentors, learners) in micro-points.

        Args:
            scores: What the pairs score.
            allowed: Which of them may be made.

        """
        return self._instance(self._worth(scores), allowed, lambda: self._ranks(scores))

    def _instance(
        self, worth: Ints, allowed: Bools, ranks: Callable[[], tuple[Ints, Ints]]
    ) -> Instance:
        return Instance(
            worth,
            allowed,
            self.capacity,
            self.demand,
            self.pinned,
            ranks=ranks() if self.policy.objective == "stable" else None,
            limits=self.limits,
        )


def _numbered(cities: list[City], group: Callable[[City], str | None]) -> Ints:
    """Return the number of every city's group, `NONE` for those that have none."""
    names = sorted({name for city in cities if (name := group(city)) is not None})
    number = {name: at for at, name in enumerate(names)}
    return np.array([number.get(group(city) or "", NONE) for city in cities], np.int64)
