"""The export of all data of a person with an account (Articles 15 and 20 GDPR)."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import NotFound
from app.permissions import Actor, may_organise
from app.services.accounts import accounts, sign_in, tokens
from app.services.cities import contacts
from app.services.log import audit
from app.services.mail import outbox
from app.services.pairings import check_ins, questions
from schemas import CheckIn, Contact, Question, SignedIn
from schemas.privacy import AccountExport, OwnAnswer, OwnLetter

Log = Sequence[tables.Audit]


def export(
    session: Session, actor: Actor, account_id: str, public_url: str
) -> AccountExport:
    """Return all data of the person, for the person and for organisers.

    Args:
        session: Where to look.
        actor: Who asks.
        account_id: Whose account.
        public_url: Where browsers find the service; links in letters begin with it.

    Raises:
        NotFound: If there is no such account for the actor.

    """
    if actor.account != account_id and not may_organise(actor):
        raise NotFound(f"There is no account with the id {account_id} for you.")
    row = accounts.get(session, actor, account_id)
    log = _log(session, row.id)
    return AccountExport(
        made_at=now(),
        account=accounts.as_account(row),
        tokens=tuple(map(tokens.as_token, tokens.of_account(session, row.id))),
        sign_ins=_sign_ins(session, actor, row.id),
        contacts=_contacts(session, row.email),
        log=tuple(map(audit.as_entry, log)),
        answers=_answers(session, row.id, log),
        check_ins=_check_ins(session, row.id, log),
        questions=_questions(session, row.id, log),
        letters=_letters(session, row.id, public_url),
    )


def _log(session: Session, account: str) -> Log:
    table = tables.Audit
    about = table.details["of"].as_string() == account
    query = select(table).where(or_(table.account_id == account, about))
    return session.scalars(query.order_by(table.id.desc())).all()


def _sign_ins(session: Session, actor: Actor, account: str) -> tuple[SignedIn, ...]:
    table = tables.Login
    query = select(table).where(table.account_id == account)
    rows = session.scalars(query.order_by(table.seen_at.desc(), table.id))
    return tuple(sign_in.as_signed_in(row, actor) for row in rows)


def _contacts(session: Session, email: str) -> tuple[Contact, ...]:
    table = tables.Contact
    query = select(table).where(table.email == email).order_by(table.id)
    return tuple(map(contacts.as_contact, session.scalars(query)))


def _answers(session: Session, account: str, log: Log) -> tuple[OwnAnswer, ...]:
    """Return the latest answers that are this account's own."""
    table, pairing = tables.Audit, tables.Pairing
    rounds = {entry.round_id for entry in log if entry.action == "pairing.answered"}
    latest = (
        select(func.max(table.id))
        .where(table.action == "pairing.answered", table.round_id.in_(rounds))
        .group_by(
            table.details["pairing"].as_string(), table.details["side"].as_string()
        )
    )
    query = (
        select(table)
        .where(table.id.in_(latest), table.account_id == account)
        .order_by(table.id)
    )
    found = []
    for entry in session.scalars(query):
        side, row = (
            entry.details["side"],
            session.get(pairing, entry.details["pairing"]),
        )
        if row is not None:
            found.append(
                OwnAnswer(
                    pairing=row.id,
                    side=side,
                    answer=entry.details["answer"],
                    text=getattr(row, f"{side}_text"),
                )
            )
    return tuple(found)


def _check_ins(session: Session, account: str, log: Log) -> tuple[CheckIn, ...]:
    table = tables.CheckIn
    ids = [
        entry.details["check_in"]
        for entry in log
        if (entry.action, entry.account_id) == ("pairing.noted", account)
    ]
    query = select(table).where(table.id.in_(ids)).order_by(table.at, table.id)
    return tuple(map(check_ins.as_check_in, session.scalars(query)))


def _questions(session: Session, account: str, log: Log) -> tuple[Question, ...]:
    """Return what the account asked, and what it was asked and answered."""
    table = tables.Question
    ids = [
        entry.details["question"]
        for entry in log
        if entry.action in {"pairing.asked", "pairing.question_answered"}
        and entry.account_id == account
    ]
    query = select(table).where(table.id.in_(ids), table.text.is_not(None))
    rows = session.scalars(query.order_by(table.at, table.id))
    return tuple(map(questions.as_question, rows))


def _letters(session: Session, account: str, public_url: str) -> tuple[OwnLetter, ...]:
    table = tables.Message
    query = select(table).where(table.account_id == account)
    rows = session.scalars(query.order_by(table.created_at.desc(), table.id))
    return tuple(
        OwnLetter(
            subject=row.subject,
            text=outbox.in_full(row.text, public_url),
            created_at=row.created_at,
            sent_at=row.sent_at,
        )
        for row in rows
    )
