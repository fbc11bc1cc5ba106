"""How a request with a body is served: first caller and rates, then the body.

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
from contextlib import contextmanager, suppress
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
_reading: RunVar[anyio.Lock] = RunVar("_reading")


def before_body(check: Check) -> Check:
    """Make a dependency run before the body is read, and only once per request."""

    @functools.wraps(check)
    async def once(request: Request) -> None:
        done: set[Check] = request.scope.setdefault("compaan.checked", set())
        if check not in done:
            await check(request)
            done.add(check)

    _before_body.add(once)
    return once


async def work_alone(work: Callable[[], T]) -> T:
    """Work on a body in a worker thread, alone, and pause for as long as that took.

    `json.loads` lets no other thread run. Between two bodies the event loop does all
    that it has to do, so that nobody waits for more than one of them.
    """
    try:
        lock = _reading.get()
    except LookupError:
        lock = anyio.Lock()
        _reading.set(lock)
    async with lock:
        began = time.perf_counter()
        try:
            return await anyio.to_thread.run_sync(
                work, limiter=anyio.CapacityLimiter(1)
            )
        finally:
            await anyio.sleep(min(time.perf_counter() - began, _LONGEST_PAUSE))


class _CheckedBody:
    """A body that was validated: its value, or the error."""

    def __init__(self, adapter: TypeAdapter[Any], body: bytes) -> None:
        self._error: ValidationError | None = None
        self._value: Any = None
        with _no_garbage():
            decoded = json.loads(body, object_hook=_with_few_fields)
            try:
                self._value = adapter.validate_python(
                    decoded, from_attributes=True, context=ErrorCount()
                )
            except ValidationError as error:
                self._error = error
            del decoded

    def result(self) -> Any:  # noqa: ANN401 -- whatever the route takes
        """Return the validated value, or raise `ValidationError`."""
        if self._error is not None:
            raise self._error
        return self._value


def _unwrap(value: object, validate: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
    return value.result() if isinstance(value, _CheckedBody) else validate(value)


CHECKED = WrapValidator(_unwrap)
"""Metadata of every body: FastAPI takes the value that `Route` has validated."""


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Switch the garbage collector off while a body is read and checked.

    What is read holds no garbage, and the collector lets no other thread run: it would
    go through 350,000 lists, which takes longer than to read them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _with_few_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the body, or raise `HTTPException` if it is too large."""
    if len(fields) > _MOST_FIELDS:
        detail = f"An object in the body may have {_MOST_FIELDS} fields at most."
        raise HTTPException(TooLarge.status, detail)
    if max(map(len, fields), default=0) > _LONGEST_NAME:
        detail = f"The name of a field may have {_LONGEST_NAME} characters at most."
        raise HTTPException(TooLarge.status, detail)
    return fields


class _ThreadedJsonRequest(Request):
    """A request whose JSON is read and checked outside the event loop."""

    def __init__(self, request: Request, adapter: TypeAdapter[Any]) -> None:
        super().__init__(request.scope, request.receive)
        self._adapter = adapter

    async def json(self) -> _CheckedBody:
        """Return the body, validated; raise what `json.loads` raises."""
        body = await self.body()
        return await work_alone(lambda: _CheckedBody(self._adapter, body))


def _dependency_calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from _dependency_calls(dependency)


class Route(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request: first the checks, then FastAPI's own way."""
        serve = super().get_route_handler()
        checks = _before_body.intersection(_dependency_calls(self.dependant))
        adapter: TypeAdapter[Any] | None = None
        if self.body_field is not None:
            info = self.body_field.field_info
            kind: Any = Annotated[info.annotation, *info.metadata]
            adapter = TypeAdapter(kind)

        async def serve_in_order(request: Request) -> Response:
            for check in checks:
                await check(request)
            return await serve(
                _ThreadedJsonRequest(request, adapter) if adapter else request
            )

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

    form = await work_alone(lambda: asyncio.run(parse()))
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
