"""How things look to people: pages and tables made of values, and nothing decided."""

from app.render.pages import (
    STYLED,
    chosen_page,
    drill_values,
    explanation_values,
    outcome_values,
    override_values,
    page,
    readiness_values,
    solution_page,
    why_not_values,
)
from app.render.proposals import (
    NO_SCENARIOS,
    View,
    look_values,
    moves_values,
    scenario_values,
)
from app.render.tables import solution_csv

__all__ = [
    "NO_SCENARIOS",
    "STYLED",
    "View",
    "chosen_page",
    "drill_values",
    "explanation_values",
    "look_values",
    "moves_values",
    "outcome_values",
    "override_values",
    "page",
    "readiness_values",
    "scenario_values",
    "solution_csv",
    "solution_page",
    "why_not_values",
]
