"""Offers expire, are offered again, and get another deadline."""

from datetime import UTC, datetime, timedelta

from app.db import tables
from app.services.pairings import offers
from tests.fixtures.cities import changing, confirm, last_actions, pairing, refusal, say
from tests.fixtures.moments import in_days
from tests.services.pairings.after_release import (
    again,
    first,
    let_pass,
    new_messages,
    outbox,
    patch,
)


def test_who_does_not_answer_in_time_loses_the_offer(released):
    half, whole = first(released), pairing(released, released.round, "bruges", "delft")
    say(released, half, "mentor", "accept")
    confirm(released, whole)
    before = outbox(released)

    ended = let_pass(released, "offered", "confirmed")

    assert ended == 2
    assert offers.expire(released.client.app.state.database) == 0
    expired = again(released, half)
    assert (expired["state"], expired["ended_by"]) == ("expired", "deadline")
    assert (expired["mentor_answer"], expired["learner_answer"]) == (
        "accepted",
        "pending",
    )
    assert expired["ended_at"] == expired["updated_at"]
    assert again(released, whole)["state"] == "confirmed"
    assert new_messages(released, before) == [
        ("", "to_repair", "organiser", "organiser"),
        ("", "to_repair", "organiser", "organiser"),
        ("amiens", "expired", "mentor", "amiens"),
        ("bruges", "expired", "mentor", "bruges"),
        ("celje", "expired", "learner", "celje"),
        ("evora", "expired", "learner", "evora"),
    ]
    assert last_actions(released, released.round, 2) == ["pairing.expired"] * 2
    assert refusal(say(released, half, "learner", "accept")) == (
        409,
        "not-offered",
        [],
    )


def test_an_answer_after_the_deadline_is_too_late_also_before_the_worker_comes(
    released,
):
    one = first(released)
    with changing(released) as session:
        row = session.get_one(tables.Pairing, one["id"])
        row.answer_by = datetime.now(UTC) - timedelta(seconds=1)

    for what in ("accept", "decline"):
        refused = say(released, one, "mentor", what, "amiens")
        assert refusal(refused) == (409, "too-late", [])
    assert again(released, one)["mentor_answer"] == "pending"


def test_an_expired_pairing_is_offered_again_with_a_new_deadline(released):
    one = first(released)
    say(released, one, "mentor", "accept")
    let_pass(released)
    before = outbox(released)

    offered = patch(released, one, in_days(7))

    prolonged = offered.json()
    assert (prolonged["state"], prolonged["ended_at"], prolonged["ended_by"]) == (
        "offered",
        None,
        None,
    )
    assert (prolonged["mentor_answer"], prolonged["learner_answer"]) == (
        "accepted",
        "pending",
    )
    assert new_messages(released, before) == [("celje", "offer", "learner", "celje")]
    assert say(released, one, "learner", "accept").json()["state"] == "confirmed"


def test_an_expired_pairing_whose_place_is_taken_is_not_offered_again(released):
    one = first(released)
    let_pass(released)
    (repair, *_) = released.get(f"/rounds/{released.round}/repairs").json()["items"]
    repaired = released.post(
        f"/rounds/{released.round}/repairs", {"repair": repair["id"]}
    )
    assert repaired.status_code == 200
    taken = {pair["mentor"] for pair in repair["added"]}
    assert "amiens" in taken
    before = again(released, one)

    refused = patch(released, one, in_days(7))

    assert refusal(refused) == (409, "no-places", [])
    assert again(released, one) == before


def test_a_deadline_is_moved_by_organisers_who_have_seen_the_pairing(released):
    one = first(released)
    tag = released.get(f"/pairings/{one['id']}").headers["etag"]
    letters = outbox(released)

    moved = patch(released, one, in_days(30), tag=tag)

    assert moved.status_code == 200
    assert moved.json()["answer_by"] > one["answer_by"]
    assert moved.headers["etag"] != tag
    assert outbox(released) == letters
    assert refusal(patch(released, one, in_days(9), tag=tag)) == (
        412,
        "stale",
        ["/answer_by"],
    )
    assert refusal(patch(released, one, in_days(9), tag=None))[0] == 428
    assert refusal(patch(released, one, in_days(9), "amiens"))[:2] == (
        403,
        "forbidden",
    )
    for answer_by in (in_days(-1), in_days(401), None, "soon"):
        assert refusal(patch(released, one, answer_by)) == (
            422,
            "invalid-input",
            ["/answer_by"],
        )
    say(released, one, "mentor", "decline")
    assert refusal(patch(released, one, in_days(9))) == (409, "not-offered", [])
