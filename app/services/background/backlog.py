"""Counts of runs, messages and deliveries by state, for the metrics."""

from typing import get_args

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db import tables
from schemas import MessageState, RunState

_STATES = {
    "runs": (tables.Run.state, get_args(RunState)),
    "messages": (tables.Message.state, get_args(MessageState)),
    "deliveries": (
        tables.Delivery.state,
        ("queued", "sending", "delivered", "failed", "dropped"),
    ),
}


def counts(session: Session) -> dict[str, dict[str, int]]:
    """Return how many runs, messages and deliveries of webhooks are in each state."""
    return {
        name: dict.fromkeys(states, 0) | _counted(session, column)
        for name, (column, states) in _STATES.items()
    }


def _counted(session: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)
    return dict(session.execute(query).all())
