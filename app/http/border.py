"""What every answer gets at the border: headers, conditional requests, rate limit."""

import hashlib
import time
from collections.abc import Callable, Iterator

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar
from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooMany
from app.http import etags
from app.http.problems import Shown
from app.services.accounts.callers import Callers, Credential, network
from app.settings import Settings

API = "/api/v1/"
CLOSED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
"""The content security policy of an answer that loads nothing."""
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers then send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Of loading without CORS, as by <img>: whoever reads by CORS is not touched.
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR = 365 * 24 * 60 * 60
_PERSONAL = frozenset({"account", "accounts", "contacts", "messages", "webhooks"})
"""Parts of paths under which there are persons or secrets."""
_FILES = ("/static/", "/api/docs/assets/")
"""Paths under which everything is the same for everybody."""
_MOST_HELD = 4 * 2**20
"""Bytes of an answer that is held back to be compared with what the caller has."""
Cookie = Callable[[Request], str | None]
_lookups: RunVar[anyio.CapacityLimiter] = RunVar("_lookups")


class SecurityHeaders:
    """Adds security headers, and what caches may keep.

    Headers that a route has set itself stay.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._headers = {"Content-Security-Policy": CLOSED, **_SECURITY_HEADERS}
        if settings.public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer with these headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                cache_control = _cache_control(scope, message["status"])
                if cache_control is not None:
                    headers.setdefault("Cache-Control", cache_control)
                if not scope["path"].startswith(_FILES):
                    headers.add_vary_header("Authorization, Cookie")
                    if not scope["path"].startswith(API):  # a page or a problem
                        headers.add_vary_header("Accept, Accept-Language")
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _cache_control(scope: Scope, status: int) -> str | None:
    """Return `Cache-Control` for an answer; None leaves it to the cache.

    That is for the files that are the same for everybody. All other answers may depend
    on the caller.
    """
    if scope["path"].startswith(_FILES):
        return None if status < 400 else "no-store"  # noqa: PLR2004 -- refusals
    is_read = scope["method"] in {"GET", "HEAD"} and status in {200, 304}
    if not scope["path"].startswith(API) or not is_read:
        return "no-store"
    if _PERSONAL & set(scope["path"].split("/")):
        return "no-store"
    known = "authorization" in Headers(scope=scope)
    return "private, no-cache" if known else "no-cache"


class ConditionalRequests:
    """Answers HEAD as GET without the body, and 304 if the caller has this version.

    Under /api/v1 every answer of less than 4 MiB gets a strong entity tag: its version
    where it has one, else a digest of its bytes (RFC 9110, sections 8.8 and 13.1.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve GET and HEAD; all other requests pass untouched."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        # The server goes by its own scope when it leaves the body of a HEAD out.
        inner = {**scope, "method": "GET"}
        with anyio.CancelScope() as rest:
            reading = _ConditionalResponse(scope, send, rest)
            try:
                await self.app(inner, receive, reading.send)
            finally:
                scope.update(inner | {"method": scope["method"]})


class _ConditionalResponse:
    """One answer to a GET or HEAD on its way out."""

    def __init__(self, scope: Scope, send: Send, rest: anyio.CancelScope) -> None:
        headers = Headers(scope=scope)
        self._is_head = scope["method"] == "HEAD"
        self._is_api = scope["path"].startswith(API)
        self._client_tags = etags.read(", ".join(headers.getlist("if-none-match")))
        self._send = send
        self._rest = rest
        self._held: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Hold the answer until it is known whether the caller has it."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body" and self._held is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._end(self._held)
        elif message["type"] == "http.response.body" and self._is_head:
            await self._send({**message, "body": b""})
        else:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        length = MutableHeaders(scope=message).get("content-length")
        is_whole = length is not None and int(length) <= _MOST_HELD
        if self._is_api and message["status"] == 200 and is_whole:  # noqa: PLR2004
            self._held = message
            return
        await self._send(message)
        if self._is_head and length is None:
            # A stream: nobody waits for its end.
            await self._send({"type": "http.response.body", "body": b""})
            self._rest.cancel()

    async def _end(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        tag = headers.setdefault("ETag", f'"{hashlib.sha256(self._body).hexdigest()}"')
        if etags.fits(self._client_tags, tag):
            del headers["content-length"], headers["content-type"]
            start = {**start, "status": 304, "headers": headers.raw}
            self._body = b""
        body = b"" if self._is_head else self._body
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


class RateLimit:
    """Refuses a caller who sends more requests a minute than the settings allow.

    A caller is a token or a browser that the database knows, else a network: making
    tokens up does not help. Each process counts for itself.

    Args:
        app: What is behind.
        settings: Where the limit stands.
        shown: Makes an answer of the refusal.
        cookie: Returns the cookie of a signed-in browser, if there is one.

    """

    def __init__(
        self, app: ASGIApp, settings: Settings, shown: Shown, cookie: Cookie
    ) -> None:
        self.app = app
        self._shown = shown
        self._cookie = cookie
        self._rate = RateLimitItemPerMinute(settings.requests_per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, and refuse it if it is one too many."""
        if scope["type"] != "http" or _is_not_counted(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        caller = await self._caller(request)
        if not self._limiter.hit(self._rate, caller):
            await self._shown(request, self._refusal(caller))(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._limit_headers(caller))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    async def _caller(self, request: Request) -> str:
        """Return the name that the request is counted under; it holds no secret.

        For a network that has sent too much, the database is not asked any more: only
        callers who are remembered are told apart.
        """
        callers: Callers = request.app.state.callers
        host = request.client.host if request.client else None
        unknown = f"network {network(host)}"
        may_look = self._limiter.test(self._rate, unknown)
        for shown in self._credentials(request):
            holder = callers.remembered(shown, also_old=not may_look)
            if holder is None and may_look:
                holder = await anyio.to_thread.run_sync(
                    callers.look_up,
                    request.app.state.database,
                    shown,
                    limiter=_lookup_limiter(),
                )
            if holder is not None:
                return holder
        return unknown

    def _credentials(self, request: Request) -> Iterator[Credential]:
        scheme, secret = get_authorization_scheme_param(
            request.headers.get("authorization")
        )
        if scheme.lower() == "bearer":
            yield Credential("token", secret)
        cookie = self._cookie(request)
        if cookie is not None:
            yield Credential("login", cookie)

    def _window(self, caller: str) -> tuple[int, int]:
        """Return how many requests are left, and the seconds until there are more."""
        reset, left = self._limiter.get_window_stats(self._rate, caller)
        return left, max(1, round(reset - time.time()))

    def _limit_headers(self, caller: str) -> dict[str, str]:
        """Return the headers of draft-ietf-httpapi-ratelimit-headers-10."""
        left, seconds = self._window(caller)
        most = self._rate.amount
        return {
            "RateLimit-Policy": f'"minute";q={most};w=60',
            "RateLimit": f'"minute";r={left};t={seconds}',
        }

    def _refusal(self, caller: str) -> TooMany:
        detail = f"At most {self._rate.amount} requests a minute."
        _, seconds = self._window(caller)
        return TooMany(detail, retry_after=seconds, headers=self._limit_headers(caller))


def _is_not_counted(path: str) -> bool:
    """Tell whether requests for a path are not counted."""
    return path in {"/healthz", "/readyz"} or path.startswith(
        ("/static/", "/api/docs/")
    )


def _lookup_limiter() -> anyio.CapacityLimiter:
    """Return the limiter of look-ups: they do not queue behind waiting threads."""
    try:
        return _lookups.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(4)
        _lookups.set(limiter)
        return limiter
