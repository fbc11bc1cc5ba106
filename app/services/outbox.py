"""The outbox: who is told what, as rows that can be read before they are sent.

While a round is staged its messages are held: they follow every change, and the
release lets them go. `services.delivery` sends them.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from app.db import models
from app.db.models.base import now
from app.errors import Conflict, Forbidden, NotFound
from app.permissions import Actor, may_organise, may_oversee
from app.services import audit
from app.services.paging import Cut, cut_off
from app.services.words.catalogue import LANGUAGES, Language
from app.services.words.left import left_out
from app.services.words.letters import Facts, Kind, Letter, letter
from app.services.words.pair import explained
from schemas import (
    Explanation,
    Message,
    MessageCount,
    MessageState,
    Outbox,
    Role,
    Solution,
    Unmatched,
)

_SIDES: tuple[Role, Role] = ("mentor", "learner")
_LINK = re.compile(r"compaan:(/[a-z0-9/-]+)")


def in_full(text: str, public_url: str) -> str:
    """Return the text of a message with its link as an address.

    Rows hold the path alone: a message that waits while the service moves to another
    address still leads to it.

    >>> in_full("Answer: compaan:/pairings/1", "https://compaan.example/")
    'Answer: https://compaan.example/pairings/1'

    """
    return _LINK.sub(rf"{public_url.rstrip('/')}\1", text)


@dataclass(frozen=True)
class _City:
    """What letters need of a city."""

    name: str
    language: Language
    accounts: tuple[str, ...]


def _cities(session: Session, ids: Collection[str]) -> dict[str, _City]:
    rows = session.execute(
        select(models.City.id, models.City.name, models.City.languages).where(
            models.City.id.in_(ids)
        )
    ).all()
    account = models.Account
    officers: dict[str, list[str]] = {}
    for one, city in session.execute(
        select(account.id, account.city_id)
        .where(account.role == "officer", account.city_id.in_(ids))
        .order_by(account.email)
    ):
        officers.setdefault(str(city), []).append(one)
    return {
        city: _City(name, _language(languages), tuple(officers.get(city, ())))
        for city, name, languages in rows
    }


def _language(codes: str) -> Language:
    """Return the first of a city's working languages that letters are written in."""
    spoken = codes.split(",")
    return next((one for code in spoken for one in LANGUAGES if one == code), "en")


# While a round is staged.


def hold(session: Session, round_row: models.Round, *, anew: bool = False) -> None:
    """Make the held messages those that a release would send now.

    Args:
        session: In a write transaction.
        round_row: A staged round, locked.
        anew: Write all of them again, and not only what has changed.

    """
    table, pairing = models.Message, models.Pairing
    held = (table.round_id == round_row.id) & (table.state == "held")
    staged = session.scalars(
        select(pairing)
        .where(pairing.round_id == round_row.id, pairing.state == "staged")
        .order_by(pairing.learner_id, pairing.mentor_id)
    ).all()
    stale = held
    if not anew:  # the letters about pairings that stay are still right
        stay = table.pairing_id.in_([row.id for row in staged])
        stale = held & (table.pairing_id.is_(None) | ~stay)
    session.execute(delete(table).where(stale))
    written = set(session.scalars(select(table.pairing_id).where(held)))
    participant = models.Participant
    taking = session.scalars(
        select(participant)
        .where(participant.round_id == round_row.id)
        .order_by(participant.city_id)
    ).all()
    cities = _cities(session, {row.city_id for row in taking})
    answer_by = round_row.answer_by or now() + timedelta(days=round_row.answer_days)
    for row in staged:
        if row.id not in written:
            sent = _about(round_row, row, "offer", _SIDES, cities, answer_by)
            session.add_all(_rows(sent, "held"))
    placed = {city for row in staged for city in (row.mentor_id, row.learner_id)}
    empty = [one for one in taking if one.city_id not in placed]
    reasons = _reasons(session, round_row) if empty else {}
    for one in empty:
        sent = _not_placed(round_row, one, cities[one.city_id], reasons)
        session.add_all(_rows(sent, "held"))
    session.flush()


def drop_held(session: Session, round_row: models.Round) -> None:
    """Forget the held messages: the round is not staged any more."""
    table = models.Message
    session.execute(
        delete(table).where(table.round_id == round_row.id, table.state == "held")
    )


def let_go(session: Session, round_row: models.Round) -> int:
    """Queue what was held; return how many messages have nobody to go to."""
    hold(session, round_row, anew=True)  # the deadline is known only now
    table = models.Message
    lost = 0
    for row in session.scalars(
        select(table).where(table.round_id == round_row.id, table.state == "held")
    ):
        row.state = _state(row.account_id)
        row.due_at = now()
        lost += row.account_id is None
    session.flush()
    return lost


def _reasons(
    session: Session, round_row: models.Round
) -> dict[tuple[str, str], Unmatched]:
    """Return why the staged run left cities out, by city and role."""
    found = session.get(models.Solution, round_row.staged_run)
    if found is None:
        return {}
    solution = Solution.model_validate_json(found.body)
    return {(left.city, left.role): left for left in solution.unmatched}


@dataclass(frozen=True)
class _Sent:
    """A letter before it is a row: to whom, about what."""

    round_id: str
    pairing: str | None
    city: str | None
    accounts: Sequence[str]
    kind: Kind
    role: str
    language: Language
    letter: Letter


def _rows(
    sent: Iterable[_Sent], state: MessageState | None
) -> Iterator[models.Message]:
    """Yield a row for each account; one without where there is nobody."""
    for one in sent:
        for account in one.accounts or (None,):
            yield models.Message(
                round_id=one.round_id,
                pairing_id=one.pairing,
                city_id=one.city,
                account_id=account,
                kind=one.kind,
                role=one.role,
                language=one.language,
                subject=one.letter.subject,
                text=one.letter.text,
                state=state or _state(account),
            )


def _state(account: str | None) -> MessageState:
    return "queued" if account else "unaddressed"


def _about(  # noqa: PLR0913 -- what a letter about a pairing needs
    round_row: models.Round,
    row: models.Pairing,
    kind: Kind,
    sides: Collection[Role],
    cities: dict[str, _City],
    answer_by: datetime | None,
) -> Iterator[_Sent]:
    why = Explanation.model_validate_json(row.body)
    mentor, learner = cities[row.mentor_id], cities[row.learner_id]
    for side in sides:
        city, partner = (mentor, learner) if side == "mentor" else (learner, mentor)
        own = row.mentor_id if side == "mentor" else row.learner_id
        # What the other city wished for is not told to this one.
        known = tuple(one for one in why.adjustments if one.city == own)
        told = why.model_copy(update={"adjustments": known})
        said = explained(told, mentor.name, learner.name, city.language)
        facts = Facts(
            round_name=round_row.name,
            link=f"compaan:/pairings/{row.id}",
            city=city.name,
            role=side,
            partner=partner.name,
            mentor=mentor.name,
            learner=learner.name,
            answer_by=answer_by,
            reasons=tuple(said) if kind in {"offer", "reminder"} else (),
        )
        yield _Sent(
            round_id=row.round_id,
            pairing=row.id,
            city=own,
            accounts=city.accounts,
            kind=kind,
            role=side,
            language=city.language,
            letter=letter(kind, facts, city.language),
        )


def _not_placed(
    round_row: models.Round,
    row: models.Participant,
    city: _City,
    reasons: dict[tuple[str, str], Unmatched],
) -> Iterator[_Sent]:
    """Yield the letter to a city that is offered nothing."""
    role: Role = "learner" if row.learner_demand else "mentor"
    if not row.learner_demand and not row.mentor_capacity:
        return  # it asked for nothing
    why = reasons.get((row.city_id, role))
    facts = Facts(
        round_name=round_row.name,
        link=f"compaan:/rounds/{round_row.id}",
        city=city.name,
        role=role,
        reasons=tuple(left_out(why, city.name, city.language)) if why else (),
    )
    yield _Sent(
        round_id=round_row.id,
        pairing=None,
        city=row.city_id,
        accounts=city.accounts,
        kind="not_placed",
        role=role,
        language=city.language,
        letter=letter("not_placed", facts, city.language),
    )


# After the release.


def tell(
    session: Session,
    round_row: models.Round,
    row: models.Pairing,
    kind: Kind,
    sides: Collection[Role],
) -> None:
    """Queue a letter about the pairing to these sides."""
    cities = _cities(session, {row.mentor_id, row.learner_id})
    sent = _about(round_row, row, kind, sides, cities, row.answer_by)
    session.add_all(_rows(sent, None))
    session.flush()


def tell_organisers(
    session: Session, round_row: models.Round, row: models.Pairing, what: str
) -> None:
    """Queue a note to all organisers that the pairing needs mending."""
    cities = _cities(session, {row.mentor_id, row.learner_id})
    mentor, learner = cities[row.mentor_id].name, cities[row.learner_id].name
    account = models.Account
    organisers = session.scalars(
        select(account.id).where(account.role == "organiser").order_by(account.email)
    ).all()
    if not organisers:  # an administrator alone looks at the board
        return
    facts = Facts(
        round_name=round_row.name,
        link=f"compaan:/rounds/{round_row.id}/repairs",
        partner=f"{mentor} → {learner}",
        mentor=mentor,
        learner=learner,
        answer_code=what,
    )
    sent = _Sent(
        round_id=round_row.id,
        pairing=row.id,
        city=None,
        accounts=organisers,
        kind="to_repair",
        role="organiser",
        language="en",
        letter=letter("to_repair", facts, "en"),
    )
    session.add_all(_rows([sent], None))
    session.flush()


def remind(session: Session, actor: Actor, round_row: models.Round) -> int:
    """Queue a reminder to every side that has not answered; return how many.

    A city that was written to about the pairing within the last day is left in peace.

    Raises:
        Forbidden: If the actor is no organiser.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may remind cities.")
    pairing, message = models.Pairing, models.Message
    waiting = session.scalars(
        select(pairing)
        .where(pairing.round_id == round_row.id, pairing.state == "offered")
        .order_by(pairing.learner_id, pairing.mentor_id)
    ).all()
    lately = set(
        session.execute(
            select(message.pairing_id, message.city_id).where(
                message.round_id == round_row.id,
                message.kind.in_(("offer", "reminder")),
                message.created_at > now() - timedelta(days=1),
            )
        )
    )
    cities = _cities(
        session, {city for row in waiting for city in (row.mentor_id, row.learner_id)}
    )
    count = 0
    for row in waiting:
        sides: list[Role] = [
            side
            for side, city in zip(_SIDES, (row.mentor_id, row.learner_id), strict=True)
            if getattr(row, f"{side}_answer") == "pending"
            and (row.id, city) not in lately
        ]
        sent = _about(round_row, row, "reminder", sides, cities, row.answer_by)
        rows = list(_rows(sent, None))
        session.add_all(rows)
        count += len(rows)
    session.flush()
    audit.record(
        session, actor, "round.reminded", round_id=round_row.id, messages=count
    )
    return count


# What organisers see of it.


def must_oversee(actor: Actor, round_id: str) -> None:
    """Raise `NotFound` unless the actor may see the outbox."""
    if not may_oversee(actor):
        raise NotFound(f"There are no messages of {round_id} for you.")


def search(
    session: Session,
    actor: Actor,
    round_id: str,
    cut: Cut,
    state: MessageState | None = None,
) -> tuple[Sequence[models.Message], str | None]:
    """Return a page of the round's messages, the oldest first, or raise `NotFound`."""
    must_oversee(actor, round_id)
    table = models.Message
    asked = (
        select(table)
        .where(table.round_id == round_id)
        .order_by(table.created_at, table.id)
    )
    if state is not None:
        asked = asked.where(table.state == state)
    if cut.after is not None:
        last = session.get(table, cut.after)
        if last is not None:
            asked = asked.where(
                tuple_(table.created_at, table.id) > tuple_(last.created_at, last.id)
            )
    found = session.scalars(asked.limit(cut.limit + 1)).all()
    return cut_off(found, cut, lambda row: row.id)


def summary(session: Session, actor: Actor, round_id: str) -> Outbox:
    """Return how many messages there are of each kind, or raise `NotFound`."""
    must_oversee(actor, round_id)
    table = models.Message
    key = table.kind, table.role, table.language, table.state
    rows = session.execute(
        select(*key, func.count())
        .where(table.round_id == round_id)
        .group_by(*key)
        .order_by(*key)
    ).all()
    lost = session.scalars(
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
    counts = tuple(
        MessageCount(kind=kind, role=role, language=language, state=state, count=count)
        for kind, role, language, state, count in rows
    )
    return Outbox(
        total=sum(one.count for one in counts),
        counts=counts,
        unaddressed=tuple(city for city in lost if city is not None),
    )


def get(
    session: Session, actor: Actor, message_id: str, *, lock: bool = False
) -> models.Message:
    """Return the message, or raise `NotFound` if there is none for the actor."""
    row = session.get(models.Message, message_id, with_for_update=lock)
    if row is None or not may_oversee(actor):
        raise NotFound(f"There is no message with the id {message_id}.")
    return row


def as_message(row: models.Message, public_url: str) -> Message:
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


def send_test(session: Session, actor: Actor, row: models.Message) -> models.Message:
    """Queue a copy of the message to the actor alone.

    Raises:
        Forbidden: If the actor is no organiser.
        Conflict: If the actor has no address.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may send messages.")
    if actor.account is None:
        raise Conflict("The terminal has no address to send a test to.")
    copy = models.Message(
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


def address(session: Session, row: models.Message) -> None:
    """Address a message that had nobody to go to; every further officer gets a copy.

    Raises:
        Conflict: If there is still nobody.

    """
    account = models.Account
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
        session.add(models.Message(**same, account_id=other, state="queued"))


def record(session: Session, actor: Actor, row: models.Message, action: str) -> None:
    """Write down what was done with a message."""
    audit.record(
        session,
        actor,
        action,
        round_id=row.round_id,
        city=row.city_id,
        message=row.id,
    )
