"""Accounts: who belongs to the network, and in which role."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import AlreadyThere, Conflict, Forbidden, NotFound, invalid
from app.permissions import (
    TERMINAL,
    Actor,
    may_invite,
    may_manage,
    may_oversee,
)
from app.services.log import audit
from app.services.mail import letters
from app.services.shared import erasure
from app.services.shared.changes import changed_fields, merge
from app.services.shared.paging import PageRequest, fetch_page
from schemas import Account, AccountWrite, Invitation, OwnAccountWrite
from schemas.bounds import ErrorCount

T = TypeVar("T", AccountWrite, OwnAccountWrite)
DEMO = "@demo.example"
"""How the addresses of the demo's accounts end; nobody else's do (RFC 2606)."""


def as_account(row: tables.Account) -> Account:
    """Return the account as it travels."""
    return Account(
        id=row.id,
        email=row.email,
        name=row.name,
        role=row.role,
        city=row.city_id,
        association=row.association,
        language=row.language,
        has_password=row.password is not None,
        joined_at=row.joined_at,
        signed_in_at=row.signed_in_at,
        created_at=row.created_at,
    )


def as_actor(
    row: tables.Account,
    scope: str = "write",
    token: str | None = None,
    login: str | None = None,
) -> Actor:
    """Return the actor of an account, with the token or browser that is used."""
    return Actor(
        account=row.id,
        role=row.role,  # type: ignore[arg-type]
        city=row.city_id,
        scope=scope,  # type: ignore[arg-type]
        association=row.association,
        token=token,
        login=login,
    )


def add_user(
    session: Session,
    email: str,
    role: str,
    city: str | None = None,
    association: str | None = None,
) -> tables.Account:
    """Open an account in the terminal; nobody is written to.

    Raises:
        InvalidInput: If the address, the role, the city or the association cannot be.
        AlreadyThere: If there is an account with this address.

    """
    try:
        new = AccountWrite(email=email, role=role, city=city, association=association)
    except ValidationError as error:
        raise invalid(error) from None
    row = _add(session, new)
    row.joined_at = now()
    session.flush()
    audit.record(session, TERMINAL, "account.opened", city=row.city_id, of=row.id)
    return row


def _add(session: Session, new: AccountWrite | Invitation) -> tables.Account:
    table = tables.Account
    if session.scalar(select(table.id).where(table.email == new.email)):
        raise AlreadyThere(f"{new.email} has an account already.")
    row = table(
        email=new.email,
        name=new.name,
        role=new.role,
        city_id=new.city,
        association=new.association,
        language=new.language,
    )
    session.add(row)
    session.flush()
    return row


def list_users(session: Session) -> Sequence[tables.Account]:
    """Return all accounts by address."""
    return session.scalars(select(tables.Account).order_by(tables.Account.email)).all()


def find_user(session: Session, email: str) -> tables.Account:
    """Return the account with this address, or raise `NotFound`."""
    row = by_address(session, email)
    if row is None:
        raise NotFound(f"Nobody has the address {email}: `compaan user add` first.")
    return row


def by_address(session: Session, email: str) -> tables.Account | None:
    """Return the account with this address, or None."""
    table = tables.Account
    return session.scalar(select(table).where(table.email == normal(email)))


def normal(email: str) -> str:
    """Return an address as it is stored and compared."""
    return email.strip().lower()


def of_the_demo(session: Session) -> Sequence[str]:
    """Return the addresses of the accounts that the demo has opened."""
    table = tables.Account
    found = select(table.email).where(table.email.endswith(DEMO))
    return session.scalars(found.order_by(table.email)).all()


def _visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition of the accounts that the actor may see."""
    table, city = tables.Account, tables.City
    if may_oversee(actor):
        return table.id.is_not(None)
    own = table.id == actor.account
    if actor.role == "officer":
        return or_(own, table.city_id == actor.city)
    if actor.role == "association":
        supported = select(city.id).where(city.association == actor.association)
        colleague = table.association == actor.association
        return or_(own, colleague, table.city_id.in_(supported))
    return own


def search(
    session: Session, actor: Actor, cut: PageRequest
) -> tuple[Sequence[tables.Account], str | None]:
    """Return a page of the accounts that the actor may see, by address.

    Organisers and auditors see all; officers their city's, associations their cities'.
    """
    table = tables.Account
    query = select(table).where(_visible(actor))
    return fetch_page(session, query, cut, table.email)


def get(
    session: Session, actor: Actor, account_id: str, *, lock: bool = False
) -> tables.Account:
    """Return the account, or raise `NotFound` if there is none for the actor."""
    table = tables.Account
    if lock:
        _lock(session, account_id)
    query = select(table).where(table.id == account_id, _visible(actor))
    row = session.scalar(query.execution_options(populate_existing=lock))
    if row is None:
        raise NotFound(f"There is no account with the id {account_id} for you.")
    return row


def roles(session: Session, ids: Iterable[str | None]) -> dict[str | None, str]:
    """Return the roles that these accounts have now, by id; closed ones have none."""
    table = tables.Account
    query = select(table.id, table.role).where(table.id.in_(filter(None, ids)))
    return {row.id: row.role for row in session.execute(query)}


def _lock(session: Session, account_id: str) -> None:
    """Lock the account and all administrators', in one order: two never wait in a ring.

    Who is an administrator does not change then, until the end of the transaction.
    """
    table = tables.Account
    wanted = or_(table.id == account_id, table.role == "administrator")
    session.scalars(
        select(table.id).where(wanted).order_by(table.id).with_for_update()
    ).all()


def own(session: Session, actor: Actor, *, lock: bool = False) -> tables.Account:
    """Return the actor's account, or raise `NotFound`: the terminal has none."""
    if actor.account is None:
        raise NotFound("The terminal has no account.")
    return get(session, actor, actor.account, lock=lock)


def invite(session: Session, actor: Actor, new: Invitation) -> tables.Account:
    """Open an account, and queue the mail with the link that lets its owner in.

    Raises:
        Forbidden: If the actor may not invite into this role, or has no place to hand
            over.
        AlreadyThere: If there is an account with this address.

    """
    association = session.scalar(
        select(tables.City.association).where(tables.City.id == new.city)
    )
    if not may_invite(actor, new.role, new.city, association):
        raise Forbidden("You may invite colleagues for your own cities only.")
    if new.hand_over and (actor.role, actor.city) != ("officer", new.city):
        raise Forbidden("Only an officer hands over, and the own city.")
    row = _add(session, new)
    row.invited_by = actor.account
    row.takes_over_from = actor.account if new.hand_over else None
    session.flush()
    letters.invite(session, row)
    audit.record(session, actor, "account.invited", city=row.city_id, of=row.id)
    return row


def invite_again(session: Session, actor: Actor, row: tables.Account) -> None:
    """Queue the mail of an invitation once more; the links before it stay good.

    Raises:
        Forbidden: If the actor may not.
        Conflict: If its owner has come in already.

    """
    _must_close(session, actor, row)
    if row.joined_at is not None:
        raise Conflict("The account has been used already: nobody is to be invited.")
    letters.invite(session, row)
    audit.record(session, actor, "account.invited", city=row.city_id, of=row.id)


def may_close(session: Session, actor: Actor, row: tables.Account) -> bool:
    """Tell whether the actor may close the account, which is another's.

    Organisers may; and whoever may invite may take back what has not been used.
    """
    if may_manage(actor, row.role):
        return True
    association = session.scalar(
        select(tables.City.association).where(tables.City.id == row.city_id)
    )
    invited = may_invite(actor, row.role, row.city_id, association)
    return invited and row.joined_at is None


def _must_close(session: Session, actor: Actor, row: tables.Account) -> None:
    if not may_close(session, actor, row):
        raise Forbidden("Only an organiser may change this account.")


def supported_cities(session: Session, actor: Actor) -> Sequence[str]:
    """Return the cities that name the actor's association; none without one."""
    if actor.association is None:
        return ()
    city = tables.City
    return session.scalars(
        select(city.id).where(city.association == actor.association).order_by(city.id)
    ).all()


def change(
    session: Session, actor: Actor, row: tables.Account, new: AccountWrite
) -> None:
    """Change the account; the change takes effect with the next request.

    Raises:
        Forbidden: If the actor may not, or would make an administrator without being
            one.
        AlreadyThere: If another account has the address.
        Conflict: If it is the last administrator's.

    """
    if not (may_manage(actor, row.role) and may_manage(actor, new.role)):
        raise Forbidden(
            "Only an organiser may change accounts; of administrators, "
            "only an administrator."
        )
    before = as_written(row).to_dict()
    fields = changed_fields(before, new.to_dict())
    if not fields:
        return
    if "role" in fields:
        _must_leave_one(session, row)
    taken = by_address(session, new.email)
    if taken is not None and taken.id != row.id:
        raise AlreadyThere(f"{new.email} has an account already.")
    if "email" in fields:  # links that were sent to the old address are void
        link = tables.Link
        session.execute(delete(link).where(link.account_id == row.id))
    row.email, row.name, row.role = new.email, new.name, new.role
    row.city_id, row.association = new.city, new.association
    row.language = new.language
    session.flush()
    audit.record(
        session, actor, "account.changed", city=row.city_id, of=row.id, fields=fields
    )


def as_written(row: tables.Account) -> AccountWrite:
    """Return what organisers may change of the account."""
    return AccountWrite(
        email=row.email,
        name=row.name,
        role=row.role,
        city=row.city_id,
        association=row.association,
        language=row.language,
    )


def patched(row: tables.Account, patch: dict[str, object]) -> AccountWrite:
    """Return the account with a merge patch applied, or raise `InvalidInput`."""
    return _merged(AccountWrite, as_written(row), patch)


def as_own(row: tables.Account) -> OwnAccountWrite:
    """Return what its owner may change of the account."""
    return OwnAccountWrite(name=row.name, language=row.language)


def patched_own(row: tables.Account, patch: dict[str, object]) -> OwnAccountWrite:
    """Return what its owner may change, a merge patch applied; see `patched`."""
    return _merged(OwnAccountWrite, as_own(row), patch)


def _merged(kind: type[T], before: T, patch: dict[str, object]) -> T:
    try:
        return kind.model_validate(merge(before.to_dict(), patch), context=ErrorCount())
    except ValidationError as error:
        raise invalid(error) from None


def change_own(
    session: Session, actor: Actor, row: tables.Account, new: OwnAccountWrite
) -> None:
    """Change the name and language of the actor's own account."""
    fields = changed_fields(as_own(row).to_dict(), new.to_dict())
    if fields:
        row.name, row.language = new.name, new.language
        session.flush()
        audit.record(session, actor, "account.changed", of=row.id, fields=fields)


def close(session: Session, actor: Actor, row: tables.Account) -> None:
    """Erase the account with its tokens and browsers; what it did stays, by its id.

    Everybody may close the own account.

    Raises:
        Forbidden: If the actor may not.
        Conflict: If it is the last administrator's.

    """
    if actor.account != row.id:
        _must_close(session, actor, row)
    _must_leave_one(session, row)
    erased(session, actor, row)


def erased(session: Session, actor: Actor, row: tables.Account) -> None:
    """Delete the account, and its owner's name in texts; rights are not checked."""
    erasure.scrub(session, row.email, row.name, [row.id])
    session.delete(row)
    session.flush()
    audit.record(session, actor, "account.closed", city=row.city_id, of=row.id)


def _must_leave_one(session: Session, row: tables.Account) -> None:
    """Refuse to lose the last administrator; the row was locked when it was read."""
    if row.role != "administrator":
        return
    table = tables.Account
    others = select(table.id).where(table.role == "administrator", table.id != row.id)
    if not session.scalars(others).all():
        raise Conflict("This is the last administrator: make another one first.")


def came_in(session: Session, row: tables.Account, way: str) -> bool:
    """Record a sign-in to an account; tell whether it is the first.

    At the first, the account that it takes over from is closed, if that is still an
    officer's of the same city.
    """
    table = tables.Account
    first = row.joined_at is None
    moment = now()
    # Not by the row: two browsers may come in at the same moment.
    session.execute(
        update(table)
        .where(table.id == row.id)
        .values(signed_in_at=moment, joined_at=row.joined_at or moment)
        .execution_options(synchronize_session=False)
    )
    actor = as_actor(row)
    audit.record(session, actor, "account.signed_in", way=way)
    predecessor = row.takes_over_from and session.get(table, row.takes_over_from)
    if (
        first
        and predecessor
        and (predecessor.role, predecessor.city_id) == ("officer", row.city_id)
    ):
        erased(session, actor, predecessor)
        audit.record(
            session, actor, "account.took_over", city=row.city_id, of=predecessor.id
        )
    return first
