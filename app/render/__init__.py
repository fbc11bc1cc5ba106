"""How things look to people: pages and tables made of values, and nothing decided."""

from app.render.pages import STYLED, outcome_values, page, solution_page
from app.render.tables import solution_csv

__all__ = ["STYLED", "outcome_values", "page", "solution_csv", "solution_page"]
