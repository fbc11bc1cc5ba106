"""A run is staged, pairings are dismissed, and nobody is told; also of 300 cities."""

import time

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
from tests.services.decisions.staged_rounds import WHY, moment


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

    def refused_with(body):
        return refusal(sqlite_service.post(where, body))

    assert refused_with({"run": strange}) == (404, "not-found", [])
    assert refused_with({"run": "0" * 32}) == (404, "not-found", [])
    assert refused_with({"run": queued}) == (409, "not-finished", [])
    assert refused_with({"run": "x"}) == (422, "invalid-input", ["/run"])
    assert refused_with({}) == (422, "invalid-input", ["/run"])
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

    dismissed = done.json()
    assert (done.status_code, dismissed) == (200, idle_service.get(where).json())
    assert dismissed | {"ended_at": None, "updated_at": None} == one | {
        "state": "dismissed",
        "reason": WHY["reason"],
        "ended_by": "organiser",
        "ended_at": None,
        "updated_at": None,
    }
    assert dismissed["ended_at"] == dismissed["updated_at"]
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

    def refused_with(body, role="organiser", place=where):
        return refusal(sqlite_service.post(place, body, role))

    assert refused_with({}) == (422, "invalid-input", ["/reason"])
    assert refused_with({"reason": " "}) == (422, "invalid-input", ["/reason"])
    assert refused_with(WHY, "auditor") == (403, "forbidden", [])
    assert refused_with(WHY, "amiens") == (404, "not-found", [])
    assert sqlite_service.post(where, WHY).status_code == 200
    assert refused_with(WHY) == (409, "not-offered", [])
    sqlite_service.post(f"/rounds/{round_id}/release", {})
    late = f"/pairings/{second['id']}/dismiss"
    assert refused_with(WHY, place=late) == (409, "not-offered", [])


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
