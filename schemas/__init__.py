"""The one definition of what travels: shapes, limits and words, and no behaviour."""

from schemas.areas import AREA_IDS, AreaId, Labels, PolicyArea, PolicyAreas, Role
from schemas.city import AreaLevels, City, MigrantShare, Population, Practice
from schemas.policy import (
    Cap,
    Criterion,
    Decision,
    MinLoad,
    Objective,
    Policy,
    Rules,
    Weights,
)
from schemas.problem import MatchRequest, PastPairing, Problem, Veto, Wish
from schemas.refusal import InputError, ProblemDetails, input_errors, pointer
from schemas.solution import (
    Adjustment,
    Alternate,
    Contribution,
    Explanation,
    Measures,
    Pairing,
    Reason,
    Relaxation,
    Solution,
    Unmatched,
    Warning,  # noqa: A004 -- the word of the contract
)

__all__ = [
    "AREA_IDS",
    "Adjustment",
    "Alternate",
    "AreaId",
    "AreaLevels",
    "Cap",
    "City",
    "Contribution",
    "Criterion",
    "Decision",
    "Explanation",
    "InputError",
    "Labels",
    "MatchRequest",
    "Measures",
    "MigrantShare",
    "MinLoad",
    "Objective",
    "Pairing",
    "PastPairing",
    "Policy",
    "PolicyArea",
    "PolicyAreas",
    "Population",
    "Practice",
    "Problem",
    "ProblemDetails",
    "Reason",
    "Relaxation",
    "Role",
    "Rules",
    "Solution",
    "Unmatched",
    "Veto",
    "Warning",
    "Weights",
    "Wish",
    "input_errors",
    "pointer",
]
