"""A runner in this process, which computes each run in a real child."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from app.db import Database, tables
from app.permissions import TERMINAL
from app.services.background import run_protocol
from app.services.background.runner import Runner
from app.services.runs import runs
from app.settings import Settings
from tests.fixtures.database import ON_POSTGRES
from tests.fixtures.moments import wait_until
from tests.services.background.watched_runs import (
    ENDLESS,
    LONG,
    has_ended,
    queue,
    solutions,
    states_of,
    stored_run,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def start_runner(database: Database) -> Iterator[Callable[..., Runner]]:
    """Return a function that starts a runner on the database with its settings."""
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
    wait_until(lambda: stored_run(database, run).state == "running")
    wait_until(children)

    with database.write() as session:
        runs.cancel(session, TERMINAL, runs.get(session, TERMINAL, run, lock=True))

    wait_until(lambda: not children(), 2)
    (another,) = queue(database)
    wait_until(lambda: has_ended(database, another))
    assert states_of(database, run) == [("running", 1), ("cancelled", 1)]
    assert solutions(database) == [another]


@ON_POSTGRES
def test_a_run_that_takes_too_long_has_failed(database, start_runner):
    start_runner(run_seconds=0.8)
    (run,) = queue(database, ENDLESS)

    wait_until(lambda: has_ended(database, run))

    ended = stored_run(database, run)
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
        wait_until(lambda attempt=attempt: stored_run(database, run).attempt == attempt)
        wait_until(children)
        (child,) = children()
        os.kill(child, signal.SIGKILL)  # as a system does that is out of memory
        wait_until(lambda child=child: child not in children())

    wait_until(lambda: has_ended(database, run))

    ended = stored_run(database, run)
    assert ended.refusal["code"] == "computation-died"
    assert ended.refusal["detail"] == (
        "The computation died. It ended with exit code -9."
    )
    assert states_of(database, run) == [
        *[(state, at) for at in (1, 2) for state in ("running", "queued")],
        ("running", 3),
        ("failed", 3),
    ]
    (another,) = queue(database)
    wait_until(lambda: has_ended(database, another))
    assert stored_run(database, another).state == "succeeded"


@pytest.mark.parametrize("column", ["problem", "policy"])
@ON_POSTGRES
def test_what_cannot_be_read_fails_and_stops_no_worker(database, start_runner, column):
    (run,) = queue(database)
    with database.write() as session:
        session.execute(update(tables.Run).values({column: '{"cities": 7}'}))
    (another,) = queue(database)

    with capture_logs() as logged:
        start_runner()
        wait_until(lambda: has_ended(database, another))

    ended = stored_run(database, run)
    assert (ended.state, ended.attempt, ended.refusal["detail"]) == (
        "failed",
        1,
        "What it was frozen from cannot be read. Start another run.",
    )
    assert stored_run(database, another).state == "succeeded"
    assert [one["run"] for one in logged if one["event"] == "run-failed"] == [run]


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
    wait_until(lambda: stored_run(database, dead).state == "queued")

    assert stored_run(database, busy).state == "running"


@ON_POSTGRES
def test_who_computes_nothing_keeps_no_house(database, start_runner):
    (dead,) = queue(database)
    run_protocol.claim(database, lease=-1)
    before = threading.active_count()

    start_runner(runs_at_once=0, lease_seconds=1)

    assert threading.active_count() == before
    time.sleep(0.5)
    assert stored_run(database, dead).state == "running"
