"""Who is looking: a browser that is signed in, and forms that are our own."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import urlsplit

import anyio.to_thread
from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.db import Database
from app.errors import CrossSite, Unauthenticated
from app.http.body import read_form
from app.http.deps import READING
from app.http.idempotency import Once
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.accounts import sign_in

VISITOR = "visitor"
"""Where a request keeps who looks, for the page of a refusal."""
_NAME = "compaan"
_HOST = "__Host-"
"""No other host, and nobody who reads along, sets a cookie whose name begins so."""
_SHOWN = "compaan-form"
"""The cookie of a browser to which a page for signing in was shown."""
_SHOWN_SECONDS = 24 * 60 * 60
_PORTS = {"http": 80, "https": 443}


def is_production(request: Request) -> bool:
    """Tell whether people rely on this service."""
    return bool(request.app.state.settings.production)


def read_cookie(request: Request, name: str = _NAME) -> str | None:
    """Return a cookie of ours, or None; in production none but secure ones count."""
    plain = None if is_production(request) else request.cookies.get(name)
    return request.cookies.get(_HOST + name) or plain


def set_cookie(
    request: Request, response: Response, value: str, seconds: int, name: str = _NAME
) -> None:
    """Have the browser keep a cookie; over plain HTTP it cannot be a secure one."""
    secure = is_production(request) or request.url.scheme == "https"
    response.set_cookie(
        _HOST + name if secure else name,
        value,
        max_age=seconds,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def delete_cookie(response: Response, name: str = _NAME) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(name, httponly=True, samesite="lax")
    response.delete_cookie(_HOST + name, secure=True, httponly=True, samesite="lax")


def sign_browser_in(request: Request, response: Response, cookie: str) -> None:
    """Sign the browser in."""
    if read_cookie(request, _SHOWN) is not None:
        delete_cookie(response, _SHOWN)
    set_cookie(request, response, cookie, round(sign_in.LOGIN.total_seconds()))


def visit_of(request: Request) -> sign_in.Visit:
    """Return the browser that asks to be let in."""
    browser = request.headers.get("user-agent", "")
    return sign_in.Visit(browser, demo=not is_production(request))


def secret(form: FormData, name: str) -> str:
    """Return what stands in a field to the letter, as passwords are meant."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _identify(session: Session, cookie: str | None) -> Actor:
    if cookie is None:
        raise Unauthenticated("Sign in first.")
    return sign_in.signed_in(session, cookie)


def transaction_of(request: Request) -> AuthenticatedTransaction:
    """Return where this visitor is served; nobody is known without a cookie."""
    cookie = read_cookie(request)

    def identify(session: Session) -> Actor:
        found = _identify(session, cookie)
        setattr(request.state, VISITOR, found)
        return found

    return AuthenticatedTransaction(request.app.state.presence, identify)


class OptionalPageAuth:
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
            except Unauthenticated:
                actor = None
            yield session, actor


async def _transaction(request: Request) -> AuthenticatedTransaction:
    tx = transaction_of(request)
    if request.method not in READING:
        # Before the form is read: `Visitor` stands before `Form` in every route.
        await anyio.to_thread.run_sync(tx.check)
    return tx


async def _guest(request: Request) -> OptionalPageAuth:
    return OptionalPageAuth(request.app.state.database, read_cookie(request))


def _site(url: str) -> tuple[str, int] | None:
    """Return the host and the port of a URL, or None if it has none of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # of the port, or of an address in brackets
        return None
    if not parts.hostname or parts.scheme not in _PORTS:
        return None
    return parts.hostname, _PORTS[parts.scheme] if port is None else port


def _is_this_host(request: Request, origin: str) -> bool:
    """Tell whether an origin is this host.

    Its name is the one that the request is sent to, or the one in COMPAAN_PUBLIC_URL:
    proxies may pass on another name, or leave the port out.
    """
    site = _site(origin)
    if site is None:
        return False
    settings = request.app.state.settings
    if "public_url" in settings.model_fields_set and site == _site(settings.public_url):
        return True
    scheme = origin.partition(":")[0]  # which port is left out depends on it
    return site == _site(f"{scheme}://{request.headers.get('host', '')}")


def _is_program(request: Request) -> bool:
    """Tell whether a bearer token came: no site can have a browser send one."""
    given = request.headers.get("authorization", "")
    return given.lower().startswith("bearer ") and read_cookie(request) is None


def _is_our_form(request: Request) -> bool:
    """Tell whether a form may have been sent by a page of ours.

    `Sec-Fetch-Site` decides. Browsers leave it out over plain HTTP; then `Origin`
    decides. `null` is what privacy settings make of any origin. It is safe: forms of
    another site come without the session's cookie, which is `SameSite=Lax`.

    A bearer token is put there by a program: no site can have a browser send it.
    """
    token = request.headers.get("authorization", "").lower().startswith("bearer ")
    if token and read_cookie(request) is None:
        return True
    fetched_by = request.headers.get("sec-fetch-site")
    if fetched_by is not None:
        return fetched_by in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin in {None, "null"} or _is_this_host(request, str(origin))


def may_be_cross_site(request: Request) -> bool:
    """Tell whether a form for signing in may have been sent by another site.

    Before somebody is signed in there is no session whose cookie could be missing:
    a form with `Origin: null` must bring the cookie of the page that it stands on.
    Otherwise another site could sign people in to an account of its own.
    """
    is_null = request.headers.get("origin") == "null"
    is_told = "sec-fetch-site" in request.headers
    is_shown = read_cookie(request, _SHOWN) is not None
    return is_null and not (is_told or is_shown or _is_program(request))


def mark_as_shown(request: Request, page: Response) -> Response:
    """Return the page, with the cookie that its forms must come back with."""
    set_cookie(request, page, "1", _SHOWN_SECONDS, _SHOWN)
    return page


async def _form(request: Request) -> FormData:
    """Return what a form of ours sent.

    Raises:
        CrossSite: If another site sent it.

    """
    if not _is_our_form(request):
        raise CrossSite("This form came from another site; nothing was changed.")
    return await read_form(request, most_fields=200)


PageSession = Annotated[AuthenticatedTransaction, Depends(_transaction)]
OptionalPageSession = Annotated[OptionalPageAuth, Depends(_guest)]
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
