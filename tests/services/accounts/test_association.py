"""The association: it registers and nominates its cities, and sees what they see."""

import pytest

from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    changing,
    city,
    open_round,
    pairing,
    pairs,
    refusal,
    register,
    released_round,
    say,
)
from tests.web.visitor import Visitor


def add_association(service, name: str) -> None:
    """Add an account for an association; its name is the role to call with."""
    with changing(service) as session:
        address = f"{name.lower()}@example.org"
        account = accounts.add_user(session, address, "association", association=name)
        service.tokens[name] = add_token(session, account)


@pytest.fixture
def associations(sqlite_service):
    """Return the service with two associations."""
    add_association(sqlite_service, "AMF")
    add_association(sqlite_service, "VVSG")
    return sqlite_service


def supported(slug: str, **fields):
    return city(slug, association="AMF", **fields)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_association_registers_cities_that_carry_its_name(associations, method):
    def registered(slug, **fields):
        where = "/cities" if method == "POST" else f"/cities/{slug}"
        body = city(slug, **fields)
        return associations.call(method, where, "AMF", json=body).status_code

    found = [
        registered("lille", association="AMF"),
        registered("ghent", association="VVSG"),
        registered("bern"),
        registered("nice", association="amf"),
    ]

    assert found == [201, 403, 403, 403]
    log = associations.get("/cities/lille/audit", "AMF").json()["items"]
    assert [entry["action"] for entry in log] == ["city.created"]


def test_an_association_registers_with_the_form(associations):
    page = Visitor(associations).sign_in("AMF").open("/cities/new?place=0")

    told = {"roles": "learner", "need_housing": "3"}
    page.press("Register the city", name="Lille", country="FR", **told)

    assert (page.status, page.path) == (200, "/cities/lille")
    assert associations.get("/cities/lille").json()["association"] == "AMF"
    page.open("/cities/new?place=0")
    other = {"association": "VVSG", "roles": "learner", "need_housing": "3"}
    page.press("Register the city", name="Ghent", country="BE", **other)
    assert (page.status, associations.get("/cities/ghent").status_code) == (403, 404)


def test_an_association_edits_no_profile(associations):
    register(associations, supported("lille"))
    practice = {"area": "housing", "title": "T"}

    told = [
        associations.put("/cities/lille", supported("lille"), "*", "AMF"),
        associations.post("/cities/lille/practices", practice, "AMF"),
        associations.delete("/cities/lille", role="AMF"),
    ]

    assert [refusal(one)[0] for one in told] == [403, 403, 403]
    edit = Visitor(associations).sign_in("AMF").open("/cities/lille/edit")
    assert edit.status == 404


def test_an_association_nominates_into_an_open_round_once(idle_service):
    service = idle_service
    add_association(service, "AMF")
    round_id = open_round(service, city("bruges", "mentor"))
    register(service, supported("lille"), city("bern"))
    where = f"/rounds/{round_id}/participants"

    wishes = service.put(f"{where}/lille", {"vetoes": ["bruges"]}, role="AMF")
    first = service.put(f"{where}/lille", {"learner_demand": 2}, role="AMF")
    again = service.put(f"{where}/lille", {"learner_demand": 1}, "*", role="AMF")
    other = service.put(f"{where}/bern", {}, role="AMF")
    away = service.delete(f"{where}/lille", role="AMF")

    assert first.status_code == 201
    assert first.json() == {
        "city": "lille",
        "roles": ["learner"],
        "mentor_capacity": 0,
        "learner_demand": 2,
        "wishes": None,
        "vetoes": None,
    }
    told = (wishes, again, other, away)
    assert [refusal(one)[0] for one in told] == [403, 403, 403, 403]
    assert service.get(f"{where}/lille").json()["learner_demand"] == 2


@pytest.mark.parametrize("phase", ["draft", "closed"])
def test_an_association_nominates_into_no_other_round(associations, phase):
    register(associations, supported("lille"))
    associations.post("/rounds", {"name": "Trial"})
    if phase == "closed":
        associations.post("/rounds/trial/phase", {"to": "open"})
        associations.post("/rounds/trial/phase", {"to": "closed"})

    nominated = associations.put("/rounds/trial/participants/lille", {}, role="AMF")

    assert refusal(nominated)[0] == {"draft": 404, "closed": 403}[phase]


def test_an_association_sees_wishes_and_vetoes_of_nobody(associations):
    round_id = open_round(associations, supported("lille"), city("bruges", "mentor"))
    where = f"/rounds/{round_id}/participants/lille"
    associations.put(where, {"vetoes": ["bruges"]}, "*")

    told = associations.get(where, "AMF").json()

    assert (told["wishes"], told["vetoes"]) == (None, None)


def test_an_association_reads_the_log_of_its_cities_alone(associations):
    register(associations, supported("lille"), city("bern"))

    def read(slug, caller):
        return associations.get(f"/cities/{slug}/audit", caller).status_code

    assert (read("lille", "AMF"), read("bern", "AMF")) == (200, 404)
    assert (read("lille", "VVSG"), read("nowhere", "AMF")) == (404, 404)


@pytest.mark.parametrize("name", ["celje", "amiens"])
def test_an_association_sees_how_a_pairing_of_its_cities_ended(idle_service, name):
    service = idle_service
    add_association(service, "AMF")
    add_association(service, "VVSG")
    add_officer(service, name)
    cities = [
        one | ({"association": "AMF"} if one["id"] == name else {}) for one in FIVE
    ]
    round_id = released_round(service, *cities)
    one = pairing(service, round_id, "amiens", "celje")
    other = pairing(service, round_id, "bruges", "delft")
    answers = f"/pairings/{one['id']}/answer"
    answered = service.post(answers, {"side": "learner", "answer": "accept"}, "AMF")
    for each in (one, other):
        say(service, each, "learner", "decline")

    answer = service.get(f"/pairings/{one['id']}", "AMF")

    assert refusal(answered)[0] == 403
    assert answer.json() == service.get(f"/pairings/{one['id']}", name).json()
    assert (answer.json()["state"], answer.json()["reason_code"]) == ("declined", None)
    assert refusal(service.get(f"/pairings/{other['id']}", "AMF"))[0] == 404
    assert refusal(service.get(f"/pairings/{one['id']}", "VVSG"))[0] == 404
    shared = [("bruges", "evora")]
    assert pairs(service, round_id, role="AMF") == [("amiens", "celje"), *shared]
    assert pairs(service, round_id, role="VVSG") == shared
    notes = service.get(f"/pairings/{one['id']}/check-ins", "AMF")
    assert refusal(notes)[0] == 404


def test_an_association_is_told_of_no_pairing_before_the_release(associations):
    cities = [one | {"association": "AMF"} for one in FIVE]
    round_id = released_round(associations, *cities)
    with changing(associations) as session:
        session.connection().exec_driver_sql("UPDATE pairing SET state = 'dismissed'")

    assert pairs(associations, round_id, role="AMF") == []
