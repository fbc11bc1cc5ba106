"""Which run is next, who has it, and for how long: the row alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from app.db import Database
from app.permissions import TERMINAL
from app.services.background import run_protocol
from app.services.runs import runs
from schemas import ProblemDetails, Progress
from tests.services.background.watched_runs import queue, states_of, stored_run, url_of

pytestmark = pytest.mark.slow
WHY = ProblemDetails(type="x", title="x", status=503, detail="x", code="x")


def test_the_oldest_run_that_waits_is_next(database):
    first, second, third = queue(database, count=3)
    with database.write() as session:
        runs.cancel(session, TERMINAL, runs.get(session, TERMINAL, first))

    claims = [run_protocol.claim(database) for _ in range(3)]

    assert [one and one.run for one in claims] == [second, third, None]
    assert states_of(database, first) == [("cancelled", 0)]


def test_sweeps_at_the_same_time_count_a_lost_worker_once(database):
    wanted = queue(database, count=8)
    for _ in wanted:
        run_protocol.claim(database, lease=-1)

    with ThreadPoolExecutor(6) as pool:
        swept = list(pool.map(lambda _: run_protocol.sweep(database, WHY), range(6)))

    assert sum(swept) == len(wanted)
    assert {stored_run(database, run).lost for run in wanted} == {1}


class Ahead(Database):
    """A database whose clock is an hour ahead of the workers'."""

    def seconds(self, session):
        return super().seconds(session) + 3600


def test_only_the_clock_of_the_database_counts(database):
    ahead = Ahead(url_of(database))
    (run,) = queue(database)
    began = stored_run(database, run).created_at + timedelta(hours=1)

    claimed = run_protocol.claim(ahead)

    assert run_protocol.sweep(ahead, WHY) == 0
    assert run_protocol.fail(ahead, claimed, WHY)
    ended = stored_run(database, run)
    assert near(ended.started_at, began)
    assert near(ended.finished_at, began)
    assert near(datetime.fromtimestamp(ended.heard_at, began.tzinfo), began)
    ahead.close()


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(seconds=10)


def test_a_heartbeat_renews_the_lease_and_tells_how_far_it_is(database):
    (run,) = queue(database)
    first_claim = run_protocol.claim(database, lease=1, worker="here:1")
    claimed = stored_run(database, run)

    assert run_protocol.heartbeat(
        database, first_claim, Progress(step="scores", done=3, of=9), lease=60
    )

    beaten = stored_run(database, run)
    assert (beaten.worker, beaten.step, beaten.done, beaten.of) == (
        "here:1",
        "scores",
        3,
        9,
    )
    assert beaten.heard_at > claimed.heard_at
    assert beaten.lease_until - beaten.heard_at == pytest.approx(60)
    assert run_protocol.hand_back(database, first_claim)
    back = stored_run(database, run)
    assert (back.state, back.step, back.done, back.of) == ("queued", None, 0, 0)
    assert back.lease_until is None
