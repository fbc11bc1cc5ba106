"""Who is looking: a browser that is signed in, and forms that are our own."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.db import Database
from app.deps import Desk, Once
from app.errors import Foreign, Unknown
from app.permissions import Actor
from app.services import accounts

_SECURE, _PLAIN = "__Host-compaan", "compaan"


def cookie_of(request: Request) -> str | None:
    """Return the cookie that signs this browser in, or None."""
    return request.cookies.get(_SECURE) or request.cookies.get(_PLAIN)


def remember(request: Request, response: Response, cookie: str) -> None:
    """Sign the browser in; over plain HTTP the cookie cannot be a secure one."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        _SECURE if secure else _PLAIN,
        cookie,
        max_age=round(accounts.LOGIN.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def forget(response: Response) -> None:
    """Sign the browser out."""
    response.delete_cookie(_PLAIN, httponly=True, samesite="lax")
    response.delete_cookie(_SECURE, secure=True, httponly=True, samesite="lax")


def _identify(session: Session, cookie: str | None) -> Actor:
    if cookie is None:
        raise Unknown("Sign in first.")
    return accounts.signed_in(session, cookie)


def desk_of(request: Request) -> Desk:
    """Return where this visitor is served; nobody is known without a cookie."""
    cookie = cookie_of(request)
    return Desk(request.app.state.database, lambda session: _identify(session, cookie))


class Entrance:
    """Where anybody is served, signed in or not."""

    def __init__(self, database: Database, cookie: str | None) -> None:
        self._database = database
        self._cookie = cookie

    @contextmanager
    def read(self) -> Iterator[tuple[Session, Actor | None]]:
        """Open a session whose changes are thrown away; nobody is None."""
        with self._database.read() as session:
            try:
                actor: Actor | None = _identify(session, self._cookie)
            except Unknown:
                actor = None
            yield session, actor


async def _desk(request: Request) -> Desk:
    return desk_of(request)


async def _guest(request: Request) -> Entrance:
    return Entrance(request.app.state.database, cookie_of(request))


async def _form(request: Request) -> FormData:
    """Return what a form of ours sent.

    Raises:
        Foreign: If another site sent it: `Sec-Fetch-Site` tells, else `Origin`.

    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise Foreign("This form came from another site; nothing was changed.")
    return await request.form(max_files=1, max_fields=200)


Visitor = Annotated[Desk, Depends(_desk)]
Guest = Annotated[Entrance, Depends(_guest)]
Form = Annotated[FormData, Depends(_form)]


async def _once(request: Request, form: Form) -> Once:
    """Return what gives a form that is sent twice its first answer.

    Every form that is shown has a key of its own. Filled in otherwise, it is another.
    """
    if not form.get("once"):
        return Once(None, "")
    told = repr((request.url.path, form.multi_items()))
    digest = hashlib.sha256(told.encode()).hexdigest()
    return Once(digest, digest)


OnlyOnce = Annotated[Once, Depends(_once)]
