"""The two cities of a pairing accept it or decline it."""

import pytest

from tests.fixtures.cities import (
    FIVE,
    add_officer,
    audited,
    confirm,
    last_actions,
    pairing,
    pairs,
    refusal,
    released_round,
    say,
    staged_round,
)
from tests.services.pairings.after_release import again, first, new_messages, outbox


def test_a_pairing_is_confirmed_when_both_have_accepted(released):
    one, before = first(released), outbox(released)

    half = say(released, one, "mentor", "accept", "amiens")
    nothing = new_messages(released, before)
    whole = say(released, one, "learner", "accept", "celje")

    assert half.json() == one | {
        "mentor_answer": "accepted",
        "updated_at": half.json()["updated_at"],
    }
    assert nothing == []
    told = whole.json()
    assert (told["state"], told["learner_answer"]) == ("confirmed", "accepted")
    assert told["confirmed_at"] == told["updated_at"]
    assert (told["ended_at"], told["ended_by"]) == (None, None)
    assert again(released, one) == told
    assert new_messages(released, before) == [
        ("amiens", "confirmed", "mentor", "amiens"),
        ("celje", "confirmed", "learner", "celje"),
    ]
    assert last_actions(released, released.round, 3) == [
        "pairing.answered",
        "pairing.answered",
        "round.released",
    ]


@pytest.mark.parametrize("side", ["mentor", "learner"])
def test_a_decline_ends_the_pairing_and_its_reasons_are_organisers_alone(
    released, side
):
    one, before = first(released), outbox(released)
    other = {"mentor": "learner", "learner": "mentor"}[side]
    body = {
        "side": side,
        "answer": "decline",
        "reason_code": "topic",
        "text": "We build no more.",
    }

    done = released.post(f"/pairings/{one['id']}/answer", body, one[side])

    told = again(released, one)
    assert done.status_code == 200
    assert (told["state"], told[f"{side}_answer"]) == ("declined", "declined")
    assert (told["ended_by"], told["reason_code"]) == (side, "topic")
    assert told[f"{side}_text"] == "We build no more."
    assert told["ended_at"] == told["updated_at"]
    hidden = told | {"reason_code": None, f"{side}_text": None}
    assert done.json() == hidden
    assert released.get(f"/pairings/{one['id']}", one[other]).json() == hidden
    assert refusal(released.get(f"/pairings/{one['id']}", "delft"))[0] == 404
    assert ("amiens", "celje") not in pairs(released, released.round, role="delft")
    assert new_messages(released, before) == [
        ("", "to_repair", "organiser", "organiser"),
        (one[other], "declined", other, one[other]),
    ]
    log = released.get(f"/rounds/{released.round}/audit").json()["items"][0]
    assert log["details"] == {
        "pairing": one["id"],
        "mentor": "amiens",
        "learner": "celje",
        "side": side,
        "answer": "declined",
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"side": "mentor", "answer": "decline"}, "/reason_code"),
        (
            {"side": "mentor", "answer": "accept", "reason_code": "topic"},
            "/reason_code",
        ),
        ({"side": "mentor", "answer": "decline", "reason_code": "x"}, "/reason_code"),
        ({"side": "both", "answer": "accept"}, "/side"),
        ({"side": "mentor", "answer": "maybe"}, "/answer"),
        ({"answer": "accept"}, "/side"),
        ({"side": "mentor", "answer": "accept", "more": 1}, "/more"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(sqlite_service, body, pointer):
    round_id = released_round(sqlite_service, *FIVE)
    one = pairing(sqlite_service, round_id, "amiens", "celje")

    refused = sqlite_service.post(f"/pairings/{one['id']}/answer", body)

    assert refusal(refused) == (422, "invalid-input", [pointer])
    assert sqlite_service.get(f"/pairings/{one['id']}").json() == one


def test_only_a_side_itself_and_organisers_answer_for_it(released):
    one, before = first(released), audited(released)

    for role in ("celje", "delft", "auditor"):
        refused = say(released, one, "mentor", "accept", role)
        assert refusal(refused) == (403, "forbidden", [])
    assert say(released, one, "mentor", "accept", None).status_code == 401
    unknown = {"id": "0" * 32}
    assert refusal(say(released, unknown, "mentor", "accept"))[0] == 404
    assert (again(released, one), audited(released)) == (one, before)
    on_behalf = say(released, one, "mentor", "accept", "organiser")
    assert on_behalf.json()["mentor_answer"] == "accepted"


def test_the_same_answer_again_changes_nothing(released):
    one = first(released)
    accepted = say(released, one, "mentor", "accept", "amiens")
    before, letters = audited(released), outbox(released)

    repeated = say(released, one, "mentor", "accept", "amiens")

    assert (repeated.json(), repeated.headers["etag"]) == (
        accepted.json(),
        accepted.headers["etag"],
    )
    assert (audited(released), outbox(released)) == (before, letters)


def test_a_side_may_think_again_until_both_have_accepted(released):
    one = first(released)
    say(released, one, "mentor", "accept", "amiens")

    declined = say(released, one, "mentor", "decline", "amiens")
    late = say(released, one, "mentor", "accept", "amiens")
    other = say(released, one, "learner", "accept", "celje")

    assert declined.json()["state"] == "declined"
    assert refusal(late) == refusal(other) == (409, "not-offered", [])
    second = pairing(released, released.round, "bruges", "delft")
    confirm(released, second)
    for side, role in (("mentor", "bruges"), ("learner", "delft")):
        refused = say(released, second, side, "decline", role)
        assert refusal(refused) == (409, "not-offered", [])
    assert again(released, second)["state"] == "confirmed"


def test_before_the_release_nothing_is_answered(sqlite_service):
    add_officer(sqlite_service, "amiens")
    round_id = staged_round(sqlite_service, *FIVE)
    one = pairing(sqlite_service, round_id, "amiens", "celje")

    hidden = say(sqlite_service, one, "mentor", "accept", "amiens")
    early = say(sqlite_service, one, "mentor", "accept")

    assert refusal(hidden) == (404, "not-found", [])
    assert refusal(early) == (409, "not-offered", [])
