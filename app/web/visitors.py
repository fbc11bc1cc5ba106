"""Who is looking: a browser that is signed in, and forms that are our own."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.deps import Desk
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


def desk_of(request: Request) -> Desk:
    """Return where this visitor is served; nobody is known without a cookie."""
    cookie = cookie_of(request)

    def identify(session: Session) -> Actor:
        if cookie is None:
            raise Unknown("Sign in first.")
        return accounts.signed_in(session, cookie)

    return Desk(request.app.state.database, identify)


async def _desk(request: Request) -> Desk:
    return desk_of(request)


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
Form = Annotated[FormData, Depends(_form)]
