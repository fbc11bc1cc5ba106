"""The audit log: ids and field names, never names of people."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import Audit
from app.errors import NotFound
from app.permissions import Actor, may_oversee, may_read_city_audit
from app.services.paging import Cut, cut_off
from schemas import AuditEntry


def record(
    session: Session,
    actor: Actor,
    action: str,
    *,
    city: str | None = None,
    round_id: str | None = None,
    **details: Any,  # noqa: ANN401 -- what JSON can hold
) -> None:
    """Write down what is being done, in the transaction that does it."""
    session.add(
        Audit(
            account_id=actor.account,
            action=action,
            city_id=city,
            round_id=round_id,
            details=details,
        )
    )


def of_city(
    session: Session, actor: Actor, city: str, cut: Cut
) -> tuple[Sequence[Audit], str | None]:
    """Return what was done with a city, the newest first, also after its deletion."""
    if not may_read_city_audit(actor, city):
        raise NotFound(f"There is no log of a city {city} for you.")
    return _entries(session, cut, Audit.city_id == city)


def of_round(
    session: Session, actor: Actor, round_id: str, cut: Cut
) -> tuple[Sequence[Audit], str | None]:
    """Return what was done in a round, the newest first, also after its deletion."""
    if not may_oversee(actor):
        raise NotFound(f"There is no log of a round {round_id} for you.")
    return _entries(session, cut, Audit.round_id == round_id)


def latest(session: Session, actor: Actor, round_id: str, most: int) -> Sequence[Audit]:
    """Return the last things that were done in a round, or raise `NotFound`."""
    return of_round(session, actor, round_id, Cut(most))[0]


def _entries(
    session: Session,
    cut: Cut,
    which: Any,  # noqa: ANN401 -- an SQL condition
) -> tuple[Sequence[Audit], str | None]:
    asked = select(Audit).where(which).order_by(Audit.id.desc())
    if cut.after is not None:
        asked = asked.where(Audit.id < cut.number)
    found = session.scalars(asked.limit(cut.limit + 1)).all()
    return cut_off(found, cut, lambda entry: str(entry.id))


def as_entry(row: Audit) -> AuditEntry:
    """Return the entry as it travels."""
    return AuditEntry(
        id=row.id,
        at=row.at,
        account=row.account_id,
        action=row.action,
        city=row.city_id,
        round=row.round_id,
        details=row.details,
    )
