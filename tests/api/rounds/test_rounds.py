"""Rounds from draft to result, on both databases."""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import data
from app.db import Database
from app.services.background import run_protocol
from app.services.runs import runs
from matching import Policy, Problem, match
from schemas import ProblemDetails
from tests.fixtures.cities import (
    INCLUCITIES,
    city,
    compute,
    inclucities_round,
    open_round,
    refusal,
    register,
)


def make(service, **fields):
    answer = service.post("/rounds", {"name": "Housing"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_a_round_is_set_up_read_changed_and_deleted(service):
    made = service.post("/rounds", {"name": "Housing 2027", "description": "D"})
    place = made.headers["location"].removeprefix("/api/v1")
    read = service.get(place)
    put = service.put(place, {"name": "Housing"}, tag='"1"')
    patched = service.call(
        "PATCH", place, json={"description": "E"}, headers={"If-Match": '"2"'}
    )
    stale = service.put(place, {"name": "X", "description": "E"}, tag='"1"')

    assert (made.status_code, place) == (201, "/rounds/housing-2027")
    assert made.json() == read.json()
    assert read.json()["phase"] == "draft"
    assert (put.json()["name"], put.json()["description"]) == ("Housing", None)
    assert patched.json()["description"] == "E"
    assert refusal(stale) == (412, "stale", ["/name"])
    assert service.delete(place, tag='"3"').status_code == 204
    assert refusal(service.get(place)) == (404, "not-found", [])


def test_rounds_of_one_name_get_different_ids_unless_one_is_given(service):
    assert [make(service) for _ in range(3)] == ["housing", "housing-2", "housing-3"]
    assert refusal(service.post("/rounds", {"id": "housing", "name": "X"})) == (
        409,
        "already-exists",
        [],
    )
    put = service.put("/rounds/fixed", {"name": "Fixed"})
    assert (put.status_code, put.json()["id"]) == (201, "fixed")
    assert service.put("/rounds/fixed", {"name": "F"}).status_code == 428
    listed = service.get("/rounds").json()["items"]
    assert [one["id"] for one in listed] == [
        "fixed",
        "housing",
        "housing-2",
        "housing-3",
    ]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (["open"], 200),
        (["open", "closed", "archived"], 200),
        (["open", "open"], 200),
        (["closed"], "wrong-phase"),
        (["open", "staged"], "wrong-phase"),
        (["open", "closed", "released"], "wrong-phase"),
        (["archived", "open"], "wrong-phase"),
        (["open", ("draft", "a mistake")], 200),
        (["open", "draft"], "invalid-input"),
    ],
)
def test_phases_follow_each_other(service, way, told):
    where = f"/rounds/{make(service)}/phase"
    steps = [step if isinstance(step, tuple) else (step, None) for step in way]

    answers = [service.post(where, {"to": to, "reason": why}) for to, why in steps]

    assert all(answer.status_code == 200 for answer in answers[:-1])
    last = answers[-1]
    assert told == (200 if last.is_success else refusal(last)[1])
    if last.is_success:
        assert last.json()["phase"] == steps[-1][0]


def test_only_a_draft_can_be_deleted(service):
    round_id = open_round(service, city("a", "mentor"), city("b"))

    assert refusal(service.delete(f"/rounds/{round_id}"))[1] == "wrong-phase"
    service.post(f"/rounds/{round_id}/phase", {"to": "draft", "reason": "mistake"})
    assert service.delete(f"/rounds/{round_id}").status_code == 204
    assert service.delete("/cities/a").status_code == 204


def test_a_participation_is_the_citys_own_unless_it_says_otherwise(service):
    register(service, city("a", "mentor", mentor_capacity=3), city("b"))
    where = f"/rounds/{make(service)}/participants"

    own = service.put(f"{where}/a", {})
    both = service.put(f"{where}/b", {"roles": ["mentor", "learner"]})
    fewer = service.put(
        f"{where}/a", {"mentor_capacity": 2, "vetoes": ["b"]}, tag='"1"'
    )
    blind = service.put(f"{where}/a", {})
    service.put("/cities/a", city("a", "mentor", mentor_capacity=9), tag="*")

    assert (own.status_code, own.headers["etag"]) == (201, '"1"')
    assert own.json() == {
        "city": "a",
        "roles": ["mentor"],
        "mentor_capacity": 3,
        "learner_demand": 0,
        "wishes": [],
        "vetoes": [],
    }
    assert (both.json()["mentor_capacity"], both.json()["learner_demand"]) == (1, 1)
    assert refusal(blind)[1] == "precondition-required"
    assert service.get(f"{where}/a").json() == fewer.json()
    assert fewer.json() == own.json() | {"mentor_capacity": 2, "vetoes": ["b"]}
    assert [one["city"] for one in service.get(where).json()["items"]] == ["a", "b"]
    assert service.delete(f"{where}/a", tag='"2"').status_code == 204
    assert refusal(service.get(f"{where}/a"))[0] == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"mentor_capacity": 1}, "/mentor_capacity"),
        ({"roles": ["learner", "learner"]}, "/roles"),
        ({"vetoes": ["nobody"]}, "/vetoes/0"),
        ({"vetoes": ["b"]}, "/vetoes/0"),
        (
            {"wishes": [{"role": "learner", "partners": ["a", "x"]}]},
            "/wishes/0/partners/1",
        ),
        (
            {
                "wishes": [
                    {"role": "learner", "partners": []},
                    {"role": "learner", "partners": []},
                ]
            },
            "/wishes",
        ),
    ],
)
def test_a_participation_that_cannot_be_is_refused(service, body, pointer):
    register(service, city("a", "mentor"), city("b"))
    where = f"/rounds/{make(service)}/participants/b"

    assert refusal(service.put(where, body)) == (422, "invalid-input", [pointer])
    assert service.get(where).status_code == 404


CAP = {"side": "mentor", "by": "country", "per": "round", "max": 1}


def test_a_policy_has_a_version_of_its_own(service):
    where = f"/rounds/{open_round(service, city('a', 'mentor'), city('b'))}/policy"
    read = service.get(where)
    tag = read.headers["etag"]
    first = {"rules": {"different_country": True}}
    second = {"rules": {"shared_language": True}}

    done = service.put(where, first, tag=tag)
    late = service.put(where, second, tag=tag)

    assert read.json() == Policy().to_dict()
    assert done.json() == Policy.from_dict(first).to_dict()
    assert refusal(late) == (
        412,
        "stale",
        ["/rules/different_country", "/rules/shared_language"],
    )
    assert service.get(where).json() == done.json()


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"objective": "best"}, (422, "invalid-input", ["/objective"])),
        (
            {"objective": "stable", "caps": [CAP]},
            (422, "invalid-policy", ["/caps"]),
        ),
        (
            {"objective": "stable", "min_load": {"mentor": 1}},
            (422, "invalid-policy", ["/min_load"]),
        ),
        (
            {"pins": [{"mentor": "x", "learner": "b"}]},
            (422, "invalid-policy", ["/pins/0/mentor"]),
        ),
    ],
)
def test_a_policy_that_no_run_could_use_is_refused(service, policy, told):
    round_id = open_round(service, city("a", "mentor"), city("b"))

    assert refusal(service.put(f"/rounds/{round_id}/policy", policy, "*")) == told
    assert service.get(f"/rounds/{round_id}/policy").headers["etag"] == '"1"'


def test_who_leaves_takes_its_pins_bans_wishes_and_vetoes_along(service):
    policy = {
        "pins": [{"mentor": "a", "learner": "b", "reason": "old friends"}],
        "bans": [{"mentor": "c", "learner": "b"}],
    }
    round_id = open_round(
        service, city("a", "mentor"), city("b"), city("c", "mentor"), policy=policy
    )
    where = f"/rounds/{round_id}"
    service.put(
        f"{where}/participants/b",
        {"wishes": [{"role": "learner", "partners": ["a"]}], "vetoes": ["a"]},
        tag="*",
    )

    service.delete(f"{where}/participants/a")

    kept = service.get(f"{where}/policy").json()
    assert (kept["pins"], len(kept["bans"])) == ([], 1)
    ended = service.post(f"{where}/runs?wait=30", {}).json()
    assert ended["state"] == "succeeded"
    log = service.get(f"{where}/audit").json()["items"]
    left = next(entry for entry in log if entry["action"] == "participant.left")
    assert (left["city"], left["details"]) == ("a", {"decisions_dropped": 1})


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


def test_the_table_names_every_pairing_and_everybody_left_out(service):
    wild = city("c", name='=HYPERLINK("x")', country="FR")
    round_id = open_round(service, city("a", "mentor", country="NL"), city("b"), wild)

    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()
    answer = service.get(f"/runs/{run['id']}/solution.csv")

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"].startswith("text/csv")
    paired, left = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    solution = service.get(f"/runs/{run['id']}/solution").json()
    (pair,) = solution["pairings"]
    assert (paired["mentor_id"], paired["learner_id"]) == ("a", pair["learner"])
    assert float(paired["score"]) == pair["score"]
    points = sum(float(paired[k]) for k in paired if k.startswith("points_"))
    assert points == pytest.approx(pair["score"])
    assert left["unmatched_role"] == "learner"
    assert left["reasons"] == "all_places_taken (1)"
    assert "'=HYPERLINK" in answer.text


def test_the_page_to_print_gives_reasons_and_runs_nothing(service):
    round_id = inclucities_round(service)
    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()

    page = service.get(f"/runs/{run['id']}/solution.html")

    assert "Mechelen is strong in 5 of the 6 areas that Capaci needs" in page.text
    assert "<script" not in page.text
    assert "style-src 'self'" in page.headers["content-security-policy"]
    for pair in data.real_pairs():
        names = [city.name for city in INCLUCITIES.cities if city.id in pair]
        assert all(name in page.text for name in names)


def test_readiness_tells_supply_demand_and_what_bites(service):
    round_id = open_round(
        service,
        city("a", "mentor", areas={"housing": {"strength": 4}}, mentor_capacity=2),
        city("b", areas={"housing": {"need": 2}}),
        city("c", areas={"health": {"need": 3}}, country="FR", learner_demand=2),
        policy={"rules": {"different_country": True}},
    )

    told = service.get(f"/rounds/{round_id}/readiness").json()

    assert (told["mentor_places"], told["learner_places"]) == (2, 3)
    assert (told["pairs"], told["admissible_pairs"]) == (2, 1)
    assert told["areas"] == [
        {
            "area": "housing",
            "learners": 1,
            "need": 2,
            "mentors": 1,
            "strength": 4,
            "places": 2,
        },
        {
            "area": "health",
            "learners": 1,
            "need": 3,
            "mentors": 0,
            "strength": 0,
            "places": 0,
        },
    ]
    assert told["thin_areas"] == ["health"]
    assert told["rules"] == [
        {"rule": "different_country", "pairs": 1, "learners_without": ["b"]}
    ]
    assert [(f["code"], f["city"], f["area"]) for f in told["findings"]] == [
        ("too_few_places", None, None),
        ("thin_area", None, "health"),
        ("learner_without_mentor", "b", None),
    ]


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
