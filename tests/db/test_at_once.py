"""Many at the same moment, on two servers over one database of either kind."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.db import Database, tables
from app.services.pairings import offers, pairings
from tests.db.house import House
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    changing,
    city,
    compute,
    listed,
    messages,
    pairing,
    pairs,
    register,
    say,
)
from tests.fixtures.process import served
from tests.fixtures.service import start

WHY = {"reason": "A reason."}
LIVE = ("staged", "offered", "confirmed")
LEARNERS = tuple(f"learner-{at}" for at in range(6))
HOUSING = {"housing": {"need": 4, "strength": 4}}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def house(request):
    """Two servers; FIVE cities, and a mentor whom six learners like alike."""
    url = request.getfixturevalue(f"_copy_{request.param}")()
    running = start(url, runs_at_once=0)
    service = next(running)
    many = city("many", "mentor", mentor_capacity=6, areas=HOUSING)
    register(service, *FIVE, many)
    register(service, *(city(name, areas=HOUSING) for name in LEARNERS))
    for name in ("amiens", "bruges", "celje", "delft", "evora"):
        add_officer(service, name)
    with (
        served(url, service.tokens, runs_at_once="0") as one,
        served(url, service.tokens, runs_at_once="0") as other,
    ):
        yield House(service, (one.address, other.address))
    running.close()


NAMES = tuple(one["id"] for one in FIVE)


def statuses(answers):
    return sorted(one.status_code for one in answers)


def accept(one, side):
    body = {"side": side, "answer": "accept"}
    return "POST", f"/pairings/{one['id']}/answer", body


def test_both_sides_accept_at_once_and_are_told_once(house):
    round_id = house.released("many", *LEARNERS)
    offered = listed(house.service, f"/rounds/{round_id}/pairings")
    assert len(offered) == 6

    answers = house.together(
        *(accept(one, side) for one in offered for side in ("mentor", "learner") * 2)
    )

    assert statuses(answers) == [200] * 24
    assert len(pairs(house.service, round_id, "confirmed")) == 6
    assert house.actions(round_id)["pairing.answered"] == 12
    letters = Counter(
        (city_id, role)
        for city_id, kind, role, _ in messages(house.service, round_id)
        if kind == "confirmed"
    )
    assert letters == Counter({("many", "mentor"): 6}) + Counter(
        (name, "learner") for name in LEARNERS
    )


def test_simultaneous_accepts_never_overfill_a_mentor(house):
    round_id = house.released("many", *LEARNERS)
    offered = listed(house.service, f"/rounds/{round_id}/pairings")
    with changing(house.service) as session:  # as no caller could
        row = session.get_one(tables.Participant, (round_id, "many"))
        row.mentor_capacity = 2
    for one in offered:
        say(house.service, one, "learner", "accept")

    answers = house.together(*(accept(one, "mentor") for one in offered))

    assert statuses(answers) == [200, 200, 409, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.is_error} == {"no-places"}
    assert len(pairs(house.service, round_id, "confirmed")) == 2
    assert len(pairs(house.service, round_id, "offered")) == 4


def test_the_last_place_is_offered_again_to_one_alone(house):
    round_id = house.released("many", *LEARNERS)
    with changing(house.service) as session:
        session.execute(
            update(tables.Pairing)
            .where(tables.Pairing.round_id == round_id)
            .values(answer_by=datetime.now(UTC) - timedelta(seconds=1))
        )
    assert offers.expire(house.service.client.app.state.database) == 6
    expired = listed(house.service, f"/rounds/{round_id}/pairings")
    where = f"/rounds/{round_id}/participants/many"
    house.service.put(where, {"mentor_capacity": 1}, "*")
    later = {"answer_by": (datetime.now(UTC) + timedelta(days=3)).isoformat()}

    answers = house.together(
        *(("PATCH", f"/pairings/{one['id']}", later) for one in expired)
    )

    assert statuses(answers) == [200] + [409] * 5
    assert len(pairs(house.service, round_id, "offered")) == 1


def test_places_are_lowered_while_answers_come(house):
    """However it ends, it is as if one had come after the other."""
    round_id = house.released("many", *LEARNERS)
    offered = listed(house.service, f"/rounds/{round_id}/pairings")
    where = f"/rounds/{round_id}/participants/many"
    fewer = [("PUT", where, {"mentor_capacity": places}) for places in (5, 4, 3, 2)]
    no = {"side": "learner", "answer": "decline", "reason_code": "timing"}

    answers = house.together(
        *fewer,
        *(("POST", f"/pairings/{one['id']}/answer", no) for one in offered[:3]),
        *(accept(one, "mentor") for one in offered[3:]),
        *(accept(one, "learner") for one in offered[3:]),
    )

    assert {one.status_code for one in answers[4:]} == {200}
    assert {one.status_code for one in answers[:4]} <= {200, 409}
    alive = pairs(house.service, round_id, *LIVE)
    assert alive == [("many", name) for name in LEARNERS[3:]]
    capacity = house.service.get(where).json()["mentor_capacity"]
    assert capacity in {3, 4, 5, 6}
    assert pairs(house.service, round_id, "confirmed") == alive


def test_one_of_many_releases_seals(house):
    round_id = house.staged(*NAMES)
    where = f"/rounds/{round_id}"

    answers = house.together(*[("POST", f"{where}/release", {})] * 6)

    assert statuses(answers) == [200] + [409] * 5
    assert house.actions(round_id)["round.released"] == 1
    letters = messages(house.service, round_id)
    assert [one[:3] for one in letters] == [
        ("amiens", "offer", "mentor"),
        ("bruges", "offer", "mentor"),
        ("bruges", "offer", "mentor"),
        ("celje", "offer", "learner"),
        ("delft", "offer", "learner"),
        ("evora", "offer", "learner"),
    ]
    assert {state for *_, state in letters} == {"queued"}
    decision = house.service.get(f"{where}/decision").json()
    released = house.service.get(where).json()
    assert decision["released_at"] == released["released_at"]


def test_a_release_and_what_undoes_it_come_one_after_the_other(house):
    round_id = house.staged(*NAMES)
    one = pairing(house.service, round_id, "amiens", "celje")
    where = f"/rounds/{round_id}"

    released, dismissed, back = house.together(
        ("POST", f"{where}/release", {}),
        ("POST", f"/pairings/{one['id']}/dismiss", WHY),
        ("POST", f"{where}/phase", {"to": "closed"} | WHY),
    )

    now = house.service.get(where).json()
    found = pairs(house.service, round_id, "offered")
    held = messages(house.service, round_id, "held")
    assert held == []
    if released.is_success:
        assert (now["phase"], back.status_code) == ("released", 409)
        assert len(found) == 3 - dismissed.is_success
    else:
        assert (now["phase"], back.status_code, found) == ("closed", 200, [])
        assert released.json()["code"] == "wrong-phase"


def test_one_of_many_runs_stays_staged(house):
    round_id, first = house.round_of(*NAMES)
    bans = [{"mentor": "bruges", "learner": "evora"}]
    second = compute(house.service, round_id, policy={"bans": bans})
    where = f"/rounds/{round_id}"

    answers = house.together(
        *(("POST", f"{where}/stage", {"run": run}) for run in (first, second) * 3)
    )

    assert statuses(answers) == [200] * 6
    staged = house.service.get(where).json()["staged_run"]
    found = listed(house.service, f"{where}/pairings")
    assert {one["run"] for one in found} == {staged}
    assert len(found) == (3 if staged == first else 2)
    assert len(messages(house.service, round_id, "held")) == (
        6 if staged == first else 5
    )


@pytest.mark.parametrize("phase", ["staged", "released"])
def test_one_of_many_makes_the_repair(house, phase):
    names = ("amiens", "many", LEARNERS[0])
    round_id = house.staged(*names) if phase == "staged" else house.released(*names)
    where = f"/rounds/{round_id}"
    (one,) = listed(house.service, f"{where}/pairings")
    end = "dismiss" if phase == "staged" else "withdraw"
    house.service.post(f"/pairings/{one['id']}/{end}", WHY)
    (repair, *_) = house.service.get(f"{where}/repairs").json()["items"]
    assert repair["added"]

    answers = house.together(
        *[("POST", f"{where}/repairs", {"repair": repair["id"]})] * 4
    )

    done, *refused = sorted(answers, key=lambda one: one.status_code)
    assert done.status_code == 200
    assert {one.status_code for one in refused} <= {409, 412}
    assert house.actions(round_id)["round.repaired"] == 1
    assert sorted(pairs(house.service, round_id, *LIVE)) == sorted(
        (one["mentor"], one["learner"]) for one in repair["pairings"]
    )


def test_one_of_two_overrides_is_made_and_the_other_looks_again(house):
    round_id = house.staged(*NAMES)
    where = f"/rounds/{round_id}/overrides"
    overrides = [
        {"force": [{"mentor": "amiens", "learner": learner}], "reason": learner}
        for learner in ("delft", "evora")
    ]

    answers = house.together(*(("POST", where, override) for override in overrides))

    done = next(one for one in answers if one.is_success)
    other = next(one for one in answers if one is not done)
    assert other.status_code == 412
    assert refusal_code(other) == "stale"
    chosen = overrides[answers.index(done)]
    pins = house.service.get(f"/rounds/{round_id}/policy").json()["pins"]
    assert [pin["reason"] for pin in pins] == [chosen["reason"]]
    assert (
        house.service.get(f"/rounds/{round_id}").json()["staged_run"]
        == (done.json()["run"])
    )


def refusal_code(answer):
    return answer.json()["code"]


def test_an_accept_and_a_withdrawal_come_one_after_the_other(house):
    round_id = house.released("many", *LEARNERS)
    offered = listed(house.service, f"/rounds/{round_id}/pairings")
    for one in offered:
        say(house.service, one, "learner", "accept")

    answers = house.together(
        *(accept(one, "mentor") for one in offered),
        *(("POST", f"/pairings/{one['id']}/withdraw", WHY) for one in offered),
    )

    accepted, withdrawn = answers[:6], answers[6:]
    assert statuses(withdrawn) == [200] * 6
    confirmed = sum(one.is_success for one in accepted)
    assert {refusal_code(one) for one in accepted if one.is_error} <= {"not-offered"}
    assert len(pairs(house.service, round_id, "withdrawn")) == 6
    kinds = Counter(kind for _, kind, _, _ in messages(house.service, round_id))
    assert (kinds["confirmed"], kinds["withdrawn"]) == (2 * confirmed, 12)


def test_an_accept_and_the_deadline_come_one_after_the_other(house):
    round_id = house.released("many", *LEARNERS)
    offered = listed(house.service, f"/rounds/{round_id}/pairings")
    for one in offered:
        say(house.service, one, "learner", "accept")
    with changing(house.service) as session:
        for at, row in enumerate(pairings.of_round(session, round_id)):
            # Some pass before, some after the answers come.
            row.answer_by = datetime.now(UTC) + timedelta(seconds=0.4 + at / 10)
    database = Database(house.service.url)
    ended = threading.Event()

    def worker():
        count = 0
        while not ended.is_set():
            count += offers.expire(database)
        return count + offers.expire(database)

    with ThreadPoolExecutor(1) as pool:
        expired = pool.submit(worker)
        answers = house.together(*(accept(one, "mentor") for one in offered))
        ended.wait(1)
        ended.set()
        late = expired.result()
    database.close()

    done = sum(one.is_success for one in answers)
    codes = {refusal_code(one) for one in answers if one.is_error}
    assert codes <= {"too-late", "not-offered"}
    assert (done, late) == (
        len(pairs(house.service, round_id, "confirmed")),
        len(pairs(house.service, round_id, "expired")),
    )
    assert done + late == 6
    kinds = Counter(kind for _, kind, _, _ in messages(house.service, round_id))
    assert (kinds["confirmed"], kinds["expired"]) == (2 * done, 2 * late)


def test_a_city_leaves_while_its_partners_accept(house):
    round_id = house.released("many", *LEARNERS)
    offered = listed(house.service, f"/rounds/{round_id}/pairings")

    left, *answers = house.together(
        ("DELETE", f"/rounds/{round_id}/participants/many", None),
        *(accept(one, "learner") for one in offered),
    )

    assert left.status_code == 204
    assert {one.status_code for one in answers} <= {200, 409}
    assert pairs(house.service, round_id, *LIVE) == []
    assert len(pairs(house.service, round_id, "withdrawn")) == 6


def test_many_late_cities_enter_at_once(house):
    round_id = house.released("many", LEARNERS[0])
    where = f"/rounds/{round_id}/participants"

    answers = house.together(
        *(("PUT", f"{where}/{name}", {}) for name in LEARNERS[1:] * 2), tag=None
    )

    # Whoever comes second finds it there, and has not read it.
    assert statuses(answers) == [201] * 5 + [428] * 5
    assert len(listed(house.service, where)) == 7
