"""The service as tools call it."""

import json
import re
import threading
import time
from datetime import UTC, datetime
from html import unescape

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app import data
from app.errors import details, every_refusal, meaning
from app.main import create_app
from app.settings import Settings
from matching import Policy, Problem, match
from schemas import AREA_IDS
from tests.fixtures.cities import FIVE, listed, pairing, refusal, released_round, say

MATCH = "/api/v1/match"
PLENTY = Settings(match_per_minute=100_000)


@pytest.fixture(scope="module")
def client():
    # No call here needs a database; one that does not exist is not missed.
    app = create_app(PLENTY.model_copy(update={"runs_at_once": 0}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def city(name, role, **fields):
    areas = {"housing": {"need": 2, "strength": 3}}
    own = {"id": name, "name": name, "country": "BE", "roles": [role], "areas": areas}
    return own | fields


def pair_of(**fields):
    return {"cities": [city("m", "mentor", **fields), city("l", "learner")]}


def test_match_answers_what_the_library_answers(client):
    body = pair_of()

    answer = client.post(MATCH, json=body)

    assert answer.status_code == 200
    assert answer.json() == match(Problem.from_dict(body)).to_dict()


def test_match_tells_how_firm_each_pairing_is(client):
    body = data.inclucities().to_dict()

    answer = client.post(f"{MATCH}?trials=30", json=body)

    request = data.inclucities()
    expected = match(request.problem(), request.policy, trials=30)
    assert answer.json() == expected.to_dict()
    assert answer.json() != match(request.problem(), request.policy).to_dict()
    for trials in (-1, 1001, "x"):
        refused = client.post(f"{MATCH}?trials={trials}", json=body)
        assert refusal(refused) == (422, "invalid-input", ["?trials"])


def test_match_takes_caps_loads_and_stable(client):
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 0}
    for policy in (
        {"objective": "stable"},
        {"caps": [cap]},
        {"min_load": {"mentor": 1, "only_if_used": True}},
    ):
        answer = client.post(MATCH, json=pair_of() | {"policy": policy})

        expected = match(Problem.from_dict(pair_of()), Policy.from_dict(policy))
        assert answer.json() == expected.to_dict()


def test_match_proposes_the_real_pairs_of_inclucities(client):
    body = data.inclucities().to_dict()

    answer = client.post(MATCH, json=body)

    pairs = {(pair["mentor"], pair["learner"]) for pair in answer.json()["pairings"]}
    assert pairs == set(data.real_pairs())


def test_policy_areas_are_the_vocabulary_in_its_order(client):
    answer = client.get("/api/v1/policy-areas").json()

    assert [area["id"] for area in answer["items"]] == list(AREA_IDS)
    assert answer["next"] is None
    for language in ("en", "fr", "nl"):
        assert len({area["labels"][language] for area in answer["items"]}) == 17


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", (400, "not-json", [])),
        (b"\xff{}", (400, "not-json", [])),
        (b"[" * 1_000_000, (400, "not-json", [])),
        (b" " * 10_000_000, (413, "too-large", [])),
        (b"[]", (422, "invalid-input", [""])),
        (b'{"cities": 3}', (422, "invalid-input", ["/cities"])),
        (b'{"cities": [], "x": 1}', (422, "invalid-input", ["/x"])),
        (
            b'{"cities": [], "policy": {"weights": {"focus": NaN}}}',
            (422, "invalid-input", ["/policy/weights/focus"]),
        ),
        (
            b'{"cities": [], "policy": {"seed": 1' + b"0" * 400 + b"}}",
            (422, "invalid-input", ["/policy/seed"]),
        ),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(client, body, told):
    answer = client.post(
        MATCH, content=body, headers={"Content-Type": "application/json"}
    )

    assert refusal(answer) == told


def test_a_body_of_unknown_length_is_refused_when_it_has_become_too_long(client):
    parts = (b" " * 100_000 for _ in range(20))

    answer = client.post(
        MATCH, content=parts, headers={"Content-Type": "application/json"}
    )

    assert refusal(answer) == (413, "too-large", [])


@pytest.mark.parametrize("given", ["text/plain", "application/xml", None])
def test_a_body_that_is_not_declared_as_json_is_refused(client, given):
    headers = {"Content-Type": given} if given else {}

    answer = client.post(MATCH, content=b"{}", headers=headers)

    assert refusal(answer) == (415, "unsupported-media-type", [])


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (pair_of(areas={"houzing": {}}), "/cities/0/areas/houzing"),
        (pair_of(areas={"housing": {"need": 7}}), "/cities/0/areas/housing/need"),
        (pair_of(areas={}), "/cities/0/areas"),
        (pair_of(mentor_capacity=-1), "/cities/0/mentor_capacity"),
        (pair_of(learner_demand=2), "/cities/0/learner_demand"),
        (pair_of(id="l"), "/cities/1/id"),
        (
            pair_of() | {"wishes": [{"city": "x", "role": "mentor", "partners": []}]},
            "/wishes/0/city",
        ),
    ],
)
def test_a_wrong_problem_is_refused_where_it_is_wrong(client, body, at):
    assert refusal(client.post(MATCH, json=body)) == (422, "invalid-input", [at])


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (
            {"pins": [{"mentor": "x", "learner": "l"}]},
            (422, "invalid-policy", ["/policy/pins/0/mentor"]),
        ),
        (
            {"objective": "stable", "min_load": {"mentor": 1}},
            (422, "invalid-policy", ["/policy/min_load"]),
        ),
        (
            {
                "pins": [{"mentor": "m", "learner": "l"}],
                "bans": [{"mentor": "m", "learner": "l"}],
            },
            (422, "infeasible", ["/policy/pins/0"]),
        ),
        (
            {
                "pins": [{"mentor": "m", "learner": "l"}],
                "rules": {"different_country": True},
            },
            (422, "infeasible", ["/policy/pins/0"]),
        ),
    ],
)
def test_a_policy_that_cannot_hold_is_refused(client, policy, told):
    answer = client.post(MATCH, json=pair_of() | {"policy": policy})

    assert refusal(answer) == told


def test_unknown_paths_and_methods_are_problems_too(client):
    assert refusal(client.get("/nowhere")) == (404, "not-found", [])
    assert refusal(client.get("/problems/nothing")) == (404, "not-found", [])
    wrong = client.delete(MATCH)
    assert refusal(wrong) == (405, "method-not-allowed", [])
    assert wrong.headers["allow"] == "POST"


def test_every_problem_type_leads_to_a_page(client):
    every = client.get("/problems").text
    for kind in every_refusal():
        page = client.get(f"/problems/{kind.code}")
        text = unescape(page.text)
        (shown,) = re.findall("<pre><code>(.*)</code></pre>", text, re.DOTALL)

        assert page.status_code == 200
        said, cure = (
            one.replace("`", "").replace("'", "’") for one in (meaning(kind), kind.cure)
        )
        assert f"<h1>{said}</h1>" in text
        assert cure in re.sub("</?code>", "", text)
        assert f"HTTP status {kind.status}, code <code>{kind.code}</code>" in text
        assert json.loads(shown) == details(kind(json.loads(shown)["detail"])).to_dict()
        assert f'<a href="/problems/{kind.code}">' in every


def test_too_many_cities_and_too_many_requests_are_refused():
    settings = Settings(match_cities=1, match_per_minute=1)
    with TestClient(create_app(settings)) as client:
        first = client.post(MATCH, json=pair_of())
        second = client.post(MATCH, json=pair_of())

    assert refusal(first) == (422, "too-many-cities", ["/cities"])
    assert refusal(second) == (429, "too-many-requests", [])
    assert 1 <= int(second.headers["retry-after"]) <= 60


def slow_body():
    """300 cities for which `fair` takes far more than a tenth of a second."""
    areas = list(AREA_IDS)
    return {
        "cities": [
            city(
                f"c{at}",
                "mentor" if at % 2 else "learner",
                areas={
                    areas[(at * step) % 17]: {"need": at % 5, "strength": at % 4}
                    for step in range(1, 6)
                },
                population=1000 + 37 * at,
            )
            for at in range(300)
        ],
        "policy": {"objective": "fair"},
    }


def test_a_computation_over_the_time_limit_is_ended():
    with TestClient(create_app(Settings(match_seconds=0.01))) as client:
        answer = client.post(MATCH, json=slow_body())

    assert refusal(answer) == (503, "time-limit", [])
    assert answer.headers["retry-after"] == "60"


def test_others_are_answered_while_a_match_is_computed(client):
    done = []
    worker = threading.Thread(
        target=lambda: done.append(client.post(MATCH, json=slow_body()).status_code)
    )
    worker.start()
    waited = 0
    while worker.is_alive():
        assert client.get("/healthz").status_code == 200
        waited += 1
        time.sleep(0.005)
    worker.join()

    assert done == [200]
    assert waited > 3


def test_more_callers_than_turns_are_all_answered(client):
    answers = []
    callers = [
        threading.Thread(
            target=lambda: answers.append(client.post(MATCH, json=pair_of()))
        )
        for _ in range(6)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.text for answer in answers}) == 1


def test_every_answer_has_a_request_id(client):
    given = client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    wild = client.get("/nowhere", headers={"X-Request-ID": "a b"})

    assert given.headers["x-request-id"] == "abc-1"
    assert len(wild.headers["x-request-id"]) == 32


def test_any_origin_may_read_and_match(client):
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }

    before = client.options(MATCH, headers=asked)
    answer = client.get("/api/v1/policy-areas", headers=asked)

    assert before.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_the_docs_load_nothing_from_elsewhere(client):
    page = client.get("/api/docs")

    assert "://" not in page.text
    assert (
        "'unsafe-inline'"
        not in page.headers["content-security-policy"].split("style-src")[0]
    )
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/api/docs/assets/{asset}" in page.text
        assert client.get(f"/api/docs/assets/{asset}").status_code == 200


def test_the_documented_example_works(client):
    document = client.get("/api/v1/openapi.json").json()
    body = document["paths"][MATCH]["post"]["requestBody"]["content"]
    example = body["application/json"]["example"]

    assert document["openapi"].startswith("3.1")
    assert client.post(MATCH, json=example).json()["measures"]["learners"] == 4


def test_operation_routes_answer(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/version").json() == {"compaan": "0.1.0"}


def test_an_open_address_must_be_wanted():
    with pytest.raises(ValidationError, match="COMPAAN_ALLOW_OPEN=1"):
        Settings(host="0.0.0.0")  # noqa: S104 -- refused

    assert Settings(host="0.0.0.0", allow_open=True).allow_open  # noqa: S104


def test_readiness_asks_the_database(service):
    assert service.client.get("/readyz").json() == {"status": "ok"}


def test_a_database_without_tables_is_not_ready(tmp_path):
    settings = Settings(database_url=f"sqlite:///{tmp_path}/empty.db", runs_at_once=0)
    with TestClient(create_app(settings)) as client:
        answer = client.get("/readyz")

    assert refusal(answer) == (503, "busy", [])
    assert "compaan migrate" in answer.json()["detail"]


def since(service, path, moment):
    """Return the ids of what has changed since."""
    answer = service.get(path, params={"updated_since": moment.isoformat()})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def test_rounds_that_changed_are_found(service):
    for name in ("one", "two"):
        assert service.post("/rounds", {"name": name}).status_code == 201
    between = datetime.now(UTC)
    service.post("/rounds/two/phase", {"to": "open"})

    assert since(service, "/rounds", between) == ["two"]
    assert since(service, "/rounds", datetime.now(UTC)) == []


def test_pairings_that_changed_are_found(idle_service):
    round_id = released_round(idle_service, *FIVE)
    path = f"/rounds/{round_id}/pairings"
    every = [one["id"] for one in listed(idle_service, path)]
    one = pairing(idle_service, round_id, "bruges", "evora")
    between = datetime.now(UTC)
    say(idle_service, one, "mentor", "accept")

    assert since(idle_service, path, between) == [one["id"]]
    assert since(idle_service, path, datetime(2026, 1, 1, tzinfo=UTC)) == every


@pytest.mark.parametrize("path", ["/rounds", "/rounds/r/pairings"])
def test_a_moment_that_cannot_be_is_refused(sqlite_service, path):
    for given in ("yesterday", "1700000000", "0001-01-01T00:00:00+14:00"):
        answer = sqlite_service.get(path, params={"updated_since": given})

        assert refusal(answer) == (422, "invalid-input", ["?updated_since"])
