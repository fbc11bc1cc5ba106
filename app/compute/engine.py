"""The engine, imported by the process that all children are forked from."""

import matching
from schemas import Change, Policy, Problem, WhatIf

Refused = matching.InvalidProblem | matching.InvalidPolicy | matching.Infeasible
"""What the engine refuses with."""


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
