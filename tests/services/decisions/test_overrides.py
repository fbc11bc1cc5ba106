"""What organisers decide otherwise than the run, and who leaves meanwhile."""

import pytest

from tests.fixtures.cities import (
    FIVE,
    PROPOSED,
    add_officer,
    city,
    closed_round,
    compute,
    last_actions,
    listed,
    messages,
    pairing,
    pairs,
    refusal,
    staged_round,
)
from tests.services.decisions.staged_rounds import FORCED, OTHERWISE, WHY, state_of

# What organisers decide otherwise.


def test_the_price_of_an_override_is_told_before_it_is_paid(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    before = state_of(idle_service, round_id)
    run = before[0]["staged_run"]

    dry_run = idle_service.post(f"/rounds/{round_id}/overrides?dry_run=true", OTHERWISE)

    what_if = idle_service.post(f"/runs/{run}/what-if", {"force": [FORCED]}).json()
    assert dry_run.json() == {
        "run": None,
        "price": -what_if["difference"]["points"],
        "difference": what_if["difference"],
    }
    assert dry_run.json()["price"] > 10
    assert state_of(idle_service, round_id) == before


def test_an_override_is_staged_with_its_reason_and_its_price(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    dry_run = idle_service.post(f"{where}/overrides?dry_run=true", OTHERWISE).json()
    untouched = pairing(idle_service, round_id, "bruges", "evora")

    done = idle_service.post(f"{where}/overrides", OTHERWISE)

    overridden = done.json()
    assert overridden == dry_run | {"run": overridden["run"]}
    assert idle_service.get(where).json()["staged_run"] == overridden["run"]
    solution = idle_service.get(f"/runs/{overridden['run']}/solution").json()
    found = listed(idle_service, f"{where}/pairings")
    assert [(one["mentor"], one["learner"], one["score"]) for one in found] == [
        (one["mentor"], one["learner"], one["score"]) for one in solution["pairings"]
    ]
    (forced,) = (one for one in found if one["learner"] == "delft")
    assert (forced["mentor"], forced["origin"]) == ("amiens", "override")
    assert (forced["reason"], forced["price"]) == (
        OTHERWISE["reason"],
        overridden["price"],
    )
    assert pairing(idle_service, round_id, "bruges", "evora")["id"] == untouched["id"]
    policy = idle_service.get(f"{where}/policy").json()
    assert policy["pins"] == [FORCED | {"reason": OTHERWISE["reason"]}]
    assert last_actions(idle_service, round_id, 2) == [
        "round.overridden",
        "round.staged",
    ]
    log = idle_service.get(f"{where}/audit").json()["items"][0]
    assert (log["details"]["price"], log["details"]["forced"]) == (
        overridden["price"],
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
    staged_again = [(one["mentor"], one["learner"], one["pinned"]) for one in again]
    assert ("amiens", "delft", True) in staged_again
    assert ("bruges", "evora") not in {one[:2] for one in staged_again}
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

    def refused_with(role="organiser"):
        return refusal(sqlite_service.post(f"{where}/overrides", OTHERWISE, role))

    assert refused_with() == (409, "wrong-phase", [])
    sqlite_service.post(f"{where}/stage", {"run": run})
    assert refused_with("auditor") == (403, "forbidden", [])
    assert refused_with("amiens") == (403, "forbidden", [])
    assert refused_with(None) == (401, "unauthenticated", [])
    sqlite_service.post(f"{where}/release", {})
    assert refused_with() == (409, "wrong-phase", [])


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
