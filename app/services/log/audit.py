"""The audit log: ids and field names, never names of people."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import Audit, City, Remark
from app.errors import NotFound
from app.permissions import Actor, may_oversee, may_read_city_audit
from app.services.log import announcements
from app.services.shared.paging import PageRequest, fetch_page
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
    """Write down what is being done, in the transaction that does it.

    Whoever has a webhook for it is told once that transaction is committed.
    """
    session.add(
        Audit(
            account_id=actor.account,
            action=action,
            city_id=city,
            round_id=round_id,
            details=details,
        )
    )
    announcements.of_change(session, action, city, round_id, details)


def attach_reason(session: Session, round_id: str, action: str, text: str) -> None:
    """Keep a text with the last such entry of a round, apart so that it can be erased.

    Args:
        session: In the transaction that recorded the entry.
        round_id: The round, locked: nobody else records of it.
        action: What was recorded.
        text: What was said to it.

    """
    session.flush()
    last = select(func.max(Audit.id)).where(
        Audit.round_id == round_id, Audit.action == action
    )
    session.add(Remark(audit_id=session.scalar(last), text=text))


def of_city(
    session: Session, actor: Actor, city: str, cut: PageRequest
) -> tuple[Sequence[Audit], str | None]:
    """Return what was done with a city, the newest first, also after its deletion."""
    association = session.scalar(select(City.association).where(City.id == city))
    if not may_read_city_audit(actor, city, association):
        raise NotFound(f"There is no log of a city {city} for you.")
    asked = select(Audit).where(Audit.city_id == city)
    return fetch_page(session, asked, cut, Audit.id.desc())


def of_round(
    session: Session, actor: Actor, round_id: str, cut: PageRequest
) -> tuple[Sequence[Audit], str | None]:
    """Return what was done in a round, the newest first, also after its deletion."""
    if not may_oversee(actor):
        raise NotFound(f"There is no log of a round {round_id} for you.")
    asked = select(Audit).where(Audit.round_id == round_id)
    return fetch_page(session, asked, cut, Audit.id.desc())


def of_network(
    session: Session, actor: Actor, cut: PageRequest, account: str | None = None
) -> tuple[Sequence[Audit], str | None]:
    """Return what was done in the network, the newest first; by one account if wanted.

    Raises:
        NotFound: If the log is not the actor's to read.

    """
    if not may_oversee(actor):
        raise NotFound("There is no log of the network for you.")
    asked = select(Audit)
    if account is not None:
        asked = asked.where(Audit.account_id == account)
    return fetch_page(session, asked, cut, Audit.id.desc())


def latest(session: Session, actor: Actor, round_id: str, most: int) -> Sequence[Audit]:
    """Return the last things that were done in a round, or raise `NotFound`."""
    return of_round(session, actor, round_id, PageRequest(most))[0]


def as_entry(row: Audit) -> AuditEntry:
    """Return the entry as it travels."""
    return AuditEntry(
        id=row.id,
        at=row.at,
        account=row.account_id,
        action=row.action,
        city=row.city_id,
        round=row.round_id,
        details=row.details | ({"reason": row.remark.text} if row.remark else {}),
    )
