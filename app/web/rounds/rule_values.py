"""What the rules desk shows: rules in sentences, and what each of them costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.compute.previewing import Preview, RuleCost
from app.texts.catalogue import Words, here, message
from app.texts.matching import policy as words
from schemas import Objective, Pairing, Policy, Problem, Rules

_WHOLE = 100.0
CAP_KINDS: Mapping[str, str] = {
    "mentor country round": message("pairings with mentors of one country"),
    "mentor association round": message("pairings with mentors of one association"),
    "learner country round": message("pairings with learners of one country"),
    "learner association round": message("pairings with learners of one association"),
    "mentor country partner": message("mentors of one country for each learner"),
    "mentor association partner": message(
        "mentors of one association for each learner"
    ),
    "learner country partner": message("learners of one country for each mentor"),
    "learner association partner": message(
        "learners of one association for each mentor"
    ),
}
"""What a cap limits, by its side, by what it counts, and per what."""
AIMS: Mapping[Objective, str] = {
    "total": message("the most points in all"),
    "served": message("the most learners with a mentor, then the most points"),
    "fair": message("the best result for the learner who is worst off, then the next"),
    "stable": message("no two cities that would both rather have each other"),
}
"""What can be looked for."""


@dataclass(frozen=True)
class Cost:
    """What one rule costs, in words.

    Attributes:
        says: The rule as a sentence.
        found: The figures.
        served: The learners that would have a mentor without it, by name.
        alone: Those to whom this rule alone leaves no mentor, by name.
        width: Of a bar for the points, 0 to 100.

    """

    says: str
    found: RuleCost
    served: list[str]
    alone: list[str]
    width: float


def rule_says(rule: str, policy: Policy) -> str:
    """Return a rule of the policy as a sentence, by the name that the engine has."""
    told = here()
    kind, _, position = rule.partition("/")
    if kind == "caps":
        cap = policy.caps[int(position)]
        return f"{words.capped(cap, cap.max, told)}."
    if kind in {"pins", "bans"}:
        only = Policy().model_copy(update={kind: getattr(policy, kind)})
        return " ".join(words.decisions(only, told))
    if kind == "min_load":
        only = Policy().model_copy(update={"min_load": policy.min_load})
    else:
        rules = Rules(**{kind: getattr(policy.rules, kind)})
        only = Policy().model_copy(update={"rules": rules})
    return " ".join(words.limits(only, told))


def relaxed(policy: Policy, rule: str, to: float | None) -> Policy:
    """Return the policy with one of its rules relaxed, or the same if it has no such.

    Decisions about pairs stay: those are taken back by name.

    Args:
        policy: The policy.
        rule: What is relaxed, as `schemas.Relaxation` names it.
        to: The limit that it gets; None: it is dropped.

    """
    kind, _, position = rule.partition("/")
    if kind in Rules.model_fields:
        is_limit = Rules.model_fields[kind].default is None
        value = to if is_limit else False
        try:
            rules = Rules.model_validate(policy.rules.model_dump() | {kind: value})
        except ValidationError:
            return policy
        return policy.model_copy(update={"rules": rules})
    if kind == "min_load":
        load = policy.min_load.model_copy(update={"mentor": round(to or 0)})
        return policy.model_copy(update={"min_load": load})
    if kind == "caps" and position.isdecimal() and int(position) < len(policy.caps):
        at = int(position)
        cap = policy.caps[at]
        eased = () if to is None else (cap.model_copy(update={"max": round(to)}),)
        caps = (*policy.caps[:at], *eased, *policy.caps[at + 1 :])
        return policy.model_copy(update={"caps": caps})
    return policy


def preview_values(found: Preview, policy: Policy, problem: Problem) -> dict[str, Any]:
    """Return what the template of a preview shows."""
    names = {city.id: city.name for city in problem.cities}
    solution = found.solution
    weakest = min(solution.pairings, key=lambda pair: pair.score, default=None)
    left = [names[one.city] for one in solution.unmatched if one.role == "learner"]
    nobody = {one.city for one in solution.unmatched if one.role == "learner"} - {
        pair.learner for pair in solution.pairings
    }
    return {
        "found": found,
        "names": names,
        "weakest": weakest,
        "nobody": sorted(names[city] for city in nobody),
        "short": len(left) - len(nobody),
        "costs": _costs(found, policy, names),
        "untried": [rule_says(rule, policy) for rule in found.untried],
        "summary": _summary(found, weakest, here()),
    }


def _costs(found: Preview, policy: Policy, names: Mapping[str, str]) -> list[Cost]:
    """Return the rules with what they cost, the dearest first."""
    most = max((one.points for one in found.costs), default=0.0)
    listed = [
        Cost(
            says=rule_says(one.rule, policy),
            found=one,
            served=sorted(names[city] for city in one.served),
            alone=sorted(names[city] for city in one.alone),
            width=_WHOLE * max(one.points, 0) / most if most > 0 else 0.0,
        )
        for one in found.costs
    ]
    return sorted(listed, key=lambda one: (-one.found.learners, -one.found.points))


def _summary(found: Preview, weakest: Pairing | None, told: Words) -> str:
    """Return the outcome in one or two sentences, as it is read out."""
    measures = found.solution.measures
    served = told.count(
        "{number} of {all} learners has a mentor.",
        "{number} of {all} learners have a mentor.",
        measures.learners_served,
        all=told.number(measures.learners),
    )
    if weakest is None:
        return served
    return told.say(
        "{served} The weakest pairing has {worst}, the mean is {mean}.",
        served=served,
        worst=told.count("{number} point", "{number} points", weakest.score, 1),
        mean=told.number(measures.mean or 0, 1),
    )
