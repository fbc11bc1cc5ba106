"""Pairings end: organisers withdraw them, a city leaves, the round is archived."""

from datetime import UTC, datetime, timedelta

import pytest

from app.db import tables
from app.services.pairings import offers
from tests.fixtures.cities import (
    PROPOSED,
    changing,
    confirm,
    pairing,
    pairs,
    refusal,
    say,
)
from tests.fixtures.moments import in_days
from tests.services.pairings.after_release import (
    WHY,
    first,
    new_messages,
    outbox,
    patch,
)


@pytest.mark.parametrize("confirmed", [False, True])
def test_organisers_take_a_pairing_back_and_both_cities_are_told(released, confirmed):
    one = first(released)
    if confirmed:
        confirm(released, one)
    before = outbox(released)
    tag = released.get(f"/rounds/{released.round}").headers["etag"]

    done = released.post(f"/pairings/{one['id']}/withdraw", WHY)

    withdrawn = done.json()
    assert (withdrawn["state"], withdrawn["ended_by"], withdrawn["reason"]) == (
        "withdrawn",
        "organiser",
        WHY["reason"],
    )
    assert released.get(f"/rounds/{released.round}").headers["etag"] != tag
    assert new_messages(released, before) == [
        ("amiens", "withdrawn", "mentor", "amiens"),
        ("celje", "withdrawn", "learner", "celje"),
    ]
    by_city = released.get(f"/pairings/{one['id']}", "amiens").json()
    assert by_city == withdrawn | {"reason": None}
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
