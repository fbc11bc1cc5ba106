"""Bodies are read and checked beside the event loop, which goes on serving."""

import gc
import json
import threading
from typing import Annotated, Any

import anyio
import anyio.lowlevel
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import (
    AfterValidator,
    BaseModel,
    model_validator,
)
from starlette.formparsers import FormParser

from app.http.body import CHECKED, Route, read_form
from app.http.text_check import TextCheck
from tests.fixtures.asynchronous import run_async


def test_a_body_is_checked_once_and_beside_the_event_loop():
    app, checked_in = FastAPI(), []
    app.router.route_class = Route

    def note(value: int) -> int:
        checked_in.append(threading.get_ident())
        return value

    class Sent(BaseModel):
        number: Annotated[int, AfterValidator(note)]

    @app.get("/loop")
    async def loop() -> int:
        return threading.get_ident()

    @app.post("/sent")
    async def take(sent: Annotated[Sent, CHECKED]) -> int:
        return sent.number

    with TestClient(app) as client:
        here = client.get("/loop").json()
        answers = [client.post("/sent", json={"number": 7}).json()]
        answers += [client.post("/sent", json={"number": None}).status_code]

    assert answers == [7, 422]
    assert len(checked_in) == 1
    assert here not in checked_in


def test_a_body_is_not_looked_through_for_garbage_while_it_is_read():
    class Item(BaseModel):
        """Notes whether garbage would be looked for while it is made."""

        @model_validator(mode="after")
        def note(self):
            enabled.append(gc.isenabled())
            return self

    enabled: list[bool] = []
    app = FastAPI()
    app.router.route_class = Route

    @app.post("/items")
    async def take(items: Annotated[list[Item], CHECKED]) -> bool:
        return gc.isenabled() and len(items) == 3

    with TestClient(app) as client:
        answers = [client.post("/items", json=[{}] * 3).json()]
        answers += [client.post("/items", json=[{}, 1]).status_code, gc.isenabled()]

    assert answers == [True, 422, True]
    assert enabled == [False] * 4


def test_escapes_of_a_long_body_are_read_beside_the_event_loop():
    async def count_turns() -> tuple[int, bool]:
        body = json.dumps("\\u0000" + "\\" * 200_000).encode()
        turns, done = 0, False

        async def receive():
            return {"type": "http.request", "body": body}

        async def app(_scope, receive, _send):
            nonlocal done
            await receive()
            done = True

        async def take_turns():
            nonlocal turns
            while not done:
                turns += 1
                await anyio.sleep(0.001)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "path": "/", "query_string": b"", "headers": headers}
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take_turns)
            await anyio.lowlevel.checkpoint()
            await TextCheck(app, None)(scope, receive, None)
        return turns, done

    turns, done = run_async(count_turns)

    assert done
    assert turns > 3


def test_a_form_is_taken_apart_beside_the_event_loop(monkeypatch):
    read_in = []
    ended = FormParser.on_field_end

    def note(parser: FormParser) -> None:
        read_in.append(threading.get_ident())
        ended(parser)

    monkeypatch.setattr(FormParser, "on_field_end", note)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"a=%C3%A9&b=2"}

    async def read() -> tuple[list[tuple[str, Any]], int]:
        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        request = Request({"type": "http", "headers": headers}, receive)
        return (await read_form(request, 200)).multi_items(), threading.get_ident()

    fields, here = run_async(read)

    assert fields == [("a", "é"), ("b", "2")]
    assert len(read_in) == 2
    assert here not in read_in
