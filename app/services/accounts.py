"""Accounts and their tokens; browsers that are signed in with a token."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from app.db.models import Account, Login, Token
from app.db.models.base import now
from app.errors import AlreadyThere, InvalidInput, NotFound, Unknown
from app.permissions import Actor, Role, Scope
from schemas import InputError

_PREFIX = "cmp_"
LOGIN = timedelta(days=14)
"""How long a browser stays signed in."""
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.?[^@\s\x00-\x1f\x7f]+")
_SLUG = re.compile(r"[a-z0-9-]{1,63}")


def _digest(secret: str) -> str:
    # Made by us from 32 random bytes: nothing that a slow hash would protect.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _refuse(field: str, message: str) -> InvalidInput:
    error = InputError(pointer=f"/{field}", code="invalid", message=message)
    return InvalidInput(message, [error])


def add_user(session: Session, email: str, role: str, city: str | None) -> Account:
    """Open an account.

    Raises:
        InvalidInput: If the address, the role or the city cannot be.
        AlreadyThere: If there is an account with this address.

    """
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address) or len(address) > 254:  # noqa: PLR2004 -- RFC 5321
        raise _refuse("email", f"{email!r} is not an e-mail address.")
    if role not in get_args(Role):
        roles = ", ".join(get_args(Role))
        raise _refuse("role", f"There is no role {role!r}. The roles are: {roles}.")
    if (role == "officer") != (city is not None):
        raise _refuse("city", "An officer needs a city, and nobody else has one.")
    if city is not None and not _SLUG.fullmatch(city):
        raise _refuse("city", f"{city!r} cannot be the id of a city: a-z, 0-9, -.")
    if session.scalar(select(Account.id).where(Account.email == address)):
        raise AlreadyThere(f"{address} has an account already.")
    account = Account(email=address, role=role, city_id=city)
    session.add(account)
    session.flush()
    return account


def list_users(session: Session) -> Sequence[Account]:
    """Return all accounts by address."""
    return session.scalars(select(Account).order_by(Account.email)).all()


def find_user(session: Session, email: str) -> Account:
    """Return the account with this address, or raise `NotFound`."""
    address = email.strip().lower()
    account = session.scalar(select(Account).where(Account.email == address))
    if account is None:
        raise NotFound(f"Nobody has the address {email}: `compaan user add` first.")
    return account


def add_token(  # noqa: PLR0913 -- what a token is
    session: Session,
    account: Account,
    scope: str = "write",
    name: str = "terminal",
    days: int | None = None,
    secret: str | None = None,
) -> str:
    """Return a new token of the account; it cannot be shown again.

    Args:
        session: In a write transaction.
        account: Whose it is.
        scope: `read` or `write`; writing includes reading.
        name: What it is for, to take it back by.
        days: How long it is good; None: until it is taken back.
        secret: The token itself, for tests that must know it beforehand.

    Raises:
        InvalidInput: If there is no such scope.

    """
    if scope not in get_args(Scope):
        scopes = ", ".join(get_args(Scope))
        raise _refuse(
            "scope", f"There is no scope {scope!r}. The scopes are: {scopes}."
        )
    secret = secret or _PREFIX + secrets.token_urlsafe(32)
    expires_at = None if days is None else now() + timedelta(days=days)
    session.add(
        Token(
            account_id=account.id,
            digest=_digest(secret),
            name=name,
            scope=scope,
            expires_at=expires_at,
        )
    )
    session.flush()
    return secret


def revoke_tokens(session: Session, account: Account, name: str | None = None) -> int:
    """Take back the account's tokens, or those with this name; tell how many."""
    found = delete(Token).where(Token.account_id == account.id)
    if name is not None:
        found = found.where(Token.name == name)
    return len(session.scalars(found.returning(Token.id)).all())


def _actor(token: Token | None) -> Actor:
    if token is None or (token.expires_at and token.expires_at <= now()):
        raise Unknown("This token is not known here, or no longer.")
    account = token.account
    return Actor(account.id, account.role, account.city_id, token.scope)  # type: ignore[arg-type]


def bearer(session: Session, secret: str) -> Actor:
    """Return whom the token stands for, or raise `Unknown`."""
    return _actor(
        session.scalar(
            select(Token)
            .where(Token.digest == _digest(secret))
            .options(joinedload(Token.account))
        )
    )


def sign_in(session: Session, secret: str) -> str:
    """Return the cookie of a browser that signs in with a token, or raise `Unknown`."""
    bearer(session, secret)
    cookie = secrets.token_urlsafe(32)
    session.execute(delete(Login).where(Login.expires_at <= now()))
    token = session.scalars(select(Token).where(Token.digest == _digest(secret))).one()
    session.add(
        Login(digest=_digest(cookie), token_id=token.id, expires_at=now() + LOGIN)
    )
    session.flush()
    return cookie


def signed_in(session: Session, cookie: str) -> Actor:
    """Return who is signed in with this cookie, or raise `Unknown`."""
    login = session.scalar(
        select(Login)
        .where(Login.digest == _digest(cookie), Login.expires_at > now())
        .options(joinedload(Login.token).joinedload(Token.account))
    )
    return _actor(login.token if login else None)


def sign_out(session: Session, cookie: str) -> None:
    """Forget the browser."""
    session.execute(delete(Login).where(Login.digest == _digest(cookie)))
