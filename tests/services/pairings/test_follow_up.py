"""Reminders, notes on how a pairing goes, the board, and what partners may know."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.db import tables
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    changing,
    closed_round,
    compute,
    confirm,
    listed,
    pairing,
    refusal,
    released_round,
    say,
)
from tests.services.pairings.after_release import again, first, new_messages, outbox

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

    def adjustments_and_wishes(role):
        answer = sqlite_service.get(where, role).json()
        wish = [line for line in answer["sentences"] if line.startswith("Wish")]
        return len(answer["adjustments"]), len(wish)

    letters = {
        text["city"]: "souhait" in text["text"].lower() or "Wish" in text["text"]
        for text in listed(sqlite_service, f"/rounds/{round_id}/messages")
        if text["pairing"] == one["id"]
    }
    assert (
        adjustments_and_wishes("organiser")
        == adjustments_and_wishes("auditor")
        == adjustments_and_wishes("celje")
        == (1, 1)
    )
    assert adjustments_and_wishes("amiens") == adjustments_and_wishes("delft") == (0, 0)
    assert letters == {"amiens": False, "celje": True}


@pytest.mark.parametrize("lang", ["en", "fr", "nl"])
def test_an_explanation_adds_up_in_every_language(sqlite_service, lang):
    add_officer(sqlite_service, "delft")
    round_id = released_round(sqlite_service, *FIVE)
    one = pairing(sqlite_service, round_id, "amiens", "celje")

    explanation = sqlite_service.get(
        f"/pairings/{one['id']}/explanation?lang={lang}", "delft"
    ).json()

    assert (explanation["pairing"], explanation["language"]) == (one["id"], lang)
    assert sum(
        part["points"] for part in explanation["contributions"]
    ) == pytest.approx(explanation["score"])
    assert explanation["score"] == one["score"]
    assert explanation["sentences"]
    assert "amiens" in explanation["sentences"][0]
    wrong = sqlite_service.get(f"/pairings/{one['id']}/explanation?lang=de")
    assert refusal(wrong) == (422, "invalid-input", ["?lang"])
