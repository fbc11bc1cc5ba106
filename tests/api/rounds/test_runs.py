"""Runs are started, computed and cancelled, and give what the library gives."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import data
from app.services.runs import runs
from matching import Policy, Problem, match
from tests.api.rounds.drafts import CAP, make
from tests.fixtures.cities import (
    INCLUCITIES,
    city,
    compute,
    inclucities_round,
    open_round,
    refusal,
)


def test_the_stored_round_gives_what_the_library_gives(service):
    round_id = inclucities_round(service)

    started = service.post(f"/rounds/{round_id}/runs?wait=30", {"label": "first"})

    run = started.json()
    assert started.status_code == 200
    assert (run["state"], run["label"], run["attempt"]) == ("succeeded", "first", 1)
    expected = match(INCLUCITIES.problem(), INCLUCITIES.policy, trials=200)
    found = service.get(f"/runs/{run['id']}/solution").json()
    assert found == expected.to_dict()
    assert None not in {pair["firmness"] for pair in found["pairings"]}
    assert (run["problem_hash"], run["policy_hash"]) == (
        found["problem_hash"],
        found["policy_hash"],
    )
    assert service.get(f"/runs/{run['id']}").json() == run
    assert service.get(f"/rounds/{round_id}/runs").json()["items"] == [run]


@pytest.mark.parametrize(
    ("policy", "engine"),
    [
        ({"objective": "stable"}, "deferred_acceptance"),
        ({"caps": [CAP]}, "flow"),
        ({"objective": "fair", "min_load": {"mentor": 1}}, "flow"),
    ],
)
def test_stable_caps_and_loads_give_what_the_library_gives(
    sqlite_service, policy, engine
):
    round_id = inclucities_round(sqlite_service)
    where = f"/rounds/{round_id}/policy"
    assert sqlite_service.put(where, policy, "*").status_code == 200

    run = compute(sqlite_service, round_id)

    found = sqlite_service.get(f"/runs/{run}/solution").json()
    expected = match(INCLUCITIES.problem(), Policy.from_dict(policy))
    assert found == expected.to_dict()
    assert found["engine"] == engine
    page = sqlite_service.get(f"/runs/{run}/solution.html")
    assert page.status_code == 200


def test_firmness_is_told_of_rounds_up_to_a_size_only():
    def problem(mentors, learners):
        sides = [("m", "mentor", mentors), ("l", "learner", learners)]
        cities = [city(f"{s}{at}", r) for s, r, most in sides for at in range(most)]
        return Problem.from_dict({"cities": cities})

    assert runs.trials(problem(100, 100), Policy()) == 200
    assert runs.trials(problem(101, 100), Policy()) == 0
    assert runs.trials(problem(100, 100), Policy(objective="served")) == 0


def test_a_run_is_frozen_and_reads_wishes_and_places_of_the_round(service):
    round_id = open_round(
        service, city("a", "mentor"), city("b"), city("c"), city("d", "mentor")
    )
    where = f"/rounds/{round_id}"
    service.put(f"{where}/participants/a", {"mentor_capacity": 2}, tag="*")
    service.put(f"{where}/participants/b", {"vetoes": ["a"]}, tag="*")
    service.put(
        f"{where}/participants/c",
        {"wishes": [{"role": "learner", "partners": ["d", "a"]}]},
        tag="*",
    )
    run = service.post(f"{where}/runs?wait=30", {}).json()
    service.delete(f"{where}/participants/d")
    service.put("/cities/b", city("b", name="Renamed"), tag="*")

    found = service.get(f"/runs/{run['id']}/solution").json()

    assert [(p["mentor"], p["learner"]) for p in found["pairings"]] == [
        ("d", "b"),
        ("a", "c"),
    ]
    (wish,) = found["pairings"][1]["adjustments"]
    assert (wish["city"], wish["rank"], wish["points"]) == ("c", 2, 0.5)
    assert (
        service.get(f"/runs/{run['id']}").json()["problem_hash"]
        == found["problem_hash"]
    )


def test_a_run_may_have_a_policy_of_its_own(service):
    round_id = open_round(service, city("a", "mentor"), city("b"))
    policy = {"objective": "served", "rules": {"different_country": True}}

    run = service.post(f"/rounds/{round_id}/runs?wait=30", {"policy": policy}).json()

    found = service.get(f"/runs/{run['id']}/solution").json()
    assert (found["objective"], found["pairings"]) == ("served", [])
    assert found["unmatched"][0]["reasons"] == [
        {"code": "different_country", "partners": 1}
    ]
    refused = service.post(
        f"/rounds/{round_id}/runs",
        {"policy": {"objective": "stable", "caps": [CAP]}},
    )
    assert refusal(refused) == (422, "invalid-policy", ["/policy/caps"])


def test_a_run_that_cannot_be_says_what_clashes(service):
    round_id = open_round(
        service,
        city("a", "mentor"),
        city("b"),
        policy={
            "pins": [{"mentor": "a", "learner": "b"}],
            "rules": {"different_country": True},
        },
    )

    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()

    assert run["state"] == "infeasible"
    assert run["problem"]["code"] == "infeasible"
    assert run["problem"]["errors"][0]["pointer"] == "/pins/0"
    for kind in ("", ".csv", ".html"):
        gone = service.get(f"/runs/{run['id']}/solution{kind}")
        assert refusal(gone) == (409, "not-finished", [])
    readiness = service.get(f"/rounds/{round_id}/readiness").json()
    assert "clash" in {finding["code"] for finding in readiness["findings"]}


@pytest.mark.parametrize("cities", [[], [city("a", "mentor")], [city("b")]])
def test_an_empty_side_is_a_result_too(service, cities):
    round_id = open_round(service, *cities)

    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()

    assert run["state"] == "succeeded"
    assert service.get(f"/runs/{run['id']}/solution").json()["pairings"] == []
    assert service.get(f"/runs/{run['id']}/solution.html").status_code == 200
    assert service.get(f"/rounds/{round_id}/readiness").json()["pairs"] == 0


@pytest.mark.parametrize("phase", ["draft", "archived"])
def test_runs_need_a_round_that_is_open_or_closed(service, phase):
    round_id = make(service)
    service.post(f"/rounds/{round_id}/phase", {"to": phase})

    refused = service.post(f"/rounds/{round_id}/runs", {})

    assert refusal(refused) == (409, "wrong-phase", [])
    assert service.get(f"/rounds/{round_id}/runs").json()["items"] == []


def test_one_key_starts_one_run(service):
    round_id = open_round(service, city("a", "mentor"), city("b"))

    def send(_):
        return service.call(
            "POST",
            f"/rounds/{round_id}/runs?wait=30",
            json={},
            headers={"Idempotency-Key": "once"},
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))

    assert {answer.json()["state"] for answer in answers} == {"succeeded"}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(service.get(f"/rounds/{round_id}/runs").json()["items"]) == 1


def slow(service):
    """Return the id of an open round for which `fair` computes for a while."""
    areas = list(data.policy_areas().items)
    cities = [
        city(
            f"c{at}",
            "mentor" if at % 2 else "learner",
            areas={
                areas[(at * step) % 17].id: {"need": at % 5, "strength": at % 4}
                for step in range(1, 6)
            },
        )
        for at in range(400)
    ]
    return open_round(service, *cities, policy={"objective": "fair"})


def test_a_run_is_cancelled_and_its_computation_stopped(service):
    round_id = slow(service)

    started = service.post(f"/rounds/{round_id}/runs", {})
    run = service.call("DELETE", started.headers["location"].removeprefix("/api/v1"))
    again = service.call("DELETE", f"/runs/{run.json()['id']}")

    assert started.status_code == 202
    assert (started.json()["state"], run.json()["state"]) == ("queued", "cancelled")
    assert again.json() == run.json()
    time.sleep(1.5)
    later = service.get(f"/runs/{run.json()['id']}").json()
    assert later["state"] == "cancelled"
    assert refusal(service.get(f"/runs/{later['id']}/solution"))[1] == "not-finished"


def test_a_run_that_has_ended_cannot_be_cancelled(service):
    round_id = open_round(service, city("a", "mentor"), city("b"))
    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()

    assert refusal(service.call("DELETE", f"/runs/{run['id']}"))[:2] == (
        409,
        "conflict",
    )
