"""Sends the queued messages of the outbox, each once.

A message is claimed by one update, and every later write names the attempt, as with
runs. Its text goes out only after the row says so: if a sender dies, the row tells
whether the message may have arrived. Such a message is not sent again by itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.orm import Session

from app.db import Database, leases, tables
from app.db.tables.base import now
from app.errors import Busy, Conflict, Forbidden, Refusal
from app.outside import mail, mailers
from app.permissions import Actor, may_organise
from app.services.accounts import sign_in
from app.services.mail import outbox
from app.settings import Settings
from app.texts import account_letters

LEASE = 300.0
"""Seconds for which a sender is believed alive, from the claim and once more from the
handing over; longer than it waits for a mail server in all."""
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=1),
)
"""How long after each attempt the next one is made, until three days have passed."""
_MOST_AT_ONCE = 100
_SETTLE_SECONDS = 60.0
"""Seconds for which storing an outcome is tried while the database is away."""
_log = structlog.get_logger("compaan")


class _ClaimLost(Exception):
    """Another sender has claimed the message meanwhile."""


@dataclass(frozen=True)
class _Claim:
    """A message that is this sender's to deliver.

    Attributes:
        message: Its id.
        attempt: How often it has been claimed, this time included.
        mail: What to deliver; None: there is nobody to deliver it to.
        overtaken: Whether its pairing is not offered any more.

    """

    message: str
    attempt: int
    mail: mail.Mail | None
    overtaken: bool


def deliver(
    database: Database,
    mailer: mail.Mailer,
    public_url: str,
    most: int | None = None,
) -> int:
    """Send the messages that are due, one after the other; return how many were taken.

    Several processes may do so at once. While a mail server is talked to no transaction
    is open. It ends early if no message whatever can be delivered now.

    Args:
        database: Where the outbox is.
        mailer: The way to send.
        public_url: What links begin with.
        most: Most messages to try; None: all.

    Raises:
        Busy: If the database stays away; the lease then shows what happened.

    """
    sent = tried = 0
    try:
        while tried != most and (claim := _claim(database, public_url)):
            tried += 1
            sent += _send(database, mailer, claim)
    except mail.Away:
        pass  # the outcome is stored in the row
    finally:
        mailer.close()
    return sent


def _claim(database: Database, public_url: str) -> _Claim | None:
    """Take the message that has been due for longest, or None if there is none."""
    table = tables.Message
    oldest = (
        select(table.id)
        .where(table.state == "queued", table.due_at <= now())
        .order_by(table.due_at, table.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with database.write() as session:
        found = session.execute(
            update(table)
            .where(table.id == oldest, table.state == "queued")
            .values(
                state="sending",
                attempt=table.attempt + 1,
                lease_until=database.seconds(session) + LEASE,
                handed_over=False,
            )
            .returning(
                table.id,
                table.attempt,
                table.account_id,
                table.kind,
                table.pairing_id,
                table.subject,
                table.text,
                table.language,
            )
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if found is None:
            return None
        account = tables.Account
        to = session.scalar(select(account.email).where(account.id == found.account_id))
        overtaken = _is_overtaken(session, found.kind, found.pairing_id)
        text = found.text
        if to and account_letters.LINK in text:
            key = sign_in.new_link(session, found.account_id, found.kind)
            text = text.replace(
                account_letters.LINK, f"{account_letters.LINK}?key={key}"
            )
    text = outbox.in_full(text, public_url)
    return _Claim(
        found.id,
        found.attempt,
        mail.Mail(found.id, to, found.subject, text, found.language) if to else None,
        overtaken,
    )


def _is_overtaken(session: Session, kind: str, pairing_id: str | None) -> bool:
    """Tell whether a letter asks for an answer that nobody waits for any more."""
    if kind not in {"offer", "reminder"} or pairing_id is None:
        return False
    pairing = tables.Pairing
    state = session.scalar(select(pairing.state).where(pairing.id == pairing_id))
    # Staged: the organiser's own test.
    return state not in {"staged", "offered"}


def _send(database: Database, mailer: mail.Mailer, claim: _Claim) -> bool:
    """Deliver the message and store the outcome; tell whether it was taken.

    Raises:
        Away: After that, if it would be the same with every other message.

    """
    if claim.overtaken:
        _settle(database, claim, state="overtaken")
        return False
    if claim.mail is None:
        _settle(database, claim, state="unaddressed")
        return False
    begun = False

    def hand_over() -> None:
        nonlocal begun
        with database.write() as session:
            until = database.seconds(session) + LEASE
            if not _write(session, claim, handed_over=True, lease_until=until):
                raise _ClaimLost
        begun = True

    try:
        mailer.send(claim.mail, hand_over)
    except _ClaimLost:
        return False
    except Exception as error:  # whatever it is, no other message waits for this one
        _settle(database, claim, **_outcome(error, claim, begun=begun))
        if isinstance(error, mail.Away):
            raise
        return False
    return _settle(database, claim, state="sent", sent_at=now(), error=None)


def _outcome(error: Exception, claim: _Claim, *, begun: bool) -> dict[str, object]:
    """Return the columns to store for a message that was not surely delivered."""
    match error:
        case mail.Refused():
            values: dict[str, object] = {"state": "failed", "error": str(error)}
        case mail.Unclear():
            values = {"state": "unknown", "error": str(error)}
        case mail.NotNow() | Refusal():
            values = _later(claim.attempt, str(error), now())
        case _:
            _log.error("mail-failed", message=claim.message, exc_info=error)
            reason = f"This is our mistake: {type(error).__name__}."
            values = {"state": "unknown", "error": reason}
            if not begun:
                values = _later(claim.attempt, reason, now())
    _log.warning("mail", message=claim.message, **values)
    return values


def _later(attempt: int, reason: str, moment: datetime) -> dict[str, object]:
    """Return the columns to store for a message that is tried again, or given up."""
    if attempt > len(WAITS):
        return {
            "state": "failed",
            "error": f"Gave up after {attempt} attempts: {reason}",
        }
    return {
        "state": "queued",
        "due_at": moment + WAITS[attempt - 1],
        "handed_over": False,
        "error": reason,
    }


def _settle(database: Database, claim: _Claim, **values: object) -> bool:
    """End the attempt; tell whether the message was still this sender's.

    Raises:
        Busy: If the database does not come back for a while.

    """
    until = time.monotonic() + _SETTLE_SECONDS
    while True:
        try:
            with database.write() as session:
                return _write(session, claim, lease_until=None, **values)
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _write(session: Session, claim: _Claim, **values: object) -> bool:
    """Change the message if it is still this sender's; tell whether it is."""
    return leases.write(
        session, tables.Message, claim.message, claim.attempt, "sending", **values
    )


def sweep(database: Database) -> int:
    """Take the messages of dead senders back; return how many.

    Those that were not handed over are queued again; the others may have arrived.
    """
    table = tables.Message
    with database.write() as session:
        return len(
            session.scalars(
                update(table)
                .where(
                    table.state == "sending",
                    table.lease_until < database.seconds(session),
                )
                .values(
                    state=case(
                        (table.handed_over, "unknown"),
                        (table.attempt > len(WAITS), "failed"),
                        else_="queued",
                    ),
                    error=case(
                        (table.handed_over, "It may have arrived: its sender died."),
                        else_="Its sender died.",
                    ),
                    lease_until=None,
                )
                .returning(table.id)
                .execution_options(synchronize_session=False)
            ).all()
        )


def send_again(session: Session, actor: Actor, row: tables.Message) -> None:
    """Queue a message once more: it failed, may be lost, or had nobody to go to.

    The attempts are counted on: one that was given up is tried just once.

    Args:
        session: In a write transaction.
        actor: Who decides so.
        row: The message; it is locked and read again.

    Raises:
        Forbidden: If the actor is no organiser.
        Conflict: If it is in another state, or there is still nobody.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may send messages.")
    session.refresh(row, with_for_update=True)
    if row.state not in {"failed", "unknown", "unaddressed"}:
        raise Conflict(
            f"The message is {row.state}: only one that failed, of which nobody knows "
            "whether it arrived, or that has nobody to go to, is sent again."
        )
    if _is_overtaken(session, row.kind, row.pairing_id):
        raise Conflict("The pairing is not offered any more: this letter is too late.")
    if row.account_id is None:
        outbox.address(session, row)
    row.state, row.due_at = "queued", now()
    row.handed_over, row.error = False, None
    session.flush()
    outbox.record(session, actor, row, "message.sent_again")


def periodic_task(settings: Settings) -> Callable[[Database], object]:
    """Return what delivers the outbox, to be called every few seconds.

    An outbox with nothing to do costs one query.
    """
    mailer = mailers.mailer(settings)

    def work(database: Database) -> None:
        if _has_work(database):
            sweep(database)
            deliver(database, mailer, settings.public_url, _MOST_AT_ONCE)

    return work


def _has_work(database: Database) -> bool:
    table = tables.Message
    due = and_(table.state == "queued", table.due_at <= now())
    query = select(table.id).where(or_(due, table.state == "sending")).limit(1)
    with database.read() as session:
        return session.scalar(query) is not None
