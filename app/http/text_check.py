"""Text that no column can hold is refused before any route sees it.

Forms are read, and checked, by `body.read_form`: what stands in a file is not text.
"""

import json
from functools import partial
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import InvalidInput, NotFound, Refusal
from app.http.body import work_alone
from app.http.problems import Shown
from app.storable import UNSTORABLE, is_storable, is_storable_json
from schemas import InputError

_LONG = 10_000
"""Bytes of a body from which on it is checked beside the event loop."""


def _unstorable(pointer: str) -> InvalidInput:
    error = InputError(pointer=pointer, code="unstorable_text", message=UNSTORABLE)
    return InvalidInput(UNSTORABLE, [error])


class TextCheck:
    """Refuses such text in paths, queries, headers and JSON.

    A path with such text leads to nothing (404). The body is checked when a route has
    read it: a caller who may not send one is refused for that.

    Args:
        app: What is behind.
        shown: Makes an answer of the refusal.

    """

    def __init__(self, app: ASGIApp, shown: Shown) -> None:
        self.app = app
        self._shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is not None:
            await self._shown(Request(scope), refusal)(scope, receive, send)
            return
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0]
        if kind.strip().lower().endswith("json"):
            receive = _checked(receive)
        await self.app(scope, receive, send)


def _refusal(scope: Scope) -> Refusal | None:
    if not is_storable(scope["path"]):
        return NotFound(f"There is nothing at {Request(scope).url.path[:200]}.")
    query = scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(query, keep_blank_values=True):
        if not is_storable(name + value):
            return _unstorable(f"?{name}" if is_storable(name) else "?")
    for name, value in scope["headers"]:
        if b"\0" in value:
            return _unstorable(f"#{name.decode('latin-1')}")
    return None


def _is_storable(body: bytes) -> bool:
    return is_storable_json(body.decode(json.detect_encoding(body), "replace"))


def _checked(receive: Receive) -> Receive:
    """Return a `receive` that raises when the JSON body holds such text."""
    body = bytearray()

    async def receive_some() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                check = partial(_is_storable, bytes(body))
                is_long = len(body) > _LONG
                if not (await work_alone(check) if is_long else check()):
                    raise _unstorable("")
        return message

    return receive_some
