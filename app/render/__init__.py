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
from app.render.tables import solution_csv

__all__ = [
    "STYLED",
    "chosen_page",
    "drill_values",
    "explanation_values",
    "outcome_values",
    "override_values",
    "page",
    "readiness_values",
    "solution_csv",
    "solution_page",
    "why_not_values",
]
