"""How things look to people: pages and tables made of values, and nothing decided."""

from app.render.pages import STYLED, page, solution_page
from app.render.tables import solution_csv

__all__ = ["STYLED", "page", "solution_csv", "solution_page"]
