"""What waits for a person who signs in."""

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.db import tables


def open_offers(session: Session, city: str) -> list[str]:
    """Return the pairings that wait for this city's answer, by id, soonest first."""
    table = tables.Pairing
    query = (
        select(table.id)
        .where(
            table.state == "offered",
            or_(
                and_(table.mentor_id == city, table.mentor_answer == "pending"),
                and_(table.learner_id == city, table.learner_answer == "pending"),
            ),
        )
        .order_by(table.answer_by, table.id)
    )
    return list(session.scalars(query))
