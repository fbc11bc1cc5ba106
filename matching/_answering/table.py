"""What every pair scores, and what removes it: the whole round as one table."""

from collections.abc import Mapping
from dataclasses import dataclass

from matching._arrays import Bools, Floats
from matching._round import Round
from matching._scoring.score import MICRO
from schemas import Policy, Problem


@dataclass(frozen=True, eq=False)
class Table:
    """Every mentor with every learner.

    Attributes:
        mentors: Ids, one per row.
        learners: Ids, one per column.
        scores: (mentors, learners) points, whether or not the pair is admissible.
        removed: What each rule or decision removes, (mentors, learners), by its name.
        apart: Pairs of a city with itself.

    """

    mentors: tuple[str, ...]
    learners: tuple[str, ...]
    scores: Floats
    removed: Mapping[str, Bools]
    apart: Bools

    def score(self, mentor: str, learner: str) -> float:
        """Return what two cities of the table score, by their ids."""
        at = self.mentors.index(mentor), self.learners.index(learner)
        return float(self.scores[at])


def table(problem: Problem, policy: Policy | None = None) -> Table:
    """Return what every pair of cities with places scores, and what removes it.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Weights, rules, pins and bans; None: the default.

    Raises:
        InvalidPolicy: As `match` does.
        Infeasible: If a pin clashes with something.

    Examples:
        >>> from matching import Policy, Problem
        >>> def city(id, role, country, **areas):
        ...     return {"id": id, "name": id, "country": country, "roles": [role],
        ...             "areas": areas}
        >>> found = table(Problem.from_dict({"cities": [
        ...     city("ghent", "mentor", "BE", housing={"strength": 4}),
        ...     city("arlon", "learner", "BE", housing={"need": 4}),
        ... ]}), Policy.from_dict({"rules": {"different_country": True}}))
        >>> found.scores.tolist(), found.removed["different_country"].tolist()
        ([[65.0]], [[True]])

    """
    found = Round(problem, policy or Policy())
    return Table(
        mentors=tuple(city.id for city in found.mentors),
        learners=tuple(city.id for city in found.learners),
        scores=found.scores.total / MICRO,
        removed=found.removed,
        apart=found.apart,
    )
