"""What the engine is asked about runs and rounds, by HTTP."""

import json
import time
from functools import partial
from threading import Thread

import psutil
import pytest

import matching
from app import data
from app.db import Database
from app.errors import Busy, TooSlow
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.decisions.engine_queries import EngineQueries, Turns
from app.settings import Settings
from app.texts.matching.why_not import sentences
from matching import Policy, Problem
from schemas import AREA_IDS
from tests.fixtures.cities import (
    INCLUCITIES,
    city,
    compute,
    inclucities_round,
    open_round,
    refusal,
    register,
)
from tests.fixtures.service import start

PROBLEM, POLICY = INCLUCITIES.problem(), INCLUCITIES.policy
CHANGES = [
    {},
    {"force": [{"mentor": "schaerbeek", "learner": "capaci"}]},
    {"ban": [{"mentor": "mechelen", "learner": "capaci"}]},
    {"remove": ["livadia", "mechelen"]},
    {"add": [city("ghent", "mentor", areas={"health": {"strength": 4}})]},
    {"weights": {"focus": 0, "needs_met": 1}},
    {"rules": {"max_distance_km": 2000}},
    {"rules": {"different_country": False, "shared_language": True}},
    {
        "force": [{"mentor": "new", "learner": "capaci"}],
        "remove": ["jelgava"],
        "add": [city("new", "mentor", country="FR")],
        "weights": None,
        "rules": {"min_score": 10},
    },
]


@pytest.fixture(scope="module")
def proposed(_copy_sqlite):
    """Return a service and the id of a finished run of its IncluCities round.

    Asking stores nothing: one for all tests.
    """
    for service in start(_copy_sqlite(), runs_at_once=0):
        yield service, compute(service, inclucities_round(service))


def as_pairs(given):
    return tuple((pair["mentor"], pair["learner"]) for pair in given or ())


def expected_what_if(change):
    return matching.what_if(
        PROBLEM,
        POLICY,
        force=as_pairs(change.get("force")),
        ban=as_pairs(change.get("ban")),
        remove=tuple(change.get("remove", ())),
        add=Problem(cities=change.get("add", ())).cities,
        weights=change.get("weights"),
        rules=change.get("rules"),
    )


@pytest.mark.parametrize("change", CHANGES, ids=json.dumps)
def test_what_if_answers_what_the_library_answers(proposed, change):
    service, run = proposed

    answer = service.post(f"/runs/{run}/what-if", change)

    assert (answer.status_code, answer.json()) == (
        200,
        expected_what_if(change).to_dict(),
    )


def test_an_auditor_asks_with_a_token_that_only_reads(service):
    round_id = inclucities_round(service)
    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()["id"]
    database = Database(service.url)
    with database.write() as session:
        account = accounts.find_user(session, "auditor@example.org")
        service.tokens["reads"] = add_token(session, account, "read")
    database.close()
    change = {"remove": ["mechelen"]}

    answer = service.post(f"/runs/{run}/what-if", change, "reads")

    assert answer.json() == expected_what_if(change).to_dict()


PAIR = {"mentor": "mechelen", "learner": "capaci"}
UNKNOWN = {"mentor": "x", "learner": "capaci"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"forced": []}, ("invalid-input", ["/forced"])),
        ({"force": [{"mentor": "x"}]}, ("invalid-input", ["/force/0/learner"])),
        ({"rules": {"min_score": 101}}, ("invalid-input", ["/rules/min_score"])),
        ({"add": [city("a", areas={})]}, ("invalid-input", ["/add/0/areas"])),
        ({"force": [UNKNOWN]}, ("invalid-policy", ["/force/0/mentor"])),
        ({"ban": [PAIR, UNKNOWN]}, ("invalid-policy", ["/ban/1/mentor"])),
        ({"remove": ["capaci", "x"]}, ("invalid-problem", ["/remove/1"])),
        ({"add": [city("capaci")]}, ("invalid-problem", ["/add/0/id"])),
    ],
)
def test_a_change_that_cannot_be_is_refused_where_it_is_wrong(proposed, change, told):
    service, run = proposed

    refused = refusal(service.post(f"/runs/{run}/what-if", change))

    assert (refused[0], refused[1:]) == (422, told)


def test_a_change_that_clashes_is_infeasible(proposed):
    service, run = proposed

    refused = service.post(f"/runs/{run}/what-if", {"force": [PAIR], "ban": [PAIR]})

    assert refusal(refused)[:2] == (422, "infeasible")


def test_an_answer_over_the_time_limit_is_refused(sqlite_service):
    service = sqlite_service
    run = compute(service, inclucities_round(service))
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 2}
    # So much effort that it is not found out on the spot.
    service.put("/rounds/trial/policy", {"caps": [cap], "objective": "fair"}, "*")
    service.client.app.state.answers = EngineQueries(Settings(answer_seconds=0.001))

    ended = [
        service.post(f"/runs/{run}/what-if", {"remove": ["capaci"]}),
        service.get(f"/runs/{run}/why-not?mentor=mechelen&learner=capaci"),
        service.get(f"/runs/{run}/drill"),
        service.get(f"/rounds/trial/repairs?run={run}&gone=capaci"),
        service.get("/rounds/trial/readiness"),
    ]

    assert [refusal(one) for one in ended] == [(503, "time-limit", [])] * 5
    assert {one.headers["retry-after"] for one in ended} == {"60"}


def test_a_computation_is_ended_at_the_limit_and_leaves_nothing_running():
    cities = [
        city(
            f"c{at}",
            "mentor" if at % 2 else "learner",
            areas={
                AREA_IDS[(at * step) % 17]: {"need": at % 5, "strength": at % 4}
                for step in range(1, 6)
            },
        )
        for at in range(300)
    ]
    problem, fair = Problem.from_dict({"cities": cities}), Policy(objective="fair")
    turns = Turns(at_once=1, seconds=1)
    turns.ask(partial(matching.check, problem, fair))  # the fork server is there
    before = psutil.Process().children(recursive=True)
    began = time.monotonic()

    with pytest.raises(TooSlow):
        turns.ask(partial(matching.match, problem, fair, trials=1000))

    assert 1 <= time.monotonic() - began < 1.5
    assert psutil.Process().children(recursive=True) == before


def test_an_answer_that_finds_no_turn_is_refused():
    turns = Turns(at_once=1, seconds=0.2)
    told = []

    def second():
        with pytest.raises(Busy) as refused:
            turns.ask(partial(matching.check, PROBLEM, POLICY))
        told.append(refused.value.code)

    with turns.turn():
        other = Thread(target=second)
        other.start()
        other.join()

    with turns.turn():  # it is free again
        told.append("free")
    assert told == ["busy", "free"]


@pytest.mark.parametrize("lang", ["en", "fr", "nl"])
@pytest.mark.parametrize(
    ("mentor", "learner"),
    [
        ("mechelen", "capaci"),
        ("schaerbeek", "capaci"),
        ("brussels", "jelgava"),
        ("capaci", "mechelen"),
    ],
)
def test_why_not_answers_what_the_library_answers(proposed, mentor, learner, lang):
    service, run = proposed
    asked = f"/runs/{run}/why-not?mentor={mentor}&learner={learner}&lang={lang}"

    answer = service.get(asked)

    found = matching.why_not(PROBLEM, POLICY, mentor=mentor, learner=learner)
    said = sentences(found, PROBLEM.cities, lang)
    assert answer.json() == found.to_dict() | {"sentences": said}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("mentor=x&learner=capaci", ("invalid-problem", ["?mentor"])),
        ("mentor=mechelen&learner=mechelen", ("invalid-problem", ["?learner"])),
        ("mentor=mechelen", ("invalid-input", ["?learner"])),
        ("mentor=Mechelen&learner=capaci", ("invalid-input", ["?mentor"])),
        ("mentor=mechelen&learner=capaci&lang=de", ("invalid-input", ["?lang"])),
    ],
)
def test_a_pair_that_is_none_is_refused(proposed, asked, told):
    service, run = proposed

    refused = refusal(service.get(f"/runs/{run}/why-not?{asked}"))

    assert (refused[0], refused[1:]) == (422, told)


def test_the_drill_answers_what_the_library_answers(proposed):
    service, run = proposed

    answer = service.get(f"/runs/{run}/drill")

    assert answer.json() == matching.drill(PROBLEM, POLICY).to_dict()


def test_what_needs_a_solution_says_so(sqlite_service):
    round_id = inclucities_round(sqlite_service)
    run = sqlite_service.post(f"/rounds/{round_id}/runs", {}).json()["id"]
    told = (409, "not-finished", [])

    assert refusal(sqlite_service.get(f"/runs/{run}/drill")) == told
    repairs = f"/rounds/{round_id}/repairs?run={run}"
    assert refusal(sqlite_service.get(repairs)) == told


def partinico_round(service):
    """Return a round as it was before Partinico left, and Capaci's profile."""
    (partinico,) = data.withdrawn()
    capaci = next(one for one in PROBLEM.cities if one.id == "capaci")
    others = [one.to_dict() for one in PROBLEM.cities if one is not capaci]
    cities = [*others, partinico.to_dict()]
    return open_round(service, *cities, policy=POLICY.to_dict()), capaci.to_dict()


def test_capaci_takes_the_place_of_partinico(service):
    round_id, capaci = partinico_round(service)
    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()["id"]
    before = as_pairs(service.get(f"/runs/{run}/solution").json()["pairings"])
    service.delete(f"/rounds/{round_id}/participants/partinico")
    register(service, capaci)
    service.put(f"/rounds/{round_id}/participants/capaci", {})

    answer = service.get(f"/rounds/{round_id}/repairs?run={run}").json()

    assert set(before) == {
        ("brussels", "saint-jean-de-la-ruelle"),
        ("fuenlabrada", "livadia"),
        ("mechelen", "partinico"),
        ("schaerbeek", "jelgava"),
    }
    first = answer["items"][0]
    assert first["changes"] == 1
    assert first["broken"] == [{"mentor": "mechelen", "learner": "partinico"}]
    assert first["undone"] == []
    assert as_pairs(first["added"]) == (("mechelen", "capaci"),)
    assert set(as_pairs(first["pairings"])) == set(data.real_pairs())
    assert first["unserved"] == []
    ranks = [(one["changes"], -one["points"]) for one in answer["items"]]
    assert ranks == sorted(ranks)
    repairs = matching.repair(PROBLEM, POLICY, before, gone=["partinico"], limit=5)
    assert answer == {"items": [one.to_dict() for one in repairs]}


def test_repairs_know_who_leaves_and_declines(proposed):
    service, run = proposed
    asked = f"/rounds/trial/repairs?run={run}&limit=2&gone=schaerbeek"
    pairs = as_pairs(service.get(f"/runs/{run}/solution").json()["pairings"])

    answer = service.get(f"{asked}&declined=mechelen:capaci&gone=long-gone")

    expected = matching.repair(
        PROBLEM,
        POLICY,
        pairs,
        gone=["schaerbeek", "long-gone"],
        declined=[("mechelen", "capaci")],
        limit=2,
    )
    assert answer.json() == {"items": [one.to_dict() for one in expected]}
    assert len(expected) == 2


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", (409, "wrong-phase", [])),
        ("run=1", (422, "invalid-input", ["?run"])),
        (f"run={'0' * 32}", (404, "not-found", [])),
        ("run=RUN&limit=0", (422, "invalid-input", ["?limit"])),
        ("run=RUN&gone=A", (422, "invalid-input", ["?gone"])),
        ("run=RUN&declined=mechelen", (422, "invalid-input", ["?declined"])),
    ],
)
def test_repairs_that_cannot_be_told_are_refused(proposed, asked, told):
    service, run = proposed

    answer = service.get(f"/rounds/trial/repairs?{asked.replace('RUN', run)}")

    assert refusal(answer) == told


def test_a_run_of_another_round_is_not_found(proposed):
    service, run = proposed
    other = service.post("/rounds", {"name": "Other"}).json()["id"]

    answer = service.get(f"/rounds/{other}/repairs?run={run}")

    assert refusal(answer) == (404, "not-found", [])
