"""What a policy would bring, and what each of its rules costs, found in a child."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matching
from schemas import Measures, MinLoad, Policy, Problem, Rules, Solution

_WORK = 600_000
"""Up to so much effort, over all the matchings, rules are left out one by one."""
_NEUTRAL: dict[str, Any] = {"objective": "total", "caps": (), "min_load": MinLoad()}
"""What says nothing of the pairs that a rule removes, and takes time."""


@dataclass(frozen=True)
class RuleCost:
    """What the round has less of because of one rule.

    Attributes:
        rule: A rule's name, `caps/0` (by position), `min_load`, `pins` or `bans`.
        pairs: Pairs of a mentor and a learner that it removes; None: it removes none
            by itself.
        alone: Learners to whom this rule alone leaves no mentor at all.
        learners: Learners that would have a mentor besides, were it not for this rule;
            below 0: that would have none.
        points: By how much the value of the whole would be more; below 0: less.
        served: Learners that have no mentor and would have one.

    """

    rule: str
    pairs: int | None
    alone: tuple[str, ...]
    learners: int
    points: float
    served: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """What a policy would bring.

    Attributes:
        solution: As `matching.match` has it.
        costs: Of each rule that was left out once, in the order of the policy.
        untried: Rules that were not: it would have taken too long.
        before: The figures under the policy before; None: it is the same policy, or
            nothing keeps it.
        changed: Pairings that are not made under that one.

    """

    solution: Solution
    costs: tuple[RuleCost, ...]
    untried: tuple[str, ...]
    before: Measures | None
    changed: int


def preview(problem: Problem, before: Policy, policy: Policy) -> Preview:
    """Return what the policy would bring; raises what `matching.match` raises.

    Args:
        problem: The round.
        before: The policy that holds now.
        policy: The one that is tried.

    """
    solution = matching.match(problem, policy)
    bites = {
        one.rule: one
        for one in matching.readiness(problem, policy.model_copy(update=_NEUTRAL)).rules
    }
    served = _served(solution)
    left = _WORK // max(matching.effort(problem, policy), 1)
    costs, untried = [], []
    for at, (rule, without) in enumerate(_each_left_out(policy)):
        found = _matched(problem, without) if at < left else None
        if found is None:
            untried.append(rule)
            continue
        bite = bites.get({"bans": "ban"}.get(rule, rule))
        then = _served(found)
        costs.append(
            RuleCost(
                rule=rule,
                pairs=bite.pairs if bite else None,
                alone=bite.learners_without if bite else (),
                learners=len(then) - len(served),
                points=round(found.measures.value - solution.measures.value, 6),
                served=tuple(sorted(then - served)),
            )
        )
    old = None if before == policy else _matched(problem, before)
    return Preview(
        solution=solution,
        costs=tuple(costs),
        untried=tuple(untried),
        before=old.measures if old else None,
        changed=len(matching.difference(old, solution).added) if old else 0,
    )


def _each_left_out(policy: Policy) -> Iterator[tuple[str, Policy]]:
    """Yield each rule that is on, with the policy that lacks just that."""
    for rule in Rules.model_fields:
        if getattr(policy.rules, rule):
            rules = policy.rules.model_copy(
                update={rule: Rules.model_fields[rule].default}
            )
            yield rule, policy.model_copy(update={"rules": rules})
    for at in range(len(policy.caps)):
        caps = (*policy.caps[:at], *policy.caps[at + 1 :])
        yield f"caps/{at}", policy.model_copy(update={"caps": caps})
    if policy.min_load.mentor:
        yield "min_load", policy.model_copy(update={"min_load": MinLoad()})
    for decisions in ("pins", "bans"):
        if getattr(policy, decisions):
            yield decisions, policy.model_copy(update={decisions: ()})


def _matched(problem: Problem, policy: Policy) -> Solution | None:
    """Return the solution, or None if none was found within the engine's own limits."""
    try:
        return matching.match(problem, policy)
    except matching.Infeasible:
        return None


def _served(solution: Solution) -> set[str]:
    return {pair.learner for pair in solution.pairings}
