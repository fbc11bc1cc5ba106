"""Pairings after the release: answers, deadlines, what breaks, and how it is mended."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.db import tables
from app.services.pairings import offers
from tests.fixtures.cities import (
    FIVE,
    PROPOSED,
    add_officer,
    audited,
    changing,
    city,
    closed_round,
    compute,
    confirm,
    last_actions,
    listed,
    messages,
    pairing,
    pairs,
    refusal,
    register,
    released_round,
    say,
    staged_round,
)

WHY = {"reason": "The project has ended."}


@pytest.fixture
def released(idle_service):
    """The service with FIVE cities released, an officer each."""
    for one in FIVE:
        add_officer(idle_service, one["id"])
    idle_service.round = released_round(idle_service, *FIVE)
    return idle_service


def first(service):
    return pairing(service, service.round, "amiens", "celje")


def again(service, one):
    return service.get(f"/pairings/{one['id']}").json()


def new_messages(service, before):
    """Return (city, kind, role, account's address) of what was written since."""
    known = {one["id"] for one in before}
    addresses = {}
    with changing(service) as session:
        addresses = {
            row.id: row.email.split("@")[0] for row in session.query(tables.Account)
        }
    return sorted(
        (one["city"] or "", one["kind"], one["role"], addresses[one["account"]])
        for one in listed(service, f"/rounds/{service.round}/messages")
        if one["id"] not in known
    )


def outbox(service):
    return listed(service, f"/rounds/{service.round}/messages")


def let_pass(service, *states):
    """Let the deadlines of all offers pass, and tell how many of them have ended."""
    with changing(service) as session:
        session.execute(
            update(tables.Pairing)
            .where(tables.Pairing.state.in_(states or ("offered",)))
            .values(answer_by=datetime.now(UTC) - timedelta(seconds=1))
        )
    return offers.expire(service.client.app.state.database)


# Answers.


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
    said = say(released, one, "mentor", "accept", "amiens")
    before, letters = audited(released), outbox(released)

    repeated = say(released, one, "mentor", "accept", "amiens")

    assert (repeated.json(), repeated.headers["etag"]) == (
        said.json(),
        said.headers["etag"],
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


# Deadlines.


def patch(service, one, answer_by, role="organiser", tag="*"):
    headers = {} if tag is None else {"If-Match": tag}
    return service.call(
        "PATCH",
        f"/pairings/{one['id']}",
        role,
        json={"answer_by": answer_by},
        headers=headers,
    )


def in_days(days):
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def test_who_does_not_answer_in_time_loses_the_offer(released):
    half, whole = first(released), pairing(released, released.round, "bruges", "delft")
    say(released, half, "mentor", "accept")
    confirm(released, whole)
    before = outbox(released)

    ended = let_pass(released, "offered", "confirmed")

    assert ended == 2
    assert offers.expire(released.client.app.state.database) == 0
    told = again(released, half)
    assert (told["state"], told["ended_by"]) == ("expired", "deadline")
    assert (told["mentor_answer"], told["learner_answer"]) == ("accepted", "pending")
    assert told["ended_at"] == told["updated_at"]
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

    told = offered.json()
    assert (told["state"], told["ended_at"], told["ended_by"]) == (
        "offered",
        None,
        None,
    )
    assert (told["mentor_answer"], told["learner_answer"]) == ("accepted", "pending")
    assert new_messages(released, before) == [("celje", "offer", "learner", "celje")]
    assert say(released, one, "learner", "accept").json()["state"] == "confirmed"


def test_an_expired_pairing_whose_place_is_taken_is_not_offered_again(released):
    one = first(released)
    let_pass(released)
    (repair, *_) = released.get(f"/rounds/{released.round}/repairs").json()["items"]
    made = released.post(f"/rounds/{released.round}/repairs", {"repair": repair["id"]})
    assert made.status_code == 200
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


# Taking back, leaving.


@pytest.mark.parametrize("confirmed", [False, True])
def test_organisers_take_a_pairing_back_and_both_cities_are_told(released, confirmed):
    one = first(released)
    if confirmed:
        confirm(released, one)
    before = outbox(released)
    tag = released.get(f"/rounds/{released.round}").headers["etag"]

    done = released.post(f"/pairings/{one['id']}/withdraw", WHY)

    told = done.json()
    assert (told["state"], told["ended_by"], told["reason"]) == (
        "withdrawn",
        "organiser",
        WHY["reason"],
    )
    assert released.get(f"/rounds/{released.round}").headers["etag"] != tag
    assert new_messages(released, before) == [
        ("amiens", "withdrawn", "mentor", "amiens"),
        ("celje", "withdrawn", "learner", "celje"),
    ]
    seen = released.get(f"/pairings/{one['id']}", "amiens").json()
    assert seen == told | {"reason": None}
    where = f"/pairings/{one['id']}/withdraw"
    assert refusal(released.post(where, WHY)) == (409, "not-offered", [])
    second = pairing(released, released.round, "bruges", "delft")
    where = f"/pairings/{second['id']}/withdraw"
    assert refusal(released.post(where, {})) == (422, "invalid-input", ["/reason"])
    for role in ("bruges", "auditor"):
        assert refusal(released.post(where, WHY, role)) == (403, "forbidden", [])


@pytest.mark.parametrize("role", ["organiser", "bruges"])
def test_who_leaves_a_released_round_leaves_its_partners_told(released, role):
    confirm(released, pairing(released, released.round, "bruges", "delft"))
    before = outbox(released)

    left = released.delete(f"/rounds/{released.round}/participants/bruges", role=role)

    assert left.status_code == 204
    assert pairs(released, released.round, "withdrawn") == PROPOSED[1:]
    for learner in ("delft", "evora"):
        one = pairing(released, released.round, "bruges", learner)
        assert (one["state"], one["ended_by"]) == ("withdrawn", "mentor")
    assert new_messages(released, before) == [
        ("", "to_repair", "organiser", "organiser"),
        ("", "to_repair", "organiser", "organiser"),
        ("delft", "withdrawn", "learner", "delft"),
        ("evora", "withdrawn", "learner", "evora"),
    ]


def test_places_are_not_taken_away_below_the_pairings(released):
    where = f"/rounds/{released.round}/participants/bruges"

    fewer = released.put(where, {"mentor_capacity": 1}, "*")
    more = released.put(where, {"mentor_capacity": 3}, "*")

    assert refusal(fewer) == (409, "no-places", [])
    assert more.json()["mentor_capacity"] == 3
    one = pairing(released, released.round, "bruges", "evora")
    say(released, one, "mentor", "decline")
    assert released.put(where, {"mentor_capacity": 1}, "*").status_code == 200


def test_the_archive_ends_what_waits_and_stays_as_it_is(released):
    confirm(released, first(released))
    late = pairing(released, released.round, "bruges", "evora")
    with changing(released) as session:
        row = session.get_one(tables.Pairing, late["id"])
        row.answer_by = datetime.now(UTC) - timedelta(seconds=1)
    offers.expire(released.client.app.state.database)
    before = outbox(released)

    released.post(f"/rounds/{released.round}/phase", {"to": "archived"})

    assert pairs(released, released.round, "withdrawn") == [("bruges", "delft")]
    assert new_messages(released, before) == [
        ("bruges", "withdrawn", "mentor", "bruges"),
        ("delft", "withdrawn", "learner", "delft"),
    ]
    assert refusal(patch(released, late, in_days(5))) == (409, "wrong-phase", [])
    where = f"/rounds/{released.round}"
    assert refusal(released.get(f"{where}/repairs")) == (409, "wrong-phase", [])
    entered = released.put(f"{where}/participants/amiens", {}, "*")
    assert refusal(entered) == (409, "wrong-phase", [])
    left = released.delete(f"{where}/participants/amiens")
    assert refusal(left) == (409, "wrong-phase", [])


# Mending.


def test_a_broken_pairing_is_mended_by_one_call(released):
    declined = pairing(released, released.round, "bruges", "delft")
    say(released, declined, "learner", "decline")
    kept = first(released)
    confirm(released, kept)
    register(released, city("zadar", areas={"health": {"need": 4}}, languages=["nl"]))
    add_officer(released, "zadar")
    where = f"/rounds/{released.round}"
    entered = released.put(f"{where}/participants/zadar", {})
    before = outbox(released)
    tag = released.get(where).headers["etag"]

    found = released.get(f"{where}/repairs").json()["items"]
    best = found[0]
    made = released.post(f"{where}/repairs", {"repair": best["id"]})

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
    assert made.status_code == 200
    assert made.json() == released.get(where).json()
    assert made.headers["etag"] != tag
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

    made = idle_service.post(f"{where}/repairs", {"repair": swap["id"]})

    assert made.status_code == 200
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

    made = idle_service.post(f"/rounds/{round_id}/repairs", {"repair": repair["id"]})

    assert made.status_code == 200
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


# Reminders, notes, and the board.


def test_who_has_not_answered_is_reminded_once_a_day(released):
    say(released, first(released), "mentor", "accept")
    confirm(released, pairing(released, released.round, "bruges", "delft"))
    where = f"/rounds/{released.round}/reminders"
    before = outbox(released)

    early = released.call("POST", where)
    nothing = new_messages(released, before)
    with changing(released) as session:
        session.execute(
            update(tables.Message).values(
                created_at=datetime.now(UTC) - timedelta(hours=25)
            )
        )
    released.call("POST", where)
    released.call("POST", where)

    assert (early.status_code, nothing) == (200, [])
    assert new_messages(released, before) == [
        ("bruges", "reminder", "mentor", "bruges"),
        ("celje", "reminder", "learner", "celje"),
        ("evora", "reminder", "learner", "evora"),
    ]
    assert refusal(released.call("POST", where, "auditor"))[0] == 403


def test_the_two_cities_note_how_a_confirmed_pairing_goes(released):
    one = first(released)
    where = f"/pairings/{one['id']}/check-ins"
    early = released.post(where, {"fit": "good"}, "amiens")
    confirm(released, one)

    noted = released.post(where, {"fit": "good", "note": "We met."}, "amiens")
    released.post(where, {"fit": "not_a_good_fit"}, "celje")
    released.post(where, {"note": "I called them."})

    assert refusal(early) == (409, "not-offered", [])
    assert (noted.status_code, noted.json()["by"]) == (201, "mentor")
    assert [
        (note["by"], note["fit"], note["note"])
        for note in listed(released, where, "celje")
    ] == [
        ("organiser", None, "I called them."),
        ("learner", "not_a_good_fit", None),
        ("mentor", "good", "We met."),
    ]
    assert refusal(released.get(where, "delft")) == (404, "not-found", [])
    assert refusal(released.post(where, {"fit": "good"}, "delft"))[:2] == (
        403,
        "forbidden",
    )
    assert refusal(released.post(where, {})) == (422, "invalid-input", ["/fit"])


def test_the_board_shows_what_needs_an_organiser(released):
    one = first(released)
    say(released, one, "mentor", "accept")
    quiet = pairing(released, released.round, "bruges", "delft")
    confirm(released, quiet)
    say(
        released,
        pairing(released, released.round, "bruges", "evora"),
        "mentor",
        "decline",
    )
    released.post(f"/pairings/{quiet['id']}/check-ins", {"fit": "not_a_good_fit"})
    month = datetime.now(UTC) - timedelta(days=31)
    with changing(released) as session:
        session.execute(update(tables.CheckIn).values(at=month))
        row = session.get_one(tables.Pairing, one["id"])
        row.offered_at, row.answer_by = month, datetime.now(UTC) + timedelta(days=1)
        letter = session.query(tables.Message).first()
        letter.state = "unknown"

    board = released.get(f"/rounds/{released.round}/health").json()

    waiting, quieter = again(released, one), again(released, quiet)
    assert board == {
        "staged": 0,
        "offered": 1,
        "confirmed": 1,
        "declined": 1,
        "expired": 0,
        "withdrawn": 0,
        "dismissed": 0,
        "waiting": [
            {
                "pairing": one["id"],
                "city": "celje",
                "side": "learner",
                "offered_at": waiting["offered_at"],
                "answer_by": waiting["answer_by"],
                "late": True,
            }
        ],
        "quiet": [
            {
                "pairing": quieter["id"],
                "mentor": "bruges",
                "learner": "delft",
                "heard_at": board["quiet"][0]["heard_at"],
                "days": 31,
            }
        ],
        "not_a_good_fit": [
            {
                "pairing": quiet["id"],
                "mentor": "bruges",
                "learner": "delft",
                "by": "organiser",
                "at": board["quiet"][0]["heard_at"],
            }
        ],
        "unserved": ["evora"],
        "undelivered": 1,
    }
    released.post(f"/pairings/{quiet['id']}/check-ins", {"fit": "good"})
    after = released.get(f"/rounds/{released.round}/health", "auditor").json()
    assert (after["quiet"], after["not_a_good_fit"]) == ([], [])
    hidden = released.get(f"/rounds/{released.round}/health", "amiens")
    assert refusal(hidden) == (404, "not-found", [])


# What a city may know of another.


def test_the_wishes_of_a_partner_are_not_told(sqlite_service):
    for name in ("amiens", "celje", "delft"):
        add_officer(sqlite_service, name)
    round_id, _ = closed_round(sqlite_service, *FIVE)
    sqlite_service.put(
        f"/rounds/{round_id}/participants/celje",
        {"wishes": [{"role": "learner", "partners": ["amiens"]}]},
        "*",
    )
    run = compute(sqlite_service, round_id)
    sqlite_service.post(f"/rounds/{round_id}/stage", {"run": run})
    sqlite_service.post(f"/rounds/{round_id}/release", {})
    one = pairing(sqlite_service, round_id, "amiens", "celje")
    where = f"/pairings/{one['id']}/explanation"

    def told(role):
        answer = sqlite_service.get(where, role).json()
        wish = [line for line in answer["sentences"] if line.startswith("Wish")]
        return len(answer["adjustments"]), len(wish)

    letters = {
        text["city"]: "souhait" in text["text"].lower() or "Wish" in text["text"]
        for text in listed(sqlite_service, f"/rounds/{round_id}/messages")
        if text["pairing"] == one["id"]
    }
    assert told("organiser") == told("auditor") == told("celje") == (1, 1)
    assert told("amiens") == told("delft") == (0, 0)
    assert letters == {"amiens": False, "celje": True}


@pytest.mark.parametrize("lang", ["en", "fr", "nl"])
def test_an_explanation_adds_up_in_every_language(sqlite_service, lang):
    add_officer(sqlite_service, "delft")
    round_id = released_round(sqlite_service, *FIVE)
    one = pairing(sqlite_service, round_id, "amiens", "celje")

    told = sqlite_service.get(
        f"/pairings/{one['id']}/explanation?lang={lang}", "delft"
    ).json()

    assert (told["pairing"], told["language"]) == (one["id"], lang)
    assert sum(part["points"] for part in told["contributions"]) == pytest.approx(
        told["score"]
    )
    assert told["score"] == one["score"]
    assert told["sentences"]
    assert "amiens" in told["sentences"][0]
    wrong = sqlite_service.get(f"/pairings/{one['id']}/explanation?lang=de")
    assert refusal(wrong) == (422, "invalid-input", ["?lang"])
