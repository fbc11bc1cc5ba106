"""The computation of a run, as a worker has its child do it."""

import json
from collections.abc import Callable

from pydantic import ValidationError

import matching
from schemas import Policy, Problem, Solution

_TRIALS = 200
"""Perturbed trials of a run: a share of them is within 7 points of the truth."""
_MOST_TRIED = 10_000
"""Most effort of an assignment for which they are made, 100 × 100 under `total`. Each
trial scores and solves the round again: the proposal of a larger one would be ready
many times later than without."""


class Unreadable(Exception):
    """What a run was frozen from cannot be read by this version."""


def trials(problem: Problem, policy: Policy) -> int:
    """Return how many perturbed trials a run makes."""
    return _TRIALS if matching.effort(problem, policy) <= _MOST_TRIED else 0


def written(solution: Solution) -> str:
    """Return the solution as it is stored."""
    return json.dumps(solution.to_dict(), ensure_ascii=False, allow_nan=False)


def solve(problem: str, policy: str, progress: Callable[[str, int, int], None]) -> str:
    """Return the solution of a run, as it is stored.

    Text comes in and text goes out: to read and to write a large round takes nearly as
    long as to match it, and would hold up whoever the parent serves meanwhile.

    Args:
        problem: The frozen `schemas.Problem`, as JSON.
        policy: The frozen `schemas.Policy`, as JSON.
        progress: As `matching.match` takes it.

    Raises:
        Unreadable: If one of the two is not what it should be.
        InvalidProblem, InvalidPolicy, Infeasible: As `matching.match` refuses.

    """
    try:
        asked = Problem.model_validate_json(problem)
        by = Policy.model_validate_json(policy)
    except ValidationError as error:
        raise Unreadable(str(error)) from None
    found = matching.match(asked, by, progress=progress, trials=trials(asked, by))
    return written(found)
