"""Refusals as problem+json, and how the OpenAPI document describes them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    Failure,
    InvalidInput,
    NoPrecondition,
    NotFound,
    NotJson,
    Refusal,
    Stale,
    TooLarge,
    TooMany,
    WrongMethod,
    details,
)
from app.http.preconditions import NOT_THERE
from schemas import InputError, ProblemDetails, input_errors
from schemas.bounds import MOST_ERRORS

PROBLEM_JSON = "application/problem+json"
_ETAG_HEADER: dict[str, Any] = {
    "ETag": {
        "schema": {"type": "string"},
        "required": True,
        "description": "Send it in `If-None-Match` to be told whether it has changed.",
    }
}
_IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "title": "If-None-Match"},
    "description": "The ETag that the caller has: if it is still this, 304.",
}


def refusals(*kinds: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that may refuse in these ways."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = responses.setdefault(
            kind.status, {"model": ProblemDetails, "description": ""}
        )
        codes = [response["description"], f"`{kind.code}`"]
        response["description"] = ", ".join(filter(None, codes))
        if kind.status in {429, 503}:
            response["headers"] = {
                "Retry-After": {"schema": {"type": "string"}, "required": True}
            }
    return responses


def answers(
    said: dict[int, dict[str, Any]], *kinds: type[Refusal]
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that answers so, and may refuse so."""
    return {**refusals(*kinds), **dict[int | str, dict[str, Any]](said.items())}


def answer(error: Refusal) -> JSONResponse:
    """Return the refusal as problem+json."""
    problem = details(error)
    if len(problem.errors) > MOST_ERRORS:
        detail = (
            f"{problem.detail} There are more than {MOST_ERRORS} errors; "
            f"{MOST_ERRORS} are listed."
        )
        errors = problem.errors[:MOST_ERRORS]
        problem = problem.model_copy(update={"detail": detail, "errors": errors})
    return JSONResponse(
        problem.to_dict(),
        error.status,
        headers=error.headers,
        media_type=PROBLEM_JSON,
    )


def _allowed(request: Request) -> str:
    """Return every method of the path; Starlette names those of one route only."""
    methods = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    found = {
        method
        for method in methods
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    }
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def _from_framework(request: Request, error: HTTPException) -> Refusal:
    """Return what the framework refuses as one of our refusals."""
    if isinstance(error.__cause__, Refusal):  # raised while it read the body
        return error.__cause__
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            detail = f"There is nothing at {request.url.path[:200]}."
            return NotFound(detail)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = _allowed(request)
            detail = f"{request.method} is not allowed here; {allowed} is."
            return WrongMethod(detail, headers={"Allow": allowed})
        case TooLarge.status:
            return TooLarge(error.detail)
        case HTTPStatus.BAD_REQUEST:
            return NotJson("The body cannot be read as what it says it is.")
    raise error  # the framework has no other on its own


_POINTER_STARTS = {"query": "?", "header": "#", "path": "path "}
"""How a pointer to something outside the body begins."""


_HEADER_NAMES = {"if-match": "If-Match", "if-none-match": "If-None-Match"}


def _as_input_error(error: dict[str, Any]) -> InputError:
    """Return an error of FastAPI's; the first step of `loc` names the part."""
    part, *steps = error["loc"]
    found = input_errors([error | {"loc": steps}])[0]
    if part == "body":
        return found
    name = _HEADER_NAMES.get(str(steps[0]), str(steps[0]))
    return found.model_copy(update={"pointer": f"{_POINTER_STARTS[part]}{name}"})


def _from_validation(request: Request, error: RequestValidationError) -> Refusal:
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        reason, at = found[0]["ctx"]["error"], found[0]["loc"][-1]
        return NotJson(f"The body is not JSON: {reason} at character {at}.")
    if request.method != "PUT" and any(each["loc"][0] == "path" for each in found):
        # A malformed id is answered like an id that does not exist.
        return NotFound(f"There is nothing at {request.url.path[:200]}.")
    if any(
        each["loc"] == ("header", "if-match") and each["type"] == "missing"
        for each in found
    ):
        return NoPrecondition("Send the ETag that you read in If-Match.")
    errors = [_as_input_error(each) for each in found if input_errors([each])]
    detail = f"{errors[0].pointer or 'The body'}: {errors[0].message}"
    return InvalidInput(detail, errors)


Shown = Callable[[Request, Refusal], Response]
"""Makes an answer of a refusal."""
AsPage = Callable[[Request, Refusal], Response | None]
"""Likewise, if a browser asked for a page."""


class Mistakes:
    """Answers unexpected exceptions as a mistake of ours (500), and logs them.

    It is the innermost middleware, so that its answer gets the headers of all others.
    An answer that has begun cannot be taken back: the server cuts it off.
    """

    def __init__(self, app: ASGIApp, shown: Shown) -> None:
        self.app = app
        self._shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and answer 500 if an exception comes through."""
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            if scope["type"] != "http" or has_begun:
                raise
            structlog.get_logger("compaan").error("failure", exc_info=error)
            request = Request(scope)
            request_id = request.state.request_id
            failure = Failure(f"This is our mistake. Request id: {request_id}")
            await self._shown(request, failure)(scope, receive, send)


def install(app: FastAPI, as_page: AsPage) -> Shown:
    """Answer every refusal as problem+json, also for unknown paths and methods.

    Args:
        app: Where.
        as_page: Returns the refusal as a page if a browser asked for one, else None.

    Returns:
        What makes an answer of a refusal.

    """

    def respond(request: Request, error: Refusal) -> Response:
        return as_page(request, error) or answer(error)

    async def refuse(request: Request, error: Refusal) -> Response:
        if (
            isinstance(error, NotFound)
            and request.method == "PUT"
            and "if-match" in request.headers
        ):
            # A caller who has read what is gone, or hidden by now, has an old version
            # (RFC 9110, 13.1.1): the same refusal for both.
            error = Stale(NOT_THERE)
        return respond(request, error)

    async def refuse_http(request: Request, error: HTTPException) -> Response:
        return respond(request, _from_framework(request, error))

    async def refuse_input(request: Request, error: RequestValidationError) -> Response:
        return respond(request, _from_validation(request, error))

    app.add_exception_handler(Refusal, refuse)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, refuse_http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, refuse_input)  # type: ignore[arg-type]
    app.add_middleware(Mistakes, shown=respond)
    return respond


class App(FastAPI):
    """FastAPI whose refusals are problem+json, in fact and in the OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, with what holds for every operation."""
        if self.openapi_schema is None:
            for path in super().openapi()["paths"].values():
                for method, operation in path.items():
                    _document_limit(operation)
                    if method == "get":
                        _document_etags(operation)
                    _set_media_type(operation)
        return self.openapi_schema  # type: ignore[return-value]


def _set_media_type(operation: dict[str, Any]) -> None:
    """Move the refusals to their true media type."""
    for status, response in operation["responses"].items():
        if int(status) >= HTTPStatus.BAD_REQUEST and "content" in response:
            (schema,) = response["content"].values()
            response["content"] = {PROBLEM_JSON: schema}


def _document_limit(operation: dict[str, Any]) -> None:
    """Describe the refusal of too many requests (`border.RateLimit`)."""
    (response,) = refusals(TooMany).values()
    schema = {"$ref": f"#/components/schemas/{response.pop('model').__name__}"}
    response["content"] = {PROBLEM_JSON: {"schema": schema}}
    operation["responses"].setdefault(str(TooMany.status), response)


def _document_etags(operation: dict[str, Any]) -> None:
    """Describe what `border.ConditionalRequests` does; it leaves streams alone."""
    response = operation["responses"]["200"]
    if "text/event-stream" in response.get("content", {}):
        return
    response["headers"] = _ETAG_HEADER | response.get("headers", {})
    operation["responses"]["304"] = {
        "description": "The caller has it already.",
        "headers": _ETAG_HEADER,
    }
    operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
