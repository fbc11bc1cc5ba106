"""Rows that one worker at a time has: an attempt fences the others off."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db.tables import Delivery, Message, Run


def write(
    session: Session,
    table: type[Run | Message | Delivery],
    row_id: str,
    attempt: int,
    state: str,
    /,
    **values: object,
) -> bool:
    """Change the row if it is still in this attempt and state; tell whether it is.

    A worker that was thought to be dead changes nothing any more: whoever took the row
    over has counted the attempt up.
    """
    return (
        session.execute(
            update(table)
            .where(table.id == row_id, table.attempt == attempt, table.state == state)
            .values(**values)
            .returning(table.id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        is not None
    )
