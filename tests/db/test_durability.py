"""Nothing that was acknowledged is lost: many writers, real processes, SIGKILL."""

import asyncio
import json
import resource
import threading
import time
from dataclasses import dataclass

import httpx2
import pytest

from app.db import Database
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import policies, rounds
from schemas import City, ParticipationWrite, Policy, RoundWrite
from tests.fixtures.asynchronous import run_async
from tests.fixtures.cities import city
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.process import served

pytestmark = pytest.mark.slow

_FILES = 9000
"""Open files for 4,000 connections, in this process and in the server."""


@pytest.fixture(autouse=True)
def _many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    assert wanted >= _FILES, "4,000 connections need `ulimit -Hn` of 9000 or more"
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def stored(server) -> dict[str, str]:
    answer = httpx2.get(
        f"{server.address}/api/v1/cities/export?format=json",
        headers=server.bearer(),
        timeout=60,
    )
    return {one["id"]: one["name"] for one in answer.json()["cities"]}


@dataclass
class Told:
    """What one writer wanted, and what it was told."""

    slug: str
    name: str
    status: int
    headers: dict[str, str]


async def _send(server, method: str, path: str, body: object, **headers: str):
    """Send one request over a connection of its own; return status and headers.

    By hand: 4,000 clients of a library would be slower than the server.
    """
    host, port = server.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    content = json.dumps(body).encode()
    sent = {
        "Host": host,
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        **server.bearer(),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"{method} /api/v1{path} HTTP/1.1\r\n{head}\r\n".encode() + content)
    first, *lines = (await reader.read()).partition(b"\r\n\r\n")[0].split(b"\r\n")
    writer.close()
    told = dict(line.decode().lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), told


async def _write_all(server, writers: int) -> list[Told]:
    """Send one write for each writer at once: most register, some edit one city."""

    async def write(at: int) -> Told:
        name = f"by {at}"
        if at % 8 == 0:
            slug, method, path = "shared", "PUT", "/cities/shared"
        else:
            # Every eighth id is sent twice: one of the two comes second.
            slug, method, path = f"c{at - 1 if at % 8 == 2 else at}", "POST", "/cities"
        headers = {"If-Match": '"1"'} if at % 8 == 0 else {}
        body = city(slug, name=name)
        return Told(slug, name, *await _send(server, method, path, body, **headers))

    return await asyncio.gather(*(write(at) for at in range(writers)))


@pytest.mark.parametrize(
    "writers", [400, pytest.param(4000, marks=pytest.mark.release)]
)
def test_many_writers_at_once_lose_nothing(accounts_of, writers):
    url, tokens = accounts_of
    with served(url, tokens, runs_at_once="0") as server:
        first = httpx2.put(
            f"{server.address}/api/v1/cities/shared",
            json=city("shared"),
            headers=server.bearer(),
        )
        assert first.status_code == 201

        told = run_async(_write_all, server, writers)
        kept = stored(server)

    assert {one.status for one in told} <= {200, 201, 409, 412, 503}
    for one in told:
        if one.status == 503:
            assert int(one.headers["retry-after"]) > 0
    acknowledged = {one.slug: one.name for one in told if one.status < 300}
    assert {slug: kept.get(slug) for slug in acknowledged} == acknowledged
    assert kept.keys() == acknowledged.keys() | {"shared"}
    assert sum(one.status < 300 for one in told if one.slug == "shared") == 1
    assert len(acknowledged) > writers / 2


def test_a_killed_server_loses_no_acknowledged_write(accounts_of):
    url, tokens = accounts_of
    acknowledged: set[str] = set()
    with served(url, tokens) as server:

        def write(writer: int) -> None:
            with httpx2.Client(headers=server.bearer(), timeout=10) as client:
                for at in range(10_000):
                    slug = f"w{writer}-{at}"
                    try:
                        answer = client.post(
                            f"{server.address}/api/v1/cities", json=city(slug)
                        )
                    except httpx2.TransportError:
                        return
                    if answer.status_code == 201:
                        acknowledged.add(slug)

        writers = [threading.Thread(target=write, args=(at,)) for at in range(16)]
        for writer in writers:
            writer.start()
        until = time.monotonic() + 60
        while len(acknowledged) < 200:
            assert time.monotonic() < until
            time.sleep(0.01)
        server.kill()
        for writer in writers:
            writer.join()

    with served(url, tokens) as server:
        kept = stored(server).keys()

    assert acknowledged <= kept
    # At most the one write of each writer that was under way came in unacknowledged.
    assert len(kept - acknowledged) <= 16


# On PostgreSQL it is the workers that are killed: see test_workers.
@ON_SQLITE
def test_a_run_outlives_the_server_that_began_it(accounts_of):
    url, tokens = accounts_of
    drawn = [
        city(
            f"c{at}",
            "mentor" if at % 2 else "learner",
            areas={
                area: {"need": (at * step) % 5, "strength": (at + step) % 5}
                for step, area in enumerate(("housing", "health", "data", "finance"))
            },
        )
        for at in range(600)
    ]
    database = Database(url)
    with database.write() as session:
        row = rounds.add(session, TERMINAL, RoundWrite(id="r", name="R"))
        for one in drawn:
            profiles.add(session, TERMINAL, City(**one))
            participants.put(session, TERMINAL, row, one["id"], ParticipationWrite())
        policy = policies.get(session, TERMINAL, row)
        policies.change(session, TERMINAL, row, policy, Policy(objective="fair"))
        phases.move(session, TERMINAL, row, "open", None)
    database.close()
    with served(url, tokens, real=True, lease_seconds="3") as server:
        api = httpx2.Client(
            base_url=f"{server.address}/api/v1", headers=server.bearer(), timeout=60
        )
        run = api.post("/rounds/r/runs", json={}).json()["id"]
        until = time.monotonic() + 30
        while api.get(f"/runs/{run}").json()["state"] == "queued":
            assert time.monotonic() < until
            time.sleep(0.02)
        assert api.get(f"/runs/{run}").json()["state"] == "running"
        server.kill()
        api.close()

    with served(url, tokens, lease_seconds="3") as server:
        until = time.monotonic() + 90
        while True:
            told = httpx2.get(
                f"{server.address}/api/v1/runs/{run}", headers=server.bearer()
            ).json()
            if told["state"] not in {"queued", "running"}:
                break
            assert time.monotonic() < until, told
            time.sleep(0.2)

    assert (told["state"], told["attempt"]) == ("succeeded", 2)
