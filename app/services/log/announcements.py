"""Announcing: what the audit log is told becomes events for the webhooks.

In the transaction that makes the change: what is undone is not told. The order of
events is not promised, and an event may come twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from schemas import Event, EventData, EventType

_API = "/api/v1"
_WANTED = "webhooks"
"""Where a session keeps which webhooks want what."""
_TYPES: Mapping[str, EventType] = {
    "city.created": "city.created",
    "city.changed": "city.updated",
    "city.deleted": "city.deleted",
    "practice.created": "city.updated",
    "practice.changed": "city.updated",
    "practice.deleted": "city.updated",
    "round.created": "round.created",
    "round.changed": "round.updated",
    "round.deleted": "round.deleted",
    "round.moved": "round.phase_changed",
    "round.staged": "round.phase_changed",
    "round.released": "round.phase_changed",
    "round.overridden": "round.updated",
    "round.repaired": "round.updated",
    "policy.changed": "round.updated",
    "participant.joined": "participant.joined",
    "participant.changed": "participant.changed",
    "participant.left": "participant.left",
    "run.cancelled": "run.finished",
    "pairing.answered": "pairing.answered",
    "pairing.expired": "pairing.expired",
    "pairing.withdrawn": "pairing.withdrawn",
    "pairing.dismissed": "pairing.dismissed",
    "pairing.deadline_set": "round.updated",
    "account.closed": "erasure.done",
    "contact.erased": "erasure.done",
    "round.cleared": "erasure.done",
}
"""By the action of the audit log; nobody is told of the others."""
_PATHS = {
    "city": "cities/{city}",
    "practice": "cities/{city}",
    "round": "rounds/{round}",
    "policy": "rounds/{round}",
    "participant": "rounds/{round}/participants/{city}",
    "run": "runs/{run}",
    "pairing": "pairings/{pairing}",
    "account": "accounts/{of}",
    "contact": "cities/{city}/contacts/{contact}",
}
"""Where that is which an event is about, by the first word of the action."""
_FIELDS = {
    "practice.created": ("practices",),
    "practice.changed": ("practices",),
    "practice.deleted": ("practices",),
    "policy.changed": ("policy",),
    "round.overridden": ("pairings",),
    "round.repaired": ("pairings",),
    "pairing.deadline_set": ("pairings",),
}
"""What has changed of the city or round where the log names parts of something else."""
_OUTCOMES: Mapping[str, EventType] = {
    "confirmed": "pairing.confirmed",
    "declined": "pairing.declined",
}
"""What an answer has made of a pairing, by its state."""


def of_change(
    session: Session,
    action: str,
    city: str | None,
    round_id: str | None,
    details: Mapping[str, Any],
) -> None:
    """Announce what the audit log is told, if it is something to be announced."""
    kind = _TYPES.get(action)
    if kind is None:
        return
    names = {**details, "city": city, "round": round_id}
    path = _PATHS[action.partition(".")[0]].format_map(names)
    fields: Sequence[str] = ()
    if kind.endswith((".updated", ".changed")):
        fields = _FIELDS.get(action) or details.get("fields", ())
    announce(session, kind, path, fields)
    if action == "pairing.answered":
        pairing = session.get_one(tables.Pairing, details["pairing"])
        outcome = _OUTCOMES.get(pairing.state)
        if outcome is not None:
            announce(session, outcome, path)


def run_finished(session: Session, run_id: str) -> None:
    """Announce that a run has ended, in whatever state."""
    announce(session, "run.finished", f"runs/{run_id}")


def announce(
    session: Session, kind: EventType, path: str, fields: Sequence[str] = ()
) -> None:
    """Queue the event for every webhook that is on and wants it.

    Without a webhook that costs one query a transaction.

    Args:
        session: The one that makes the change.
        kind: What has happened.
        path: Where that is to which it has happened, below `/api/v1/`.
        fields: The names of what has changed of it.

    """
    wanting = [one for one, wants in _wanted(session) if not wants or kind in wants]
    if wanting:
        event, body = _new_event(), _body(kind, path, fields)
        session.add_all(_row(one, event, kind, body) for one in wanting)


def ping(session: Session, webhook: tables.Webhook) -> tables.Delivery:
    """Queue an event that means nothing for this webhook alone."""
    kind: EventType = "webhook.ping"
    row = _row(webhook.id, _new_event(), kind, _body(kind, f"webhooks/{webhook.id}"))
    session.add(row)
    session.flush()
    return row


def _new_event() -> str:
    return f"msg_{uuid4().hex}"


def _body(kind: EventType, path: str, fields: Sequence[str] = ()) -> str:
    data = EventData(
        id=path.rpartition("/")[2], url=f"{_API}/{path}", fields=tuple(fields) or None
    )
    event = Event(type=kind, timestamp=now(), data=data)
    return event.model_dump_json(exclude_none=True)


def _row(webhook: str, event: str, kind: EventType, body: str) -> tables.Delivery:
    return tables.Delivery(webhook_id=webhook, event=event, type=kind, body=body)


def _wanted(session: Session) -> list[tuple[str, frozenset[str]]]:
    """Return the webhooks that are on, each with the types that it wants."""
    if _WANTED not in session.info:
        table = tables.Webhook
        asked = (
            select(table.id, table.events)
            .where(table.state == "active")
            .order_by(table.id)
            # Whoever deletes one waits for us: or our rows would refer to nothing, and
            # the change itself would be refused.
            .with_for_update(read=True, key_share=True)
        )
        with session.no_autoflush:
            session.info[_WANTED] = [
                (one, frozenset(filter(None, events.split(","))))
                for one, events in session.execute(asked)
            ]
    found: list[tuple[str, frozenset[str]]] = session.info[_WANTED]
    return found
