"""What a route may ask for: FastAPI's dependencies, and how it answers."""

import hashlib
from typing import Annotated, Any

import anyio.to_thread
from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from app.errors import Unauthenticated, WrongType
from app.http.body import before_body
from app.http.idempotency import Once
from app.http.preconditions import Precondition, etag
from app.http.transactions import AuthenticatedTransaction, OptionalAuth
from app.permissions import Scope
from app.services.accounts import tokens
from app.services.accounts.callers import network
from app.services.accounts.sign_in import Throttle
from app.services.cities.gazetteer import Gazetteer
from app.services.decisions.engine_queries import EngineQueries
from app.services.runs import runs
from app.services.runs.anonymous import AnonymousMatching
from app.services.runs.stream import RunStream
from app.services.shared.paging import LONGEST_CURSOR, PageRequest
from app.settings import Settings
from schemas import Run

READING = frozenset({"GET", "HEAD"})
"""Methods of requests without a body."""
_SCOPES: dict[str, Scope] = {
    "cities": "cities:write",
    "rounds": "rounds:write",
    "runs": "rounds:write",
    "pairings": "rounds:write",
    "messages": "rounds:write",
}
"""The scope, smaller than `write`, that is enough to change things under a path."""


_bearer = HTTPBearer(
    auto_error=False,
    description="A token `cmp_…`, made by `compaan token add --user EMAIL`.",
)


def _transaction_of(
    request: Request, credentials: HTTPAuthorizationCredentials | None
) -> AuthenticatedTransaction:
    if credentials is None:
        raise Unauthenticated("Send the header `Authorization: Bearer cmp_…`.")
    secret = credentials.credentials
    _, _, path = request.url.path.partition("/api/v1/")
    return AuthenticatedTransaction(
        request.app.state.presence,
        lambda session: tokens.bearer(session, secret),
        _SCOPES.get(path.partition("/")[0], "write"),
    )


@before_body
async def _check_caller(request: Request) -> None:
    """Refuse a caller who is not authenticated, before the body is read."""
    if request.method in READING:
        return  # there is no body, and `AuthenticatedTransaction` looks the caller up
    tx = _transaction_of(request, await _bearer(request))
    await anyio.to_thread.run_sync(tx.check)


async def _transaction(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    _checked: Annotated[None, Depends(_check_caller)],
) -> AuthenticatedTransaction:
    return _transaction_of(request, credentials)


async def _optional_auth(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> OptionalAuth:
    database = request.app.state.database
    if credentials is None:
        return OptionalAuth(database, None)
    secret = credentials.credentials
    return OptionalAuth(database, lambda session: tokens.bearer(session, secret))


async def _anonymous_matching(request: Request) -> AnonymousMatching:
    service: AnonymousMatching = request.app.state.stateless
    return service


async def _engine_queries(request: Request) -> EngineQueries:
    service: EngineQueries = request.app.state.answers
    return service


async def _gazetteer(request: Request) -> Gazetteer:
    service: Gazetteer = request.app.state.places
    return service


async def _run_stream(request: Request) -> RunStream:
    service: RunStream = request.app.state.following
    return service


def read_progress(tx: AuthenticatedTransaction, run_id: str) -> tuple[Run, bool]:
    """Return how far a run is and whether it has ended, or raise `NotFound`."""
    with tx.read() as (session, actor):
        return runs.look(session, actor, run_id)


RETRY = 1000
"""Milliseconds after which a browser that lost a stream asks again."""


async def _throttle(request: Request) -> Throttle:
    service: Throttle = request.app.state.throttle
    return service


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _caller_address(request: Request) -> str:
    return network(request.client.host if request.client else None)


@before_body
async def count_matching(request: Request) -> None:
    """Count a matching by an anonymous caller, before its body is read."""
    request.app.state.stateless.count(await _caller_address(request))


async def require_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON."""
    content_type = (
        request.headers.get("content-type", "").partition(";")[0].strip().lower()
    )
    main, _, sub = content_type.partition("/")
    if main != "application" or (sub != "json" and not sub.endswith("+json")):
        declared = (
            f"not {content_type}" if content_type else "and this one is not declared"
        )
        raise WrongType(f"The body must be application/json, {declared[:100]}.")


async def require_json_if_any(request: Request) -> None:
    """Refuse a body that is not declared as JSON; there may be none."""
    if await request.body():
        await require_json(request)


# RFC 9110: `*`, or entity tags in quotes.
_ETAGS = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'
_IF_MATCH = "The ETag that was read; `*` for whatever is there."


_IF_NONE_MATCH = "`*`: only if there is nothing here yet."


def _precondition(request: Request) -> Precondition:
    """Return the precondition of the headers; repeated headers are joined."""

    def joined(name: str) -> str | None:
        return ", ".join(request.headers.getlist(name)) or None

    return Precondition(joined("if-match"), joined("if-none-match"))


async def _if_match(
    request: Request,
    if_match: Annotated[
        str, Header(pattern=_ETAGS, examples=["*"], description=_IF_MATCH)
    ],
) -> Precondition:
    del if_match  # declared to be checked and documented
    return _precondition(request)


async def _if_match_or_new(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            pattern=_ETAGS,
            examples=["*"],
            description=f"{_IF_MATCH} Required unless it is created.",
        ),
    ] = None,
    if_none_match: Annotated[
        str | None, Header(pattern=_ETAGS, examples=["*"], description=_IF_NONE_MATCH)
    ] = None,
) -> Precondition:
    del if_match, if_none_match
    return _precondition(request)


async def _if_match_if_sent(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            pattern=_ETAGS,
            examples=["*"],
            description="The round's ETag as it was read; only checked if it is sent.",
        ),
    ] = None,
) -> Precondition:
    del if_match
    return _precondition(request)


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            pattern=r"^[!-~]{1,255}$",
            description="A repeated key gets the first answer, for 24 hours.",
        ),
    ] = None,
) -> Once:
    request_line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = hashlib.sha256(request_line + await request.body()).hexdigest()
    return Once(idempotency_key, digest)


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None,
        Query(max_length=LONGEST_CURSOR, description="From `next` of the page before."),
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


def next_page(request: Request, cursor: str | None) -> str | None:
    """Return the relative URL of the next page, or None."""
    if cursor is None:
        return None
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def json_response(
    value: BaseModel | dict[str, Any],
    status: int = 200,
    *,
    version: int | None = None,
    location: str | None = None,
) -> Response:
    """Return the value as JSON, with ETag and Location if they are given."""
    headers = {"Content-Type": "application/json"}
    if version is not None:
        headers["ETag"] = etag(version)
    if location is not None:
        headers["Location"] = location
    if isinstance(value, BaseModel):
        return Response(value.model_dump_json(), status, headers)
    return JSONResponse(value, status, headers)


ApiSession = Annotated[AuthenticatedTransaction, Depends(_transaction)]
OptionalApiSession = Annotated[OptionalAuth, Depends(_optional_auth)]
IfMatch = Annotated[Precondition, Depends(_if_match)]
IfMatchIfSent = Annotated[Precondition, Depends(_if_match_if_sent)]
IfMatchOrNew = Annotated[Precondition, Depends(_if_match_or_new)]
OnlyOnce = Annotated[Once, Depends(_once)]
RequestedPage = Annotated[PageRequest, Depends(_page_request)]
EngineQueriesDep = Annotated[EngineQueries, Depends(_engine_queries)]
AnonymousMatchingDep = Annotated[AnonymousMatching, Depends(_anonymous_matching)]
GazetteerDep = Annotated[Gazetteer, Depends(_gazetteer)]
RunStreamDep = Annotated[RunStream, Depends(_run_stream)]
ThrottleDep = Annotated[Throttle, Depends(_throttle)]
SettingsDep = Annotated[Settings, Depends(_settings)]
CallerAddress = Annotated[str, Depends(_caller_address)]
