"""Rounds are set up, changed and deleted, with their participants and policy."""

import pytest

from matching import Policy
from tests.api.rounds.drafts import CAP, make
from tests.fixtures.cities import city, open_round, refusal, register


def test_a_round_is_set_up_read_changed_and_deleted(service):
    created = service.post("/rounds", {"name": "Housing 2027", "description": "D"})
    place = created.headers["location"].removeprefix("/api/v1")
    read = service.get(place)
    put = service.put(place, {"name": "Housing"}, tag='"1"')
    patched = service.call(
        "PATCH", place, json={"description": "E"}, headers={"If-Match": '"2"'}
    )
    stale = service.put(place, {"name": "X", "description": "E"}, tag='"1"')

    assert (created.status_code, place) == (201, "/rounds/housing-2027")
    assert created.json() == read.json()
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
    without_tag = service.put(f"{where}/a", {})
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
    assert refusal(without_tag)[1] == "precondition-required"
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

    policy_after = service.get(f"{where}/policy").json()
    assert (policy_after["pins"], len(policy_after["bans"])) == ([], 1)
    ended = service.post(f"{where}/runs?wait=30", {}).json()
    assert ended["state"] == "succeeded"
    log = service.get(f"{where}/audit").json()["items"]
    left = next(entry for entry in log if entry["action"] == "participant.left")
    assert (left["city"], left["details"]) == ("a", {"decisions_dropped": 1})
