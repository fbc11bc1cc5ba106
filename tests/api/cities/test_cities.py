"""Cities and practices, as tools call them, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.cities import MECHELEN, city, refusal, register


@pytest.fixture
def service(idle_service):
    """Return the application; nothing here has it compute."""
    return idle_service


def test_a_city_comes_back_as_it_was_sent(service):
    sent = service.post("/cities", MECHELEN)
    read = service.get("/cities/mechelen")

    assert sent.status_code == 201
    assert sent.headers["location"] == "/api/v1/cities/mechelen"
    assert sent.json() == read.json() == MECHELEN
    assert sent.headers["etag"] == read.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Saint-Jean-de-la-Ruelle", "saint-jean-de-la-ruelle"),
        ("Łódź", "lodz"),
        ("Λιβαδειά", "livadeia"),
        ("'s-Hertogenbosch", "s-hertogenbosch"),
        ("x" * 200, "x" * 63),
    ],
)
def test_an_id_is_made_of_the_name(service, name, made):
    body = city("any", name=name)
    del body["id"]

    assert service.post("/cities", body).json()["id"] == made


@pytest.mark.parametrize("name", ["!!!", "Import", "export"])
def test_a_name_that_makes_no_id_is_refused(service, name):
    body = city("any", name=name)
    del body["id"]

    assert refusal(service.post("/cities", body)) == (422, "invalid-input", ["/id"])


def test_the_same_city_cannot_be_registered_twice(service):
    register(service, city("ghent"))

    again = service.post("/cities", city("ghent", name="Gent"))

    assert refusal(again) == (409, "already-exists", [])
    assert service.get("/cities/ghent").json()["name"] == "ghent"


def test_put_registers_and_replaces(service):
    first = service.put("/cities/ghent", city("ghent"))
    blind = service.put("/cities/ghent", city("ghent", name="Gent"))
    second = service.put("/cities/ghent", city("ghent", name="Gent"), tag='"1"')
    same = service.put("/cities/ghent", city("ghent", name="Gent"), tag='"2"')
    other = service.put("/cities/ghent", city("bruges"), tag="*")

    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    assert refusal(blind) == (428, "precondition-required", [])
    assert (second.status_code, second.headers["etag"]) == (200, '"2"')
    assert (same.status_code, same.headers["etag"]) == (200, '"2"')
    assert refusal(other) == (422, "invalid-input", ["/id"])


def test_two_editors_one_gets_412_and_sees_what_differs(service):
    register(service, city("ghent", population={"value": 260_000}))
    tag = service.get("/cities/ghent").headers["etag"]
    first = city("ghent", population={"value": 270_000})
    second = city("ghent", population={"value": 260_000}, languages=["nl"])

    assert service.put("/cities/ghent", first, tag=tag).status_code == 200
    refused = service.put("/cities/ghent", second, tag=tag)

    assert refusal(refused) == (412, "stale", ["/languages", "/population/value"])
    assert refused.headers["etag"] == '"2"'
    assert (
        refused.json()["errors"][1]["message"] == "It is 270000 now; you sent 260000."
    )
    assert service.get("/cities/ghent").json()["population"]["value"] == 270_000


def test_simultaneous_editors_of_one_version_one_wins(service):
    register(service, city("ghent"))

    def edit(at: int):
        return service.put(
            "/cities/ghent", city("ghent", name=f"n{at}"), tag='"1"'
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(edit, range(8)))

    assert statuses == [200] + [412] * 7
    assert service.get("/cities/ghent").headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("patch", "changes"),
    [
        ({"name": "Gent"}, {"name": "Gent"}),
        ({"population": None}, {"population": None}),
        (
            {"population": {"year": 2024}},
            {"population": {"value": 5, "year": 2024, "source": "x"}},
        ),
        (
            {"areas": {"housing": {"need": 4}, "health": {"strength": 1}}},
            {
                "areas": {
                    "health": {"need": 0, "strength": 1},
                    "housing": {"need": 4, "strength": 3},
                }
            },
        ),
        (
            {"areas": {"housing": None, "health": {"need": 1}}},
            {"areas": {"health": {"need": 1, "strength": 0}}},
        ),
        (
            {"roles": ["mentor"]},
            {"roles": ["mentor"], "mentor_capacity": 1, "learner_demand": 0},
        ),
        (
            {"roles": ["learner", "mentor"], "mentor_capacity": 3},
            {"roles": ["learner", "mentor"], "mentor_capacity": 3},
        ),
        ({}, {}),
    ],
)
def test_a_merge_patch_changes_what_it_names(service, patch, changes):
    body = city("ghent", population={"value": 5, "source": "x"})
    register(service, body)
    before = service.get("/cities/ghent").json()

    answer = service.call(
        "PATCH",
        "/cities/ghent",
        json=patch,
        headers={"If-Match": '"1"', "Content-Type": "application/merge-patch+json"},
    )

    assert answer.json() == before | changes
    assert service.get("/cities/ghent").json() == before | changes
    assert answer.headers["etag"] == ('"2"' if changes else '"1"')


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"areas": {"housing": {"need": 9}}}, "/areas/housing/need"),
        ({"areas": {"housing": None}}, "/areas"),
        ({"id": "bruges"}, "/id"),
        ({"mentor_capacity": 2}, "/mentor_capacity"),
        ({"wrong": 1}, "/wrong"),
    ],
)
def test_a_patch_that_leaves_no_city_is_refused(service, patch, pointer):
    register(service, city("ghent"))

    answer = service.call(
        "PATCH", "/cities/ghent", json=patch, headers={"If-Match": "*"}
    )

    assert refusal(answer) == (422, "invalid-input", [pointer])
    assert service.get("/cities/ghent").headers["etag"] == '"1"'


def test_a_city_is_deleted_unless_it_takes_part(service):
    register(service, city("ghent"), city("bruges"))
    service.post("/rounds", {"id": "r", "name": "R"})
    service.put("/rounds/r/participants/ghent", {})

    assert refusal(service.delete("/cities/ghent")) == (409, "in-use", [])
    assert refusal(service.delete("/cities/bruges", tag=None)) == (
        428,
        "precondition-required",
        [],
    )
    assert refusal(service.delete("/cities/bruges", tag='"7"'))[:2] == (412, "stale")
    assert service.delete("/cities/bruges", tag='"1"').status_code == 204
    assert refusal(service.get("/cities/bruges")) == (404, "not-found", [])


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def test_lists_are_filtered(service):
    register(
        service,
        city("a", "mentor", name="Łódź", country="PL"),
        city("b", areas={"health": {"need": 1}, "housing": {"strength": 1}}),
        city("c", "mentor", areas={"health": {"strength": 2}}),
        city("d", roles=["mentor", "learner"], name="100%"),
    )

    assert ids(service.get("/cities")) == ["a", "b", "c", "d"]
    assert ids(service.get("/cities?country=PL")) == ["a"]
    assert ids(service.get("/cities?q=LODZ")) == ["a"]
    assert ids(service.get("/cities?q=0%25")) == ["d"]
    assert ids(service.get("/cities?q=%25")) == ["d"]
    assert ids(service.get("/cities?role=mentor")) == ["a", "c", "d"]
    assert ids(service.get("/cities?area=health")) == ["b", "c"]
    assert ids(service.get("/cities?area=health&role=learner")) == ["b"]
    assert ids(service.get("/cities?area=housing&role=learner")) == ["d"]
    assert ids(service.get("/cities?area=housing&role=mentor&country=PL")) == ["a"]
    assert ids(service.get("/cities?country=FR")) == []


def test_updated_since_finds_what_changed(service):
    register(service, city("a"), city("b"))
    between = datetime.now(UTC)
    service.put("/cities/b", city("b", name="new"), tag="*")

    def since(moment):
        return ids(service.get("/cities", params={"updated_since": moment}))

    assert since(between.isoformat()) == ["b"]
    west = between.astimezone().replace(tzinfo=None) - timedelta(days=1)
    assert since(west.isoformat()) == ["a", "b"]
    assert since((between + timedelta(days=1)).isoformat()) == []
    early = service.get("/cities?updated_since=0001-01-01T00:00:00%2B14:00")
    assert refusal(early) == (422, "invalid-input", ["?updated_since"])


def test_pages_follow_each_other_while_cities_come_and_go(service):
    register(service, *(city(f"c{at}") for at in range(7)))

    first = service.get("/cities?limit=3&role=learner")
    service.delete("/cities/c2")
    register(service, city("c0a"), city("c3a"))
    seen, following = ids(first), first.json()["next"]
    while following:
        assert following.startswith("/api/v1/cities?limit=3&role=learner&cursor=")
        page = service.client.get(following, headers=service.bearer("officer"))
        seen += ids(page)
        following = page.json()["next"]

    assert seen == ["c0", "c1", "c2", "c3", "c3a", "c4", "c5", "c6"]


@pytest.mark.parametrize("cursor", ["x", "AA==", "%00", "é", "x" * 300])
def test_a_cursor_that_is_not_ours_is_refused(service, cursor):
    answer = service.get("/cities", params={"cursor": cursor})

    assert refusal(answer) == (422, "invalid-input", ["?cursor"])


def test_practices_belong_to_the_city(service):
    register(service, city("ghent"))
    where = "/cities/ghent/practices"
    practice = {"area": "housing", "title": "Rent guarantee", "year": 2021}

    made = service.post(where, practice)
    listed = service.get(where)
    path = made.headers["location"].removeprefix("/api/v1")
    changed = service.put(path, practice | {"year": 2022}, tag='"2"')
    stale = service.put(path, practice, tag='"2"')
    as_city = service.get("/cities/ghent")

    assert made.status_code == 201
    assert listed.json()["items"] == [made.json()]
    assert changed.json() == made.json() | {"year": 2022}
    assert changed.headers["etag"] == as_city.headers["etag"] == '"3"'
    assert refusal(stale) == (412, "stale", ["/year"])
    without_id = {k: v for k, v in changed.json().items() if k != "id"}
    assert as_city.json()["practices"] == [without_id]
    assert service.delete(path, tag='"3"').status_code == 204
    assert refusal(service.get(path)) == (404, "not-found", [])
    assert service.get("/cities/ghent").headers["etag"] == '"4"'


def test_practices_keep_their_ids_when_the_city_is_replaced(service):
    one = {"area": "housing", "title": "One"}
    two = {"area": "health", "title": "Two"}
    register(service, city("ghent", practices=[one, two]))
    before = service.get("/cities/ghent/practices").json()["items"]

    service.put(
        "/cities/ghent",
        city("ghent", practices=[two, one | {"year": 2020}, one]),
        tag="*",
    )

    after = service.get("/cities/ghent/practices").json()["items"]
    assert [p["title"] for p in after] == ["Two", "One", "One"]
    assert [after[0]["id"], after[1]["id"]] == [before[1]["id"], before[0]["id"]]


def test_suggestions_are_the_engines_with_reasons(service):
    strong = {"housing": {"strength": 4}}
    register(
        service,
        city("asks", areas={"housing": {"need": 4}}),
        city("strong", "mentor", areas=strong),
        city("full", "mentor", areas=strong, mentor_capacity=0),
        city("weak", "mentor", areas={"health": {"strength": 4}}),
    )

    found = service.get("/cities/asks/suggestions").json()["items"]
    one = service.get("/cities/strong/suggestions?role=learner&limit=1").json()["items"]

    assert [pair["mentor"] for pair in found] == ["strong", "weak"]
    assert found[0]["score"] == sum(p["points"] for p in found[0]["contributions"])
    assert [(pair["mentor"], pair["learner"]) for pair in one] == [("strong", "asks")]
    assert refusal(service.get("/cities/none/suggestions"))[0] == 404


def test_twenty_copies_of_one_post_have_one_effect(service):
    body = city("any", name="Ghent")
    del body["id"]

    def send(_):
        return service.call(
            "POST", "/cities", json=body, headers={"Idempotency-Key": "k-1"}
        )

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {
        "/api/v1/cities/ghent"
    }
    replayed = [a for a in answers if "idempotency-replayed" in a.headers]
    assert len(replayed) == 19
    assert ids(service.get("/cities")) == ["ghent"]
    log = service.get("/cities/ghent/audit").json()["items"]
    assert [entry["action"] for entry in log] == ["city.created"]


def test_a_key_is_for_one_request_of_one_account(service):
    def send(body, role="organiser"):
        return service.call(
            "POST", "/rounds", role, json=body, headers={"Idempotency-Key": "k"}
        )

    first = send({"name": "A"})
    other = send({"name": "B"})
    else_where = send({"name": "B"}, "administrator")

    assert first.status_code == else_where.status_code == 201
    assert refusal(other) == (409, "key-reused", [])


def test_a_refused_request_does_not_use_its_key_up(service):
    def send():
        return service.call(
            "POST", "/cities", json=city("g"), headers={"Idempotency-Key": "k"}
        )

    register(service, city("g"))
    refused = send()
    service.delete("/cities/g")

    assert refusal(refused) == (409, "already-exists", [])
    assert send().status_code == 201


def test_everything_done_to_a_city_stands_in_its_log(service):
    register(service, city("mechelen"))
    service.put("/cities/mechelen", city("mechelen", name="M"), "*", "officer")
    service.post(
        "/cities/mechelen/practices", {"area": "housing", "title": "T"}, "officer"
    )
    service.delete("/cities/mechelen")

    log = service.get("/cities/mechelen/audit").json()["items"]

    assert [(entry["action"], entry["details"].get("fields")) for entry in log] == [
        ("city.deleted", None),
        ("practice.created", None),
        ("city.changed", ["name"]),
        ("city.created", None),
        ("account.opened", None),
    ]
    assert log[1]["account"] == log[2]["account"] != log[3]["account"]
    page = service.get("/cities/mechelen/audit?limit=3").json()
    rest = service.client.get(page["next"], headers=service.bearer("auditor")).json()
    assert page["items"] + rest["items"] == log
