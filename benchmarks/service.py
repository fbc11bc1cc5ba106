"""The service under 20 people, beside a large run, and with several workers."""

import csv
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import func, select

import matching
from app.db import Database, tables
from app.db.schema import migrate
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import rounds
from app.services.runs import runs
from benchmarks.cities import make_cities
from schemas import City, ParticipationWrite, Policy, Problem, RoundWrite
from tests.fixtures.database import postgres_server
from tests.fixtures.process import Served, served, working
from tests.fixtures.service import add_accounts

CITIES = 5_000
ROUND = 500
PEOPLE = 20
SECONDS = 20
LOCUST = Path(".venv-bench/locust/bin/locust")
"""The load tool, in an environment of its own."""
READERS = 10
"""Clients that send ten requests a second each, whenever the answers come."""
WINDOW = 4
"""Seconds of one measurement beside a run; the run must last longer."""
WINDOWS = 5
RUNS = 200


def fill(url: str, drawn: list[dict[str, Any]]) -> dict[str, str]:
    """Store the cities, and a round with the first ones; return tokens."""
    database = Database(url)
    migrate(database)
    tokens = add_accounts(database)
    half = len(drawn) // 2
    for at in range(0, len(drawn), 500):
        with database.write() as session:
            for profile in drawn[at : at + 500]:
                profiles.add(session, TERMINAL, City(**profile))
    for name, count in (("small", 120), ("large", 1_000), ("r", ROUND)):
        with database.write() as session:
            row = rounds.add(session, TERMINAL, RoundWrite(id=name, name=name))
            for side in (0, half):
                for profile in drawn[side : side + count // 2]:
                    participants.put(
                        session, TERMINAL, row, profile["id"], ParticipationWrite()
                    )
            phases.move(session, TERMINAL, row, "open", None)
    database.close()
    return tokens


def _load(server: Served, ids: list[str], folder: str) -> dict[str, list[str]]:
    """Return p50, p95 and p99 in ms of reads and writes, as locust measures them."""
    listed = Path(folder) / "ids.txt"
    listed.write_text("\n".join(ids), "utf-8")
    (token,) = (one.removeprefix("Bearer ") for one in server.bearer().values())
    subprocess.run(  # noqa: S603 -- our own program
        [
            str(LOCUST),
            "--locustfile=benchmarks/people.py",
            f"--host={server.address}",
            "--headless",
            "--only-summary",
            "--loglevel=ERROR",
            f"--users={PEOPLE}",
            f"--spawn-rate={PEOPLE}",
            f"--run-time={SECONDS}s",
            f"--csv={folder}/load",
        ],
        env=os.environ | {"COMPAAN_TOKEN": token, "COMPAAN_CITIES": str(listed)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # its own tables
        check=True,
    )
    with Path(folder, "load_stats.csv").open(encoding="utf-8") as table:
        return {
            row["Name"]: [row[cut] for cut in ("50%", "95%", "99%")]
            for row in csv.DictReader(table)
        }


def _queue(database: Database, size: int, objective: str, count: int) -> list[str]:
    """Store runs of so many mentors and learners for whoever computes them."""
    problem = Problem(cities=tuple(City(**one) for one in make_cities(size)))
    policy = Policy.model_validate({"objective": objective})
    with database.write() as session:
        rows = [
            tables.Run(
                round_id="r",
                problem=problem.model_dump_json(),
                policy=policy.model_dump_json(),
                problem_hash=matching.problem_hash(problem),
                policy_hash=matching.policy_hash(policy),
            )
            for _ in range(count)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until  # noqa: S101
        time.sleep(0.01)


def _read(server: Served, paths: list[str], at: int, times: list[float]) -> None:
    """Send ten requests a second; a late answer delays the next, which then counts."""
    connection = http.client.HTTPConnection(server.address.split("//")[1])
    began = time.perf_counter() + at / 100
    for number in range(10 * WINDOW):
        due = began + number / 10
        time.sleep(max(0, due - time.perf_counter()))
        path = paths[number % len(paths)]
        connection.request("GET", f"/api/v1{path}", headers=server.bearer())
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status  # noqa: PLR2004, S101
        times.append(time.perf_counter() - due)


def _window(server: Served, paths: list[str]) -> list[float]:
    """Return how long each of 100 reads a second takes."""
    times: list[float] = []
    threads = [
        threading.Thread(target=_read, args=(server, paths, at, times))
        for at in range(READERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _beside_a_run(server: Served, city: str) -> dict[str, list[float]]:
    """Return reading times by what the service does meanwhile, in turns."""
    database = Database(server.url)
    (known,) = _queue(database, 5, "total", 1)
    paths = [f"/runs/{known}", f"/cities/{city}"]
    times: dict[str, list[float]] = {"nothing": [], "a 1,000 × 1,000 run": []}
    quiet, beside = times.values()
    for _ in range(WINDOWS):
        quiet += _window(server, paths)
        (run,) = _queue(database, 1_000, "fair", 1)
        _until(lambda run=run: _state(database, run) == "running")  # type: ignore[misc]
        beside += _window(server, paths)
        assert _state(database, run) == "running", "too fast: measure less"  # noqa: S101
        with database.write() as session:
            runs.cancel(session, TERMINAL, runs.get(session, TERMINAL, run, lock=True))
        time.sleep(2)
    database.close()
    return times


def _state(database: Database, run: str) -> str:
    with database.read() as session:
        return session.get_one(tables.Run, run).state


def _many_runs(url: str, workers: int) -> float:
    """Return how long so many workers take for all the runs."""
    database = Database(url)
    with working(url, workers, real=True):
        time.sleep(2)
        started = time.perf_counter()
        _queue(database, 5, "total", RUNS)
        left = (
            select(func.count())
            .select_from(tables.Run)
            .where(tables.Run.state.in_(("queued", "running")))
        )

        def all_done() -> bool:
            with database.read() as session:
                return session.scalar(left) == 0

        _until(all_done)
        taken = time.perf_counter() - started
    database.close()
    return taken


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
    drawn = make_cities(CITIES // 2)
    if not LOCUST.exists():
        print("Not measured: locust is missing. `make bench PART=service` installs it.")
        return
    print(
        f"{PEOPLE} people (locust), each with a request every half second, one in ten"
    )
    print(f"a write; {CITIES:,} cities, a round of {ROUND}; all on one machine.\n")
    print("| database | | p50 (ms) | p95 (ms) | p99 (ms) |\n|---|---|---|---|---|")
    rest = []
    with _databases() as databases, tempfile.TemporaryDirectory() as folder:
        for name, url in databases:
            tokens = fill(url, drawn)
            with served(url, tokens, real=True) as server:
                ids = [profile["id"] for profile in drawn]
                measured = _load(server, ids, folder)
                for kind in ("reads", "writes"):
                    print(f"| {name} | {kind} | {' | '.join(measured[kind])} |")
                _run(server, "small")  # the first child of a process starts slowly
                small, large = _run(server, "small"), _run(server, "large")
                web = psutil.Process(server.process.pid)
                memory = web.memory_info().rss / 2**20
                rest.append((name, small, large, memory))
                if name == "SQLite":
                    reading = _beside_a_run(server, ids[0])
        many = [(count, _many_runs(databases[1][1], count)) for count in (1, 4)]
    print("\n| database | 60 × 60 (s) | 500 × 500 (s) | web process (MB) |")
    print("|---|---|---|---|")
    for name, small, large, memory in rest:
        print(f"| {name} | {small:.2f} | {large:.2f} | {memory:.0f} |")
    _print_reading(reading)
    print(f"\n| workers on PostgreSQL | {RUNS} runs of 5 × 5 (s) | runs per second |")
    print("|---|---|---|")
    for count, taken in many:
        print(f"| {count} | {taken:.1f} | {RUNS / taken:.0f} |")


def _print_reading(reading: dict[str, list[float]]) -> None:
    print("\n100 reads a second on SQLite, of a run and of a city in turn, while the")
    print(f"service computes; {WINDOWS} windows of {WINDOW} s each, in turn.\n")
    print("| computing | p50 (ms) | p99 (ms) | × p50 | × p99 |\n|---|---|---|---|---|")
    cuts = {name: statistics.quantiles(times, n=100) for name, times in reading.items()}
    base = next(iter(cuts.values()))
    for name, cut in cuts.items():
        middle, worst = cut[49], cut[98]
        print(
            f"| {name} | {middle * 1000:.1f} | {worst * 1000:.1f} "
            f"| {middle / base[49]:.1f} | {worst / base[98]:.1f} |"
        )
