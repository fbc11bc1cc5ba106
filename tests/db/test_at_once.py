"""Many at the same moment, on two servers over one database of either kind."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle

import httpx2
import pytest
from sqlalchemy import select, update

from app.db import Database, tables
from app.permissions import TERMINAL
from app.services.decisions import phases
from app.services.pairings import offers, pairings
from app.services.rounds import rounds
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
    refusal,
    register,
    say,
    staged_round,
)
from tests.fixtures.process import served
from tests.fixtures.service import Service, start

WHY = {"reason": "A reason."}
LIVE = ("staged", "offered", "confirmed")
LEARNERS = tuple(f"learner-{at}" for at in range(6))
HOUSING = {"housing": {"need": 4, "strength": 4}}


@dataclass
class House:
    """A network served by two processes.

    Attributes:
        service: The same database in this process, to prepare and to look.
        addresses: Of the two servers.

    """

    service: Service
    addresses: tuple[str, str]

    def together(self, *asked, role="organiser", tag="*"):
        """Send (method, path, body) all at once, to each server in turn.

        Returns the answers; none is a mistake of ours.
        """
        gate = threading.Barrier(len(asked))
        servers = cycle(self.addresses)
        with ThreadPoolExecutor(len(asked)) as pool:
            sent = [
                pool.submit(self._send, gate, next(servers), role, tag, *one)
                for one in asked
            ]
            answers = [one.result() for one in sent]
        assert 500 not in {one.status_code for one in answers}
        return answers

    def _send(self, gate, server, role, tag, method, path, body):  # noqa: PLR0913 -- a request
        headers = self.service.bearer(role) | ({"If-Match": tag} if tag else {})
        with httpx2.Client(base_url=f"{server}/api/v1", timeout=60) as client:
            client.get("/policy-areas")  # the connection is there before the gate
            gate.wait(30)
            return client.request(method, path, json=body, headers=headers)

    def round_of(self, *names, **fields):
        """Return the id of a closed round of these cities, and a run of it."""
        made = self.service.post("/rounds", {"name": "At once"} | fields)
        where = f"/rounds/{made.json()['id']}"
        for name in names:
            self.service.put(f"{where}/participants/{name}", {})
        for phase in ("open", "closed"):
            self.service.post(f"{where}/phase", {"to": phase})
        return made.json()["id"], compute(self.service, made.json()["id"])

    def staged(self, *names):
        round_id, run = self.round_of(*names)
        staged = self.service.post(f"/rounds/{round_id}/stage", {"run": run})
        assert staged.status_code == 200
        return round_id

    def released(self, *names):
        round_id = self.staged(*names)
        released = self.service.post(f"/rounds/{round_id}/release", {})
        assert released.status_code == 200
        return round_id

    def actions(self, round_id):
        return Counter(
            entry["action"]
            for entry in listed(self.service, f"/rounds/{round_id}/audit")
        )


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
    there = house.service.get(where).json()["mentor_capacity"]
    assert there in {3, 4, 5, 6}
    assert pairs(house.service, round_id, "confirmed") == alive


def test_one_of_many_releases_seals(house):
    round_id = house.staged(*NAMES)
    where = f"/rounds/{round_id}"

    answers = house.together(*[("POST", f"{where}/release", {})] * 6)

    assert statuses(answers) == [200] + [409] * 5
    assert house.actions(round_id)["round.released"] == 1
    told = messages(house.service, round_id)
    assert [one[:3] for one in told] == [
        ("amiens", "offer", "mentor"),
        ("bruges", "offer", "mentor"),
        ("bruges", "offer", "mentor"),
        ("celje", "offer", "learner"),
        ("delft", "offer", "learner"),
        ("evora", "offer", "learner"),
    ]
    assert {state for *_, state in told} == {"queued"}
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
    ways = [
        {"force": [{"mentor": "amiens", "learner": learner}], "reason": learner}
        for learner in ("delft", "evora")
    ]

    answers = house.together(*(("POST", where, way) for way in ways))

    done = next(one for one in answers if one.is_success)
    other = next(one for one in answers if one is not done)
    assert other.status_code == 412
    assert refusal_code(other) == "stale"
    chosen = ways[answers.index(done)]
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


# Two in one process, where it can be told which comes first.


def test_a_pairing_that_is_forgotten_meanwhile_is_not_found(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    one = pairing(idle_service, round_id, "amiens", "celje")
    database = idle_service.client.app.state.database
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            row = rounds.get(session, TERMINAL, round_id, lock=True)
            phases.move(session, TERMINAL, row, "closed", "Once more.")
            late = pool.submit(idle_service.post, f"/pairings/{one['id']}/dismiss", WHY)
            _wait_until_it_waits(database, session)
        refused = late.result()

    assert refusal(refused) == (404, "not-found", [])


def _wait_until_it_waits(database, session):
    """Wait until the other request stands before the lock; on SQLite it stands there
    from its beginning."""
    if database.is_sqlite:
        return
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(200):
        if session.connection().exec_driver_sql(waiting).scalar_one():
            return
        threading.Event().wait(0.02)
    pytest.fail("It did not wait.")


def test_what_is_repaired_while_an_override_is_computed_is_not_thrown_away(
    idle_service,
):
    """Whoever is second looks again: nothing that was done by hand is lost."""
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    one = pairing(idle_service, round_id, "amiens", "celje")
    answers = idle_service.client.app.state.answers
    computed, done = answers.override, threading.Event()

    def meanwhile(*asked):
        found = computed(*asked)
        idle_service.post(f"/pairings/{one['id']}/dismiss", WHY)
        done.set()
        return found

    answers.override = meanwhile
    try:
        late = idle_service.post(
            f"{where}/overrides",
            {"ban": [{"mentor": "bruges", "learner": "evora"}], "reason": "R"},
        )
    finally:
        del answers.override

    assert done.is_set()
    assert refusal(late) == (412, "stale", [])
    with changing(idle_service) as session:
        (left,) = session.scalars(
            select(tables.Pairing.state).where(tables.Pairing.id == one["id"])
        )
    assert left == "dismissed"
