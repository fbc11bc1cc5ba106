"""Ending a pairing: one that is staged is dismissed, one that is offered withdrawn."""

from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import (
    NotOffered,
)
from app.permissions import (
    SHARED_STATES,
    Actor,
    may_edit_city,
)
from app.services.mail import letters
from app.services.pairings.pairings import must_be_released, record
from app.services.rounds import rounds
from schemas import (
    EndedBy,
    PairingState,
    Role,
)


def end(row: tables.Pairing, state: PairingState, by: EndedBy) -> None:
    """Put the pairing into the state in which it ends."""
    row.state, row.ended_by = state, by
    row.ended_at = row.updated_at = now()


def dismiss(  # noqa: PLR0913 -- who ends what, and why
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    reason: str,
    by: EndedBy = "organiser",
) -> None:
    """Take a staged pairing out; nobody is told.

    Raises:
        Forbidden: If the actor may not.
        NotOffered: If it is not staged: after the release, `withdraw`.

    """
    _must_be_allowed_to_end(actor, row, by)
    if row.state != "staged":
        raise NotOffered(f"The pairing is {row.state}; only a staged one is dismissed.")
    row.reason = reason
    end(row, "dismissed", by)
    rounds.touch(session, round_row)
    letters.rewrite_held(session, round_row)
    record(session, actor, row, "pairing.dismissed")


def withdraw(  # noqa: PLR0913 -- who ends what, and why
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    reason: str,
    by: EndedBy = "organiser",
) -> None:
    """Take back a pairing that was offered or confirmed, and tell its cities.

    Args:
        session: In a write transaction.
        actor: An organiser; an officer whose city leaves the round.
        round_row: The pairing's round, locked.
        row: The pairing.
        reason: Why; only organisers see it.
        by: What ends it; a side that leaves is not told.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is archived.
        NotOffered: If it is neither.

    """
    _must_be_allowed_to_end(actor, row, by)
    must_be_released(round_row)
    if row.state not in SHARED_STATES:
        raise NotOffered(f"The pairing is {row.state}: there is nothing to take back.")
    row.reason = reason
    end(row, "withdrawn", by)
    rounds.touch(session, round_row)
    informed: list[Role] = [side for side in ("mentor", "learner") if side != by]
    letters.notify(session, round_row, row, "withdrawn", informed)
    record(session, actor, row, "pairing.withdrawn")


def _must_be_allowed_to_end(actor: Actor, row: tables.Pairing, by: EndedBy) -> None:
    """Raise `Forbidden` unless the actor ends pairings, or leaves with its own city."""
    leaving = {"mentor": row.mentor_id, "learner": row.learner_id}.get(by)
    if leaving is None or not may_edit_city(actor, leaving):
        rounds.must_organise(actor)
