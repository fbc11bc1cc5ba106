"""What cities ask their organisers about a pairing, and what those answer."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import Conflict, Forbidden, NotFound, NotOffered
from app.permissions import SHARED_STATES, Actor, may_organise, may_oversee
from app.services.pairings import pairings
from schemas import Question, QuestionWrite, Role

_MOST = 20
"""Most questions about one pairing: whoever has more should talk to somebody."""


def side_of(actor: Actor, row: tables.Pairing) -> Role | None:
    """Return the side that the actor is an officer of, if it is one of the two."""
    if actor.role != "officer":
        return None
    if actor.city == row.mentor_id:
        return "mentor"
    return "learner" if actor.city == row.learner_id else None


def may_ask(actor: Actor, round_row: tables.Round, row: tables.Pairing) -> bool:
    """Tell whether the actor may ask the organisers about the pairing now."""
    return (
        side_of(actor, row) is not None
        and row.state in SHARED_STATES
        and round_row.phase == "released"
    )


def ask(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    new: QuestionWrite,
) -> tables.Question:
    """Store what an officer asks.

    Args:
        session: In a write transaction.
        actor: An officer of one of the two cities.
        round_row: The pairing's round, locked.
        row: The pairing.
        new: The question.

    Raises:
        Forbidden: If the actor is no officer of the two cities.
        WrongPhase: If the round is archived.
        NotOffered: If the pairing has come to nothing.
        Conflict: If there are as many questions as there may be.

    """
    side = side_of(actor, row)
    if side is None:
        raise Forbidden("Only officers of the two cities ask about a pairing.")
    pairings.must_be_released(round_row)
    if row.state not in SHARED_STATES:
        raise NotOffered(f"The pairing is {row.state}: there is nothing to ask.")
    table = tables.Question
    number = select(func.count()).where(table.pairing_id == row.id, table.side == side)
    if (session.scalar(number) or 0) >= _MOST:
        raise Conflict(f"There are {_MOST} questions already: talk to the organisers.")
    question = table(pairing_id=row.id, side=side, text=new.text)
    session.add(question)
    session.flush()
    # Which question, not what it says: texts are to be erased.
    pairings.record(session, actor, row, "pairing.asked", question=question.id)
    return question


def answer(
    session: Session,
    actor: Actor,
    row: tables.Pairing,
    question_id: str,
    new: QuestionWrite,
) -> None:
    """Store what an organiser answers; a later answer takes the place of the first.

    Raises:
        Forbidden: If the actor is no organiser.
        NotFound: If nobody has asked this about the pairing, or it has been erased.

    """
    if not may_organise(actor):
        raise Forbidden("Only organisers answer questions.")
    question = session.get(tables.Question, question_id, with_for_update=True)
    if question is None or question.pairing_id != row.id or question.text is None:
        raise NotFound(f"There is no question {question_id} about this pairing.")
    if question.answer == new.text:
        return
    question.answer, question.answered_at = new.text, now()
    session.flush()
    pairings.record(
        session, actor, row, "pairing.question_answered", question=question.id
    )


def seen(
    session: Session, actor: Actor, row: tables.Pairing
) -> Sequence[tables.Question]:
    """Return the questions that the actor may read, the oldest first.

    A city reads its own; whoever oversees the network reads those of both.
    """
    table = tables.Question
    query = select(table).where(table.pairing_id == row.id, table.text.is_not(None))
    if not may_oversee(actor):
        query = query.where(table.side == (side_of(actor, row) or ""))
    return session.scalars(query.order_by(table.at, table.id)).all()


def unanswered(session: Session, round_id: str) -> Sequence[tables.Question]:
    """Return the questions of a round that wait for an answer, the oldest first."""
    table, pairing = tables.Question, tables.Pairing
    query = (
        select(table)
        .join(pairing, pairing.id == table.pairing_id)
        .where(
            pairing.round_id == round_id,
            table.answered_at.is_(None),
            table.text.is_not(None),
        )
    )
    return session.scalars(query.order_by(table.at, table.id)).all()


def as_question(row: tables.Question) -> Question:
    """Return the question as the API shows it."""
    return Question(
        id=row.id,
        pairing=row.pairing_id,
        side=row.side,
        text=row.text or "",
        at=row.at,
        answer=row.answer,
        answered_at=row.answered_at,
    )
