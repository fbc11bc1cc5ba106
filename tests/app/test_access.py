"""Who may do what: a row for every operation of the OpenAPI document."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.compute import solving
from app.db import Database, models
from app.db.models.base import now
from app.main import create_app
from app.permissions import TERMINAL
from app.services import (
    accounts,
    cities,
    pairings,
    participants,
    phases,
    repairs,
    rounds,
    runs,
)
from app.settings import Settings
from matching import match, repair
from schemas import (
    AnswerWrite,
    City,
    CityWrite,
    ParticipationWrite,
    Practice,
    RoundWrite,
    RunWrite,
)
from tests.app.profiles import city, refusal, register
from tests.fixtures.service import ROLES, add_accounts

# The answers to: nobody, the officer of the city in question, the officer of another
# one, the auditor, the organiser, the administrator.
CALLERS = (None, "officer", "stranger", "auditor", "organiser", "administrator")
ANYBODY = (200,) * 6
READERS = (401, 200, 200, 200, 200, 200)
OVERSEERS = (401, 404, 404, 200, 200, 200)


def organisers(done: int, refused: int = 403) -> tuple[int, ...]:
    return (401, refused, refused, 403, done, done)


def own_or_organisers(done: int) -> tuple[int, ...]:
    return (401, done, 403, 403, done, done)


PROFILE = city("mechelen", "mentor")
NEW = {"name": "Another"}
PRACTICE = {"area": "housing", "title": "T"}
MATCH = {"cities": [PROFILE, city("b")]}
WHY = {"reason": "A reason."}
YES = {"side": "mentor", "answer": "accept"}
MET = {"fit": "good", "note": None}
DEADLINE = {"answer_by": (now() + timedelta(days=30)).isoformat()}
OVERRIDE = WHY | {"force": [{"mentor": "mechelen", "learner": "third"}]}


def staging(world: "World") -> object:
    return {"run": world.runs["closed"]}


def first_repair(world: "World") -> object:
    with world.database.read() as session:
        row = rounds.get(session, TERMINAL, "to-repair")
        there = repairs.standing(session, TERMINAL, row)
    found = repair(
        there.problem,
        there.policy,
        there.pairs,
        gone=there.gone,
        declined=there.declined,
        keep=there.keep,
        limit=1,
    )
    return {"repair": repairs.named(found[0]).id}


TABLE: dict[str, tuple[tuple[int, ...], object]] = {
    "GET /api/v1/policy-areas": (ANYBODY, None),
    "POST /api/v1/match": (ANYBODY, MATCH),
    "GET /api/v1/cities": (READERS, None),
    "POST /api/v1/cities": (organisers(201), city("new")),
    "GET /api/v1/cities/import": (READERS, None),
    "POST /api/v1/cities/import": (
        organisers(200),
        "name,country,roles,needs\nGhent,BE,learner,housing\n",
    ),
    "GET /api/v1/cities/export": (READERS, None),
    "GET /api/v1/cities/{city_id}": (READERS, None),
    "PUT /api/v1/cities/{city_id}": (own_or_organisers(200), PROFILE | NEW),
    "PATCH /api/v1/cities/{city_id}": (own_or_organisers(200), NEW),
    "DELETE /api/v1/cities/{city_id}": (organisers(204), None),
    "GET /api/v1/cities/{city_id}/suggestions": (READERS, None),
    "GET /api/v1/cities/{city_id}/audit": ((401, 200, 404, 200, 200, 200), None),
    "GET /api/v1/cities/{city_id}/practices": (READERS, None),
    "POST /api/v1/cities/{city_id}/practices": (own_or_organisers(201), PRACTICE),
    "GET /api/v1/cities/{city_id}/practices/{practice_id}": (READERS, None),
    "PUT /api/v1/cities/{city_id}/practices/{practice_id}": (
        own_or_organisers(200),
        PRACTICE | {"title": "Another"},
    ),
    "DELETE /api/v1/cities/{city_id}/practices/{practice_id}": (
        own_or_organisers(204),
        None,
    ),
    "GET /api/v1/rounds": (READERS, None),
    "POST /api/v1/rounds": (organisers(201), NEW),
    "GET /api/v1/rounds/{round_id}": (READERS, None),
    "PUT /api/v1/rounds/{round_id}": (organisers(200), NEW),
    "PATCH /api/v1/rounds/{round_id}": (organisers(200), NEW),
    "DELETE /api/v1/rounds/{round_id}": (organisers(204, 404), None),
    "POST /api/v1/rounds/{round_id}/phase": (organisers(200), {"to": "closed"}),
    "GET /api/v1/rounds/{round_id}/participants": (READERS, None),
    "GET /api/v1/rounds/{round_id}/participants/{city_id}": (READERS, None),
    "PUT /api/v1/rounds/{round_id}/participants/{city_id}": (
        own_or_organisers(200),
        {"mentor_capacity": 2},
    ),
    "DELETE /api/v1/rounds/{round_id}/participants/{city_id}": (
        own_or_organisers(204),
        None,
    ),
    "GET /api/v1/rounds/{round_id}/policy": (OVERSEERS, None),
    "PUT /api/v1/rounds/{round_id}/policy": (
        organisers(200, 404),
        {"objective": "fair"},
    ),
    "GET /api/v1/rounds/{round_id}/readiness": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/audit": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/runs": (OVERSEERS, None),
    "POST /api/v1/rounds/{round_id}/runs": (organisers(202), {}),
    "GET /api/v1/runs/{run_id}": (OVERSEERS, None),
    "DELETE /api/v1/runs/{run_id}": (organisers(200, 404), None),
    "GET /api/v1/runs/{run_id}/solution": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/solution.csv": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/solution.html": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/bundle": (OVERSEERS, None),
    "POST /api/v1/runs/{run_id}/what-if": (OVERSEERS, {"remove": ["other"]}),
    "GET /api/v1/runs/{run_id}/why-not": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/drill": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/events": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/repairs": (OVERSEERS, None),
    "POST /api/v1/rounds/{round_id}/repairs": (organisers(200), first_repair),
    "POST /api/v1/rounds/{round_id}/stage": (organisers(200), staging),
    "POST /api/v1/rounds/{round_id}/overrides": (organisers(200), OVERRIDE),
    "POST /api/v1/rounds/{round_id}/release": (organisers(200), {}),
    "GET /api/v1/rounds/{round_id}/pairings": (READERS, None),
    "GET /api/v1/pairings/{pairing_id}": (READERS, None),
    "PATCH /api/v1/pairings/{pairing_id}": (organisers(200), DEADLINE),
    "GET /api/v1/pairings/{pairing_id}/explanation": (READERS, None),
    "POST /api/v1/pairings/{pairing_id}/answer": (own_or_organisers(200), YES),
    "POST /api/v1/pairings/{pairing_id}/dismiss": (organisers(200, 404), WHY),
    "POST /api/v1/pairings/{pairing_id}/withdraw": (organisers(200), WHY),
    "GET /api/v1/pairings/{pairing_id}/check-ins": (
        (401, 200, 404, 200, 200, 200),
        None,
    ),
    "POST /api/v1/pairings/{pairing_id}/check-ins": (own_or_organisers(201), MET),
    "GET /api/v1/rounds/{round_id}/outbox": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/messages": (OVERSEERS, None),
    "POST /api/v1/rounds/{round_id}/reminders": (organisers(200), None),
    "GET /api/v1/messages/{message_id}": (OVERSEERS, None),
    "POST /api/v1/messages/{message_id}/test": (organisers(202, 404), None),
    "POST /api/v1/messages/{message_id}/send-again": (organisers(202, 404), None),
    "GET /api/v1/rounds/{round_id}/health": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/scenarios": (OVERSEERS, None),
    "GET /api/v1/ledger": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/decision": (READERS, None),
    "GET /api/v1/rounds/{round_id}/bundle": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/how-we-chose": (READERS, None),
    "GET /api/v1/rounds/{round_id}/how-we-chose.html": (READERS, None),
}
# Operations that are called about another round than the open one.
ROUND_OF = {
    "POST /api/v1/rounds/{round_id}/stage": "closed",
    "POST /api/v1/rounds/{round_id}/overrides": "staged",
    "POST /api/v1/rounds/{round_id}/release": "staged",
    "POST /api/v1/rounds/{round_id}/repairs": "to-repair",
    "GET /api/v1/rounds/{round_id}/decision": "released",
    "GET /api/v1/rounds/{round_id}/bundle": "released",
    "GET /api/v1/rounds/{round_id}/how-we-chose": "released",
    "GET /api/v1/rounds/{round_id}/how-we-chose.html": "released",
}
# Likewise of pairings: by the state in which each of them has one.
PAIRING_OF = {
    "POST /api/v1/pairings/{pairing_id}/dismiss": "staged",
    "GET /api/v1/pairings/{pairing_id}/check-ins": "confirmed",
    "POST /api/v1/pairings/{pairing_id}/check-ins": "confirmed",
}
ASKED = {
    "GET /api/v1/runs/{run_id}/why-not": "?mentor=mechelen&learner=other",
    "GET /api/v1/rounds/{round_id}/repairs": "?run={run_id}",
    "GET /api/v1/rounds/{round_id}/scenarios": "?run={run_id}",
}
STORE_NOTHING = ("GET ", "POST /api/v1/match", "POST /api/v1/runs/{run_id}/what-if")
# The runs of this world stay as they are: nobody computes them.
APP = create_app(Settings(match_per_minute=100_000, runs_at_once=0))
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in APP.openapi()["paths"].items()
    for method in methods
]


@dataclass
class World:
    """A city, a round in which it takes part, and a run that has ended."""

    client: TestClient
    database: Database
    tokens: dict[str, str]
    ids: dict[str, str]
    queued: str
    runs: dict[str, str]
    """A run of each other round, by the round."""
    pairings: dict[str, str]
    """A pairing in each state."""

    def audited(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(models.Audit)) or 0

    def call(self, operation: str, role: str | None, body: object):
        method, path = (operation + ASKED.get(operation, "")).split(" ")
        ids = self.ids | {
            "pairing_id": self.pairings[PAIRING_OF.get(operation, "offered")]
        }
        ids["round_id"] = ROUND_OF.get(operation, ids["round_id"])
        if callable(body):
            body = body(self)
        if operation.startswith("DELETE /api/v1/runs"):
            ids["run_id"] = self.queued
        if operation == "DELETE /api/v1/rounds/{round_id}":
            ids["round_id"] = "a-draft"
        if operation == "DELETE /api/v1/cities/{city_id}":
            ids["city_id"] = "alone"
        for name, value in ids.items():
            path = path.replace(f"{{{name}}}", value)
        headers = {"If-Match": "*"}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        if isinstance(body, str):
            headers["Content-Type"] = "text/csv"
            return self.client.request(method, path, headers=headers, content=body)
        return self.client.request(method, path, headers=headers, json=body)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(APP, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def make_world(client, copy_database) -> Iterator[Callable[[], World]]:
    """Return what makes another world of this kind."""
    opened: list[Database] = []

    def make() -> World:
        opened.append(Database(copy_database()))
        return build(client, opened[-1])

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def world(make_world) -> World:
    return make_world()


def build(client: TestClient, database: Database) -> World:
    tokens = add_accounts(database)
    APP.state.database = database
    with database.write() as session:
        stranger = accounts.add_user(session, "s@example.org", "officer", "other")
        tokens["stranger"] = accounts.add_token(session, stranger)
        for profile in (PROFILE, city("other"), city("alone"), city("third")):
            cities.add(session, TERMINAL, City(**profile))
        row = cities.get(session, "mechelen")
        practice = cities.add_practice(session, TERMINAL, row, Practice(**PRACTICE))
        round_row = rounds.add(session, TERMINAL, RoundWrite(name="R"))
        rounds.add(session, TERMINAL, RoundWrite(name="A draft"))
        for name in ("mechelen", "other"):
            participants.put(session, TERMINAL, round_row, name, ParticipationWrite())
        phases.move(session, TERMINAL, round_row, "open", None)
        runs.start(session, TERMINAL, round_row, RunWrite())
    mine = runs.claim(database)
    assert mine is not None
    runs.succeed(database, mine, match(mine.problem, mine.policy))
    with database.write() as session:
        queued = runs.start(
            session, TERMINAL, rounds.get(session, TERMINAL, "r"), RunWrite()
        )
    others = {name: further_round(database, name) for name in FURTHER}
    with database.write() as session:
        found = session.scalars(select(models.Pairing)).all()
        message = session.scalars(
            select(models.Message).where(models.Message.round_id == "released")
        ).first()
        assert message is not None
        message.state, message.account_id = "failed", find_organiser(session)
    ids = {
        "message_id": message.id,
        "city_id": "mechelen",
        "round_id": "r",
        "run_id": mine.run,
        "practice_id": practice.id,
    }
    states = {pairing.state: pairing.id for pairing in found}
    return World(client, database, tokens, ids, queued.id, others, states)


FURTHER = ("closed", "staged", "released", "agreed", "to-repair")


def find_organiser(session) -> str:
    return accounts.find_user(session, "organiser@example.org").id


def further_round(database: Database, name: str) -> str:
    """Set up a round that is as far as its name says; return its run."""
    with database.write() as session:
        row = rounds.add(session, TERMINAL, RoundWrite(id=name, name=name))
        for one in ("mechelen", "third"):
            participants.put(session, TERMINAL, row, one, ParticipationWrite())
        phases.move(session, TERMINAL, row, "open", None)
        phases.move(session, TERMINAL, row, "closed", None)
        run = runs.start(session, TERMINAL, row, RunWrite())
    with database.write() as session:  # the queued one of the open round is older
        mine = session.get_one(models.Run, run.id)
        found = runs.frozen(mine)
        mine.state = "succeeded"
        solution = match(found.problem, found.policy)
        session.add(models.Solution(run_id=run.id, body=solving.written(solution)))
        session.flush()
        row = rounds.get(session, TERMINAL, name, lock=True)
        if name != "closed":
            phases.stage(session, TERMINAL, row, mine)
        if name in {"released", "agreed", "to-repair"}:
            phases.release(session, TERMINAL, row, None)
        if name == "to-repair":  # as if another repair had undone it
            (one,) = pairings.of_round(session, name)
            one.state, one.ended_by = "withdrawn", "repair"
        if name == "agreed":
            (one,) = pairings.of_round(session, name)
            for side in ("mentor", "learner"):
                new = AnswerWrite(side=side, answer="accept")
                pairings.answer(session, TERMINAL, row, one, new)
    return run.id


def test_every_operation_has_a_row():
    assert sorted(TABLE) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", sorted(TABLE))
def test_an_operation_is_for_whom_the_table_says(make_world, operation):
    expected, body = TABLE[operation]
    changes = not operation.startswith(STORE_NOTHING)
    world = make_world()
    found = []
    for caller, status in zip(CALLERS, expected, strict=True):
        before = world.audited()

        answer = world.call(operation, caller, body)

        found.append(answer.status_code)
        done = changes and status < 400
        assert world.audited() - before == int(done), (caller, answer.text)
        if status == 401:
            assert refusal(answer) == (401, "unauthenticated", [])
            assert answer.headers["www-authenticate"] == "Bearer"
        if done:  # the next one meets the world as it was
            world = make_world()
    assert tuple(found) == expected


def test_a_draft_is_hidden_from_those_who_take_no_part(world):
    def seen(role):
        headers = {"Authorization": f"Bearer {world.tokens[role]}"}
        listed = world.client.get("/api/v1/rounds", headers=headers).json()["items"]
        read = world.client.get("/api/v1/rounds/a-draft", headers=headers).status_code
        return [one["id"] for one in listed if one["id"] not in FURTHER], read

    assert seen("organiser") == seen("auditor") == (["a-draft", "r"], 200)
    assert seen("officer") == (["r"], 404)
    with world.database.write() as session:
        draft = rounds.get(session, TERMINAL, "a-draft")
        participants.put(session, TERMINAL, draft, "mechelen", ParticipationWrite())
    assert seen("officer") == (["a-draft", "r"], 200)
    assert seen("stranger") == (["r"], 404)


def test_wishes_and_vetoes_are_for_organisers_and_the_city_itself(world):
    with world.database.write() as session:
        participants.put(
            session,
            TERMINAL,
            rounds.get(session, TERMINAL, "r"),
            "mechelen",
            ParticipationWrite(vetoes=("other",)),
        )

    def vetoes(role):
        headers = {"Authorization": f"Bearer {world.tokens[role]}"}
        one = "/api/v1/rounds/r/participants/mechelen"
        read = world.client.get(one, headers=headers).json()
        listed = world.client.get(one.removesuffix("/mechelen"), headers=headers)
        assert listed.json()["items"][0] == read
        return read["vetoes"], read["wishes"]

    for role in ("organiser", "auditor", "administrator", "officer"):
        assert vetoes(role) == (["other"], [])
    assert vetoes("stranger") == (None, None)


def test_an_officer_enters_and_leaves_while_the_round_is_open_only(world):
    def enter():
        return world.call(
            "PUT /api/v1/rounds/{round_id}/participants/{city_id}", "officer", {}
        ).status_code

    assert enter() == 200
    with world.database.write() as session:
        phases.move(
            session, TERMINAL, rounds.get(session, TERMINAL, "r"), "closed", None
        )
    assert enter() == 403


def test_an_officer_registers_its_own_city(service):
    assert service.post("/cities", city("mechelen"), "officer").status_code == 201
    assert refusal(service.post("/cities", city("ghent"), "officer"))[0] == 403
    assert (
        service.put("/cities/ghent", city("ghent"), role="officer").status_code == 403
    )
    assert [c["id"] for c in service.get("/cities").json()["items"]] == ["mechelen"]


def test_tokens_are_read_only_expire_and_fall_with_the_account(service):
    database = Database(service.url)
    with database.write() as session:
        account = accounts.find_user(session, "Organiser@example.org")
        for name, scope, days in (("reads", "read", None), ("old", "write", 0)):
            service.tokens[name] = accounts.add_token(
                session, account, scope, name, days
            )
    register(service, city("a"))

    assert service.get("/cities/a", "reads").status_code == 200
    assert refusal(service.post("/cities", city("b"), "reads"))[1] == "forbidden"
    assert refusal(service.get("/cities/a", "old"))[1] == "unauthenticated"
    with database.write() as session:
        account = accounts.find_user(session, "organiser@example.org")
        assert accounts.revoke_tokens(session, account, "reads") == 1
    assert refusal(service.get("/cities/a", "reads"))[1] == "unauthenticated"
    assert service.get("/cities/a").status_code == 200
    with database.write() as session:
        session.delete(accounts.find_user(session, "organiser@example.org"))
    assert refusal(service.get("/cities/a"))[1] == "unauthenticated"
    database.close()


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer cmp_\xe9"]
)
def test_what_is_no_token_of_ours_is_refused(service, given):
    answer = service.client.get(
        "/api/v1/cities", headers={"Authorization": given.encode("latin-1")}
    )

    assert refusal(answer) == (401, "unauthenticated", [])
    assert answer.headers["www-authenticate"] == "Bearer"


def test_secrets_are_not_stored(service):
    database = Database(service.url)
    with database.read() as session:
        stored = session.scalars(select(models.Token)).all()

    assert len(stored) == len(ROLES)
    for token in stored:
        assert token.digest not in service.tokens.values()
        assert not any(
            secret in repr(vars(token)) for secret in service.tokens.values()
        )
    database.close()


def test_a_stored_city_may_be_sent_back_whole():
    assert CityWrite(**PROFILE).to_dict() == City(**PROFILE).to_dict()
