"""Notes about confirmed pairings: that the two cities met, and how it goes."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import Forbidden, NotFound, NotOffered
from app.permissions import Actor, may_note, may_organise, may_oversee
from app.services.pairings import pairings
from app.services.shared.paging import PageRequest, fetch_page
from schemas import CheckIn, CheckInWrite


def add(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    new: CheckInWrite,
) -> tables.CheckIn:
    """Note that the two cities met, or how it goes.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is archived.
        NotOffered: If the pairing is not confirmed.

    """
    by = _note_taker(actor, row)
    pairings.must_be_released(round_row)
    if row.state != "confirmed":
        raise NotOffered(f"The pairing is {row.state}: only a confirmed one is noted.")
    note = tables.CheckIn(pairing_id=row.id, by=by, fit=new.fit, note=new.note)
    session.add(note)
    session.flush()
    pairings.record(session, actor, row, "pairing.noted", check_in=note.id)
    return note


def search(
    session: Session, actor: Actor, row: tables.Pairing, page: PageRequest
) -> tuple[Sequence[tables.CheckIn], str | None]:
    """Return a page of what was noted, the newest first, or raise `NotFound`."""
    if not (may_note(actor, pairings.cities_of(row)) or may_oversee(actor)):
        raise NotFound("There are no notes of this pairing for you.")
    table = tables.CheckIn
    query = select(table).where(table.pairing_id == row.id)
    return fetch_page(session, query, page, table.at.desc(), table.id.desc())


def _note_taker(actor: Actor, row: tables.Pairing) -> str:
    """Return the role in which the actor takes notes, or raise `Forbidden`."""
    if not may_note(actor, pairings.cities_of(row)):
        raise Forbidden("Only its two cities and organisers take notes of a pairing.")
    if may_organise(actor):
        return "organiser"
    return "mentor" if actor.city == row.mentor_id else "learner"


def as_check_in(row: tables.CheckIn) -> CheckIn:
    """Return the note as the API shows it."""
    return CheckIn(
        id=row.id,
        pairing=row.pairing_id,
        by=row.by,
        fit=row.fit,
        note=row.note,
        at=row.at,
    )
