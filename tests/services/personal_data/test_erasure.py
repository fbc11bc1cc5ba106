"""An erased person leaves no trace but where it must stay."""

from datetime import UTC, datetime

import pytest

from app.services.shared import erasure
from tests.fixtures.cities import (
    FIVE,
    changing,
    city,
    listed,
    pairing,
    register,
    staged_round,
)
from tests.services.personal_data.traces import (
    EMAIL,
    EVERYWHERE,
    LEFT,
    NAME,
    OTHERS,
    PRACTICE,
    PROFILE,
    SAYS,
    add_contact,
    invite,
    name_everywhere,
    names_person,
    traces,
)


def test_an_erased_person_leaves_no_trace(idle_service, capfd):
    service = idle_service
    name_everywhere(service)
    account, contact = invite(service), add_contact(service)
    before = traces(service)

    erased = service.delete(f"/cities/amiens/contacts/{contact}")
    closed = service.delete(f"/accounts/{account}")

    assert (erased.status_code, closed.status_code) == (204, 204)
    assert before == EVERYWHERE
    assert traces(service) == set()
    out, err = capfd.readouterr()
    assert "/api/v1/accounts" in out + err
    assert not names_person(out + err)
    amiens = service.get("/cities/amiens").json()
    assert amiens["needs_text"] == f"{LEFT} {OTHERS}"
    assert amiens["practices"][0]["title"] == "By […]"
    assert service.get("/rounds/trial").json()["name"] == "Round of […]"
    log = listed(service, "/rounds/trial/audit")
    moved = [one["details"] for one in log if one["action"] == "round.moved"]
    assert [one.get("reason") for one in moved] == [None, LEFT, None, None]


def test_what_is_frozen_in_a_run_and_its_release_stays_as_it_can_be_checked(
    idle_service,
):
    service = idle_service
    cities = (FIVE[0] | PROFILE, *FIVE[1:])
    round_id = staged_round(
        service,
        *cities,
        policy={"bans": [{"mentor": "amiens", "learner": "evora", "reason": SAYS}]},
    )
    service.post(f"/rounds/{round_id}/release", {})
    contact = add_contact(service)
    sealed = service.get(f"/rounds/{round_id}/bundle").content

    service.delete(f"/cities/amiens/contacts/{contact}")

    assert traces(service) == {
        ("run", "problem"),
        ("run", "policy"),
        ("solution", "body"),
        ("decision", "bundle"),
    }
    assert service.get(f"/rounds/{round_id}/bundle").content == sealed
    one = pairing(service, round_id, "amiens", "celje")
    explanation = service.get(f"/pairings/{one['id']}/explanation?lang=en").text
    assert ("By […]" in explanation, names_person(explanation)) == (True, False)


def test_a_city_that_is_deleted_takes_its_contact_persons_along(idle_service):
    register(idle_service, city("amiens"), city("bruges", needs_text=SAYS))
    add_contact(idle_service)

    assert idle_service.delete("/cities/amiens").status_code == 204

    assert traces(idle_service) == set()
    assert idle_service.get("/cities/bruges").json()["needs_text"] == LEFT


@pytest.mark.parametrize("name", ["Zoë", "A B", "Quackenbosch", None])
def test_a_name_that_may_mean_something_else_stays_in_texts(sqlite_service, name):
    written = f"Zoë A B Quackenbosch, {EMAIL}"
    register(sqlite_service, city("amiens", needs_text=written))

    with changing(sqlite_service) as session:
        erasure.scrub(session, EMAIL, name, [])

    stored = sqlite_service.get("/cities/amiens").json()["needs_text"]
    assert stored == "Zoë A B Quackenbosch, […]"


def test_accents_and_blanks_may_be_written_in_either_way(idle_service):
    written = "Zoe\u0308\n Quackenbosch; Ευγενία Παππά; eυγενία παππά"
    register(idle_service, city("amiens", needs_text=written))

    with changing(idle_service) as session:
        erasure.scrub(session, None, NAME, [])
        erasure.scrub(session, None, "Ευγενία Παππά", [])

    stored = idle_service.get("/cities/amiens").json()["needs_text"]
    assert stored == "[…]; […]; eυγενία παππά"  # the last one begins with a Latin e


def test_an_erasure_is_a_change_of_what_it_changes(sqlite_service):
    register(sqlite_service, city("amiens", practices=[PRACTICE]), city("bruges"))
    before = {one: sqlite_service.get(f"/cities/{one}") for one in ("amiens", "bruges")}
    since = datetime.now(UTC).isoformat()

    with changing(sqlite_service) as session:
        erasure.scrub(session, EMAIL, NAME, [])

    found = sqlite_service.get("/cities", params={"updated_since": since}).json()
    assert [one["id"] for one in found["items"]] == ["amiens"]
    after = {one: sqlite_service.get(f"/cities/{one}") for one in before}
    same = {
        one
        for one in before
        if after[one].headers["etag"] == before[one].headers["etag"]
    }
    assert same == {"bruges"}
