"""How things look to people: pages and tables made of values, and nothing decided."""

from app.render.pages import (
    STYLED,
    drill_values,
    outcome_values,
    page,
    readiness_values,
    solution_page,
    why_not_values,
)
from app.render.tables import solution_csv

__all__ = [
    "STYLED",
    "drill_values",
    "outcome_values",
    "page",
    "readiness_values",
    "solution_csv",
    "solution_page",
    "why_not_values",
]
