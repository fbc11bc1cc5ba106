"""Offers to two cities: what each answers, by when, and what expires unanswered."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import (
    Forbidden,
    InvalidInput,
    NotOffered,
    TooLate,
)
from app.permissions import (
    TERMINAL,
    Actor,
    may_edit_city,
)
from app.services.mail import letters
from app.services.pairings.endings import end
from app.services.pairings.pairings import (
    check_places,
    cities_of,
    must_be_released,
    of_round,
    record,
)
from app.services.rounds import rounds
from schemas import (
    AnswerWrite,
    InputError,
    Role,
)

_STORED_ANSWER = {"accept": "accepted", "decline": "declined"}


def answer(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    new: AnswerWrite,
) -> None:
    """Store the answer of one side to an offered pairing.

    The same answer again changes nothing. Whoever has accepted may still decline until
    the other side has accepted, too.

    Args:
        session: In a write transaction.
        actor: An officer of that side's city, or an organiser on its behalf.
        round_row: The pairing's round, locked.
        row: The pairing.
        new: The answer.

    Raises:
        Forbidden: If the actor may not answer for that city.
        NotOffered: If the pairing waits for no answer.
        TooLate: If the deadline is over.
        NoPlaces: If a city would have more confirmed pairings than places.

    """
    city = row.mentor_id if new.side == "mentor" else row.learner_id
    if not may_edit_city(actor, city):
        raise Forbidden(f"Only {city} itself and organisers answer as the {new.side}.")
    stored_answer = _STORED_ANSWER[new.answer]
    if getattr(row, f"{new.side}_answer") == stored_answer:
        return
    if row.state != "offered":
        raise NotOffered(f"The pairing is {row.state}: it waits for no answer.")
    at = now()
    if row.answer_by is not None and row.answer_by <= at:
        raise TooLate(f"The answer was due by {row.answer_by:%Y-%m-%d %H:%M} UTC.")
    setattr(row, f"{new.side}_answer", stored_answer)
    setattr(row, f"{new.side}_text", new.text)
    row.updated_at = at
    if stored_answer == "declined":
        row.reason_code = new.reason_code
        end(row, "declined", new.side)
        session.flush()
        letters.notify(session, round_row, row, "declined", [_other(new.side)])
        letters.notify_organisers(session, round_row, row, "declined")
    elif row.mentor_answer == row.learner_answer == "accepted":
        _confirm(session, round_row, row, at)
    session.flush()
    # Which answer, not why: reasons are not everybody's.
    record(session, actor, row, "pairing.answered", side=new.side, answer=stored_answer)


def _other(side: Role) -> Role:
    return "learner" if side == "mentor" else "mentor"


def _confirm(
    session: Session, round_row: tables.Round, row: tables.Pairing, at: datetime
) -> None:
    confirmed = of_round(session, round_row.id, ("confirmed",))
    check_places(session, round_row.id, map(cities_of, (*confirmed, row)))
    row.state, row.confirmed_at = "confirmed", at
    session.flush()
    letters.notify(session, round_row, row, "confirmed", ("mentor", "learner"))


def set_deadline(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    answer_by: datetime,
) -> None:
    """Set the deadline for answers; an expired pairing is offered again.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is archived.
        InvalidInput: If that moment is over.
        NotOffered: If the pairing is neither offered nor expired.
        NoPlaces: If the places of an expired one have been given away.

    """
    rounds.must_organise(actor)
    must_be_released(round_row)
    if answer_by == row.answer_by:
        return
    if row.state not in {"offered", "expired"}:
        raise NotOffered(f"The pairing is {row.state}: it waits for no answer.")
    must_be_ahead(answer_by)
    offered_again = row.state == "expired"
    row.answer_by, row.updated_at = answer_by, now()
    if offered_again:
        pairs = map(cities_of, of_round(session, round_row.id))
        check_places(session, round_row.id, [*pairs, cities_of(row)])
        row.state, row.ended_at, row.ended_by = "offered", None, None
        session.flush()
        waiting: list[Role] = [
            side
            for side in ("mentor", "learner")
            if getattr(row, f"{side}_answer") == "pending"
        ]
        letters.notify(session, round_row, row, "offer", waiting)
    rounds.touch(session, round_row)
    record(session, actor, row, "pairing.deadline_set", offered_again=offered_again)


def must_be_ahead(moment: datetime) -> None:
    """Raise `InvalidInput` unless the deadline is still to come."""
    if moment <= now():
        message = "The deadline must lie ahead."
        error = InputError(pointer="/answer_by", code="past", message=message)
        raise InvalidInput(message, [error])


def expire(database: Database) -> int:
    """End the offers whose deadline is over, notify people, and return how many.

    A round after the other, each in a transaction of its own.
    """
    table = tables.Pairing

    def is_late() -> tuple[ColumnElement[bool], ...]:
        return table.state == "offered", table.answer_by <= now()

    with database.read() as session:
        round_ids = session.scalars(
            select(table.round_id).where(*is_late()).distinct()
        ).all()
    ended = 0
    for round_id in round_ids:
        with database.write() as session:
            round_row = rounds.get(session, TERMINAL, round_id, lock=True)
            rows = session.scalars(
                select(table).where(table.round_id == round_id, *is_late())
            ).all()
            for row in rows:
                end(row, "expired", "deadline")
                session.flush()
                letters.notify(
                    session, round_row, row, "expired", ("mentor", "learner")
                )
                letters.notify_organisers(session, round_row, row, "expired")
                record(session, TERMINAL, row, "pairing.expired")
            ended += len(rows)
    return ended
