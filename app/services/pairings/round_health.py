"""The board of a released round: who has not answered, and who has gone quiet."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.db.tables.pairings import LIVE
from app.errors import NotFound
from app.permissions import Actor, may_oversee
from schemas import BadFit, Health, PairingState, Quiet, Role, Waiting

QUIET_DAYS = 30
"""A confirmed pairing of which nothing was heard for so long has gone quiet."""
_STATES: tuple[PairingState, ...] = (
    "staged",
    "offered",
    "confirmed",
    "declined",
    "expired",
    "withdrawn",
    "dismissed",
)
_SIDES: tuple[Role, Role] = ("mentor", "learner")


def round_health(session: Session, actor: Actor, round_row: tables.Round) -> Health:
    """Return what in the round needs the attention of its organisers.

    Raises:
        NotFound: If the board is not the actor's to see.

    """
    if not may_oversee(actor):
        raise NotFound(f"There is no board of {round_row.id} for you.")
    table = tables.Pairing
    rows = session.scalars(
        select(table)
        .where(table.round_id == round_row.id)
        .order_by(table.answer_by, table.learner_id, table.mentor_id)
    ).all()
    counts = Counter(row.state for row in rows)
    at = now()
    notes = _notes_of(session, round_row.id)
    return Health(
        **{state: counts[state] for state in _STATES},
        waiting=tuple(_waiting(rows, at)),
        quiet=tuple(_quiet(rows, notes, at)),
        not_a_good_fit=tuple(_bad_fits(rows, notes)),
        unserved=_unserved(session, round_row.id, rows),
        undelivered=_undelivered(session, round_row.id),
    )


def _waiting(rows: Sequence[tables.Pairing], at: datetime) -> Iterator[Waiting]:
    for row in rows:
        if row.state != "offered" or not row.offered_at or not row.answer_by:
            continue
        late = row.answer_by - at < (row.answer_by - row.offered_at) / 4
        for side in _SIDES:
            if getattr(row, f"{side}_answer") == "pending":
                yield Waiting(
                    pairing=row.id,
                    city=getattr(row, f"{side}_id"),
                    side=side,
                    offered_at=row.offered_at,
                    answer_by=row.answer_by,
                    late=late,
                )


_Notes = dict[str, list[tables.CheckIn]]
"""What was noted of each pairing, the newest first."""


def _notes_of(session: Session, round_id: str) -> _Notes:
    found: _Notes = {}
    note, pairing = tables.CheckIn, tables.Pairing
    for row in session.scalars(
        select(note)
        .join(pairing, pairing.id == note.pairing_id)
        .where(pairing.round_id == round_id, pairing.state == "confirmed")
        .order_by(note.at.desc(), note.id.desc())
    ):
        found.setdefault(row.pairing_id, []).append(row)
    return found


def _quiet(rows: Sequence[tables.Pairing], notes: _Notes, at: datetime) -> list[Quiet]:
    found = []
    for row in rows:
        if row.state != "confirmed" or row.confirmed_at is None:
            continue
        last = notes[row.id][0].at if row.id in notes else row.confirmed_at
        if at - last >= timedelta(days=QUIET_DAYS):
            found.append(
                Quiet(
                    pairing=row.id,
                    mentor=row.mentor_id,
                    learner=row.learner_id,
                    heard_at=last,
                    days=(at - last).days,
                )
            )
    return sorted(found, key=lambda one: one.heard_at)


def _bad_fits(rows: Sequence[tables.Pairing], notes: _Notes) -> Iterator[BadFit]:
    """Yield the pairings whose latest note from somebody is that they do not fit."""
    for row in rows:
        latest: dict[str, tables.CheckIn] = {}
        for note in notes.get(row.id, ()):
            if note.fit is not None:
                latest.setdefault(note.by, note)
        for by, note in latest.items():
            if note.fit == "not_a_good_fit":
                fields: dict[str, Any] = {"by": by, "at": note.at}
                yield BadFit(
                    pairing=row.id,
                    mentor=row.mentor_id,
                    learner=row.learner_id,
                    **fields,
                )


def _unserved(
    session: Session, round_id: str, rows: Sequence[tables.Pairing]
) -> tuple[str, ...]:
    served = {row.learner_id for row in rows if row.state in LIVE}
    table = tables.Participant
    learners = session.scalars(
        select(table.city_id)
        .where(table.round_id == round_id, table.learner_demand > 0)
        .order_by(table.city_id)
    )
    return tuple(city for city in learners if city not in served)


def _undelivered(session: Session, round_id: str) -> int:
    table = tables.Message
    return (
        session.scalar(
            select(func.count()).where(
                table.round_id == round_id, table.state.in_(("failed", "unknown"))
            )
        )
        or 0
    )
