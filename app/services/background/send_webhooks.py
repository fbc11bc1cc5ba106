"""Sends deliveries to webhooks, signed, again and again until they are taken.

By the convention of Standard Webhooks 1.0 (https://www.standardwebhooks.com). A
delivery is claimed by one update, and every later write names the attempt, as with
runs. If a sender dies, nobody knows whether the delivery arrived: it is sent again,
with the same `webhook-id`.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog
from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.db import Database, leases, tables
from app.db.tables.base import now
from app.outside.outgoing import Outgoing, Reply, Unsent
from app.permissions import TERMINAL
from app.services.log import audit
from app.settings import Settings
from matching import __version__

LEASE = 60.0
"""Seconds for which a sender is believed alive; longer than it waits for an answer."""
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each attempt the next one is made (Standard Webhooks 1.0,
"Deliverability and reliability"): ten attempts within three days and a half."""
PREFIX = "whsec_"
KEPT = timedelta(days=30)
"""How long deliveries are kept that are over."""
HOPELESS = timedelta(days=5)
"""A webhook that takes nothing for so long is switched off."""
KEEPING_ID = {"key_share": True}
"""A lock for changes, during which events are still announced to the webhook."""
_LONGEST_WAIT = timedelta(hours=24)
"""The most that a receiver's Retry-After counts for."""
_LONGEST_DATE = 64
"""Letters: a date of RFC 9110 has 29."""
_MOST_AT_ONCE = 100
_GONE, _SLOWER = 410, {429, 503}
_log = structlog.get_logger("compaan")


@dataclass(frozen=True)
class _Claim:
    """A delivery that is this sender's to make.

    Attributes:
        delivery: Its id.
        attempt: How often it has been claimed, this time included.
        event: What the receiver knows it by.
        body: What is sent.
        webhook: The id of the webhook.
        url: Where to.
        secrets: What it is signed with, the newest first.

    """

    delivery: str
    attempt: int
    event: str
    body: str
    webhook: str
    url: str
    secrets: Sequence[str]


def signature(secret: str, event: str, moment: int, body: str) -> str:
    """Return what a receiver checks: HMAC-SHA256 of id, time and body.

    Standard Webhooks 1.0, "Signature scheme", symmetric.

    Args:
        secret: `whsec_` and the key in base64.
        event: The header `webhook-id`.
        moment: The header `webhook-timestamp`, seconds since 1970.
        body: The body.

    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event}.{moment}.{body}".encode()
    digest = hmac.digest(key, signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def deliver(database: Database, outgoing: Outgoing, webhook: str) -> int:
    """Send what is due to one webhook, one after the other; return how many were taken.

    Several processes may do so at once. While a receiver is talked to no transaction is
    open.

    Args:
        database: Where the deliveries are.
        outgoing: The way to send.
        webhook: Its id.

    """
    taken = 0
    for _ in range(_MOST_AT_ONCE):
        claim = _claim(database, webhook)
        if claim is None:
            break
        taken += _send(database, outgoing, claim)
    return taken


def _claim(database: Database, webhook: str) -> _Claim | None:
    """Take the delivery that has been due for longest; None if there is none.

    While one is on its way to the webhook, no other is: a receiver that hangs has one
    sender wait for it, not all.
    """
    table, other = tables.Delivery, aliased(tables.Delivery)
    busy = select(other.id).where(other.webhook_id == webhook, other.state == "sending")
    oldest = (
        select(table.id)
        .where(
            table.webhook_id == webhook,
            table.state == "queued",
            table.due_at <= now(),
            ~busy.exists(),
        )
        .order_by(table.due_at, table.created_at, table.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with database.write() as session:
        to = session.get(tables.Webhook, webhook)
        if to is None:
            return None
        if to.state != "active":
            drop(session, webhook)
            return None
        found = session.execute(
            update(table)
            .where(table.id == oldest, table.state == "queued")
            .values(
                state="sending",
                attempt=table.attempt + 1,
                lease_until=database.seconds(session) + LEASE,
            )
            .returning(table.id, table.attempt, table.event, table.body)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        return found and _Claim(*found, to.id, to.url, _secrets(to))


def _secrets(row: tables.Webhook) -> Sequence[str]:
    if row.old_secret is None or row.old_until is None or row.old_until <= now():
        return (row.secret,)
    return (row.secret, row.old_secret)


def _send(database: Database, outgoing: Outgoing, claim: _Claim) -> bool:
    """Make the delivery and store its outcome; tell whether it was taken.

    The whole answer of the receiver is read inside the `try`: whatever it is, the
    outcome is stored in the row.
    """
    try:
        reply = outgoing.post(claim.url, claim.body.encode(), _headers(claim))
        wait = asked_to_wait(reply, now())
    except Unsent as error:
        return _failed(database, claim, None, str(error))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is tried again
        _log.error("webhook-failed", delivery=claim.delivery, exc_info=error)
        reason = f"This is our mistake: {type(error).__name__}."
        return _failed(database, claim, None, reason)
    if reply.status // 100 != 2:  # noqa: PLR2004 -- RFC 9110: successful
        return _failed(database, claim, reply.status, _status_text(reply.status), wait)
    with database.write() as session:
        return _write(
            session,
            claim,
            state="delivered",
            status=reply.status,
            error=None,
            ended_at=now(),
        )


def _headers(claim: _Claim) -> dict[str, str]:
    """Return what is sent before the body, signed as of now."""
    moment = int(now().timestamp())
    signatures = (
        signature(secret, claim.event, moment, claim.body) for secret in claim.secrets
    )
    return {
        "content-type": "application/json",
        "user-agent": f"Compaan/{__version__}",
        "webhook-id": claim.event,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signatures),
    }


def _status_text(status: int) -> str:
    """Return in words what a status means that is no success."""
    if status == _GONE:
        return "It answered 410: it is gone, and wants nothing any more."
    if status // 100 == 3:  # noqa: PLR2004 -- RFC 9110: redirection
        return (
            f"It answered {status}: redirects are not followed. Give the webhook the "
            "address that it leads to."
        )
    return f"It answered {status}."


def _failed(
    database: Database,
    claim: _Claim,
    status: int | None,
    why: str,
    wait_asked: timedelta = timedelta(),
) -> bool:
    """Store that the delivery was not taken, and what follows; return False.

    Args:
        database: Where the delivery is.
        claim: The delivery.
        status: What the receiver answered, if it did.
        why: What went wrong, for people.
        wait_asked: For how long the receiver wants to be left alone.

    """
    moment = now()
    values: dict[str, object] = {"status": status, "error": why}
    if status == _GONE or claim.attempt > len(WAITS):
        values |= {"state": "failed", "ended_at": moment}
    else:
        wait = max(WAITS[claim.attempt - 1], wait_asked)
        values |= {"state": "queued", "due_at": moment + wait}
    with database.write() as session:
        # Locked before the delivery, as by whoever deletes it.
        row = session.get(tables.Webhook, claim.webhook, with_for_update=KEEPING_ID)
        if row is None or not _write(session, claim, **values):
            return False
        if status == _GONE:
            _switch_off(session, row, why)
        elif _is_hopeless(session, row, moment):
            days = HOPELESS.days
            _switch_off(session, row, f"Nothing was taken for {days} days. {why}")
    _log.warning("webhook", webhook=claim.webhook, delivery=claim.delivery, **values)
    return False


def asked_to_wait(reply: Reply, moment: datetime) -> timedelta:
    """Return for how long the receiver wants to be left alone (RFC 9110, 10.2.3).

    A header that is neither a number of seconds nor a date counts as none.
    """
    if reply.status not in _SLOWER or reply.retry_after is None:
        return timedelta()
    header = reply.retry_after.strip()
    if header.isascii() and header.isdecimal():
        return min(timedelta(seconds=int(header[:9])), _LONGEST_WAIT)
    if len(header) > _LONGEST_DATE:
        return timedelta()
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # no date, or none that a clock can show
        return timedelta()
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - moment, timedelta()), _LONGEST_WAIT)


def _is_hopeless(session: Session, row: tables.Webhook, moment: datetime) -> bool:
    """Tell whether no delivery of the last five days was taken.

    It counts from the owner's last change: a webhook that is switched on again has
    five days.
    """
    table = tables.Delivery
    of_it = table.webhook_id == row.id
    taken = session.scalar(
        select(func.max(table.ended_at)).where(of_it, table.state == "delivered")
    )
    since = max(row.updated_at, taken) if taken else row.updated_at
    first = session.scalar(
        select(func.min(table.created_at)).where(
            of_it, table.state.in_(("queued", "failed")), table.created_at >= since
        )
    )
    return first is not None and moment - first >= HOPELESS


def _switch_off(session: Session, row: tables.Webhook, why: str) -> None:
    if row.state == "active":
        row.state, row.off_reason = "off", why
        drop(session, row.id)
        audit.record(session, TERMINAL, "webhook.gave_up", webhook=row.id)


def drop(session: Session, webhook: str) -> None:
    """Drop the deliveries that wait for a webhook that is off."""
    table = tables.Delivery
    session.execute(
        update(table)
        .where(table.webhook_id == webhook, table.state == "queued")
        .values(state="dropped", ended_at=now())
        .execution_options(synchronize_session=False)
    )


def _write(session: Session, claim: _Claim, **values: object) -> bool:
    """End the attempt if the delivery is still this sender's; tell whether it is."""
    return leases.write(
        session,
        tables.Delivery,
        claim.delivery,
        claim.attempt,
        "sending",
        lease_until=None,
        **values,
    )


def sweep(database: Database) -> int:
    """Take the deliveries of dead senders back, to be sent again; return how many."""
    table = tables.Delivery
    over = table.attempt > len(WAITS)
    with database.write() as session:
        return len(
            session.scalars(
                update(table)
                .where(
                    table.state == "sending",
                    table.lease_until < database.seconds(session),
                )
                .values(
                    state=case((over, "failed"), else_="queued"),
                    ended_at=case((over, now()), else_=None),
                    error="It may have arrived: its sender died.",
                    lease_until=None,
                )
                .returning(table.id)
                .execution_options(synchronize_session=False)
            ).all()
        )


def forget_old(database: Database) -> None:
    """Delete the deliveries that ended long ago (`KEPT`)."""
    table = tables.Delivery
    with database.write() as session:
        session.execute(delete(table).where(table.ended_at < now() - KEPT))


def periodic_task(settings: Settings) -> Callable[[Database], object]:
    """Return what sends all that is due, to be called every second.

    Each webhook has a thread of its own while something is sent to it: a slow receiver
    holds up nobody else. With nothing to do it costs one query.
    """
    outgoing = Outgoing(allow_private=settings.allow_private_webhooks)
    serving: set[str] = set()

    def serve(database: Database, webhook: str) -> None:
        try:
            deliver(database, outgoing, webhook)
        except Exception as error:  # noqa: BLE001 -- the lease says how long it may fail
            _log.warning("webhook-fails", webhook=webhook, exc_info=error)
        finally:
            serving.discard(webhook)

    def work(database: Database) -> None:
        due, claimed = _pending(database)
        if claimed:
            sweep(database)
        for webhook in due - serving:
            serving.add(webhook)
            # A daemon: a receiver that hangs does not keep the interpreter.
            arguments = (database, webhook)
            threading.Thread(target=serve, args=arguments, daemon=True).start()

    return work


def _pending(database: Database) -> tuple[set[str], bool]:
    """Return the webhooks that something is due to, and whether anything is claimed."""
    table = tables.Delivery
    due = and_(table.state == "queued", table.due_at <= now())
    query = (
        select(table.webhook_id, table.state)
        .where(or_(due, table.state == "sending"))
        .distinct()
    )
    with database.read() as session:
        found = session.execute(query).all()
    return {webhook for webhook, state in found if state == "queued"}, any(
        state == "sending" for _, state in found
    )
