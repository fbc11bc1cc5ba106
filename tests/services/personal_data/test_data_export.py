"""People take along what is stored of them."""

from tests.fixtures.cities import (
    FIVE,
    add_officer,
    confirm,
    listed,
    pairing,
    refusal,
    released_round,
    say,
)
from tests.services.personal_data.traces import account_of
from tests.web.visitor import HTML, Visitor


def test_everybody_takes_along_what_is_kept_of_the_own_account(idle_service):
    service = idle_service
    for one in ("amiens", "celje"):
        add_officer(service, one)
    round_id = released_round(service, *FIVE)
    one = pairing(service, round_id, "amiens", "celje")
    other = pairing(service, round_id, "bruges", "delft")
    confirm(service, one)
    no = {"side": "mentor", "answer": "decline", "text": "No.", "reason_code": "other"}
    service.post(f"/pairings/{other['id']}/answer", no)  # by an organiser
    say(service, one, "mentor", "accept", "amiens")  # again: changes nothing
    check_in = service.post(
        f"/pairings/{one['id']}/check-ins", {"note": "Met."}, "celje"
    )
    service.post(f"/pairings/{one['id']}/check-ins", {"note": "Not mine."}, "amiens")
    own = {"name": "C", "email": "celje@example.org"}
    service.post("/cities/celje/contacts", own, "celje")
    service.post("/cities/celje/contacts", {"name": "Somebody else"}, "celje")
    secret = service.post("/account/tokens", {"name": "Mine"}, "celje").json()["token"]

    answer = service.get("/account/export", "celje")

    found = answer.json()
    assert answer.headers["content-disposition"] == (
        'attachment; filename="compaan-data.json"'
    )
    assert found["account"] == service.get("/account", "celje").json()
    assert found["tokens"] == service.get("/account/tokens", "celje").json()["items"]
    assert [contact["name"] for contact in found["contacts"]] == ["C"]
    assert found["check_ins"] == [check_in.json()]
    assert found["answers"] == []
    assert {entry["action"] for entry in found["log"]} == {
        "account.opened",
        "contact.added",
        "pairing.noted",
        "token.made",
    }
    offers = listed(service, f"/rounds/{round_id}/messages")
    assert sorted(letter["subject"] for letter in found["letters"]) == sorted(
        one["subject"] for one in offers if one["city"] == "celje"
    )
    assert secret not in answer.text
    assert service.get("/account/export", None).status_code == 401
    by_organiser = service.get("/account/export").json()
    assert [(one["side"], one["text"]) for one in by_organiser["answers"]] == [
        ("mentor", None),
        ("learner", None),
        ("mentor", "No."),
    ]


def test_organisers_hand_out_what_is_kept_of_others(sqlite_service):
    officer = account_of(sqlite_service, "officer")
    where = f"/accounts/{officer}/export"

    found = {
        caller: sqlite_service.get(where, caller).status_code
        for caller in ("organiser", "administrator", "officer", "auditor", None)
    }

    exported = sqlite_service.get(where).json()
    own = sqlite_service.get("/account/export", "officer").json()
    assert found == {
        "organiser": 200,
        "administrator": 200,
        "officer": 200,
        "auditor": 404,
        None: 401,
    }
    assert exported | {"made_at": own["made_at"]} == own
    assert refusal(sqlite_service.get(f"/accounts/{'0' * 32}/export"))[0] == 404


def test_the_page_of_the_notice_gives_the_file(sqlite_service):
    page = Visitor(sqlite_service).sign_in("officer").open("/privacy")

    file = sqlite_service.client.get("/privacy/data.json", headers=HTML)

    assert 'href="/privacy/data.json"' in page.page.text
    assert file.headers["content-type"] == "application/json"
    assert file.json()["account"]["email"] == "officer@example.org"
    ways = [one["way"] for one in file.json()["sign_ins"]]
    assert ways == ["token"]
