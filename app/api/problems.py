"""Refusals: how they look, and how the OpenAPI document tells of them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.errors import (
    Failure,
    InvalidInput,
    NoPrecondition,
    NotFound,
    NotJson,
    Refusal,
    TooLarge,
    WrongMethod,
    details,
    every_refusal,
)
from schemas import InputError, ProblemDetails, input_errors

PROBLEM_JSON = "application/problem+json"
_MOST_ERRORS = 100


def refusals(*kinds: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that may refuse in these ways."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        said = found.setdefault(
            kind.status, {"model": ProblemDetails, "description": ""}
        )
        codes = [said["description"], f"`{kind.code}`"]
        said["description"] = ", ".join(filter(None, codes))
        if kind.status in {429, 503}:
            said["headers"] = {
                "Retry-After": {"schema": {"type": "string"}, "required": True}
            }
    return found


def answers(
    said: dict[int, dict[str, Any]], *kinds: type[Refusal]
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that answers so, and may refuse so."""
    return {**refusals(*kinds), **dict[int | str, dict[str, Any]](said.items())}


def answer(error: Refusal, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the refusal as problem+json."""
    return JSONResponse(
        details(error).to_dict(),
        error.status,
        headers=error.headers | (headers or {}),
        media_type=PROBLEM_JSON,
    )


Headers = dict[str, str] | None


def _allowed(request: Request) -> str:
    """Return every method of the path; Starlette names those of one route only."""
    methods = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    return ", ".join(
        method
        for method in methods
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    )


def _of_framework(request: Request, error: HTTPException) -> tuple[Refusal, Headers]:
    """Return what the framework refuses as one of our refusals."""
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            detail = f"There is nothing at {request.url.path[:200]}."
            return NotFound(detail), None
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = _allowed(request)
            detail = f"{request.method} is not allowed here; {allowed} is."
            return WrongMethod(detail), {"Allow": allowed}
        case TooLarge.status:
            return TooLarge(error.detail), None
        case HTTPStatus.BAD_REQUEST:
            return NotJson("The body cannot be read as what it says it is."), None
    raise error  # the framework has no other on its own


_MARKS = {"query": "?", "header": "#", "path": "path "}
"""How a pointer to something outside the body begins."""


def _pointed(error: dict[str, Any]) -> InputError:
    """Return one finding of FastAPI; the first step says in which part it is."""
    part, *steps = error["loc"]
    found = input_errors([error | {"loc": steps}])[0]
    if part == "body":
        return found
    name = "If-Match" if steps == ["if-match"] else str(steps[0])
    return found.model_copy(update={"pointer": f"{_MARKS[part]}{name}"})


def _of_input(request: Request, error: RequestValidationError) -> Refusal:
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        said, at = found[0]["ctx"]["error"], found[0]["loc"][-1]
        return NotJson(f"The body is not JSON: {said} at character {at}.")
    if request.method != "PUT" and any(each["loc"][0] == "path" for each in found):
        # What cannot be an id is the id of nothing.
        return NotFound(f"There is nothing at {request.url.path[:200]}.")
    if any(
        each["loc"] == ("header", "if-match") and each["type"] == "missing"
        for each in found
    ):
        return NoPrecondition("Send the ETag that you read in If-Match.")
    errors = [_pointed(each) for each in found if input_errors([each])]
    detail = f"{errors[0].pointer or 'The body'}: {errors[0].message}"
    if len(errors) > _MOST_ERRORS:
        detail += f" There are {len(errors)} errors; {_MOST_ERRORS} are listed."
    return InvalidInput(detail, errors[:_MOST_ERRORS])


Shown = Callable[[Request, Refusal], Response | None]


def install(app: FastAPI, as_page: Shown) -> None:
    """Answer every refusal as problem+json, also for unknown paths and methods.

    Args:
        app: Where.
        as_page: Returns the refusal as a page if a browser asked for one, else None.

    """

    def told(request: Request, error: Refusal, headers: Headers = None) -> Response:
        return as_page(request, error) or answer(error, headers)

    async def refuse(request: Request, error: Refusal) -> Response:
        return told(request, error)

    async def refuse_http(request: Request, error: HTTPException) -> Response:
        return told(request, *_of_framework(request, error))

    async def refuse_input(request: Request, error: RequestValidationError) -> Response:
        return told(request, _of_input(request, error))

    async def fail(request: Request, error: Exception) -> Response:
        structlog.get_logger("compaan").error("failure", exc_info=error)
        request_id = request.state.request_id
        failure = Failure(f"This is our mistake. Request id: {request_id}")
        return told(request, failure)

    app.add_exception_handler(Refusal, refuse)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, refuse_http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, refuse_input)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, fail)


class App(FastAPI):
    """FastAPI whose refusals are problem+json, in fact and in the OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, refusals moved to their true media type."""
        if self.openapi_schema is None:
            for path in super().openapi()["paths"].values():
                for operation in path.values():
                    for status, said in operation["responses"].items():
                        if int(status) >= HTTPStatus.BAD_REQUEST and "content" in said:
                            (schema,) = said["content"].values()
                            said["content"] = {PROBLEM_JSON: schema}
        return self.openapi_schema  # type: ignore[return-value]


def find_kind(code: str) -> type[Refusal]:
    """Return the kind of refusal with this code.

    Raises:
        NotFound: If no refusal has this code.

    """
    for kind in every_refusal():
        if kind.code == code:
            return kind
    raise NotFound(f"No problem has the code {code[:100]!r}.")
