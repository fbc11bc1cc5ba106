"""The engine, imported by the process that all children are forked from."""

from collections.abc import Sequence
from typing import NamedTuple

import matching
from schemas import (
    Change,
    Difference,
    Explanation,
    Measures,
    Policy,
    Problem,
    Solution,
    WhatIf,
)

Refused = matching.InvalidProblem | matching.InvalidPolicy | matching.Infeasible
"""What the engine refuses with."""
Pairs = tuple[tuple[str, str], ...]


def what_if(problem: Problem, policy: Policy, change: Change) -> WhatIf:
    """Return the solution after the change; raises what `matching.what_if` raises."""
    return matching.what_if(
        problem,
        policy,
        force=change.force,
        ban=change.ban,
        remove=change.remove,
        add=change.add,
        weights=change.weights,
        rules=change.rules,
    )


class Overridden(NamedTuple):
    """A solution under another policy, and what differs in it."""

    solution: Solution
    difference: Difference


def override(
    problem: Problem, before: Policy, policy: Policy, trials: int
) -> Overridden:
    """Return the solution under a changed policy beside the one before.

    Raises what `matching.match` raises.
    """
    solution = matching.match(problem, policy, trials=trials)
    return Overridden(
        solution, matching.difference(matching.match(problem, before), solution)
    )


class Tabled(NamedTuple):
    """Every mentor with every learner: scores, and prices where they are asked for."""

    table: matching.Table
    prices: matching.Prices | None


def tabled(problem: Problem, policy: Policy, *, priced: bool) -> Tabled:
    """Return what every pair scores and costs; raises what `matching.prices` raises."""
    return Tabled(
        matching.table(problem, policy),
        matching.prices(problem, policy) if priced else None,
    )


def explained(
    problem: Problem, policy: Policy, pairs: Pairs
) -> tuple[Explanation, ...]:
    """Return why each pair is a good one; raises what `matching.explain` raises."""
    return tuple(
        matching.explain(problem, policy, mentor=mentor, learner=learner)
        for mentor, learner in pairs
    )


def measured(
    policy: Policy, scenarios: Sequence[tuple[Problem, Pairs]]
) -> tuple[Measures, ...]:
    """Return the measures of several sets of pairs; raises as `matching.measure`."""
    return tuple(
        matching.measure(problem, policy, pairs) for problem, pairs in scenarios
    )
