"""The service under 20 people, with 5,000 cities and a round of 500."""

import http.client
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg

from app.db import Database
from app.db.schema import migrate
from app.permissions import TERMINAL
from app.services import cities, participants, rounds
from benchmarks.cities import make_cities
from schemas import City, ParticipationWrite, RoundWrite
from tests.fixtures.database import postgres_server
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

CITIES = 5_000
ROUND = 500
PEOPLE = 20
PAUSE = 0.5
"""Seconds between two requests of one person."""
SECONDS = 20


def fill(url: str, profiles: list[dict[str, Any]]) -> dict[str, str]:
    """Store the cities, and a round with the first ones; return tokens."""
    database = Database(url)
    migrate(database)
    tokens = add_accounts(database)
    half = len(profiles) // 2
    for at in range(0, len(profiles), 500):
        with database.write() as session:
            for profile in profiles[at : at + 500]:
                cities.add(session, TERMINAL, City(**profile))
    for name, count in (("small", 120), ("large", 1_000), ("r", ROUND)):
        with database.write() as session:
            row = rounds.add(session, TERMINAL, RoundWrite(id=name, name=name))
            for side in (0, half):
                for profile in profiles[side : side + count // 2]:
                    participants.put(
                        session, TERMINAL, row, profile["id"], ParticipationWrite()
                    )
            rounds.move(session, TERMINAL, row, "open", None)
    database.close()
    return tokens


class Person:
    """Somebody who reads nine times and writes once, with pauses."""

    def __init__(self, server: Served, ids: list[str], seed: int) -> None:
        self._server, self._ids = server, ids
        self._chance = random.Random(seed)  # noqa: S311 -- the same each time
        self.reads: list[float] = []
        self.writes: list[float] = []

    def work(self, until: float) -> None:
        """Send requests until the time is up."""
        connection = http.client.HTTPConnection(self._server.address.split("//")[1])
        time.sleep(self._chance.random() * PAUSE)
        while time.monotonic() < until:
            city = self._chance.choice(self._ids)
            reading = self._chance.random() < 0.9  # noqa: PLR2004
            path = self._chance.choice(
                (f"/cities/{city}", "/cities?area=housing&role=mentor", "/rounds/r")
            )
            started = time.perf_counter()
            if reading:
                connection.request("GET", f"/api/v1{path}", headers=self._headers())
            else:
                text = f"{self._chance.random()}"
                connection.request(
                    "PATCH",
                    f"/api/v1/cities/{city}",
                    json.dumps({"needs_text": text}),
                    self._headers()
                    | {"If-Match": "*", "Content-Type": "application/json"},
                )
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status  # noqa: PLR2004, S101
            times = self.reads if reading else self.writes
            times.append(time.perf_counter() - started)
            time.sleep(self._chance.uniform(0.5, 1.5) * PAUSE)

    def _headers(self) -> dict[str, str]:
        return self._server.bearer()


def _percentiles(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"{cuts[49] * 1000:.0f} | {cuts[94] * 1000:.0f} | {cuts[98] * 1000:.0f}"


def _run(server: Served, round_id: str) -> float:
    """Return how long a proposal takes, from the request to the stored solution."""
    connection = http.client.HTTPConnection(server.address.split("//")[1], timeout=120)
    started = time.perf_counter()
    connection.request(
        "POST",
        f"/api/v1/rounds/{round_id}/runs?wait=60",
        "{}",
        server.bearer() | {"Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    assert json.load(answer)["state"] == "succeeded"  # noqa: S101
    return time.perf_counter() - started


@contextmanager
def _databases() -> Iterator[list[tuple[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, postgres_server() as url:
        with psycopg.connect(
            url.replace("+psycopg", ""), autocommit=True
        ) as administrator:
            administrator.execute("CREATE DATABASE bench")
            # As it would be run: a write is on the disk before it is acknowledged.
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                administrator.execute(f"ALTER SYSTEM SET {name} = on")
            administrator.execute("SELECT pg_reload_conf()")
        bench = url.replace("/postgres?", "/bench?")
        yield [("SQLite", f"sqlite:///{folder}/bench.db"), ("PostgreSQL", bench)]


def main() -> None:
    """Print the tables."""
    profiles = make_cities(CITIES // 2)
    print(f"{PEOPLE} people, each with a request every {PAUSE:g} s, one in ten a")
    print(f"write; {CITIES:,} cities, a round of {ROUND}; all on one machine.\n")
    print("| database | | p50 (ms) | p95 (ms) | p99 (ms) |\n|---|---|---|---|---|")
    rest = []
    with _databases() as databases:
        for name, url in databases:
            tokens = fill(url, profiles)
            with served(url, tokens) as server:
                ids = [profile["id"] for profile in profiles]
                people = [Person(server, ids, at) for at in range(PEOPLE)]
                until = time.monotonic() + SECONDS
                threads = [
                    threading.Thread(target=person.work, args=(until,))
                    for person in people
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                for kind in ("reads", "writes"):
                    times = [t for person in people for t in getattr(person, kind)]
                    print(f"| {name} | {kind} | {_percentiles(times)} |")
                _run(server, "small")  # the first child of a process starts slowly
                small, large = _run(server, "small"), _run(server, "large")
                web = psutil.Process(server.process.pid)
                memory = web.memory_info().rss / 2**20
                rest.append((name, small, large, memory))
    print("\n| database | 60 × 60 (s) | 500 × 500 (s) | web process (MB) |")
    print("|---|---|---|---|")
    for name, small, large, memory in rest:
        print(f"| {name} | {small:.2f} | {large:.2f} | {memory:.0f} |")
