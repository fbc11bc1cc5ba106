"""Why a pair is not proposed: what forbids it, or what it would cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import schemas
from matching._answering.explain import explain
from matching._answering.match import match
from matching._answering.what_if import after
from matching._errors import Infeasible
from matching._rules import MEASURES, Sides
from matching._scoring.score import MICRO
from matching._scoring.wishes import ROLES
from schemas import Change, Exclusion, Explanation, Policy, Problem, WhyNot


def why_not(
    problem: Problem, policy: Policy | None = None, *, mentor: str, learner: str
) -> WhyNot:
    """Return why a pair is not proposed: what forbids it, or what it would cost.

    Args:
        problem: The round.
        policy: Its policy; None: the default.
        mentor: The mentor's id.
        learner: The learner's id.

    Raises:
        InvalidProblem: If there is no such city, or both are the same.
        InvalidPolicy: As `match` does.
        Infeasible: As `match` does, for the round as it is.

    Examples:
        >>> from matching import Policy, Problem
        >>> def city(id, role, **areas):
        ...     return {"id": id, "name": id, "country": "BE", "roles": [role],
        ...             "areas": areas}
        >>> problem = Problem.from_dict({"cities": [
        ...     city("ghent", "mentor", housing={"strength": 4}),
        ...     city("liege", "mentor", housing={"strength": 1}),
        ...     city("arlon", "learner", housing={"need": 4}),
        ... ]})
        >>> why_not(problem, mentor="liege", learner="arlon").price
        26.25
        >>> strict = Policy(rules={"different_country": True})
        >>> why_not(problem, strict, mentor="liege", learner="arlon").excluded_by
        (Exclusion(code='different_country', facts={'country': 'BE'}),)

    """
    policy = policy or Policy()
    pair = explain(problem, policy, mentor=mentor, learner=learner)
    before = match(problem, policy)
    proposed = any(
        (one.mentor, one.learner) == (mentor, learner) for one in before.pairings
    )
    excluded = list(_exclusions(problem, policy, pair))
    price = lost = changed = None
    if proposed or not {one.code for one in excluded} - {"min_score"}:
        forced = Change(force=(schemas.Pair(mentor=mentor, learner=learner),))
        try:
            found = after(problem, policy, before, forced)
        except Infeasible as error:
            excluded += [
                Exclusion(code=code, facts={"pointer": pointer, "message": message})
                for pointer, code, message in error.errors
                if pointer != "/force/0" or len(error.errors) == 1
            ]
        else:
            measures, now = before.measures, found.solution.measures
            price = round(measures.value - now.value, 6)
            lost = measures.learners_served - now.learners_served
            changed = found.difference
    return WhyNot(
        mentor=mentor,
        learner=learner,
        proposed=proposed,
        score=pair.score,
        known_weight=pair.known_weight,
        adjustments=pair.adjustments,
        contributions=pair.contributions,
        excluded_by=() if proposed else tuple(excluded),
        price=price,
        learners_lost=lost,
        difference=changed,
    )


def _exclusions(
    problem: Problem, policy: Policy, pair: Explanation
) -> Iterator[Exclusion]:
    """Yield what forbids the pair, each with what it rests on."""
    by_id = {city.id: city for city in problem.cities}
    cities = by_id[pair.mentor], by_id[pair.learner]
    score = np.array([[round(pair.score * MICRO)]])
    sides = Sides(cities[:1], cities[1:], problem, score)
    facts: dict[str, Any]
    for code in pair.excluded_by:
        match code:
            case "different_country":
                facts = {"country": cities[0].country}
            case "shared_language":
                facts = dict(
                    zip(
                        ("mentor", "learner"),
                        (c.languages for c in cities),
                        strict=True,
                    )
                )
            case "no_repeat":
                rounds = [
                    past.round
                    for past in problem.history
                    if (past.mentor, past.learner) == (pair.mentor, pair.learner)
                ]
                facts = {"rounds": [name for name in rounds if name is not None]}
            case "veto":
                ids = {pair.mentor, pair.learner}
                vetoes = {
                    veto.city
                    for veto in problem.vetoes
                    if {veto.city, veto.partner} == ids
                }
                facts = {"by": sorted(vetoes)}
            case "ban":
                reasons = [
                    ban.reason
                    for ban in policy.bans
                    if (ban.mentor, ban.learner) == (pair.mentor, pair.learner)
                ]
                facts = {"reason": reasons[0]}
            case "role":
                facts = {
                    "cities": [
                        {"city": city.id, "role": role}
                        for city, role in zip(cities, ROLES, strict=True)
                        if not city.places(role)
                    ]
                }
            case _:
                held = MEASURES[code](sides)[0, 0]
                facts = {
                    "is": round(float(held), 6),
                    "limit": getattr(policy.rules, code),
                }
        yield Exclusion(code=code, facts=facts)
