"""Webhooks as their owners manage them, and the deliveries of each."""

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, invalid
from app.permissions import Actor, may_hook
from app.services.background import send_webhooks
from app.services.log import announcements, audit
from app.services.shared.changes import changed_fields, merge
from app.services.shared.paging import PageRequest, fetch_page
from schemas import (
    Delivery,
    DeliveryState,
    InputError,
    NewWebhook,
    SentDelivery,
    Webhook,
    WebhookWrite,
)
from schemas.bounds import ErrorCount

MOST = 20
"""Most webhooks: as many senders a process may have at once."""
OLD_SECRET = timedelta(hours=24)
"""How long a secret that was replaced signs as well."""
_KEY_BYTES = 32  # Standard Webhooks 1.0: between 24 and 64


def every(session: Session, actor: Actor) -> Sequence[tables.Webhook]:
    """Return all webhooks, the oldest first, or raise `NotFound`."""
    if not may_hook(actor):
        raise NotFound("There are no webhooks for you.")
    table = tables.Webhook
    return session.scalars(select(table).order_by(table.created_at, table.id)).all()


def get(
    session: Session, actor: Actor, webhook_id: str, *, lock: bool = False
) -> tables.Webhook:
    """Return the webhook, or raise `NotFound` if there is none for the actor."""
    row = None
    if may_hook(actor):
        locked = send_webhooks.KEEPING_ID if lock else None
        row = session.get(tables.Webhook, webhook_id, with_for_update=locked)
    if row is None:
        raise NotFound(f"There is no webhook with the id {webhook_id}.")
    return row


def add(
    session: Session, actor: Actor, new: WebhookWrite, *, allow_private: bool
) -> tables.Webhook:
    """Store a new webhook, with a secret of its own.

    Args:
        session: In a write transaction.
        actor: Who adds it.
        new: Its URL and events.
        allow_private: Whether it may do without TLS, as in internal networks.

    Raises:
        Forbidden: If the actor may not.
        InvalidInput: If it would do without TLS.
        Conflict: If there are as many as there may be.

    """
    if not may_hook(actor):
        raise Forbidden("Only organisers and administrators have webhooks.")
    _must_be_safe(new, allow_private=allow_private)
    count = session.scalar(select(func.count()).select_from(tables.Webhook)) or 0
    if count >= MOST:
        raise Conflict(f"There may be {MOST} webhooks: delete one.")
    row = tables.Webhook(secret=_new_secret(), created_by=actor.account)
    _fill(row, new)
    session.add(row)
    session.flush()
    audit.record(session, actor, "webhook.created", webhook=row.id)
    return row


def change(
    session: Session,
    actor: Actor,
    row: tables.Webhook,
    new: WebhookWrite,
    *,
    allow_private: bool,
) -> None:
    """Change the webhook; if it is switched off, waiting deliveries are dropped.

    Args:
        session: In a write transaction.
        actor: Who decides so; `get` has asked whether it may.
        row: The webhook, locked.
        new: What it is to be.
        allow_private: As for `add`.

    Raises:
        InvalidInput: If it would do without TLS.

    """
    _must_be_safe(new, allow_private=allow_private)
    fields = changed_fields(as_written(row).to_dict(), new.to_dict())
    if not fields:
        return
    _fill(row, new)
    row.updated_at = now()
    session.flush()
    if not new.active:
        send_webhooks.drop(session, row.id)
    audit.record(session, actor, "webhook.changed", webhook=row.id, fields=fields)


def _fill(row: tables.Webhook, new: WebhookWrite) -> None:
    row.url, row.description = new.url, new.description
    row.events = ",".join(new.events)
    row.state = "active" if new.active else "off"
    if new.active:
        row.off_reason = None


def _must_be_safe(new: WebhookWrite, *, allow_private: bool) -> None:
    if not (allow_private or new.url.startswith("https:")):
        message = "The URL must begin with https://."
        error = InputError(pointer="/url", code="https", message=message)
        raise InvalidInput(message, [error])


def delete(session: Session, actor: Actor, row: tables.Webhook) -> None:
    """Delete the webhook with its deliveries; `get` has asked whether the actor may."""
    session.delete(row)
    session.flush()
    audit.record(session, actor, "webhook.deleted", webhook=row.id)


def rotate(session: Session, actor: Actor, row: tables.Webhook) -> None:
    """Give the webhook a new secret; the one before signs as well for a day."""
    row.old_secret, row.old_until = row.secret, now() + OLD_SECRET
    row.secret, row.updated_at = _new_secret(), now()
    session.flush()
    audit.record(session, actor, "webhook.secret_changed", webhook=row.id)


def _new_secret() -> str:
    key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return f"{send_webhooks.PREFIX}{key}"


def ping(session: Session, actor: Actor, row: tables.Webhook) -> tables.Delivery:
    """Queue a test delivery, or raise `Conflict` if the webhook is off."""
    _must_be_on(row)
    found = announcements.ping(session, row)
    audit.record(session, actor, "webhook.pinged", webhook=row.id, delivery=found.id)
    return found


def replay(
    session: Session, actor: Actor, row: tables.Webhook, delivery: tables.Delivery
) -> None:
    """Send a delivery once more, with the same id, signed anew.

    The attempts are counted on: one that was given up is tried just once.

    Raises:
        Conflict: If it waits to be sent anyway, or the webhook is off.

    """
    _must_be_on(row)
    session.refresh(delivery, with_for_update=True)
    if delivery.ended_at is None:
        raise Conflict(f"The delivery is {delivery.state}: it will be sent anyway.")
    delivery.state, delivery.due_at, delivery.ended_at = "queued", now(), None
    delivery.error = None
    session.flush()
    audit.record(
        session, actor, "webhook.replayed", webhook=row.id, delivery=delivery.id
    )


def _must_be_on(row: tables.Webhook) -> None:
    if row.state != "active":
        raise Conflict("The webhook is off: set `active` to true first.")


def deliveries(
    session: Session,
    row: tables.Webhook,
    cut: PageRequest,
    state: DeliveryState | None = None,
) -> tuple[Sequence[tables.Delivery], str | None]:
    """Return a page of the webhook's deliveries, the newest first."""
    table = tables.Delivery
    query = select(table).where(table.webhook_id == row.id)
    if state is not None:
        query = query.where(table.state == state)
    return fetch_page(session, query, cut, table.created_at.desc(), table.id.desc())


def delivery(
    session: Session, row: tables.Webhook, delivery_id: str
) -> tables.Delivery:
    """Return this delivery of the webhook, or raise `NotFound`."""
    found = session.get(tables.Delivery, delivery_id)
    if found is None or found.webhook_id != row.id:
        raise NotFound(f"The webhook has no delivery with the id {delivery_id}.")
    return found


def as_written(row: tables.Webhook) -> WebhookWrite:
    """Return what may be changed of the webhook."""
    return WebhookWrite.model_validate(
        {
            "url": row.url,
            "description": row.description,
            "events": tuple(filter(None, row.events.split(","))),
            "active": row.state == "active",
        }
    )


def patched(row: tables.Webhook, patch: dict[str, object]) -> WebhookWrite:
    """Return the webhook with a merge patch applied, or raise `InvalidInput`."""
    try:
        return WebhookWrite.model_validate(
            merge(as_written(row).to_dict(), patch), context=ErrorCount()
        )
    except ValidationError as error:
        raise invalid(error) from None


def as_webhook(row: tables.Webhook) -> Webhook:
    """Return the webhook as it travels, without its secret."""
    written = as_written(row)
    is_still_signing = row.old_until is not None and row.old_until > now()
    return Webhook(
        id=row.id,
        url=written.url,
        description=written.description,
        events=written.events,
        active=written.active,
        off_reason=row.off_reason,
        old_secret_until=row.old_until if is_still_signing else None,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def with_secret(row: tables.Webhook) -> NewWebhook:
    """Return the webhook as it travels once: with its secret."""
    return NewWebhook(**as_webhook(row).to_dict(), secret=row.secret)


def as_delivery(row: tables.Delivery) -> Delivery:
    """Return the delivery as it travels in lists."""
    fields = Delivery.model_fields.keys() - {"webhook", "due_at"}
    return Delivery(
        **{field: getattr(row, field) for field in fields},
        webhook=row.webhook_id,
        due_at=None if row.ended_at else row.due_at,
    )


def as_sent(row: tables.Delivery) -> SentDelivery:
    """Return the delivery with what is sent."""
    return SentDelivery(**as_delivery(row).to_dict(), body=row.body)
