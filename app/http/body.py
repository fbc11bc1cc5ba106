"""How a request with a body is served: who asks first, how often, then the body.

Bodies are read and checked in a worker thread, one after the other: the event loop
goes on serving everybody else.
"""

import asyncio
import codecs
import functools
import gc
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from anyio.lowlevel import RunVar
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.errors import InvalidInput, NotJson, TooLarge
from app.storable import UNSTORABLE, is_storable
from schemas import InputError
from schemas.bounds import ErrorCount

T = TypeVar("T")
Check = Callable[[Request], Awaitable[None]]
_MOST_FIELDS = 200
"""Most fields of one object in a body: no shape of ours has half as many."""
_LONGEST_NAME = 200
"""Most characters of a field's name: it stands in every error within the field."""
_LONGEST_PAUSE = 0.1
"""Most seconds between two bodies."""
_before_body: set[Callable[..., Any]] = set()
_turn: RunVar[anyio.Lock] = RunVar("_turn")


def before_body(check: Check) -> Check:
    """Have a check, used as a dependency, done before the body is read, and once."""

    @functools.wraps(check)
    async def once(request: Request) -> None:
        done: set[Check] = request.scope.setdefault("compaan.checked", set())
        if check not in done:
            await check(request)
            done.add(check)

    _before_body.add(once)
    return once


async def _in_turn(read: Callable[[], T]) -> T:
    """Read a body in a worker thread, alone, and pause for as long as that took.

    `json.loads` lets no other thread run. Between two bodies the event loop does all
    that it has to do, so that nobody waits for more than one of them.
    """
    try:
        turn = _turn.get()
    except LookupError:
        turn = anyio.Lock()
        _turn.set(turn)
    async with turn:
        began = time.perf_counter()
        try:
            return await anyio.to_thread.run_sync(
                read, limiter=anyio.CapacityLimiter(1)
            )
        finally:
            await anyio.sleep(min(time.perf_counter() - began, _LONGEST_PAUSE))


class _Checked:
    """What became of a body: its value, or what is wrong with it."""

    def __init__(self, adapter: TypeAdapter[Any], body: bytes) -> None:
        self._error: ValidationError | None = None
        self._value: Any = None
        sent = _decoded(body)
        try:
            self._value = adapter.validate_python(
                sent, from_attributes=True, context=ErrorCount()
            )
        except ValidationError as error:
            self._error = error

    def result(self) -> Any:  # noqa: ANN401 -- whatever the route takes
        """Return the value, or raise `ValidationError`."""
        if self._error is not None:
            raise self._error
        return self._value


def _take(value: object, validate: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
    return value.result() if isinstance(value, _Checked) else validate(value)


CHECKED = WrapValidator(_take)
"""Metadata of every body: FastAPI takes what `Route` has checked."""


def _decoded(body: bytes) -> Any:  # noqa: ANN401 -- any JSON
    """Return the body as Python values; raise what `json.loads` raises.

    Meanwhile no garbage is looked for: there is none, and of 350,000 lists that takes
    longer than to read them. No other thread could run either.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return json.loads(body, object_hook=_with_few_fields)
    finally:
        if was_enabled:
            gc.enable()


def _with_few_fields(found: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the body, or raise `HTTPException` if it is too large."""
    if len(found) > _MOST_FIELDS:
        detail = f"An object in the body may have {_MOST_FIELDS} fields at most."
        raise HTTPException(TooLarge.status, detail)
    if max(map(len, found), default=0) > _LONGEST_NAME:
        detail = f"The name of a field may have {_LONGEST_NAME} characters at most."
        raise HTTPException(TooLarge.status, detail)
    return found


class _Read(Request):
    """A request whose JSON is read and checked outside the event loop."""

    def __init__(self, request: Request, adapter: TypeAdapter[Any]) -> None:
        super().__init__(request.scope, request.receive)
        self._adapter = adapter

    async def json(self) -> _Checked:
        """Return what became of the body; raise what `json.loads` raises."""
        body = await self.body()
        return await _in_turn(lambda: _Checked(self._adapter, body))


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    yield dependant.call
    for within in dependant.dependencies:
        yield from _calls(within)


class Route(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request: first the checks, then FastAPI's own way."""
        serve = super().get_route_handler()
        checks = _before_body.intersection(_calls(self.dependant))
        adapter: TypeAdapter[Any] | None = None
        if self.body_field is not None:
            info = self.body_field.field_info
            kind: Any = Annotated[info.annotation, *info.metadata]
            adapter = TypeAdapter(kind)

        async def serve_in_order(request: Request) -> Response:
            for check in checks:
                await check(request)
            return await serve(_Read(request, adapter) if adapter else request)

        return serve_in_order


_FORM_CODES = {"utf-8", "ascii", "iso8859-1", "cp1252"}
"""Codecs that a form may name: some of Python's take for ever, or make half pairs."""


async def read_form(request: Request, most_fields: int) -> FormData:
    """Return what a form sent, with one file at most; the file is not read yet.

    Raises:
        HTTPException: If it has more fields or files, or is no form.
        NotJson: If it is written in letters that no browser sends.
        InvalidInput: If a name, a value or the name of a file cannot be stored.

    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    charset = options.get(b"charset", b"utf-8").decode("latin-1")
    with suppress(LookupError):  # one that is unknown is read as Latin-1
        if codecs.lookup(charset).name not in _FORM_CODES:
            raise NotJson("The body cannot be read as what it says it is.")
    body = await request.body()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def parse() -> FormData:
        again = Request(request.scope, receive)
        return await again.form(max_files=1, max_fields=most_fields)

    form = await _in_turn(lambda: asyncio.run(parse()))
    for name, value in form.multi_items():
        text = value if isinstance(value, str) else value.filename or ""
        if not is_storable(name + text):
            await form.close()
            pointer = f"/{name}" if is_storable(name) else "/"
            error = InputError(
                pointer=pointer, code="unstorable_text", message=UNSTORABLE
            )
            raise InvalidInput(UNSTORABLE, [error])
    return form
