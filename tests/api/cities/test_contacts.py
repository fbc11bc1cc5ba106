"""Contact persons: who edits them, who sees them, and that they go nowhere else."""

import zipfile
from io import BytesIO

import pytest

from app.permissions import TERMINAL
from app.services.cities import contacts
from schemas import ContactWrite
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    audited,
    changing,
    city,
    compute,
    confirm,
    pairing,
    refusal,
    register,
    released_round,
    say,
)
from tests.services.accounts.test_association import add_association
from tests.web.visitor import Visitor

DESK = {
    "name": "Ann Wouters-Quackenbosch",
    "function": "Integration desk",
    "email": "desk@amiens.example",
}


def seen(service, caller, place="/cities/amiens/contacts"):
    """Return the names that the caller sees, or the status of the refusal."""
    answer = service.get(place, caller)
    if answer.status_code != 200:
        return refusal(answer)[0]
    return [one["name"] for one in answer.json()["items"]]


@pytest.fixture
def amiens(sqlite_service):
    """The service with Amiens, its officer, its association, and two others."""
    register(sqlite_service, city("amiens", association="AMF"), city("bruges"))
    add_officer(sqlite_service, "amiens")
    add_officer(sqlite_service, "bruges")
    add_association(sqlite_service, "AMF")
    add_association(sqlite_service, "VVSG")
    return sqlite_service


def test_a_contact_person_is_added_changed_confirmed_and_erased(idle_service):
    register(idle_service, city("amiens"))
    add_officer(idle_service, "amiens")
    where = "/cities/amiens/contacts"

    made = idle_service.post(where, DESK, "amiens")
    place = made.headers["location"].removeprefix("/api/v1")
    tag = made.headers["etag"]
    same = idle_service.put(place, DESK, tag, "amiens")
    other = DESK | {"function": None}
    changed = idle_service.put(place, other, same.headers["etag"], "amiens")

    told = made.json()
    assert (made.status_code, place) == (201, f"{where}/{told['id']}")
    times = {"created_at": told["created_at"], "updated_at": told["created_at"]}
    assert told == DESK | times | {"id": told["id"], "city": "amiens"}
    assert same.json()["updated_at"] > told["updated_at"]
    assert same.json() == told | {"updated_at": same.json()["updated_at"]}
    assert changed.json()["function"] is None
    assert idle_service.get(place, "amiens").headers["etag"] == changed.headers["etag"]
    assert refusal(idle_service.put(place, DESK, tag, "amiens"))[:2] == (412, "stale")
    assert refusal(idle_service.put(place, DESK, None, "amiens"))[0] == 428
    assert refusal(idle_service.delete(place, tag, "amiens"))[0] == 412
    assert idle_service.delete(place, role="amiens").status_code == 204
    assert refusal(idle_service.get(place, "amiens"))[0] == 404
    log = idle_service.get("/cities/amiens/audit").json()["items"]
    assert [(one["action"], one["details"]) for one in log[:4]] == [
        ("contact.erased", {"contact": told["id"]}),
        ("contact.changed", {"contact": told["id"], "fields": ["function"]}),
        ("contact.changed", {"contact": told["id"], "fields": []}),
        ("contact.added", {"contact": told["id"]}),
    ]


def test_contact_persons_are_no_part_of_the_city(amiens):
    before = amiens.get("/cities/amiens")

    amiens.post("/cities/amiens/contacts", DESK, "amiens")

    after = amiens.get("/cities/amiens")
    assert (after.json(), after.headers["etag"]) == (
        before.json(),
        before.headers["etag"],
    )


@pytest.mark.parametrize(
    ("caller", "sees", "edits"),
    [
        ("amiens", [DESK["name"]], 201),
        ("organiser", [DESK["name"]], 201),
        ("administrator", [DESK["name"]], 201),
        ("AMF", [DESK["name"]], 403),
        ("VVSG", 404, 404),
        ("bruges", 404, 404),
        ("auditor", 404, 404),
        (None, 401, 401),
    ],
)
def test_contact_persons_are_seen_and_edited_by_whom_they_concern(
    amiens, caller, sees, edits
):
    place = amiens.post("/cities/amiens/contacts", DESK).headers["location"]
    place = place.removeprefix("/api/v1")
    before = audited(amiens)

    found = seen(amiens, caller)
    alone = amiens.get(place, caller).status_code
    put = amiens.put(place, DESK, "*", caller).status_code
    added = amiens.post("/cities/amiens/contacts", DESK, caller).status_code
    gone = amiens.delete(place, role=caller).status_code

    # What is not to be seen has changed since it was read (RFC 9110, 13.1.1).
    done = {201: (200, 201, 204), 404: (412, 404, 404)}.get(edits, (edits,) * 3)
    assert (found, (put, added, gone)) == (sees, done)
    assert alone == (200 if isinstance(sees, list) else sees)
    assert audited(amiens) - before == (3 if edits == 201 else 0)


def test_a_contact_person_of_another_city_is_not_there(amiens):
    place = amiens.post("/cities/amiens/contacts", DESK).json()["id"]

    assert refusal(amiens.get(f"/cities/bruges/contacts/{place}"))[0] == 404
    assert refusal(amiens.get("/cities/nowhere/contacts"))[0] == 404


def test_a_city_has_twenty_contact_persons_at_most(amiens):
    with changing(amiens) as session:
        for at in range(20):
            new = ContactWrite(name=f"Desk {at}")
            contacts.add(session, TERMINAL, "amiens", new)

    refused = refusal(amiens.post("/cities/amiens/contacts", DESK, "amiens"))

    assert refused[:2] == (409, "conflict")
    assert len(seen(amiens, "amiens")) == 20


def test_partners_see_them_once_both_have_accepted_and_until_it_is_cleared(
    idle_service,
):
    service = idle_service
    for one in FIVE:
        add_officer(service, one["id"])
    round_id = released_round(service, *FIVE)
    service.post("/cities/amiens/contacts", DESK, "amiens")
    one = pairing(service, round_id, "amiens", "celje")

    offered = seen(service, "celje")
    say(service, one, "learner", "accept", "celje")
    half = seen(service, "celje")
    say(service, one, "mentor", "accept", "amiens")
    whole = seen(service, "celje"), seen(service, "bruges")
    place = "/cities/amiens/contacts"
    edits = refusal(service.post(place, DESK, "celje"))[0]
    service.post(f"/pairings/{one['id']}/withdraw", {"reason": "It has ended."})
    after = seen(service, "celje")

    assert (offered, half) == (404, 404)
    assert whole == ([DESK["name"]], 404)
    assert (edits, after) == (403, 404)


def test_contact_persons_go_into_no_run_no_bundle_and_no_export(idle_service):
    service = idle_service
    round_id = released_round(service, *FIVE)
    service.post("/cities/amiens/contacts", DESK)
    service.post("/rounds", {"name": "Next", "copy_of": round_id})
    service.post("/rounds/next/phase", {"to": "open"})
    run = compute(service, "next")

    told = [
        service.get(f"/runs/{run}/bundle").content,
        service.get(f"/rounds/{round_id}/bundle").content,
        service.get("/cities/export?format=json").content,
        service.get("/cities/export?format=csv").content,
    ]

    packed = [zipfile.ZipFile(BytesIO(content)) for content in told[:2]]
    texts = [file.read(name) for file in packed for name in file.namelist()]
    assert b'"amiens"' in texts[1]
    for text in (*texts, *told[2:]):
        assert b"Quackenbosch" not in text
        assert b"desk@amiens" not in text


# Pages.


def test_the_page_of_contact_persons_has_forms_for_its_own_officers(amiens):
    officer = Visitor(amiens).sign_in("amiens").open("/cities/amiens/edit/contacts")

    officer.press("Add the contact person", **DESK)

    where = "/cities/amiens/edit/contacts"
    assert (officer.status, officer.path) == (200, where)
    officer.press_again()  # a second click adds nobody
    assert seen(amiens, "amiens") == [DESK["name"]]
    officer.open(where).press("Save: it is right so", name="Bob Peeters")
    assert seen(amiens, "amiens") == ["Bob Peeters"]
    assert "Bob Peeters" in officer.text
    officer.press_again()  # somebody has changed it meanwhile: the officer itself
    assert officer.status == 412
    officer.open("/cities/amiens/edit/contacts").press("Erase Bob Peeters")
    assert (officer.status, seen(amiens, "amiens")) == (200, [])


def test_what_is_wrong_with_a_contact_person_comes_back_with_the_form(amiens):
    officer = Visitor(amiens).sign_in("amiens").open("/cities/amiens/edit/contacts")

    officer.press("Add the contact person", **DESK | {"email": "nowhere"})

    assert (officer.status, seen(amiens, "amiens")) == (422, [])
    assert "This could not be saved" in officer.text
    form = next(one for one in officer.forms() if one.holds("Add the contact person"))
    assert form.fields["name"] == [DESK["name"]]


@pytest.mark.parametrize(
    ("caller", "shown"),
    [("amiens", True), ("organiser", True), ("AMF", True), ("bruges", False)],
)
def test_the_page_of_a_city_shows_them_to_those_who_may_know(amiens, caller, shown):
    amiens.post("/cities/amiens/contacts", DESK)

    page = Visitor(amiens).sign_in(caller).open("/cities/amiens")

    assert page.status == 200
    assert (DESK["name"] in page.text) == ("Contact persons" in page.text) == shown


def test_the_page_of_a_confirmed_pairing_says_whom_to_write_to(sqlite_service):
    service = sqlite_service
    add_officer(service, "celje")
    round_id = released_round(service, *FIVE)
    service.post("/cities/amiens/contacts", DESK)
    one = pairing(service, round_id, "amiens", "celje")
    celje = Visitor(service).sign_in("celje")

    before = celje.open(f"/pairings/{one['id']}").text
    confirm(service, one)
    after = celje.open(f"/pairings/{one['id']}").text

    assert DESK["name"] not in before
    assert "Whom to write to in amiens Ann Wouters-Quackenbosch" in after
    assert "Whom to write to in celje" not in after
    auditor = Visitor(service).sign_in("auditor").open(f"/pairings/{one['id']}")
    assert (auditor.status, "Whom to write to" in auditor.text) == (200, False)
