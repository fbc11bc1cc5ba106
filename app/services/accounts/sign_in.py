"""Signing in: by password, link, token or provider; and the signed-in browsers."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import Conflict, InvalidInput, NotFound, TooMany, Unauthenticated
from app.permissions import Actor
from app.services.accounts import accounts, passwords, tokens
from app.services.log import audit
from app.services.mail import letters
from schemas import InputError, PasswordWrite, SignedIn

LOGIN = timedelta(days=14)
"""How long a browser stays signed in."""
LINK = timedelta(minutes=30)
"""How long a link in a mail is good, from the moment that it is sent."""
INVITATION = timedelta(days=14)
"""Likewise of the link in an invitation."""
_CONSTANT_SECONDS = 0.3
"""Seconds that asking for a link takes, whether there is an account or not."""
WRONG = "Nobody signs in with this address and this password."
"""The same for both: it does not tell who has an account."""
NOT_INVITED = (
    "That account has no confirmed e-mail address to which somebody was invited here. "
    "Ask an organiser of the network for an invitation to that address."
)
"""The same whatever the reason is."""


Open = Callable[[], AbstractContextManager[tuple[Session, Actor]]]
"""Opens a write transaction, and returns the actor with its session."""


@dataclass(frozen=True)
class Visit:
    """A browser that signs in.

    Attributes:
        browser: Its User-Agent.
        demo: Whether accounts of the demo may come in here.

    """

    browser: str
    demo: bool = True


@dataclass(frozen=True)
class Entry:
    """A browser that was signed in.

    Attributes:
        cookie: Its session cookie.
        is_first: Whether it is the first sign-in to the account.

    """

    cookie: str
    is_first: bool


class Throttle:
    """Counts attempts to sign in, by e-mail address and by the network of the caller.

    In the memory of this process: with several, each counts for itself.
    """

    def __init__(self, per_quarter: int = 10, from_one_place: int = 60) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._tries = RateLimitItemPerMinute(per_quarter, 15)
        self._mails = RateLimitItemPerHour(5)
        self._place = RateLimitItemPerMinute(from_one_place, 15)

    def attempt(self, email: str, caller: str) -> None:
        """Count a password that is tried, or raise `TooMany`."""
        self.knock(caller)
        self._count(self._tries, "try", _counted_by(email))

    def succeed(self, email: str) -> None:
        """Forget the attempts: it was the owner."""
        self._limiter.clear(self._tries, "try", _counted_by(email))

    def mail(self, email: str, caller: str) -> None:
        """Count a mail that is asked for, or raise `TooMany`."""
        self.knock(caller)
        self._count(self._mails, "mail", _counted_by(email))

    def knock(self, caller: str) -> None:
        """Count any attempt from one place, or raise `TooMany`."""
        self._count(self._place, "place", caller)

    def _count(
        self, rate: RateLimitItemPerMinute | RateLimitItemPerHour, *by: str
    ) -> None:
        if self._limiter.hit(rate, *by):
            return
        reset = self._limiter.get_window_stats(rate, *by).reset_time
        raise TooMany(
            "Too many attempts to sign in. Wait, or ask for a link by e-mail.",
            retry_after=max(1, round(reset - time.time())),
        )


def _counted_by(email: str) -> str:
    """Return the key that attempts of an address count under, however it is written."""
    return tokens.digest(accounts.normal(email))


def by_password(database: Database, email: str, password: str, visit: Visit) -> Entry:
    """Let a browser in with a password.

    The hash is computed while no transaction is open.

    Raises:
        Unauthenticated: With the same words, after the same time, whatever is wrong.
        Busy: If too many are signing in.

    """
    with database.read() as session:
        row = accounts.by_address(session, email)
        account, kept = (row.id, row.password) if row else (None, None)
    if not passwords.fits(kept, password) or kept is None:
        raise Unauthenticated(WRONG)
    rehashed = passwords.hashed(password) if passwords.is_old(kept) else None
    with database.write() as session:
        row = session.get(tables.Account, account)
        if row is None or row.password != kept:
            raise Unauthenticated(WRONG)
        if rehashed is not None:
            row.password = rehashed
        return let_in(session, row, "password", visit)


def by_link(session: Session, secret: str, visit: Visit) -> Entry:
    """Let a browser in whose owner followed a link; it works once.

    Raises:
        Unauthenticated: If the link was used before, is too old, or was never sent.

    """
    table = tables.Link
    found = session.execute(
        delete(table)
        .where(table.digest == tokens.digest(secret))
        .returning(table.account_id, table.expires_at)
    ).one_or_none()
    if found is None or found.expires_at <= now():
        raise Unauthenticated(
            "This link has been used, or is too old: ask for another one."
        )
    row = session.get_one(tables.Account, found.account_id)
    session.execute(delete(table).where(table.account_id == row.id))
    return let_in(session, row, "link", visit)


def new_link(session: Session, account: str, kind: str) -> str:
    """Return the secret of a new link, for the mail that is being sent.

    It is made when the mail goes out: no secret waits in the outbox.
    """
    table = tables.Link
    secret = secrets.token_hex(32)
    lifetime = INVITATION if kind == "invitation" else LINK
    session.execute(delete(table).where(table.expires_at <= now()))
    session.add(
        table(
            digest=tokens.digest(secret),
            account_id=account,
            expires_at=now() + lifetime,
        )
    )
    session.flush()
    return secret


def ask_for_link(database: Database, email: str) -> None:
    """Queue a mail with a link if there is an account; the caller cannot tell whether.

    It takes the same time for everybody.
    """
    until = time.monotonic() + _CONSTANT_SECONDS
    with database.write() as session:
        row = accounts.by_address(session, email)
        if row is not None:
            letters.send_link(session, row)
    time.sleep(max(0.0, until - time.monotonic()))


def by_token(session: Session, secret: str, visit: Visit) -> Entry:
    """Let a browser in with a token, or raise `Unauthenticated`."""
    token = tokens.find(session, secret)
    return let_in(session, token.account, "token", visit, token.id)


def by_provider(session: Session, email: str | None, visit: Visit) -> Entry:
    """Let a browser in for which a provider of identities vouches.

    Args:
        session: In a write transaction.
        email: The address that it has confirmed, if it has.
        visit: The browser.

    Raises:
        Unauthenticated: If no account has the address.

    """
    row = accounts.by_address(session, email) if email else None
    if row is None:
        raise Unauthenticated(NOT_INVITED)
    return let_in(session, row, "oidc", visit)


def let_in(
    session: Session,
    row: tables.Account,
    way: str,
    visit: Visit,
    token: str | None = None,
) -> Entry:
    """Let a browser in.

    Raises:
        Unauthenticated: If the account is for a demo, and this is none.

    """
    if row.email.endswith(accounts.DEMO) and not visit.demo:
        raise Unauthenticated(
            "This account is for a demo only: nobody signs in with it here."
        )
    cookie = secrets.token_urlsafe(32)
    table = tables.Login
    session.execute(delete(table).where(table.expires_at <= now()))
    session.add(
        table(
            account_id=row.id,
            token_id=token,
            digest=tokens.digest(cookie),
            way=way,
            browser=_browser_name(visit.browser),
            expires_at=now() + LOGIN,
        )
    )
    session.flush()
    return Entry(cookie, accounts.came_in(session, row, way))


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def _browser_name(browser: str) -> str:
    """Return browser and system by the User-Agent, without what would identify it.

    >>> _named("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox, Linux'
    >>> _named("curl/8.0")
    'unknown'

    """
    kinds = next((name for sign, name in _BROWSERS if sign in browser), None)
    systems = next((name for sign, name in _SYSTEMS if sign in browser), None)
    return ", ".join(filter(None, (kinds, systems))) or "unknown"


def find(session: Session, cookie: str) -> tables.Login:
    """Return the browser with its account, or raise `Unauthenticated`."""
    table = tables.Login
    row = session.scalar(
        select(table)
        .where(table.digest == tokens.digest(cookie), table.expires_at > now())
        .options(joinedload(table.account), joinedload(table.token))
    )
    if row is None:
        raise Unauthenticated("This browser is not signed in, or no longer.")
    if row.token_id is not None:
        tokens.good(row.token)
    return row


def signed_in(session: Session, cookie: str) -> Actor:
    """Return who is signed in with this cookie, or raise `Unauthenticated`."""
    row = find(session, cookie)
    scope = row.token.scope if row.token else "write"
    return accounts.as_actor(row.account, scope, login=row.id)


def sign_out(session: Session, cookie: str) -> None:
    """Forget the browser."""
    table = tables.Login
    session.execute(delete(table).where(table.digest == tokens.digest(cookie)))


def of_account(session: Session, actor: Actor) -> Sequence[tables.Login]:
    """Return the account's signed-in browsers, the one seen last first."""
    table = tables.Login
    return session.scalars(
        select(table)
        .where(table.account_id == actor.account, table.expires_at > now())
        .order_by(table.seen_at.desc(), table.id)
    ).all()


def as_signed_in(row: tables.Login, actor: Actor) -> SignedIn:
    """Return the browser as it travels."""
    fields = {
        field: getattr(row, field) for field in SignedIn.model_fields if field != "this"
    }
    return SignedIn(**fields, this=row.id == actor.login)


def revoke(session: Session, actor: Actor, login_id: str) -> None:
    """Sign one of the actor's browsers out, or raise `NotFound`."""
    row = session.get(tables.Login, login_id)
    if row is None or row.account_id != actor.account:
        raise NotFound("You have no signed-in browser with this id.")
    session.delete(row)
    session.flush()
    audit.record(session, actor, "account.signed_out")


def revoke_others(session: Session, actor: Actor) -> int:
    """Sign all of the actor's browsers out, but the one that asks; tell how many."""
    count = _forget_others(session, actor)
    audit.record(session, actor, "account.signed_out", browsers=count)
    return count


def _forget_others(session: Session, actor: Actor) -> int:
    table = tables.Login
    gone = delete(table).where(table.account_id == actor.account)
    if actor.login is not None:
        gone = gone.where(table.id != actor.login)
    return len(session.scalars(gone.returning(table.id)).all())


def new_password(kept: str | None, new: PasswordWrite) -> str | None:
    """Return the hash of a new password; to be called while no transaction is open.

    Args:
        kept: The hash of the present one, if there is one.
        new: What was asked for.

    Raises:
        InvalidInput: If the present one is another than was said.
        Busy: If too many are signing in.

    """
    if kept is not None and not passwords.fits(kept, new.current or ""):
        message = "Your present password is another one."
        error = InputError(pointer="/current", code="wrong", message=message)
        raise InvalidInput(message, [error])
    return None if new.new is None else passwords.hashed(new.new)


def has_just_read_mail(session: Session, actor: Actor) -> bool:
    """Tell whether the actor's browser came in by a link, no longer ago than it lasts.

    Its owner reads the mail of the account: that is all that a password proves.
    """
    row = session.get(tables.Login, actor.login) if actor.login else None
    return row is not None and row.way == "link" and row.created_at > now() - LINK


def change_password(
    write: Open, throttle: Throttle, caller: str, new: PasswordWrite
) -> None:
    """Give whoever asks another password, hashed while no transaction is open.

    Whoever has just come in by a mail need not know the present one: it was forgotten.

    Args:
        write: Opens the transactions; a token that only reads is refused there.
        throttle: Counts the attempts.
        caller: Where they come from.
        new: What was asked for.

    Raises:
        InvalidInput: If the present password is another than was said.
        TooMany: After too many attempts.
        Busy: If too many are signing in.
        Conflict: If somebody else has changed it meanwhile.

    """
    with write() as (session, actor):
        row = accounts.own(session, actor)
        email, before = row.email, row.password
        is_known = has_just_read_mail(session, actor)
    if not is_known:
        throttle.attempt(email, caller)
    after = new_password(None if is_known else before, new)
    with write() as (session, actor):
        set_password(session, actor, before, after)
    throttle.succeed(email)


def set_password(
    session: Session, actor: Actor, before: str | None, after: str | None
) -> None:
    """Give the actor's account another password; its other browsers are signed out.

    Args:
        session: In a write transaction.
        actor: Whose account.
        before: The hash that was there when the new one was asked for.
        after: The hash of the new one, from `new_password`.

    Raises:
        Conflict: If somebody else has changed it since.

    """
    row = accounts.own(session, actor)
    if row.password != before:
        raise Conflict("The password was changed at the same moment: try again.")
    row.password = after
    session.flush()
    audit.record(session, actor, "account.changed", of=row.id, fields=["password"])
    _forget_others(session, actor)
