"""Who should mentor whom: exact, explained, and the same on every machine.

A pure library: values in, values out; no files, no network, no clock, no chance.
"""

from matching._admissible import check
from matching._answering.effort import effort
from matching._answering.explain import explain, suggest
from matching._answering.firmness import firmness
from matching._answering.match import match
from matching._answering.measure import measure
from matching._answering.prices import Prices, prices
from matching._answering.readiness import readiness
from matching._answering.repair import drill, repair
from matching._answering.table import Table, table
from matching._answering.what_if import difference, what_if
from matching._answering.why_not import why_not
from matching._canonical import policy_hash, problem_hash
from matching._errors import Infeasible, InvalidPolicy, InvalidProblem
from matching._input import Policy, Problem
from matching._solving.assign import Assignment, assign
from matching._version import __version__
from schemas import Solution

__all__ = [
    "Assignment",
    "Infeasible",
    "InvalidPolicy",
    "InvalidProblem",
    "Policy",
    "Prices",
    "Problem",
    "Solution",
    "Table",
    "__version__",
    "assign",
    "check",
    "difference",
    "drill",
    "effort",
    "explain",
    "firmness",
    "match",
    "measure",
    "policy_hash",
    "prices",
    "problem_hash",
    "readiness",
    "repair",
    "suggest",
    "table",
    "what_if",
    "why_not",
]
