"""Following a run over a real socket: what is sent, when it ends, what it costs."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import pytest
import uvicorn
from sqlalchemy import event

from app.db import Database
from app.main import create_app
from app.server import listen
from app.services.accounts import accounts
from app.services.accounts.tokens import revoke_all as revoke_tokens
from app.services.background import run_protocol
from app.settings import Settings
from matching import match
from schemas import Progress
from tests.fixtures.asynchronous import run_async
from tests.fixtures.cities import city, open_round, refusal
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.moments import wait_until
from tests.fixtures.process import family, left_of, served
from tests.fixtures.service import Service, add_accounts
from tests.services.background.watched_runs import LONG, queue, stored_run


@dataclass
class Live(Service):
    """The application on a socket, in a thread of this process."""

    database: Database

    def events(self, run: str, role: str = "organiser") -> Iterator[dict]:
        """Yield the data of each event `run` until the stream ends."""
        with self.client.stream(
            "GET", f"/api/v1/runs/{run}/events", headers=self.bearer(role)
        ) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            for block in blocks(answer.iter_lines()):
                assert block["event"] == "run"
                yield json.loads(block["data"])


def blocks(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Yield the fields of each event of a stream."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields
            fields = {}


@contextmanager
def live(url: str, **settings: object) -> Iterator[Live]:
    # What does not end as it should ends a little later: no test waits for ever.
    settings = {"stream_seconds": 20, **settings}
    wanted = Settings(database_url=url, runs_at_once=0, port=0, **settings)
    database = Database(url)
    tokens = add_accounts(database)
    app = create_app(wanted)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    listener = listen(wanted)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx2.Client(base_url=address, timeout=30) as client:
            wait_until(lambda: server.started)
            client.app = app
            yield Live(url, client, tokens, database)
    finally:
        app.state.stopping.set()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        database.close()


@pytest.fixture
def service(copy_database: Callable[[], str]) -> Iterator[Live]:
    with live(copy_database()) as service:
        yield service


@pytest.fixture
def on_sqlite(_copy_sqlite: Callable[[], str]) -> Iterator[Live]:
    with live(_copy_sqlite()) as service:
        yield service


@pytest.fixture
def hasty(_copy_sqlite: Callable[[], str]) -> Iterator[Live]:
    with live(_copy_sqlite(), stream_seconds=0.6) as service:
        yield service


def start(service: Live) -> str:
    """Return the id of a queued run, which nobody computes."""
    round_id = open_round(service, city("a", "mentor"), city("b"))
    return service.post(f"/rounds/{round_id}/runs", {}).json()["id"]


def test_every_change_is_told_until_the_end(service):
    run = start(service)
    events = service.events(run)
    read = []

    def same() -> dict:
        read.append(next(events))
        assert read[-1] == service.get(f"/runs/{run}").json()
        return read[-1]

    assert same()["state"] == "queued"
    claimed = run_protocol.claim(service.database)
    assert (same()["state"], read[-1]["attempt"]) == ("running", 1)
    run_protocol.heartbeat(
        service.database, claimed, Progress(step="scores", done=1, of=2)
    )
    assert same()["progress"] == {"step": "scores", "done": 1, "of": 2}
    run_protocol.succeed(
        service.database, claimed, match(claimed.problem, claimed.policy)
    )
    assert same()["state"] == "succeeded"
    assert next(events, None) is None


def test_a_run_that_has_ended_is_told_once(on_sqlite):
    run = start(on_sqlite)
    on_sqlite.call("DELETE", f"/runs/{run}")

    assert [one["state"] for one in on_sqlite.events(run)] == ["cancelled"]


def test_nothing_is_sent_while_nothing_changes(on_sqlite):
    run = start(on_sqlite)
    events = on_sqlite.events(run)
    assert next(events)["state"] == "queued"
    ended = threading.Timer(2, on_sqlite.call, ("DELETE", f"/runs/{run}"))

    ended.start()

    assert next(events)["state"] == "cancelled"
    ended.join()


@pytest.mark.parametrize(
    ("role", "status", "code"),
    [(None, 401, "unauthenticated"), ("officer", 404, "not-found")],
)
def test_a_refusal_comes_before_the_stream(on_sqlite, role, status, code):
    run = start(on_sqlite)

    answer = on_sqlite.get(f"/runs/{run}/events", role)

    assert refusal(answer) == (status, code, [])
    assert refusal(on_sqlite.get(f"/runs/{'0' * 32}/events"))[1] == "not-found"


def test_a_token_that_is_taken_back_ends_the_stream(service):
    events = service.events(start(service), "auditor")
    assert next(events)["state"] == "queued"

    with service.database.write() as session:
        account = accounts.find_user(session, "auditor@example.org")
        revoke_tokens(session, account)
    revoked_at = time.monotonic()

    assert next(events, None) is None
    assert time.monotonic() - revoked_at < 10


def test_a_stream_is_cut_in_the_end(hasty):
    run = start(hasty)
    began_at = time.monotonic()

    assert [one["state"] for one in hasty.events(run)] == ["queued"]

    assert 0.5 < time.monotonic() - began_at < 5


@contextmanager
def run_queries(service: Live) -> Iterator[list[float]]:
    """Collect the times at which the application queries runs."""
    engine = service.client.app.state.database.engine
    times: list[float] = []

    def note(_connection, _cursor, statement, *_):
        if "FROM run" in statement:
            times.append(time.monotonic())

    event.listen(engine, "before_cursor_execute", note)
    yield times
    event.remove(engine, "before_cursor_execute", note)


def test_nobody_looks_for_a_listener_that_has_left(service):
    run = start(service)
    with run_queries(service) as times:
        events = service.events(run)
        next(events)
        wait_until(lambda: len(times) > 3)

        events.close()

        time.sleep(1)
        assert [at for at in times if at > time.monotonic() - 0.9] == []


def test_many_listeners_leave_threads_and_connections_to_others(service):
    run = start(service)
    address = f"{service.client.base_url}/api/v1/runs/{run}/events"
    pool = service.client.app.state.database.engine.pool
    busy: list[int] = []
    event.listen(pool, "checkout", lambda *_: busy.append(pool.checkedout()))

    async def listen_to_it(client, began) -> str:
        async with client.stream("GET", address) as answer:
            lines = answer.aiter_lines()
            async for line in lines:
                if line.startswith("data: "):
                    began.release()
                    last = json.loads(line.removeprefix("data: "))
        return last["state"]

    async def all_of_them() -> tuple[list[str], float]:
        began = asyncio.Semaphore(0)
        limits = httpx2.Limits(max_connections=60)
        async with httpx2.AsyncClient(
            headers=service.bearer("organiser"), timeout=60, limits=limits
        ) as client:
            listeners = [
                asyncio.create_task(listen_to_it(client, began)) for _ in range(50)
            ]
            for _ in listeners:
                await began.acquire()
            busy.clear()
            slowest = 0.0
            for _ in range(20):
                asked_at = time.monotonic()
                answer = await client.get(f"{service.client.base_url}/api/v1/cities")
                assert answer.status_code == 200
                slowest = max(slowest, time.monotonic() - asked_at)
                await asyncio.sleep(0.1)
            await client.delete(address.removesuffix("/events"))
            return await asyncio.gather(*listeners), slowest

    states, slowest = run_async(all_of_them)

    assert states == ["cancelled"] * 50
    assert len(busy) > 100
    # Four looks, the request, and whoever begins.
    assert max(busy) <= 6
    assert slowest < 2


@ON_SQLITE
def test_a_server_that_is_told_to_stop_ends_its_streams_first(accounts_of):
    url, tokens = accounts_of
    database = Database(url)
    with served(url, tokens) as server:
        (run,) = queue(database, LONG)
        wait_until(lambda: stored_run(database, run).state == "running")
        processes = family(server.process.pid)
        with httpx2.stream(
            "GET",
            f"{server.address}/api/v1/runs/{run}/events",
            headers=server.bearer(),
            timeout=30,
        ) as answer:
            events = blocks(answer.iter_lines())
            assert json.loads(next(events)["data"])["state"] == "running"
            told_at = time.monotonic()

            server.process.send_signal(signal.SIGTERM)

            last = [json.loads(one["data"])["state"] for one in events]
            server.process.wait(10)
        assert time.monotonic() - told_at < 5
        assert set(last) <= {"running"}
        assert left_of(processes, 2) == []
    ended = stored_run(database, run)
    assert (ended.state, ended.lost) == ("queued", 0)
    database.close()


def test_the_document_says_what_is_streamed(on_sqlite):
    document = on_sqlite.client.get("/api/v1/openapi.json").json()

    responses = document["paths"]["/api/v1/runs/{run_id}/events"]["get"]["responses"]

    assert list(responses["200"]["content"]) == ["text/event-stream"]
    item = responses["200"]["content"]["text/event-stream"]["itemSchema"]
    assert item["properties"]["event"]["const"] == "run"
    assert item["properties"]["data"]["contentSchema"] == {
        "$ref": "#/components/schemas/Run"
    }
    assert list(responses["404"]["content"]) == ["application/problem+json"]
