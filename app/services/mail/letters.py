"""Letters as rows of the outbox: who gets which one.

While a round is staged its messages are held: they follow every change, and the
release lets them go. Mail about an account, an invitation or a link, waits for nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import Forbidden
from app.permissions import Actor, may_organise
from app.services.log import audit
from app.texts.account_letters import AccountLetter
from app.texts.account_letters import letter as account_letter
from app.texts.catalogue import LANGUAGES
from app.texts.letters import Facts, Kind, Letter, letter
from app.texts.matching.left_out import left_out
from app.texts.matching.pair import explained
from schemas import (
    AccountLanguage,
    Explanation,
    MessageState,
    Role,
    Solution,
    Unmatched,
)

_SIDES: tuple[Role, Role] = ("mentor", "learner")


@dataclass(frozen=True)
class _City:
    """What letters need of a city."""

    name: str
    language: AccountLanguage
    accounts: tuple[str, ...]


def _cities(session: Session, ids: Collection[str]) -> dict[str, _City]:
    rows = session.execute(
        select(tables.City.id, tables.City.name, tables.City.languages).where(
            tables.City.id.in_(ids)
        )
    ).all()
    account = tables.Account
    officers: dict[str, list[str]] = {}
    for account_id, city in session.execute(
        select(account.id, account.city_id)
        .where(account.role == "officer", account.city_id.in_(ids))
        .order_by(account.email)
    ):
        officers.setdefault(str(city), []).append(account_id)
    return {
        city: _City(name, _language(languages), tuple(officers.get(city, ())))
        for city, name, languages in rows
    }


def _language(codes: str) -> AccountLanguage:
    """Return the first of a city's working languages that letters are written in."""
    spoken = codes.split(",")
    return next((one for code in spoken for one in LANGUAGES if one == code), "en")


# While a round is staged.


def rewrite_held(
    session: Session, round_row: tables.Round, *, anew: bool = False
) -> None:
    """Write the held messages again, as a release would send them now.

    Args:
        session: In a write transaction.
        round_row: A staged round, locked.
        anew: Write all of them again, and not only what has changed.

    """
    table, pairing = tables.Message, tables.Pairing
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
    have_letters = set(session.scalars(select(table.pairing_id).where(held)))
    participant = tables.Participant
    participants = session.scalars(
        select(participant)
        .where(participant.round_id == round_row.id)
        .order_by(participant.city_id)
    ).all()
    cities = _cities(session, {row.city_id for row in participants})
    answer_by = round_row.answer_by or now() + timedelta(days=round_row.answer_days)
    for row in staged:
        if row.id not in have_letters:
            letters = _pairing_letters(
                round_row, row, "offer", _SIDES, cities, answer_by
            )
            session.add_all(_rows(letters, "held"))
    placed = {city for row in staged for city in (row.mentor_id, row.learner_id)}
    empty = [one for one in participants if one.city_id not in placed]
    reasons = _reasons(session, round_row) if empty else {}
    for one in empty:
        letters = _not_placed_letter(round_row, one, cities[one.city_id], reasons)
        session.add_all(_rows(letters, "held"))
    session.flush()


def drop_held(session: Session, round_row: tables.Round) -> None:
    """Forget the held messages: the round is not staged any more."""
    table = tables.Message
    session.execute(
        delete(table).where(table.round_id == round_row.id, table.state == "held")
    )


def release_held(session: Session, round_row: tables.Round) -> int:
    """Queue the held messages; return how many have no recipient."""
    rewrite_held(session, round_row, anew=True)  # the deadline is known only now
    table = tables.Message
    unaddressed = 0
    for row in session.scalars(
        select(table).where(table.round_id == round_row.id, table.state == "held")
    ):
        row.state = _first_state(row.account_id)
        row.due_at = now()
        unaddressed += row.account_id is None
    session.flush()
    return unaddressed


def _reasons(
    session: Session, round_row: tables.Round
) -> dict[tuple[str, str], Unmatched]:
    """Return why the staged run left cities out, by city and role."""
    found = session.get(tables.Solution, round_row.staged_run)
    if found is None:
        return {}
    solution = Solution.model_validate_json(found.body)
    return {(left.city, left.role): left for left in solution.unmatched}


@dataclass(frozen=True)
class _Letter:
    """A letter before it is a row for each recipient."""

    round_id: str
    pairing: str | None
    city: str | None
    accounts: Sequence[str]
    kind: Kind
    role: str
    language: AccountLanguage
    letter: Letter


def _rows(
    letters: Iterable[_Letter], state: MessageState | None
) -> Iterator[tables.Message]:
    """Yield a row for each account, or one without an account if there is none."""
    for message in letters:
        for account in message.accounts or (None,):
            yield tables.Message(
                round_id=message.round_id,
                pairing_id=message.pairing,
                city_id=message.city,
                account_id=account,
                kind=message.kind,
                role=message.role,
                language=message.language,
                subject=message.letter.subject,
                text=message.letter.text,
                state=state or _first_state(account),
            )


def _first_state(account: str | None) -> MessageState:
    return "queued" if account else "unaddressed"


def _pairing_letters(  # noqa: PLR0913 -- what a letter about a pairing needs
    round_row: tables.Round,
    row: tables.Pairing,
    kind: Kind,
    sides: Collection[Role],
    cities: dict[str, _City],
    answer_by: datetime | None,
) -> Iterator[_Letter]:
    why = Explanation.model_validate_json(row.body)
    mentor, learner = cities[row.mentor_id], cities[row.learner_id]
    for side in sides:
        city, partner = (mentor, learner) if side == "mentor" else (learner, mentor)
        own = row.mentor_id if side == "mentor" else row.learner_id
        # Wishes of the other city are not shown to this one.
        known = tuple(one for one in why.adjustments if one.city == own)
        own_why = why.model_copy(update={"adjustments": known})
        sentences = explained(own_why, mentor.name, learner.name, city.language)
        facts = Facts(
            round_name=round_row.name,
            link=f"compaan:/pairings/{row.id}",
            city=city.name,
            role=side,
            partner=partner.name,
            mentor=mentor.name,
            learner=learner.name,
            answer_by=answer_by,
            reasons=tuple(sentences) if kind in {"offer", "reminder"} else (),
        )
        yield _Letter(
            round_id=row.round_id,
            pairing=row.id,
            city=own,
            accounts=city.accounts,
            kind=kind,
            role=side,
            language=city.language,
            letter=letter(kind, facts, city.language),
        )


def _not_placed_letter(
    round_row: tables.Round,
    row: tables.Participant,
    city: _City,
    reasons: dict[tuple[str, str], Unmatched],
) -> Iterator[_Letter]:
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
    yield _Letter(
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


def notify(
    session: Session,
    round_row: tables.Round,
    row: tables.Pairing,
    kind: Kind,
    sides: Collection[Role],
) -> None:
    """Queue a letter about the pairing to these sides."""
    cities = _cities(session, {row.mentor_id, row.learner_id})
    letters = _pairing_letters(round_row, row, kind, sides, cities, row.answer_by)
    session.add_all(_rows(letters, None))
    session.flush()


def notify_organisers(
    session: Session, round_row: tables.Round, row: tables.Pairing, what: str
) -> None:
    """Queue a note to all organisers that the pairing needs mending."""
    cities = _cities(session, {row.mentor_id, row.learner_id})
    mentor, learner = cities[row.mentor_id].name, cities[row.learner_id].name
    account = tables.Account
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
    message = _Letter(
        round_id=round_row.id,
        pairing=row.id,
        city=None,
        accounts=organisers,
        kind="to_repair",
        role="organiser",
        language="en",
        letter=letter("to_repair", facts, "en"),
    )
    session.add_all(_rows([message], None))
    session.flush()


def remind(session: Session, actor: Actor, round_row: tables.Round) -> int:
    """Queue a reminder to every side that has not answered; return how many.

    A city that got a letter about the pairing within the last day gets no reminder.

    Raises:
        Forbidden: If the actor is no organiser.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may remind cities.")
    pairing, message = tables.Pairing, tables.Message
    waiting = session.scalars(
        select(pairing)
        .where(pairing.round_id == round_row.id, pairing.state == "offered")
        .order_by(pairing.learner_id, pairing.mentor_id)
    ).all()
    recent = set(
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
            and (row.id, city) not in recent
        ]
        letters = _pairing_letters(
            round_row, row, "reminder", sides, cities, row.answer_by
        )
        rows = list(_rows(letters, None))
        session.add_all(rows)
        count += len(rows)
    session.flush()
    audit.record(
        session, actor, "round.reminded", round_id=round_row.id, messages=count
    )
    return count


# About an account.


def invite(session: Session, row: tables.Account) -> None:
    """Queue the mail that lets the owner of a new account in."""
    _queue(session, row, "invitation")


def send_link(session: Session, row: tables.Account) -> None:
    """Queue a mail with a link to sign in; an invited person is invited once more."""
    _queue(session, row, "sign_in" if row.joined_at else "invitation")


def _queue(session: Session, row: tables.Account, kind: AccountLetter) -> None:
    city = session.get(tables.City, row.city_id) if row.city_id else None
    language = next((one for one in LANGUAGES if one == row.language), None)
    if language is None:
        language = _language(city.languages) if city else "en"
    place = city.name if city else row.city_id or row.association
    written = account_letter(kind, language, place)
    session.add(
        tables.Message(
            round_id=None,
            account_id=row.id,
            kind=kind,
            role="account",
            language=language,
            subject=written.subject,
            text=written.text,
            state="queued",
        )
    )
    session.flush()
