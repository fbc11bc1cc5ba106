"""How much work one assignment is, counted in pairs: never in seconds."""

from schemas import Policy, Problem

_OBJECTIVES = {"total": 1, "served": 2, "fair": 20, "stable": 2}
"""How much more work an assignment is than one with the most points."""
_LIMITED = {"total": 3, "served": 3, "fair": 100}
"""How much more it is as a flow under caps and loads."""
_BRANCHED = {"total": 50, "served": 100, "fair": 500}
"""How much more it is by branch and bound."""


def effort(problem: Problem, policy: Policy | None = None) -> int:
    """Return about how many pairs' worth of work one assignment of the round is.

    Mentors × learners under the objective `total`, and a multiple of it under another
    or with limits: what others may hold their patience against.

    Examples:
        >>> from matching import Policy, Problem
        >>> def city(id, role):
        ...     return {"id": id, "name": id, "country": "BE", "roles": [role],
        ...             "areas": {"housing": {}}}
        >>> problem = Problem.from_dict({"cities": [
        ...     city("ghent", "mentor"), city("arlon", "learner")]})
        >>> effort(problem), effort(problem, Policy(objective="fair"))
        (1, 20)

    """
    policy = policy or Policy()
    mentors = sum(city.mentor_capacity > 0 for city in problem.cities)
    learners = sum(city.learner_demand > 0 for city in problem.cities)
    load = policy.min_load
    branched = load.only_if_used and load.mentor > 1
    return mentors * learners * factor(policy, branched=branched)


def factor(policy: Policy, *, branched: bool) -> int:
    """Return how much more work an assignment is than a plain one with most points.

    Args:
        policy: Its objective, and whether it has limits.
        branched: Whether it is found by branch and bound.

    """
    more = _OBJECTIVES[policy.objective]
    if branched:
        return more * _BRANCHED.get(policy.objective, 1)
    if policy.caps or policy.min_load.mentor:
        return more * _LIMITED.get(policy.objective, 1)
    return more
