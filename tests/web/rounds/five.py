"""A round of five cities that is staged or released, for a browser to look at."""

from sqlalchemy import select

from app.db import tables
from tests.fixtures.cities import FIVE, changing, released_round, staged_round
from tests.web.visitor import Visitor

NAMES = {one["id"]: one["name"] for one in FIVE}
"""Of the five cities, by their ids."""


def open_page(visitor: Visitor, page: str, *, phase: str = "staged") -> Visitor:
    make = staged_round if phase == "staged" else released_round
    round_id = make(visitor.service, *FIVE)
    return visitor.open(f"/rounds/{round_id}/{page}")


def fail_all(visitor: Visitor, **where: str) -> None:
    table = tables.Message
    with changing(visitor.service) as session:
        queued = select(table).where(table.state == "queued")
        for row in session.scalars(queued.filter_by(**where)):
            row.state, row.error = "failed", "No such mailbox."
