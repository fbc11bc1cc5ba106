"""The release: its letters can be read before, and its deadline must make sense."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.cities import (
    FIVE,
    PROPOSED,
    add_officer,
    last_actions,
    listed,
    messages,
    pairing,
    pairs,
    refusal,
    staged_round,
)
from tests.fixtures.moments import in_days
from tests.services.decisions.staged_rounds import moment, state_of

# What would be sent can be read before.


def read_messages(service, round_id):
    return sorted(
        (one["city"], one["account"], one["language"], one["subject"], one["text"])
        for one in listed(service, f"/rounds/{round_id}/messages")
    )


def named_round(service):
    """Stage a round: amiens has two officers, delft and evora one, the others none."""
    for name in ("amiens", "delft", "evora"):
        add_officer(service, name)
    add_officer(service, "amiens", "second")
    return staged_round(service, *FIVE)


def test_the_outbox_is_counted_and_read_before_the_release(idle_service):
    round_id = named_round(idle_service)
    where = f"/rounds/{round_id}"

    counted = idle_service.get(f"{where}/outbox").json()

    assert counted["total"] == 7
    assert counted["counts"] == [
        {
            "kind": "offer",
            "role": role,
            "language": language,
            "state": "held",
            "count": count,
        }
        for role, language, count in (
            ("learner", "en", 2),
            ("learner", "nl", 1),
            ("mentor", "fr", 2),
            ("mentor", "nl", 2),
        )
    ]
    assert counted["unaddressed"] == ["bruges", "celje"]
    one = pairing(idle_service, round_id, "amiens", "celje")
    texts = {
        (text["city"], text["role"]): text
        for text in listed(idle_service, f"{where}/messages")
    }
    french = texts["amiens", "mentor"]
    assert french["language"] == "fr"
    assert "celje" in french["subject"]
    assert f"http://127.0.0.1:8000/pairings/{one['id']}" in french["text"]
    assert idle_service.get(f"/messages/{french['id']}").json() == french
    for role in ("amiens", "officer"):
        for path in (
            f"{where}/outbox",
            f"{where}/messages",
            f"/messages/{french['id']}",
        ):
            assert refusal(idle_service.get(path, role)) == (404, "not-found", [])


def test_a_release_sends_what_could_be_read_before(idle_service):
    round_id = named_round(idle_service)
    deadline = datetime.now(UTC).replace(microsecond=0) + timedelta(days=14)
    before = read_messages(idle_service, round_id)

    released = idle_service.post(
        f"/rounds/{round_id}/release", {"answer_by": deadline.isoformat()}
    )

    assert released.status_code == 200
    assert read_messages(idle_service, round_id) == before
    states = [
        one["state"] for one in listed(idle_service, f"/rounds/{round_id}/messages")
    ]
    assert (states.count("queued"), states.count("unaddressed")) == (4, 3)


def test_letters_follow_a_staged_round_that_is_renamed(sqlite_service):
    round_id = named_round(sqlite_service)

    sqlite_service.call(
        "PATCH",
        f"/rounds/{round_id}",
        json={"name": "Renamed", "answer_days": 3},
        headers={"If-Match": "*"},
    )

    before = read_messages(sqlite_service, round_id)
    assert all(text.endswith("\nRenamed") for *_, text in before)
    sqlite_service.post(f"/rounds/{round_id}/release", {})
    assert read_messages(sqlite_service, round_id) == before


def test_a_test_copy_goes_to_the_organiser_alone(sqlite_service):
    round_id = named_round(sqlite_service)
    held = next(
        one
        for one in listed(sqlite_service, f"/rounds/{round_id}/messages")
        if one["city"] == "delft"
    )
    where = f"/messages/{held['id']}/test"

    copied = sqlite_service.call("POST", where)

    copy = copied.json()
    assert copied.status_code == 202
    assert (copy["city"], copy["role"], copy["state"]) == (None, "organiser", "queued")
    assert (copy["subject"], copy["text"]) == (
        f"[Test] {held['subject']}",
        held["text"],
    )
    assert sqlite_service.get(f"/messages/{held['id']}").json() == held
    assert refusal(sqlite_service.call("POST", where, "auditor"))[:2] == (
        403,
        "forbidden",
    )
    assert refusal(sqlite_service.call("POST", where, "delft"))[0] == 404
    again = sqlite_service.call("POST", f"/messages/{held['id']}/send-again")
    assert refusal(again) == (409, "conflict", [])


# The release.


def test_a_release_offers_what_is_staged_until_the_deadline(idle_service):
    add_officer(idle_service, "celje")
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    idle_service.call(
        "PATCH", where, json={"answer_days": 3}, headers={"If-Match": "*"}
    )

    released = idle_service.post(f"{where}/release", {})

    released_round = released.json()
    assert released.status_code == 200
    assert released_round["phase"] == "released"
    at, until = (
        moment(released_round["released_at"]),
        moment(released_round["answer_by"]),
    )
    assert until - at == timedelta(days=3)
    for one in listed(idle_service, f"{where}/pairings"):
        assert one["state"] == "offered"
        assert (moment(one["offered_at"]), moment(one["answer_by"])) == (at, until)
    assert pairs(idle_service, round_id, role="celje") == PROPOSED
    assert last_actions(idle_service, round_id, 1) == ["round.released"]
    again = idle_service.post(f"{where}/release", {})
    assert refusal(again) == (409, "wrong-phase", [])


@pytest.mark.parametrize(
    ("answer_by", "told"),
    [
        (in_days(-1), (422, "invalid-input", ["/answer_by"])),
        (in_days(401), (422, "invalid-input", ["/answer_by"])),
        ("2027-13-01T00:00:00Z", (422, "invalid-input", ["/answer_by"])),
        ("9999-12-31T23:59:59-12:00", (422, "invalid-input", ["/answer_by"])),
        (5, (422, "invalid-input", ["/answer_by"])),
    ],
    ids=range(5),
)
def test_a_deadline_that_cannot_be_is_refused(sqlite_service, answer_by, told):
    round_id = staged_round(sqlite_service, *FIVE)
    before = state_of(sqlite_service, round_id)

    refused = sqlite_service.post(
        f"/rounds/{round_id}/release", {"answer_by": answer_by}
    )

    assert refusal(refused) == told
    assert state_of(sqlite_service, round_id) == before


@pytest.mark.parametrize(
    ("zone", "hours"), [("", 0), ("Z", 0), ("+02:00", 2), ("-05:00", -5)]
)
def test_a_deadline_without_a_time_zone_is_meant_in_utc(sqlite_service, zone, hours):
    round_id = staged_round(sqlite_service, *FIVE)
    local = (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%dT17:00:00")

    released = sqlite_service.post(
        f"/rounds/{round_id}/release", {"answer_by": local + zone}
    )

    expected = moment(f"{local}+00:00") - timedelta(hours=hours)
    assert moment(released.json()["answer_by"]) == expected


@pytest.mark.parametrize("cities", [(), (FIVE[0],), (FIVE[2],)], ids=range(3))
def test_a_round_without_pairings_is_staged_and_has_nothing_to_release(
    idle_service, cities
):
    round_id = staged_round(idle_service, *cities)
    role = {"mentor": "mentor", "learner": "learner"}

    refused = idle_service.post(f"/rounds/{round_id}/release", {})

    assert refusal(refused) == (409, "conflict", [])
    assert messages(idle_service, round_id) == [
        (one["id"], "not_placed", role[one["roles"][0]], "held") for one in cities
    ]
    assert idle_service.get(f"/rounds/{round_id}/repairs").status_code == 200
    assert idle_service.get(f"/rounds/{round_id}/health").json()["staged"] == 0
    archived = idle_service.post(f"/rounds/{round_id}/phase", {"to": "archived"})
    assert archived.json()["phase"] == "archived"
    assert messages(idle_service, round_id) == []
