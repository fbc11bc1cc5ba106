"""Who should mentor whom: exact, explained, and the same on every machine.

A pure library: values in, values out; no files, no network, no clock, no chance.
"""

from matching._admissible import check
from matching._assign import Assignment, assign
from matching._canonical import policy_hash, problem_hash
from matching._errors import Infeasible, InvalidPolicy, InvalidProblem
from matching._explain import explain, suggest
from matching._input import Policy, Problem
from matching._match import match
from matching._measure import measure
from matching._readiness import readiness
from matching._version import __version__
from schemas import Solution

__all__ = [
    "Assignment",
    "Infeasible",
    "InvalidPolicy",
    "InvalidProblem",
    "Policy",
    "Problem",
    "Solution",
    "__version__",
    "assign",
    "check",
    "explain",
    "match",
    "measure",
    "policy_hash",
    "problem_hash",
    "readiness",
    "suggest",
]
