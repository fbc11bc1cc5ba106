"""The computation itself: imported by the process that all children are forked from."""

from collections.abc import Callable

from matching import match
from schemas import Policy, Problem, Solution

Progress = Callable[[str, int, int], None]


def solve(problem: Problem, policy: Policy, progress: Progress) -> Solution:
    """Return the solution; raises what `matching.match` raises."""
    return match(problem, policy, progress)
