"""Runs are claimed by one worker at a time, and pass to another if it dies."""

from concurrent.futures import ThreadPoolExecutor

from app.db import Database
from app.services.background import run_protocol
from matching import Problem, match
from schemas import ProblemDetails
from tests.fixtures.cities import city, open_round

WHY = ProblemDetails(type="x", title="x", status=503, detail="x", code="x")


def test_a_dead_workers_run_goes_to_another_and_its_late_answer_is_refused(
    service,
):
    round_id = open_round(service, city("a", "mentor"), city("b"))
    service.client.app.state.worker.stop()  # the claims below are this test's
    database = Database(service.url)
    run = service.post(f"/rounds/{round_id}/runs", {}).json()

    dead = run_protocol.claim(database, lease=-1)
    swept = run_protocol.sweep(database, WHY)
    alive = run_protocol.claim(database)
    found = match(Problem.from_dict(dead.problem.to_dict()), dead.policy)

    assert (dead.run, swept, alive.run) == (run["id"], 1, run["id"])
    assert (dead.attempt, alive.attempt) == (1, 2)
    assert run_protocol.claim(database) is None
    assert run_protocol.sweep(database, WHY) == 0
    assert not run_protocol.succeed(database, dead, found)
    assert service.get(f"/runs/{run['id']}").json()["state"] == "running"
    assert run_protocol.succeed(database, alive, found)
    assert not run_protocol.succeed(database, alive, found)
    ended = service.get(f"/runs/{run['id']}").json()
    assert (ended["state"], ended["attempt"]) == ("succeeded", 2)
    database.close()


def test_a_run_that_kills_three_workers_has_failed(service):
    round_id = open_round(service, city("a", "mentor"), city("b"))
    service.client.app.state.worker.stop()
    database = Database(service.url)
    run = service.post(f"/rounds/{round_id}/runs", {}).json()

    for _ in range(3):
        assert run_protocol.claim(database, lease=-1)
        assert run_protocol.sweep(database, WHY) == 1

    ended = service.get(f"/runs/{run['id']}").json()
    assert (ended["state"], ended["problem"]["code"]) == ("failed", "x")
    assert run_protocol.claim(database) is None
    database.close()


def test_many_claims_at_once_never_take_one_run_twice(service):
    round_id = open_round(service, city("a", "mentor"), city("b"))
    service.client.app.state.worker.stop()
    wanted = {
        service.post(f"/rounds/{round_id}/runs", {}).json()["id"] for _ in range(12)
    }
    database = Database(service.url)

    with ThreadPoolExecutor(6) as pool:
        taken = []
        while len(taken) < 12:
            taken += [
                one
                for one in pool.map(lambda _: run_protocol.claim(database), range(6))
                if one
            ]

    assert sorted(one.run for one in taken) == sorted(wanted)
    database.close()
