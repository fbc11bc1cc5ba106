"""Repairs put another pairing where one has broken."""

from datetime import datetime, timedelta

from tests.fixtures.cities import (
    FIVE,
    PROPOSED,
    add_officer,
    city,
    closed_round,
    confirm,
    last_actions,
    messages,
    pairing,
    pairs,
    refusal,
    register,
    released_round,
    say,
    staged_round,
)
from tests.services.pairings.after_release import WHY, first, new_messages, outbox


def test_a_broken_pairing_is_mended_by_one_call(released):
    declined = pairing(released, released.round, "bruges", "delft")
    say(released, declined, "learner", "decline")
    confirmed = first(released)
    confirm(released, confirmed)
    register(released, city("zadar", areas={"health": {"need": 4}}, languages=["nl"]))
    add_officer(released, "zadar")
    where = f"/rounds/{released.round}"
    entered = released.put(f"{where}/participants/zadar", {})
    before = outbox(released)
    tag = released.get(where).headers["etag"]

    found = released.get(f"{where}/repairs").json()["items"]
    best = found[0]
    repaired = released.post(f"{where}/repairs", {"repair": best["id"]})

    assert entered.status_code == 201
    assert best["broken"] == [{"mentor": "bruges", "learner": "delft"}]
    assert (best["changes"], best["undone"]) == (1, [])
    assert [(one["mentor"], one["learner"]) for one in best["added"]] == [
        ("bruges", "zadar")
    ]
    ranks = [(one["changes"], -one["points"]) for one in found]
    assert ranks == sorted(ranks)
    for one in found:
        assert {"mentor": "amiens", "learner": "celje"} in [
            {key: pair[key] for key in ("mentor", "learner")}
            for pair in one["pairings"]
        ]
    assert repaired.status_code == 200
    assert repaired.json() == released.get(where).json()
    assert repaired.headers["etag"] != tag
    mended = pairing(released, released.round, "bruges", "zadar")
    assert (mended["state"], mended["origin"]) == ("offered", "repair")
    assert mended["score"] == best["added"][0]["score"]
    offered, until = (
        datetime.fromisoformat(mended[field]) for field in ("offered_at", "answer_by")
    )
    assert until - offered == timedelta(days=14)
    assert pairs(released, released.round, "confirmed") == [("amiens", "celje")]
    assert new_messages(released, before) == [
        ("bruges", "offer", "mentor", "bruges"),
        ("zadar", "offer", "learner", "zadar"),
    ]
    assert last_actions(released, released.round, 1) == ["round.repaired"]
    stale = released.post(f"{where}/repairs", {"repair": best["id"]})
    assert refusal(stale) == (412, "stale", [])


def test_a_repair_that_undoes_an_offer_tells_whom_it_concerns(idle_service):
    cities = (
        city("best", "mentor", areas={"housing": {"strength": 4}}, languages=["nl"]),
        city("good", "mentor", areas={"housing": {"strength": 2}}, languages=["nl"]),
        city("one", areas={"housing": {"need": 4}}, languages=["nl"]),
        city("two", areas={"housing": {"need": 3}}, languages=["nl"]),
    )
    for name in ("best", "good", "one", "two"):
        add_officer(idle_service, name)
    idle_service.round = released_round(idle_service, *cities)
    where = f"/rounds/{idle_service.round}"
    proposed = pairs(idle_service, idle_service.round)
    broken = pairing(idle_service, idle_service.round, *proposed[1])
    say(idle_service, broken, "learner", "decline")
    before = outbox(idle_service)
    swap = next(
        one
        for one in idle_service.get(f"{where}/repairs").json()["items"]
        if one["undone"]
    )

    repaired = idle_service.post(f"{where}/repairs", {"repair": swap["id"]})

    assert repaired.status_code == 200
    (undone,) = swap["undone"]
    gone = pairing(
        idle_service, idle_service.round, undone["mentor"], undone["learner"]
    )
    assert (gone["state"], gone["ended_by"]) == ("withdrawn", "repair")
    expected = [
        (undone["learner"], "withdrawn", "learner", undone["learner"]),
        (undone["mentor"], "withdrawn", "mentor", undone["mentor"]),
    ]
    for pair in swap["added"]:
        expected += [
            (pair["mentor"], "offer", "mentor", pair["mentor"]),
            (pair["learner"], "offer", "learner", pair["learner"]),
        ]
    assert new_messages(idle_service, before) == sorted(expected)
    assert sorted(pairs(idle_service, idle_service.round, "offered")) == sorted(
        (pair["mentor"], pair["learner"]) for pair in swap["pairings"]
    )


def test_no_repair_undoes_what_both_have_confirmed(released):
    # Without that, evora would give way to the better zadar.
    released.put(
        f"/rounds/{released.round}/participants/bruges", {"mentor_capacity": 2}, "*"
    )
    register(released, city("zadar", areas={"health": {"need": 4}}, languages=["nl"]))
    released.put(f"/rounds/{released.round}/participants/zadar", {})
    where = f"/rounds/{released.round}/repairs"
    before = released.get(where).json()["items"]
    for learner in ("delft", "evora"):
        confirm(released, pairing(released, released.round, "bruges", learner))

    after = released.get(where).json()["items"]

    def undone(repairs):
        return {
            (pair["mentor"], pair["learner"])
            for one in repairs
            for pair in one["undone"]
        }

    assert undone(before) & set(PROPOSED[1:])
    assert not undone(after) & set(PROPOSED[1:])


def test_a_staged_round_is_mended_in_silence(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    for cities in (PROPOSED[0], PROPOSED[2]):
        one = pairing(idle_service, round_id, *cities)
        idle_service.post(f"/pairings/{one['id']}/dismiss", WHY)
    (repair, *_) = idle_service.get(f"/rounds/{round_id}/repairs").json()["items"]
    assert {(one["mentor"], one["learner"]) for one in repair["added"]} == {
        ("amiens", "evora"),
        ("bruges", "celje"),
    }

    repaired = idle_service.post(
        f"/rounds/{round_id}/repairs", {"repair": repair["id"]}
    )

    assert repaired.status_code == 200
    assert sorted(pairs(idle_service, round_id, "staged")) == sorted(
        (pair["mentor"], pair["learner"]) for pair in repair["pairings"]
    )
    assert {state for *_, state in messages(idle_service, round_id)} == {"held"}


def test_repairs_are_listed_and_made_by_whom_they_concern(released):
    for cities in (PROPOSED[0], PROPOSED[2]):
        one = pairing(released, released.round, *cities)
        say(released, one, "learner", "decline")
    where = f"/rounds/{released.round}/repairs"
    repair = released.get(where, "auditor").json()["items"][0]["id"]

    assert refusal(released.get(where, "amiens")) == (404, "not-found", [])
    for role in ("amiens", "auditor"):
        refused = released.post(where, {"repair": repair}, role)
        assert refusal(refused) == (403, "forbidden", [])
    assert refusal(released.post(where, {"repair": "x"})) == (
        422,
        "invalid-input",
        ["/repair"],
    )
    assert refusal(released.post(where, {"repair": "0" * 16})) == (412, "stale", [])


def test_a_repair_that_would_change_nothing_is_not_listed(sqlite_service):
    round_id = staged_round(sqlite_service, *FIVE)
    where = f"/rounds/{round_id}/repairs"
    whole = sqlite_service.get(where).json()["items"]
    one = pairing(sqlite_service, round_id, "amiens", "celje")
    sqlite_service.post(f"/pairings/{one['id']}/dismiss", WHY)

    for found in (whole, sqlite_service.get(where).json()["items"]):
        assert all(one["added"] or one["undone"] for one in found)


def test_there_is_nothing_to_mend_before_something_is_staged(sqlite_service):
    round_id, _ = closed_round(sqlite_service, *FIVE)

    for answer in (
        sqlite_service.get(f"/rounds/{round_id}/repairs"),
        sqlite_service.post(f"/rounds/{round_id}/repairs", {"repair": "0" * 16}),
    ):
        assert refusal(answer) == (409, "wrong-phase", [])
