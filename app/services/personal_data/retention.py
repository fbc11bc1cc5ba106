"""Retention: what is erased by itself when its time is over."""

from sqlalchemy import ColumnElement, Select, delete, exists, select, update
from sqlalchemy.orm import Session

from app.db import Database, tables
from app.db.tables.base import now
from app.permissions import TERMINAL
from app.services.cities import contacts
from app.services.log import audit
from app.services.rounds import rounds

CONTACT_MONTHS = 24
"""Months after which a contact person that nobody has confirmed is erased."""


def enforce(database: Database) -> None:
    """Erase what is past its time; once only, however many workers do it.

    Each round and each contact person in a transaction of its own.
    """
    with database.read() as session:
        late = [row.id for row in session.scalars(_archived()) if _is_late(row)]
    for round_id in late:
        with database.write() as session:
            _clear(session, round_id)
    with database.read() as session:
        old = session.scalars(
            select(tables.Contact.id).where(*_expired_contact())
        ).all()
    for contact_id in old:
        with database.write() as session:
            _erase(session, contact_id)
    with database.write() as session:
        _forget_sign_ins(session)


def _archived() -> Select[tables.Round]:
    table = tables.Round
    return select(table).where(
        table.archived_at.is_not(None), table.cleared_at.is_(None)
    )


def _is_late(row: tables.Round) -> bool:
    until = rounds.texts_until(row)
    return until is not None and until <= now()


def _clear(session: Session, round_id: str) -> None:
    """Erase the letters, answers, notes, questions and reasons of a round.

    Its pairings stay.
    """
    # The lock makes another worker wait, and then find that it was done.
    row = session.scalar(
        _archived().where(tables.Round.id == round_id).with_for_update()
    )
    if row is None or not _is_late(row):
        return
    pairing, note, letter = tables.Pairing, tables.CheckIn, tables.Message
    entry, remark, question = tables.Audit, tables.Remark, tables.Question
    inside = pairing.round_id == round_id
    entries = select(entry.id).where(entry.round_id == round_id)
    of_round = select(pairing.id).where(inside)
    for statement in (
        delete(letter).where(letter.round_id == round_id),
        delete(remark).where(remark.audit_id.in_(entries)),
        update(note).where(note.pairing_id.in_(of_round)).values(note=None),
        update(question)
        .where(question.pairing_id.in_(of_round))
        .values(text=None, answer=None),
        update(pairing)
        .where(inside)
        .values(
            reason=None,
            mentor_text=None,
            learner_text=None,
            version=pairing.version + 1,
            updated_at=now(),
        ),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    row.cleared_at = now()
    rounds.touch(session, row)
    audit.record(session, TERMINAL, "round.cleared", round_id=round_id)


def _expired_contact() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a contact person whose time is over."""
    table, participant, round_table = tables.Contact, tables.Participant, tables.Round
    is_needed = (
        exists()
        .where(participant.city_id == table.city_id)
        .where(round_table.id == participant.round_id)
        .where(round_table.cleared_at.is_(None))
    )
    oldest = rounds.months_after(now(), -CONTACT_MONTHS)
    return table.updated_at <= oldest, ~is_needed


def _erase(session: Session, contact_id: str) -> None:
    table = tables.Contact
    row = session.scalar(
        select(table)
        .where(table.id == contact_id, *_expired_contact())
        .with_for_update()
    )
    if row is not None:
        contacts.remove(session, TERMINAL, row)


def _forget_sign_ins(session: Session) -> None:
    """Delete the browsers that are signed out by now, and links that are too old."""
    for table in (tables.Login, tables.Link):
        session.execute(delete(table).where(table.expires_at <= now()))
