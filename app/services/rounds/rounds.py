"""Rounds: setting one up, and moving it from phase to phase."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import (
    AlreadyThere,
    Forbidden,
    InvalidInput,
    NotFound,
    WrongPhase,
    invalid,
)
from app.permissions import Actor, may_organise, may_oversee, may_see_round
from app.services.log import audit
from app.services.mail import letters
from app.services.shared import versions
from app.services.shared.changes import changed_fields, merge
from app.services.shared.names import slug
from app.services.shared.paging import PageRequest, fetch_page
from schemas import InputError, Policy, Round, RoundWrite
from schemas.bounds import ErrorCount

CHANGEABLE = ("draft", "open", "closed")
"""Phases in which participants and policy may change."""


def as_round(row: tables.Round) -> Round:
    """Return the round as the API shows it."""
    stored = Round.model_fields.keys() - {"texts_until"}
    fields = {field: getattr(row, field) for field in stored}
    return Round.model_validate(fields | {"texts_until": texts_until(row)})


def texts_until(row: tables.Round) -> datetime | None:
    """Return when the round's texts are erased, or None while it is not archived."""
    if row.archived_at is None:
        return None
    return months_after(row.archived_at, row.retention_months)


def months_after(moment: datetime, months: int) -> datetime:
    """Return the moment this many months later; a shorter month gives its last day.

    Args:
        moment: When to begin.
        months: How many; fewer than 0: earlier.

    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def as_written(row: tables.Round) -> dict[str, object]:
    """Return the fields of the round that a caller may write."""
    return {field: getattr(row, field) for field in RoundWrite.model_fields}


def _write(row: tables.Round, new: RoundWrite) -> None:
    for field in RoundWrite.model_fields.keys() - {"id"}:
        setattr(row, field, getattr(new, field))


def search(
    session: Session, actor: Actor, page: PageRequest, since: datetime | None = None
) -> tuple[Sequence[tables.Round], str | None]:
    """Return a page of the rounds that the actor may see, by id.

    Those that were changed at this moment or later, if there is one.
    """
    query = select(tables.Round)
    if not may_oversee(actor):
        own = select(tables.Participant.round_id).where(
            tables.Participant.city_id == actor.city
        )
        query = query.where((tables.Round.phase != "draft") | tables.Round.id.in_(own))
    if since is not None:
        query = query.where(tables.Round.updated_at >= since)
    return fetch_page(session, query, page, tables.Round.id)


def get(
    session: Session, actor: Actor, round_id: str, *, lock: bool = False
) -> tables.Round:
    """Return the round, or raise `NotFound` if there is none for the actor.

    Args:
        session: Where to look.
        actor: Who is looking.
        round_id: Which round.
        lock: For every write inside the round: such writes come one after the other.

    """
    row = find(session, actor, round_id, lock=lock)
    if row is None:
        raise NotFound(f"There is no round with the id {round_id}.")
    return row


def find(
    session: Session, actor: Actor, round_id: str, *, lock: bool = False
) -> tables.Round | None:
    """Return the round, or None if there is none for the actor."""
    query = select(tables.Round).where(tables.Round.id == round_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None or not may_see_round(
        actor, row.phase, takes_part=_takes_part(session, actor, round_id)
    ):
        return None
    return row


def names(session: Session) -> dict[str, str]:
    """Return the names of all rounds by their ids."""
    table = tables.Round
    return {row.id: row.name for row in session.execute(select(table.id, table.name))}


def named(new: RoundWrite, round_id: str) -> RoundWrite:
    """Return the round with the id of its path, or raise `InvalidInput`."""
    _same_id(new, round_id)
    return new.model_copy(update={"id": round_id})


def _same_id(new: RoundWrite, round_id: str) -> None:
    if new.id not in {None, round_id}:
        message = f"The round is called `{round_id}`: write the same, or leave it out."
        error = InputError(pointer="/id", code="differs", message=message)
        raise InvalidInput(message, [error])


def patched(row: tables.Round, patch: dict[str, object]) -> RoundWrite:
    """Return the round with a merge patch applied, or raise `InvalidInput`."""
    try:
        return RoundWrite.model_validate(
            merge(as_written(row), patch), context=ErrorCount()
        )
    except ValidationError as error:
        raise invalid(error) from None


def _takes_part(session: Session, actor: Actor, round_id: str) -> bool:
    if actor.city is None:
        return False
    return session.get(tables.Participant, (round_id, actor.city)) is not None


def must_organise(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor is an organiser."""
    if not may_organise(actor):
        raise Forbidden("Only an organiser may do this.")


def add(session: Session, actor: Actor, new: RoundWrite) -> tables.Round:
    """Open a round as a draft; a made id that is taken gets a number.

    Raises:
        Forbidden: If the actor may not.
        AlreadyThere: If there is one with the id that was given.

    """
    must_organise(actor)
    if new.id and session.get(tables.Round, new.id) is not None:
        raise AlreadyThere(f"There is a round with the id {new.id} already.")
    row = tables.Round(id=new.id or _free_id(session, new.name))
    _write(row, new)
    session.add(row)
    session.flush()
    policy = tables.RoundPolicy(round_id=row.id, body=Policy().to_dict())
    session.add(policy)
    session.flush()
    versions.begin(session, versions.of_round(row.id), row, policy)
    audit.record(session, actor, "round.created", round_id=row.id)
    return row


def _free_id(session: Session, name: str) -> str:
    base = slug(name)[:56].strip("-") or "round"
    taken = set(
        session.scalars(select(tables.Round.id).where(tables.Round.id.startswith(base)))
    )
    number, chosen = 1, base
    while chosen in taken:
        number += 1
        chosen = f"{base}-{number}"
    return chosen


def change(session: Session, actor: Actor, row: tables.Round, new: RoundWrite) -> None:
    """Replace the stored round by the given one.

    Raises:
        Forbidden: If the actor may not.
        InvalidInput: If the id differs.
        WrongPhase: If the round is archived.

    """
    must_organise(actor)
    _same_id(new, row.id)
    if row.phase == "archived":
        raise WrongPhase("An archived round stays as it is.")
    before = as_written(row)
    _write(row, new)
    fields = changed_fields(before, as_written(row))
    if fields:
        row.updated_at = now()
        session.flush()
        if row.phase == "staged":  # the letters name the round and the deadline
            letters.rewrite_held(session, row, anew=True)
        audit.record(session, actor, "round.changed", round_id=row.id, fields=fields)


def remove(session: Session, actor: Actor, row: tables.Round) -> None:
    """Delete a draft with everything in it.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is no draft any more.

    """
    must_organise(actor)
    if row.phase != "draft":
        raise WrongPhase(
            f"Only a draft can be deleted, and this round is {row.phase}: archive it."
        )
    _retire(session, row)
    session.delete(row)
    session.flush()
    audit.record(session, actor, "round.deleted", round_id=row.id)


def _retire(session: Session, row: tables.Round) -> None:
    """Remember the versions of the round and of all that is deleted with it."""
    path = versions.of_round(row.id)
    versions.retire(session, path, row.version)
    for table in (tables.RoundPolicy, tables.Participant):
        highest = select(func.max(table.version)).where(table.round_id == row.id)
        versions.retire(session, path, session.scalar(highest) or 0)


def touch(session: Session, row: tables.Round) -> None:
    """Give the round a new version: a change of its pairings counts."""
    row.updated_at = now()
    session.flush()


def must_be_changeable(row: tables.Round) -> None:
    """Raise `WrongPhase` unless participants and policy may still change."""
    if row.phase not in CHANGEABLE:
        raise WrongPhase(
            f"The round is {row.phase}: who takes part and how it is matched stays."
        )
