"""From a run to a release: what is staged can be changed, and nobody is told."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.cities import (
    FIVE,
    PROPOSED,
    add_officer,
    audited,
    city,
    closed_round,
    compute,
    last_actions,
    listed,
    messages,
    open_round,
    pairing,
    pairs,
    refusal,
    register,
    released_round,
    staged_round,
)

WHY = {"reason": "They have met before."}


def moment(text):
    return datetime.fromisoformat(text)


def in_days(days):
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def test_staging_shows_a_runs_pairings_to_organisers_alone(idle_service):
    add_officer(idle_service, "amiens")
    round_id, run = closed_round(idle_service, *FIVE)
    solution = idle_service.get(f"/runs/{run}/solution").json()

    staged = idle_service.post(f"/rounds/{round_id}/stage", {"run": run})

    assert staged.status_code == 200
    assert staged.json() == idle_service.get(f"/rounds/{round_id}").json()
    assert (staged.json()["phase"], staged.json()["staged_run"]) == ("staged", run)
    found = listed(idle_service, f"/rounds/{round_id}/pairings")
    assert [(one["mentor"], one["learner"]) for one in found] == PROPOSED
    for one, proposed in zip(found, solution["pairings"], strict=True):
        assert moment(one.pop("created_at")) <= moment(one.pop("updated_at"))
        assert one == {
            "id": one["id"],
            "round": round_id,
            "run": run,
            "mentor": proposed["mentor"],
            "learner": proposed["learner"],
            "state": "staged",
            "mentor_answer": "pending",
            "learner_answer": "pending",
            "score": proposed["score"],
            "known_weight": proposed["known_weight"],
            "firmness": proposed["firmness"],
            "origin": "proposal",
            **dict.fromkeys(
                (
                    "price",
                    "reason",
                    "reason_code",
                    "mentor_text",
                    "learner_text",
                    "offered_at",
                    "answer_by",
                    "confirmed_at",
                    "ended_at",
                    "ended_by",
                )
            ),
        }
    assert pairs(idle_service, round_id, role="auditor") == PROPOSED
    assert pairs(idle_service, round_id, role="amiens") == []
    for path in ("", "/explanation", "/check-ins"):
        hidden = idle_service.get(f"/pairings/{found[0]['id']}{path}", "amiens")
        assert refusal(hidden) == (404, "not-found", [])
    assert {one[3] for one in messages(idle_service, round_id)} == {"held"}
    assert last_actions(idle_service, round_id, 1) == ["round.staged"]


@pytest.mark.parametrize("phase", ["open", "archived"])
def test_only_a_closed_round_is_staged(sqlite_service, phase):
    round_id = open_round(sqlite_service, *FIVE)
    run = compute(sqlite_service, round_id)
    sqlite_service.post(f"/rounds/{round_id}/phase", {"to": phase})
    before = audited(sqlite_service)

    refused = sqlite_service.post(f"/rounds/{round_id}/stage", {"run": run})

    assert refusal(refused) == (409, "wrong-phase", [])
    assert (pairs(sqlite_service, round_id), audited(sqlite_service)) == ([], before)


def test_only_a_run_of_this_round_with_a_solution_is_staged(sqlite_service):
    round_id, run = closed_round(sqlite_service, *FIVE)
    other = sqlite_service.post("/rounds", {"name": "Other"}).json()["id"]
    sqlite_service.post(f"/rounds/{other}/phase", {"to": "open"})
    strange = compute(sqlite_service, other)
    where = f"/rounds/{round_id}/stage"
    queued = sqlite_service.post(f"/rounds/{round_id}/runs", {}).json()["id"]

    def told(body):
        return refusal(sqlite_service.post(where, body))

    assert told({"run": strange}) == (404, "not-found", [])
    assert told({"run": "0" * 32}) == (404, "not-found", [])
    assert told({"run": queued}) == (409, "not-finished", [])
    assert told({"run": "x"}) == (422, "invalid-input", ["/run"])
    assert told({}) == (422, "invalid-input", ["/run"])
    assert refusal(sqlite_service.post(where, {"run": run}, "auditor"))[:2] == (
        403,
        "forbidden",
    )
    assert sqlite_service.post(where, {"run": run}, None).status_code == 401


def fewer_places(service, where):
    service.put(f"{where}/participants/bruges", {"mentor_capacity": 1}, "*")


def veto(service, where):
    service.put(f"{where}/participants/celje", {"vetoes": ["amiens"]}, "*")


def leave(service, where):
    service.delete(f"{where}/participants/evora")


def ban(service, where):
    bans = [{"mentor": "amiens", "learner": "celje", "reason": "No."}]
    service.put(f"{where}/policy", {"bans": bans}, "*")


@pytest.mark.parametrize("change", [fewer_places, veto, leave, ban])
def test_a_run_that_fits_the_round_no_more_is_not_staged(sqlite_service, change):
    round_id, run = closed_round(sqlite_service, *FIVE)
    change(sqlite_service, f"/rounds/{round_id}")

    refused = sqlite_service.post(f"/rounds/{round_id}/stage", {"run": run})

    assert refusal(refused) == (409, "out-of-date", [])
    assert sqlite_service.get(f"/rounds/{round_id}").json()["phase"] == "closed"
    assert pairs(sqlite_service, round_id) == []
    again = compute(sqlite_service, round_id)
    staged = sqlite_service.post(f"/rounds/{round_id}/stage", {"run": again})
    assert staged.json()["phase"] == "staged"


def test_another_run_takes_the_place_of_a_staged_one(idle_service):
    round_id, first = closed_round(idle_service, *FIVE)
    bans = [{"mentor": "bruges", "learner": "evora"}]
    second = compute(idle_service, round_id, policy={"bans": bans})
    where = f"/rounds/{round_id}"
    idle_service.post(f"{where}/stage", {"run": first})
    one = pairing(idle_service, round_id, "amiens", "celje")
    idle_service.post(f"/pairings/{one['id']}/dismiss", WHY)

    staged = idle_service.post(f"{where}/stage", {"run": second})

    assert staged.json()["staged_run"] == second
    assert pairs(idle_service, round_id) == PROPOSED[:2]
    assert idle_service.get(f"/pairings/{one['id']}").status_code == 404
    assert messages(idle_service, round_id) == [
        ("amiens", "offer", "mentor", "held"),
        ("bruges", "offer", "mentor", "held"),
        ("celje", "offer", "learner", "held"),
        ("delft", "offer", "learner", "held"),
        ("evora", "not_placed", "learner", "held"),
    ]


def test_back_from_staged_everything_staged_is_forgotten(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}/phase"

    blunt = idle_service.post(where, {"to": "closed"})
    back = idle_service.post(where, {"to": "closed", "reason": "Too early."})

    assert refusal(blunt) == (422, "invalid-input", ["/reason"])
    assert (back.json()["phase"], back.json()["staged_run"]) == ("closed", None)
    assert pairs(idle_service, round_id) == []
    assert messages(idle_service, round_id) == []
    assert idle_service.post(where, {"to": "released"}).status_code == 409


# What organisers take out.


def test_a_staged_pairing_is_dismissed_and_nobody_is_told(idle_service):
    for name in ("amiens", "celje"):
        add_officer(idle_service, name)
    round_id = staged_round(idle_service, *FIVE)
    before = idle_service.get(f"/rounds/{round_id}")
    one = pairing(idle_service, round_id, "amiens", "celje")
    where = f"/pairings/{one['id']}"

    done = idle_service.post(f"{where}/dismiss", WHY)

    told = done.json()
    assert (done.status_code, told) == (200, idle_service.get(where).json())
    assert told | {"ended_at": None, "updated_at": None} == one | {
        "state": "dismissed",
        "reason": WHY["reason"],
        "ended_by": "organiser",
        "ended_at": None,
        "updated_at": None,
    }
    assert told["ended_at"] == told["updated_at"]
    after = idle_service.get(f"/rounds/{round_id}")
    assert before.headers["etag"] != after.headers["etag"]
    assert messages(idle_service, round_id) == [
        ("amiens", "not_placed", "mentor", "held"),
        ("bruges", "offer", "mentor", "held"),
        ("bruges", "offer", "mentor", "held"),
        ("celje", "not_placed", "learner", "held"),
        ("delft", "offer", "learner", "held"),
        ("evora", "offer", "learner", "held"),
    ]
    idle_service.post(f"/rounds/{round_id}/release", {})
    for officer in ("amiens", "celje"):
        assert refusal(idle_service.get(where, officer)) == (404, "not-found", [])
        assert pairs(idle_service, round_id, role=officer) == PROPOSED[1:]
    assert {kind for _, kind, _, _ in messages(idle_service, round_id)} == {
        "offer",
        "not_placed",
    }


def test_dismissals_are_refused_where_they_make_no_sense(sqlite_service):
    add_officer(sqlite_service, "amiens")
    round_id = staged_round(sqlite_service, *FIVE)
    first, second, _ = listed(sqlite_service, f"/rounds/{round_id}/pairings")
    where = f"/pairings/{first['id']}/dismiss"

    def told(body, role="organiser", place=where):
        return refusal(sqlite_service.post(place, body, role))

    assert told({}) == (422, "invalid-input", ["/reason"])
    assert told({"reason": " "}) == (422, "invalid-input", ["/reason"])
    assert told(WHY, "auditor") == (403, "forbidden", [])
    assert told(WHY, "amiens") == (404, "not-found", [])
    assert sqlite_service.post(where, WHY).status_code == 200
    assert told(WHY) == (409, "not-offered", [])
    sqlite_service.post(f"/rounds/{round_id}/release", {})
    late = f"/pairings/{second['id']}/dismiss"
    assert told(WHY, place=late) == (409, "not-offered", [])


# What organisers decide otherwise.

FORCED = {"mentor": "amiens", "learner": "delft"}
OTHERWISE = {"force": [FORCED], "reason": "A friendship of thirty years."}


def state_of(service, round_id):
    """Return everything that an override could change."""
    where = f"/rounds/{round_id}"
    return (
        service.get(where).json(),
        service.get(f"{where}/policy").json(),
        listed(service, f"{where}/pairings"),
        listed(service, f"{where}/messages"),
        listed(service, f"{where}/runs"),
        audited(service),
    )


def test_the_price_of_an_override_is_told_before_it_is_paid(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    before = state_of(idle_service, round_id)
    run = before[0]["staged_run"]

    asked = idle_service.post(f"/rounds/{round_id}/overrides?dry_run=true", OTHERWISE)

    what_if = idle_service.post(f"/runs/{run}/what-if", {"force": [FORCED]}).json()
    assert asked.json() == {
        "run": None,
        "price": -what_if["difference"]["points"],
        "difference": what_if["difference"],
    }
    assert asked.json()["price"] > 10
    assert state_of(idle_service, round_id) == before


def test_an_override_is_staged_with_its_reason_and_its_price(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    asked = idle_service.post(f"{where}/overrides?dry_run=true", OTHERWISE).json()
    kept = pairing(idle_service, round_id, "bruges", "evora")

    done = idle_service.post(f"{where}/overrides", OTHERWISE)

    told = done.json()
    assert told == asked | {"run": told["run"]}
    assert idle_service.get(where).json()["staged_run"] == told["run"]
    solution = idle_service.get(f"/runs/{told['run']}/solution").json()
    found = listed(idle_service, f"{where}/pairings")
    assert [(one["mentor"], one["learner"], one["score"]) for one in found] == [
        (one["mentor"], one["learner"], one["score"]) for one in solution["pairings"]
    ]
    (forced,) = (one for one in found if one["learner"] == "delft")
    assert (forced["mentor"], forced["origin"]) == ("amiens", "override")
    assert (forced["reason"], forced["price"]) == (OTHERWISE["reason"], told["price"])
    assert pairing(idle_service, round_id, "bruges", "evora")["id"] == kept["id"]
    policy = idle_service.get(f"{where}/policy").json()
    assert policy["pins"] == [FORCED | {"reason": OTHERWISE["reason"]}]
    assert last_actions(idle_service, round_id, 2) == [
        "round.overridden",
        "round.staged",
    ]
    log = idle_service.get(f"{where}/audit").json()["items"][0]
    assert (log["details"]["price"], log["details"]["forced"]) == (
        told["price"],
        [FORCED],
    )
    assert messages(idle_service, round_id) == sorted(
        (city_id, "offer", role, "held")
        for one in found
        for city_id, role in ((one["mentor"], "mentor"), (one["learner"], "learner"))
    ) + [
        (one, "not_placed", "learner", "held")
        for one in ("celje",)
        if "celje" not in {pair["learner"] for pair in found}
    ]


def test_decisions_survive_when_the_round_is_matched_again(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    banned = {"mentor": "bruges", "learner": "evora"}
    idle_service.post(f"{where}/overrides", OTHERWISE | {"ban": [banned]})
    idle_service.post(f"{where}/phase", {"to": "closed", "reason": "Once more."})

    run = compute(idle_service, round_id)

    again = idle_service.get(f"/runs/{run}/solution").json()["pairings"]
    told = [(one["mentor"], one["learner"], one["pinned"]) for one in again]
    assert ("amiens", "delft", True) in told
    assert ("bruges", "evora") not in {one[:2] for one in told}
    policy = idle_service.get(f"{where}/policy").json()
    assert policy["bans"] == [banned | {"reason": OTHERWISE["reason"]}]


def test_a_later_override_takes_an_earlier_one_back(sqlite_service):
    round_id = staged_round(sqlite_service, *FIVE)
    where = f"/rounds/{round_id}"
    first = sqlite_service.post(f"{where}/overrides", OTHERWISE).json()

    back = {"ban": [FORCED], "reason": "We were wrong."}
    second = sqlite_service.post(f"{where}/overrides", back).json()

    assert second["price"] == pytest.approx(-first["price"])
    assert pairs(sqlite_service, round_id, "staged") == PROPOSED
    policy = sqlite_service.get(f"{where}/policy").json()
    assert policy["pins"] == []
    assert policy["bans"] == [FORCED | {"reason": back["reason"]}]


def test_what_was_dismissed_comes_back_only_if_it_is_forced(sqlite_service):
    round_id = staged_round(sqlite_service, *FIVE)
    where = f"/rounds/{round_id}"
    one = pairing(sqlite_service, round_id, "amiens", "celje")
    sqlite_service.post(f"/pairings/{one['id']}/dismiss", WHY)
    other = {"ban": [{"mentor": "bruges", "learner": "evora"}], "reason": "No."}

    without = sqlite_service.post(f"{where}/overrides", other)
    dismissed = pairs(sqlite_service, round_id, "dismissed")
    found = pairs(sqlite_service, round_id, "staged")
    forced = {"force": [{"mentor": "amiens", "learner": "celje"}], "reason": "Yes."}
    sqlite_service.post(f"{where}/overrides", forced)

    assert without.status_code == 200
    assert dismissed == [("amiens", "celje")]
    assert ("amiens", "celje") not in found
    assert ("bruges", "evora") not in found
    assert ("amiens", "celje") in pairs(sqlite_service, round_id, "staged")
    assert pairs(sqlite_service, round_id, "dismissed") == []
    back = pairing(sqlite_service, round_id, "amiens", "celje")
    assert (back["origin"], back["reason"]) == ("override", "Yes.")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"force": [FORCED]}, (422, "invalid-input", ["/reason"])),
        ({"force": [FORCED], "reason": ""}, (422, "invalid-input", ["/reason"])),
        ({"reason": "Why?"}, (422, "invalid-input", ["/force"])),
        (
            {"force": [{"mentor": "a"}], "reason": "R"},
            (422, "invalid-input", ["/force/0/learner"]),
        ),
        (
            {"force": [FORCED | {"mentor": "nobody"}], "reason": "R"},
            (422, "invalid-policy", ["/force/0/mentor"]),
        ),
        (
            {"ban": [FORCED, FORCED | {"learner": "nobody"}], "reason": "R"},
            (422, "invalid-policy", ["/ban/1/learner"]),
        ),
        (
            {"force": [{"mentor": "celje", "learner": "delft"}], "reason": "R"},
            (422, "infeasible", ["/force/0/mentor"]),
        ),
        (
            {"force": [FORCED], "ban": [FORCED], "reason": "R"},
            (422, "infeasible", ["/force/0"]),
        ),
        (
            {
                "force": [FORCED, {"mentor": "amiens", "learner": "celje"}],
                "reason": "R",
            },
            (422, "infeasible", ["/force"]),
        ),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_override_that_cannot_be_is_refused(sqlite_service, body, told, dry_run):
    round_id = staged_round(sqlite_service, *FIVE)
    before = state_of(sqlite_service, round_id)

    refused = sqlite_service.post(
        f"/rounds/{round_id}/overrides?dry_run={dry_run}", body
    )

    assert refusal(refused) == told
    assert state_of(sqlite_service, round_id) == before


def test_an_override_is_for_organisers_of_a_staged_round(sqlite_service):
    add_officer(sqlite_service, "amiens")
    round_id, run = closed_round(sqlite_service, *FIVE)
    where = f"/rounds/{round_id}"

    def told(role="organiser"):
        return refusal(sqlite_service.post(f"{where}/overrides", OTHERWISE, role))

    assert told() == (409, "wrong-phase", [])
    sqlite_service.post(f"{where}/stage", {"run": run})
    assert told("auditor") == (403, "forbidden", [])
    assert told("amiens") == (403, "forbidden", [])
    assert told(None) == (401, "unauthenticated", [])
    sqlite_service.post(f"{where}/release", {})
    assert told() == (409, "wrong-phase", [])


# Who leaves while the round is staged.


@pytest.mark.parametrize("role", ["organiser", "delft"])
def test_a_city_may_leave_a_staged_round_and_nobody_is_told(idle_service, role):
    add_officer(idle_service, "delft")
    round_id = staged_round(idle_service, *FIVE)

    left = idle_service.delete(f"/rounds/{round_id}/participants/delft", role=role)

    assert left.status_code == 204, left.text
    one = pairing(idle_service, round_id, "bruges", "delft")
    assert (one["state"], one["ended_by"]) == ("dismissed", "learner")
    assert messages(idle_service, round_id) == [
        ("amiens", "offer", "mentor", "held"),
        ("bruges", "offer", "mentor", "held"),
        ("celje", "offer", "learner", "held"),
        ("evora", "offer", "learner", "held"),
    ]


def test_an_override_works_after_a_city_has_left(sqlite_service):
    round_id = staged_round(sqlite_service, *FIVE)
    sqlite_service.delete(f"/rounds/{round_id}/participants/delft")
    forced = {"force": [{"mentor": "amiens", "learner": "evora"}], "reason": "R"}

    done = sqlite_service.post(f"/rounds/{round_id}/overrides", forced)

    assert done.status_code == 200, done.text
    assert ("amiens", "evora") in pairs(sqlite_service, round_id, "staged")


def test_what_a_staged_repair_undid_may_be_proposed_again(sqlite_service):
    # The best mentor has one place: whoever gets it depends on who is there.
    cities = (
        city("best", "mentor", areas={"housing": {"strength": 4}}, languages=["nl"]),
        city("good", "mentor", areas={"housing": {"strength": 2}}, languages=["en"]),
        city("one", areas={"housing": {"need": 4}}, languages=["nl"]),
        city("two", areas={"housing": {"need": 3}}, languages=["fr"]),
    )
    round_id = staged_round(sqlite_service, *cities)
    where = f"/rounds/{round_id}"
    proposed = pairs(sqlite_service, round_id, "staged")
    assert proposed == [("best", "one"), ("good", "two")]
    other = pairing(sqlite_service, round_id, "good", "two")
    sqlite_service.post(f"/pairings/{other['id']}/dismiss", WHY)
    swap = next(
        one
        for one in sqlite_service.get(f"{where}/repairs").json()["items"]
        if one["undone"]
    )
    sqlite_service.post(f"{where}/repairs", {"repair": swap["id"]})
    assert pairs(sqlite_service, round_id, "staged") == [
        ("good", "one"),
        ("best", "two"),
    ]
    back = {"ban": [{"mentor": "good", "learner": "one"}], "reason": "R"}

    done = sqlite_service.post(f"{where}/overrides", back)

    assert done.status_code == 200
    assert pairs(sqlite_service, round_id, "staged") == [("best", "one")]


# What would be sent can be read before.


def read_messages(service, round_id):
    return sorted(
        (one["city"], one["account"], one["language"], one["subject"], one["text"])
        for one in listed(service, f"/rounds/{round_id}/messages")
    )


def named_round(service):
    """Three cities with an officer each, and two with none; amiens has a second."""
    for name in ("amiens", "delft", "evora"):
        add_officer(service, name)
    add_officer(service, "amiens", "second")
    return staged_round(service, *FIVE)


def test_the_outbox_is_counted_and_read_before_the_release(idle_service):
    round_id = named_round(idle_service)
    where = f"/rounds/{round_id}"

    told = idle_service.get(f"{where}/outbox").json()

    assert told["total"] == 7
    assert told["counts"] == [
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
    assert told["unaddressed"] == ["bruges", "celje"]
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

    told = released.json()
    assert released.status_code == 200
    assert told["phase"] == "released"
    at, until = moment(told["released_at"]), moment(told["answer_by"])
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


# Two organisers, and repeated requests.


def test_who_decides_about_an_older_round_sees_what_has_changed(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    seen = idle_service.get(where).headers["etag"]
    run = idle_service.get(where).json()["staged_run"]
    one = pairing(idle_service, round_id, "amiens", "celje")
    idle_service.post(f"/pairings/{one['id']}/dismiss", WHY)
    before = state_of(idle_service, round_id)

    def late(path, body):
        return idle_service.call(
            "POST", f"{where}/{path}", json=body, headers={"If-Match": seen}
        )

    for path, body in (
        ("release", {}),
        ("stage", {"run": run}),
        ("overrides", OTHERWISE),
        ("repairs", {"repair": "0" * 16}),
    ):
        refused = late(path, body)
        assert refusal(refused)[:2] == (412, "stale")
        told = [error["code"] for error in refused.json()["errors"]]
        assert told[:2] == ["pairing.dismissed", "round.staged"]
    assert state_of(idle_service, round_id) == before
    fresh = idle_service.get(where).headers["etag"]
    done = idle_service.call(
        "POST", f"{where}/release", json={}, headers={"If-Match": fresh}
    )
    assert done.status_code == 200


def test_a_repeated_request_is_done_once(idle_service):
    round_id, run = closed_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"

    def twice(path, body):
        answers = []
        for _ in range(2):
            before = audited(idle_service)
            answers.append(
                idle_service.call(
                    "POST", path, json=body, headers={"Idempotency-Key": path}
                )
            )
        assert audited(idle_service) == before, "the second one did something"
        first, second = answers
        assert (first.status_code, first.json()) == (200, second.json())
        assert "idempotency-replayed" not in first.headers
        assert second.headers["idempotency-replayed"] == "true"
        assert first.headers.get("etag") == second.headers.get("etag")
        other = idle_service.call(
            "POST", path, json=body | {"x": 1}, headers={"Idempotency-Key": path}
        )
        assert other.status_code in {409, 422}
        return first.json()

    twice(f"{where}/stage", {"run": run})
    twice(f"{where}/overrides", OTHERWISE)
    one = pairing(idle_service, round_id, "amiens", "delft")
    twice(f"/pairings/{one['id']}/dismiss", WHY)
    repair = idle_service.get(f"{where}/repairs").json()["items"][0]["id"]
    twice(f"{where}/repairs", {"repair": repair})
    twice(f"{where}/release", {})
    offered = listed(idle_service, f"{where}/pairings?state=offered")[0]
    answered = {"side": "mentor", "answer": "accept"}
    told = twice(f"/pairings/{offered['id']}/answer", answered)
    assert told["mentor_answer"] == "accepted"
    reused = idle_service.call(
        "POST",
        f"/pairings/{offered['id']}/answer",
        json={"side": "learner", "answer": "accept"},
        headers={"Idempotency-Key": f"/pairings/{offered['id']}/answer"},
    )
    assert refusal(reused) == (409, "key-reused", [])


# A large round.


def test_a_round_of_300_cities_is_staged_changed_and_released(idle_service):
    register(
        idle_service,
        *(
            city(
                f"m{at:03}",
                "mentor",
                areas={"housing": {"strength": at % 4 + 1}},
            )
            for at in range(150)
        ),
        *(
            city(f"z{at:03}", areas={"housing": {"need": at % 4 + 1}})
            for at in range(150)
        ),
    )
    round_id = idle_service.post("/rounds", {"name": "Large"}).json()["id"]
    where = f"/rounds/{round_id}"
    for name in (f"{side}{at:03}" for side in "mz" for at in range(150)):
        idle_service.put(f"{where}/participants/{name}", {})
    for phase in ("open", "closed"):
        idle_service.post(f"{where}/phase", {"to": phase})
    run = compute(idle_service, round_id)
    took = {}

    def timed(name, ask):
        began = time.monotonic()
        answer = ask()
        took[name] = time.monotonic() - began
        assert getattr(answer, "status_code", 200) == 200, answer.text
        return answer

    timed("stage", lambda: idle_service.post(f"{where}/stage", {"run": run}))
    found = timed("list", lambda: listed(idle_service, f"{where}/pairings?limit=200"))
    first = f"/pairings/{found[0]['id']}/dismiss"
    timed("dismiss", lambda: idle_service.post(first, WHY))
    timed("release", lambda: idle_service.post(f"{where}/release", {}))

    assert len(found) == 150
    assert len(pairs(idle_service, round_id, "offered")) == 149
    assert idle_service.get(f"{where}/outbox").json()["total"] == 300
    assert max(took.values()) < 5, took


def test_what_is_on_record_keeps_its_cities(sqlite_service):
    round_id = released_round(sqlite_service, *FIVE)
    left = sqlite_service.delete(f"/rounds/{round_id}/participants/delft")

    assert left.status_code == 204
    assert refusal(sqlite_service.delete("/cities/delft")) == (409, "in-use", [])
