"""The outbox: messages that can be read before they are sent, and sent again.

`letters` writes them, `services.background.send_mail` sends them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import Conflict, Forbidden, NotFound
from app.permissions import Actor, may_organise, may_oversee
from app.services.log import audit
from app.services.shared.paging import PageRequest, fetch_page
from schemas import (
    Message,
    MessageCount,
    MessageKind,
    MessageRole,
    MessageState,
    Outbox,
)

_LINK = re.compile(r"compaan:(/[a-z0-9/-]+)")


def in_full(text: str, public_url: str) -> str:
    """Return the text of a message with its link as a full URL.

    Rows hold the path alone: a message that waits while the service moves to another
    address still leads to it.

    >>> in_full("Answer: compaan:/pairings/1", "https://compaan.example/")
    'Answer: https://compaan.example/pairings/1'

    """
    return _LINK.sub(rf"{public_url.rstrip('/')}\1", text)


def must_oversee(actor: Actor, round_id: str) -> None:
    """Raise `NotFound` unless the actor may see the outbox."""
    if not may_oversee(actor):
        raise NotFound(f"There are no messages of {round_id} for you.")


@dataclass(frozen=True)
class Wanted:
    """Which messages are looked for; None: whatever they are."""

    kind: MessageKind | None = None
    role: MessageRole | None = None
    language: str | None = None


_ALL = Wanted()


def search(  # noqa: PLR0913 -- what narrows the list
    session: Session,
    actor: Actor,
    round_id: str,
    cut: PageRequest,
    state: MessageState | None = None,
    wanted: Wanted = _ALL,
) -> tuple[Sequence[tables.Message], str | None]:
    """Return a page of the round's messages, the oldest first, or raise `NotFound`."""
    must_oversee(actor, round_id)
    table = tables.Message
    query = select(table).where(table.round_id == round_id)
    if state is not None:
        query = query.where(table.state == state)
    for column in ("kind", "role", "language"):
        if (value := getattr(wanted, column)) is not None:
            query = query.where(getattr(table, column) == value)
    return fetch_page(session, query, cut, table.created_at, table.id)


def summary(session: Session, actor: Actor, round_id: str) -> Outbox:
    """Return how many messages there are of each kind, or raise `NotFound`."""
    must_oversee(actor, round_id)
    table = tables.Message
    key = table.kind, table.role, table.language, table.state
    rows = session.execute(
        select(*key, func.count())
        .where(table.round_id == round_id)
        .group_by(*key)
        .order_by(*key)
    ).all()
    unaddressed = session.scalars(
        select(table.city_id)
        .where(
            table.round_id == round_id,
            table.account_id.is_(None),
            table.city_id.is_not(None),
            table.state.in_(("held", "unaddressed")),
        )
        .distinct()
        .order_by(table.city_id)
    ).all()
    would_send, would_tell = session.execute(
        select(
            func.count(table.account_id), func.count(table.account_id.distinct())
        ).where(table.round_id == round_id, table.state == "held")
    ).one()
    counts = tuple(
        MessageCount(kind=kind, role=role, language=language, state=state, count=count)
        for kind, role, language, state, count in rows
    )
    return Outbox(
        total=sum(one.count for one in counts),
        counts=counts,
        would_send=would_send,
        would_tell=would_tell,
        unaddressed=tuple(city for city in unaddressed if city is not None),
    )


@dataclass(frozen=True)
class Held:
    """Letters of one kind that a release would send.

    Attributes:
        kind: About what.
        role: To whom, as what.
        language: In which language.
        letters: How many go out.
        cities: Who is told, by id, in order.

    """

    kind: str
    role: str
    language: str
    letters: int
    cities: tuple[str, ...]


def held(session: Session, actor: Actor, round_id: str) -> list[Held]:
    """Return what a release would send: together `Outbox.would_send` letters.

    Letters that have nobody to go to are not among them: `Outbox.unaddressed`.

    Raises:
        NotFound: If the outbox is not the actor's to see.

    """
    must_oversee(actor, round_id)
    table = tables.Message
    key = table.kind, table.role, table.language
    found: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    for kind, role, language, city, count in session.execute(
        select(*key, table.city_id, func.count())
        .where(
            table.round_id == round_id,
            table.state == "held",
            table.account_id.is_not(None),
        )
        .group_by(*key, table.city_id)
        .order_by(*key, table.city_id)
    ):
        found.setdefault((kind, role, language), []).append((str(city), count))
    return [
        Held(
            kind=kind,
            role=role,
            language=language,
            letters=sum(count for _, count in letters),
            cities=tuple(city for city, _ in letters),
        )
        for (kind, role, language), letters in found.items()
    ]


def failed(session: Session, actor: Actor, round_id: str) -> Sequence[tables.Message]:
    """Return the messages that failed, the oldest first, or raise `NotFound`."""
    must_oversee(actor, round_id)
    table = tables.Message
    return session.scalars(
        select(table)
        .where(table.round_id == round_id, table.state == "failed")
        .order_by(table.created_at, table.id)
    ).all()


def get(
    session: Session, actor: Actor, message_id: str, *, lock: bool = False
) -> tables.Message:
    """Return the message, or raise `NotFound` if there is none for the actor."""
    row = session.get(tables.Message, message_id, with_for_update=lock)
    # Mail about an account has nothing in it for anybody else.
    if row is None or row.round_id is None or not may_oversee(actor):
        raise NotFound(f"There is no message with the id {message_id}.")
    return row


def round_of(row: tables.Message) -> str:
    """Return the round of a message; `get` returns only messages that have one."""
    return str(row.round_id)


def as_message(row: tables.Message, public_url: str) -> Message:
    """Return the message as it travels, its link as an address."""
    fields = {
        field: getattr(row, field)
        for field in Message.model_fields
        if hasattr(row, field)
    }
    return Message(
        **fields | {"text": in_full(row.text, public_url)},
        round=row.round_id,
        pairing=row.pairing_id,
        city=row.city_id,
        account=row.account_id,
    )


def send_test(session: Session, actor: Actor, row: tables.Message) -> tables.Message:
    """Queue a copy of the message to the actor alone.

    Raises:
        Forbidden: If the actor is no organiser.
        Conflict: If the actor has no address.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may send messages.")
    if actor.account is None:
        raise Conflict("The terminal has no address to send a test to.")
    copy = tables.Message(
        round_id=row.round_id,
        pairing_id=row.pairing_id,
        city_id=None,
        account_id=actor.account,
        kind=row.kind,
        role="organiser",
        language=row.language,
        subject=f"[Test] {row.subject}",
        text=row.text,
        state="queued",
    )
    session.add(copy)
    session.flush()
    record(session, actor, row, "message.tested")
    return copy


def address(session: Session, row: tables.Message) -> None:
    """Address a message without a recipient; every further officer gets a copy.

    Raises:
        Conflict: If there is still nobody.

    """
    account = tables.Account
    found = session.scalars(
        select(account.id)
        .where(account.role == "officer", account.city_id == row.city_id)
        .order_by(account.email)
    ).all()
    if not found:
        whom = row.city_id or "the organisers"
        raise Conflict(f"Nobody of {whom} has an account: open one first.")
    row.account_id, *others = found
    fields = ("round_id", "pairing_id", "city_id", "kind", "role", "language")
    for other in others:
        same = {name: getattr(row, name) for name in (*fields, "subject", "text")}
        session.add(tables.Message(**same, account_id=other, state="queued"))


def record(session: Session, actor: Actor, row: tables.Message, action: str) -> None:
    """Record in the audit log what was done with a message."""
    audit.record(
        session,
        actor,
        action,
        round_id=row.round_id,
        city=row.city_id,
        message=row.id,
    )
