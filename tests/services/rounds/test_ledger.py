"""What earlier rounds mean for later ones: copies, pairs not repeated, a credit."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.db import tables
from app.services.pairings import offers
from app.services.rounds import ledger
from schemas import PastPairing
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    changing,
    city,
    compute,
    confirm,
    last_actions,
    listed,
    pairing,
    refusal,
    register,
    released_round,
    say,
    staged_round,
)

WHY = {"reason": "A reason."}


def copied(service, round_id, **fields):
    """Return the id of an open copy of the round."""
    created = service.post("/rounds", {"name": "Next", "copy_of": round_id} | fields)
    assert created.status_code == 201, created.text
    service.post(f"/rounds/{created.json()['id']}/phase", {"to": "open"})
    return created.json()["id"]


def proposed(service, round_id, **policy):
    """Return the solution of a run under a policy of its own."""
    run = compute(service, round_id, policy=policy)
    return service.get(f"/runs/{run}/solution").json()


def pairs_of(solution):
    return [(one["mentor"], one["learner"]) for one in solution["pairings"]]


# Copies.


def test_a_copy_has_participants_and_policy_but_no_pins(idle_service):
    pins = [{"mentor": "amiens", "learner": "celje", "reason": "P"}]
    bans = [{"mentor": "bruges", "learner": "evora", "reason": "B"}]
    policy = {"objective": "fair", "pins": pins, "bans": bans}
    old = staged_round(idle_service, *FIVE, policy=policy)
    idle_service.post(f"/rounds/{old}/phase", {"to": "closed"} | WHY)
    idle_service.put(
        f"/rounds/{old}/participants/evora",
        {
            "learner_demand": 2,
            "vetoes": ["amiens"],
            "wishes": [{"role": "learner", "partners": ["bruges"]}],
        },
        "*",
    )
    idle_service.delete(f"/rounds/{old}/participants/delft")

    created = idle_service.post(
        "/rounds", {"id": "new", "name": "New", "copy_of": old, "answer_days": 5}
    )

    assert created.status_code == 201
    assert {
        field: created.json()[field]
        for field in ("id", "phase", "copy_of", "answer_days", "staged_run")
    } == {
        "id": "new",
        "phase": "draft",
        "copy_of": old,
        "answer_days": 5,
        "staged_run": None,
    }
    assert listed(idle_service, "/rounds/new/participants") == listed(
        idle_service, f"/rounds/{old}/participants"
    )
    copy = idle_service.get("/rounds/new/policy").json()
    assert copy == idle_service.get(f"/rounds/{old}/policy").json() | {"pins": []}
    assert copy["bans"] == bans
    assert listed(idle_service, "/rounds/new/pairings") == []
    assert listed(idle_service, "/rounds/new/runs") == []
    assert last_actions(idle_service, "new", 2) == ["round.copied", "round.created"]


def test_only_organisers_copy_and_only_what_is_there(sqlite_service):
    add_officer(sqlite_service, "amiens")
    old = released_round(sqlite_service, *FIVE)

    def refused_with(copy_of, role="organiser"):
        body = {"name": "N", "copy_of": copy_of}
        return refusal(sqlite_service.post("/rounds", body, role))

    assert refused_with("nothing") == (404, "not-found", [])
    assert refused_with("Not an id") == (422, "invalid-input", ["/copy_of"])
    for role in ("amiens", "auditor"):
        assert refused_with(old, role) == (403, "forbidden", [])
    assert [one["id"] for one in listed(sqlite_service, "/rounds")] == [old]


# Pairs that have been.


def test_only_what_was_confirmed_is_not_repeated(idle_service):
    old = released_round(idle_service, *FIVE)
    confirm(idle_service, pairing(idle_service, old, "amiens", "celje"))
    say(idle_service, pairing(idle_service, old, "bruges", "delft"), "mentor", "accept")
    say(
        idle_service, pairing(idle_service, old, "bruges", "evora"), "mentor", "decline"
    )
    new = copied(idle_service, old)

    free = proposed(idle_service, new)
    held = proposed(idle_service, new, rules={"no_repeat": True})

    assert ("amiens", "celje") in pairs_of(free)
    assert ("amiens", "celje") not in pairs_of(held)
    assert ("bruges", "delft") in pairs_of(held)
    with changing(idle_service) as session:
        past = [PastPairing(mentor="amiens", learner="celje", round=old)]
        assert list(ledger.history(session, new)) == past
        assert list(ledger.history(session, old)) == []
    one = pairing(idle_service, old, "amiens", "celje")
    idle_service.post(f"/pairings/{one['id']}/withdraw", WHY)
    again = proposed(idle_service, new, rules={"no_repeat": True})
    assert ("amiens", "celje") in pairs_of(again)


# Who was left out.

# One place, and three that ask for it: the first fits best.
NARROW = (
    city("m", "mentor", areas={"housing": {"strength": 4}}, languages=["nl"]),
    city("x", areas={"housing": {"need": 4}}, languages=["nl"]),
    city(
        "y", areas={"housing": {"need": 4}}, languages=["nl"], latitude=51, longitude=4
    ),
    city("z", areas={"health": {"need": 4}}, languages=["fr"]),
)


def test_a_credit_for_whom_was_left_out_stands_beside_the_score(idle_service):
    old = released_round(idle_service, *NARROW)
    (one,) = listed(idle_service, f"/rounds/{old}/pairings")
    lucky, left = one["learner"], {"x", "y", "z"} - {one["learner"]}
    confirm(idle_service, one)
    new = copied(idle_service, old)

    plain = proposed(idle_service, new)
    credited = proposed(idle_service, new, left_out_credit=1)

    assert [pair["adjustments"] for pair in plain["pairings"]] == [[]]
    (now,) = credited["pairings"]
    (credit,) = now["adjustments"]
    assert now["learner"] in left
    assert now["learner"] != lucky
    assert credit == {
        "code": "left_out",
        "city": now["learner"],
        "role": "learner",
        "rank": None,
        "points": 1,
        "rounds": [old],
    }


def decline(service, one):
    say(service, one, "learner", "decline")


def decline_as_mentor(service, one):
    say(service, one, "mentor", "decline")


def miss(service, one):
    say(service, one, "mentor", "accept")
    with changing(service) as session:
        session.execute(
            update(tables.Pairing).values(
                answer_by=datetime.now(UTC) - timedelta(seconds=1)
            )
        )
    offers.expire(service.client.app.state.database)


def take_back(service, one):
    service.post(f"/pairings/{one['id']}/withdraw", WHY)


def go(service, one):
    service.delete(f"/rounds/{one['round']}/participants/{one['learner']}")


@pytest.mark.parametrize(
    ("end", "learner", "mentor"),
    [
        (confirm, False, False),
        (decline, False, True),
        (decline_as_mentor, True, False),
        (miss, False, True),
        (take_back, True, True),
        (go, None, True),
    ],
)
def test_who_was_left_out_is_who_did_not_refuse(sqlite_service, end, learner, mentor):
    round_id = released_round(sqlite_service, *NARROW)
    (one,) = listed(sqlite_service, f"/rounds/{round_id}/pairings")
    left_out = {"x", "y", "z"} - {one["learner"]}
    waiting = {entry["city"]: entry for entry in listed(sqlite_service, "/ledger")}

    end(sqlite_service, one)

    entries = {entry["city"]: entry for entry in listed(sqlite_service, "/ledger")}
    for name in left_out:
        assert entries[name]["left_out_as_learner"] == [round_id]
    if learner is None:
        assert one["learner"] not in entries
    else:
        expected = [round_id] if learner else []
        assert entries[one["learner"]]["left_out_as_learner"] == expected
    assert entries["m"]["left_out_as_mentor"] == ([round_id] if mentor else [])
    assert waiting["m"]["left_out_as_mentor"] == []


def test_the_ledger_tells_what_rounds_have_brought_to_each_city(idle_service):
    add_officer(idle_service, "m")
    first = released_round(idle_service, *NARROW)
    (one,) = listed(idle_service, f"/rounds/{first}/pairings")
    confirm(idle_service, one)
    staged = copied(idle_service, first, id="never-released")
    compute(idle_service, staged)
    register(idle_service, city("alone"))

    entries = listed(idle_service, "/ledger")

    assert entries == [
        {
            "city": name,
            "rounds": 1,
            "mentored": int(name == "m"),
            "learned": int(name == one["learner"]),
            "left_out_as_mentor": [],
            "left_out_as_learner": [] if name in {"m", one["learner"]} else [first],
        }
        for name in ("m", "x", "y", "z")
    ]
    page = idle_service.get("/ledger?limit=3").json()
    assert page["items"] == entries[:3]
    following = idle_service.get(page["next"].removeprefix("/api/v1")).json()
    assert following == {"items": entries[3:], "next": None}
    assert listed(idle_service, "/ledger", "auditor") == entries
    assert refusal(idle_service.get("/ledger", "m")) == (404, "not-found", [])
