"""Tokens: secrets with which programs act for an account."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from app.db import tables
from app.db.tables.base import now
from app.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from app.permissions import SCOPES, Actor
from app.services.accounts import accounts
from app.services.log import audit
from schemas import InputError, NewToken, Token, TokenWrite

_PREFIX = "cmp_"
_MOST = 50


def digest(secret: str) -> str:
    """Return what is kept of a secret: SHA-256, in hexadecimal digits.

    Secrets are made by us from 32 random bytes: nothing that a slow hash would protect.
    """
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def add(  # noqa: PLR0913 -- what a token is
    session: Session,
    account: tables.Account,
    scope: str = "write",
    name: str = "terminal",
    days: int | None = None,
    secret: str | None = None,
) -> str:
    """Return a new token of the account; it cannot be shown again.

    Args:
        session: In a write transaction.
        account: Whose it is.
        scope: What it allows, see `permissions.Scope`.
        name: What it is for, to take it back by.
        days: How long it is good; None: until it is taken back.
        secret: The token itself, for tests that must know it beforehand.

    Raises:
        InvalidInput: If there is no such scope.

    """
    if scope not in SCOPES:
        message = f"There is no scope {scope!r}. The scopes are: {', '.join(SCOPES)}."
        error = InputError(pointer="/scope", code="invalid", message=message)
        raise InvalidInput(message, [error])
    secret = secret or _PREFIX + secrets.token_urlsafe(32)
    _store(session, account.id, secret, name, scope, days)
    return secret


def _store(  # noqa: PLR0913
    session: Session,
    account: str,
    secret: str,
    name: str,
    scope: str,
    days: int | None,
) -> tables.Token:
    row = tables.Token(
        account_id=account,
        digest=digest(secret),
        name=name,
        scope=scope,
        expires_at=None if days is None else now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row


def make(session: Session, actor: Actor, new: TokenWrite) -> NewToken:
    """Return a new token of the actor's own account, with its secret.

    Raises:
        Conflict: If the account has as many as it may have.

    """
    owner = accounts.own(session, actor)
    if len(of_account(session, owner.id)) >= _MOST:
        raise Conflict(f"An account may have {_MOST} tokens: revoke one.")
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = _store(session, owner.id, secret, new.name, new.scope, new.days)
    audit.record(session, actor, "token.made", token=row.id, scope=row.scope)
    return NewToken(**as_token(row).to_dict(), token=secret)


def of_account(session: Session, account: str) -> Sequence[tables.Token]:
    """Return the tokens of an account, the newest first."""
    table = tables.Token
    return session.scalars(
        select(table)
        .where(table.account_id == account)
        .order_by(table.created_at.desc(), table.id)
    ).all()


def as_token(row: tables.Token) -> Token:
    """Return the token as it travels, without its secret."""
    return Token(**{field: getattr(row, field) for field in Token.model_fields})


def revoke(session: Session, actor: Actor, token_id: str) -> None:
    """Take one of the actor's own tokens back, or raise `NotFound`."""
    row = session.get(tables.Token, token_id)
    if row is None or row.account_id != actor.account:
        raise NotFound("You have no token with this id.")
    session.delete(row)
    session.flush()
    audit.record(session, actor, "token.revoked", token=token_id)


def revoke_all(
    session: Session, account: tables.Account, name: str | None = None
) -> int:
    """Take back the account's tokens, or those with this name; tell how many."""
    table = tables.Token
    found = delete(table).where(table.account_id == account.id)
    if name is not None:
        found = found.where(table.name == name)
    return len(session.scalars(found.returning(table.id)).all())


def good(token: tables.Token | None) -> tables.Token:
    """Return the token if it stands for somebody now, or raise `Unauthenticated`."""
    if token is None or (token.expires_at and token.expires_at <= now()):
        raise Unauthenticated("This token is not known here, or no longer.")
    return token


def find(session: Session, secret: str) -> tables.Token:
    """Return the token with its account, or raise `Unauthenticated`."""
    table = tables.Token
    return good(
        session.scalar(
            select(table)
            .where(table.digest == digest(secret))
            .options(joinedload(table.account))
        )
    )


def bearer(session: Session, secret: str) -> Actor:
    """Return whom the token stands for, or raise `Unauthenticated`."""
    token = find(session, secret)
    return accounts.as_actor(token.account, token.scope, token.id)
