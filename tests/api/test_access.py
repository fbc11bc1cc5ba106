"""Who may do what: a row for every operation of the OpenAPI document."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.compute import solving
from app.db import Database, tables
from app.db.tables.base import now
from app.main import create_app
from app.permissions import TERMINAL
from app.services.accounts import accounts, sign_in
from app.services.accounts import tokens as tokens_of
from app.services.accounts.tokens import add as add_token
from app.services.accounts.tokens import revoke_all as revoke_tokens
from app.services.background import run_protocol
from app.services.cities import contacts, profiles
from app.services.decisions import participants, phases, repairs
from app.services.log import announcements
from app.services.pairings import offers, pairings
from app.services.rounds import rounds
from app.services.runs import runs
from app.services.webhooks import subscriptions
from app.settings import Settings
from matching import match, repair
from schemas import (
    AnswerWrite,
    City,
    CityWrite,
    ContactWrite,
    Invitation,
    ParticipationWrite,
    Practice,
    RoundWrite,
    RunWrite,
    TokenWrite,
    WebhookWrite,
)
from tests.fixtures.cities import city, refusal, register
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.service import ROLES, add_accounts, serve_from


@pytest.fixture
def service(idle_service):
    """Return the application; nothing here has it compute."""
    return idle_service


# The answers to: nobody; the officer of the city in question, and of another one; the
# association of that city, and another one; auditor, organiser and administrator.
CALLERS = (
    None,
    "officer",
    "stranger",
    "association",
    "elsewhere",
    "auditor",
    "organiser",
    "administrator",
)
ANYBODY = (200,) * 8


def members(done: int) -> tuple[int, ...]:
    return (401, *(done,) * 7)


def organisers(done: int, refused: int = 403) -> tuple[int, ...]:
    return (401, *(refused,) * 4, 403, done, done)


def own_or_organisers(done: int, association: int = 403) -> tuple[int, ...]:
    return (401, done, 403, association, 403, 403, done, done)


def own_or_overseers(association: int = 404) -> tuple[int, ...]:
    return (401, 200, 404, association, 404, 200, 200, 200)


def organisers_alone(done: int) -> tuple[int, ...]:
    """Of something that belongs to the organiser who asks."""
    return (401, *(404,) * 5, done, 404)


def colleagues(done: int, own: int) -> tuple[int, ...]:
    """Of somebody of the city in question, whom others do not see."""
    return (401, own, 404, own, 404, 403, done, done)


def organisers_know(done: int) -> tuple[int, ...]:
    """Of something that nobody else sees."""
    return (401, *(404,) * 5, done, done)


def of_the_city(
    done: int, association: int = 403, hidden: int = 404
) -> tuple[int, ...]:
    """Of what partners and auditors do not see."""
    return (401, done, hidden, association, hidden, hidden, done, done)


_UNSEEN = 412
"""PUT with If-Match on what one may not see, as on what is not there."""
READERS = members(200)
OVERSEERS = (401, 404, 404, 404, 404, 200, 200, 200)
PROFILE = city("mechelen", "mentor", association="VVSG")
NEW = {"name": "Another"}
DESK = {"name": "Desk"}
HOOK = {"url": "https://hooks.example.org/"}
PLACE_OF = {"officer": "city", "association": "association"}
PLACED = {"role": "officer", "city": "mechelen"}
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
        there = repairs.basis(session, TERMINAL, row)
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
    "GET /api/v1/webhooks": (organisers_know(200), None),
    "POST /api/v1/webhooks": (organisers(201), HOOK),
    "GET /api/v1/webhooks/{webhook_id}": (organisers_know(200), None),
    "PATCH /api/v1/webhooks/{webhook_id}": (organisers_know(200), {"active": False}),
    "DELETE /api/v1/webhooks/{webhook_id}": (organisers_know(204), None),
    "POST /api/v1/webhooks/{webhook_id}/secret": (organisers_know(200), None),
    "POST /api/v1/webhooks/{webhook_id}/ping": (organisers_know(202), None),
    "GET /api/v1/webhooks/{webhook_id}/deliveries": (organisers_know(200), None),
    "GET /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}": (
        organisers_know(200),
        None,
    ),
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": (
        organisers_know(202),
        None,
    ),
    "GET /api/v1/cities/{city_id}/contacts": (of_the_city(200, 200), None),
    "POST /api/v1/cities/{city_id}/contacts": (of_the_city(201), DESK),
    "GET /api/v1/cities/{city_id}/contacts/{contact_id}": (
        of_the_city(200, 200),
        None,
    ),
    "PUT /api/v1/cities/{city_id}/contacts/{contact_id}": (
        of_the_city(200, hidden=_UNSEEN),
        DESK,
    ),
    "DELETE /api/v1/cities/{city_id}/contacts/{contact_id}": (of_the_city(204), None),
    "GET /api/v1/account/export": (members(200), None),
    "GET /api/v1/accounts/{account_id}/export": (organisers_know(200), None),
    "GET /api/v1/audit": (OVERSEERS, None),
    "GET /api/v1/account": (READERS, None),
    "PATCH /api/v1/account": (members(200), {"name": "Another"}),
    # The administrator is the last one.
    "DELETE /api/v1/account": ((*members(204)[:-1], 409), None),
    "PUT /api/v1/account/password": (members(204), {"new": "four words in a row"}),
    "GET /api/v1/account/sign-ins": (READERS, None),
    "DELETE /api/v1/account/sign-ins": (members(204), None),
    "DELETE /api/v1/account/sign-ins/{sign_in_id}": (organisers_alone(204), None),
    "GET /api/v1/account/tokens": (READERS, None),
    "POST /api/v1/account/tokens": (members(201), {"name": "T"}),
    "DELETE /api/v1/account/tokens/{token_id}": (organisers_alone(204), None),
    "GET /api/v1/accounts": (READERS, None),
    "POST /api/v1/accounts": (
        own_or_organisers(201, association=201),
        {"email": "new@example.org", "role": "officer", "city": "mechelen"},
    ),
    "GET /api/v1/accounts/{account_id}": (own_or_overseers(association=200), None),
    "PATCH /api/v1/accounts/{account_id}": (colleagues(200, 403), {"name": "Another"}),
    "DELETE /api/v1/accounts/{account_id}": (colleagues(204, 403), None),
    "POST /api/v1/accounts/{account_id}/invitation": (colleagues(202, 202), None),
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
    "GET /api/v1/cities/{city_id}/audit": (own_or_overseers(association=200), None),
    "GET /api/v1/places": (READERS, None),
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
        organisers(200, _UNSEEN),
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
    "GET /api/v1/pairings/{pairing_id}/check-ins": (own_or_overseers(), None),
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
    "GET /api/v1/places": "?q=Lodz",
    "GET /api/v1/runs/{run_id}/why-not": "?mentor=mechelen&learner=other",
    "GET /api/v1/rounds/{round_id}/repairs": "?run={run_id}",
    "GET /api/v1/rounds/{round_id}/scenarios": "?run={run_id}",
}
STORE_NOTHING = ("GET ", "POST /api/v1/match", "POST /api/v1/runs/{run_id}/what-if")
# The runs of this world stay as they are: nobody computes them.
APP = create_app(
    Settings(match_per_minute=100_000, requests_per_minute=10_000_000, runs_at_once=0)
)
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
            return session.scalar(select(func.count()).select_from(tables.Audit)) or 0

    def get(self, path: str, role: str | None) -> str:
        headers = {}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.client.get(path, headers=headers).text

    def call(self, operation: str, role: str | None, body: object):
        method, path = (operation + ASKED.get(operation, "")).split(" ")
        ids = self.ids | {
            "pairing_id": self.pairings[PAIRING_OF.get(operation, "offered")]
        }
        ids["round_id"] = ROUND_OF.get(operation, ids["round_id"])
        if callable(body):
            body = body(self)
        if operation.endswith("/invitation"):
            ids["account_id"] = ids["invited"]
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


@pytest.fixture(scope="module")
def built() -> dict[object, tuple[str, World]]:
    """Return what has been built: a world for each kind of database, to be copied."""
    return {}


@pytest.fixture
def make_world(client, copy_database, built) -> Iterator[Callable[[], World]]:
    """Return what makes another world of this kind."""
    opened: list[Database] = []
    if copy_database not in built:
        url = copy_database()
        first = Database(url)
        built[copy_database] = url, build(client, first)
        first.close()  # one that is in use cannot be copied
    source, world = built[copy_database]

    def make() -> World:
        opened.append(Database(copy_database(source)))
        serve_from(APP, opened[-1])
        return replace(world, database=opened[-1])

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def world(make_world) -> World:
    return make_world()


def build(client: TestClient, database: Database) -> World:
    tokens = add_accounts(database)
    serve_from(APP, database)
    with database.write() as session:
        for name, role, place in (
            ("stranger", "officer", "other"),
            ("colleague", "officer", "mechelen"),
            ("association", "association", "VVSG"),
            ("elsewhere", "association", "Brulocalis"),
        ):
            account = accounts.add_user(
                session, f"{name}@example.org", role, **{PLACE_OF[role]: place}
            )
            tokens[name] = add_token(session, account)
        colleague = accounts.find_user(session, "colleague@example.org")
        invited = accounts.invite(
            session, TERMINAL, Invitation(**PLACED, email="invited@example.org")
        )
        organiser = accounts.find_user(session, "organiser@example.org")
        spare = tokens_of.make(
            session, accounts.as_actor(organiser), TokenWrite(name="Spare")
        )
        sign_in.let_in(session, organiser, "password", sign_in.Visit("Firefox"))
        (browser,) = sign_in.of_account(session, accounts.as_actor(organiser))
        other = city("other", association="Brulocalis")
        for profile in (PROFILE, other, city("alone"), city("third")):
            profiles.add(session, TERMINAL, City(**profile))
        row = profiles.get(session, "mechelen")
        practice = profiles.add_practice(session, TERMINAL, row, Practice(**PRACTICE))
        round_row = rounds.add(session, TERMINAL, RoundWrite(name="R"))
        rounds.add(session, TERMINAL, RoundWrite(name="A draft"))
        for name in ("mechelen", "other"):
            participants.put(session, TERMINAL, round_row, name, ParticipationWrite())
        phases.move(session, TERMINAL, round_row, "open", None)
        runs.start(session, TERMINAL, round_row, RunWrite())
    mine = run_protocol.claim(database)
    assert mine is not None
    run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
    with database.write() as session:
        queued = runs.start(
            session, TERMINAL, rounds.get(session, TERMINAL, "r"), RunWrite()
        )
    others = {name: further_round(database, name) for name in FURTHER}
    with database.write() as session:
        found = session.scalars(select(tables.Pairing)).all()
        message = session.scalars(
            select(tables.Message).where(tables.Message.round_id == "released")
        ).first()
        assert message is not None
        message.state, message.account_id = "failed", find_organiser(session)
        hook = subscriptions.add(
            session, TERMINAL, WebhookWrite(**HOOK), allow_private=False
        )
        told = announcements.ping(session, hook)
        told.state, told.ended_at = "failed", now()
        person = ContactWrite(name="Contact")
        contact = contacts.add(session, TERMINAL, "mechelen", person)
    ids = {
        "webhook_id": hook.id,
        "delivery_id": told.id,
        "contact_id": contact.id,
        "account_id": colleague.id,
        "invited": invited.id,
        "token_id": spare.id,
        "sign_in_id": browser.id,
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
        mine = session.get_one(tables.Run, run.id)
        found = runs.frozen(mine)
        mine.state = "succeeded"
        solution = match(found.problem, found.policy)
        session.add(tables.Solution(run_id=run.id, body=solving.written(solution)))
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
                offers.answer(session, TERMINAL, row, one, new)
    return run.id


def test_every_operation_has_a_row():
    assert sorted(TABLE) == sorted(OPERATIONS)


def noun_of(operation: str) -> tuple[str, str]:
    """Return the verb of an operation, and the noun that its path begins with."""
    verb, path = operation.split(" ")
    return verb, path.split("/")[3]


ON_POSTGRES_TOO = {noun_of(one): one for one in sorted(TABLE)}.values()
"""One operation of each verb and noun; the others on PostgreSQL are for a release."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("copy_database", "operation"),
    [
        pytest.param(
            kind,
            operation,
            id=f"{kind}-{operation}",
            marks=pytest.mark.release
            if kind == "postgres" and operation not in ON_POSTGRES_TOO
            else (),
        )
        for kind in ("sqlite", "postgres")
        for operation in sorted(TABLE)
    ],
    indirect=["copy_database"],
)
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
            service.tokens[name] = add_token(session, account, scope, name, days)
    register(service, city("a"))

    assert service.get("/cities/a", "reads").status_code == 200
    assert refusal(service.post("/cities", city("b"), "reads"))[1] == "forbidden"
    assert refusal(service.get("/cities/a", "old"))[1] == "unauthenticated"
    with database.write() as session:
        account = accounts.find_user(session, "organiser@example.org")
        assert revoke_tokens(session, account, "reads") == 1
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
        stored = session.scalars(select(tables.Token)).all()

    assert len(stored) == len(ROLES)
    for token in stored:
        assert token.digest not in service.tokens.values()
        assert not any(
            secret in repr(vars(token)) for secret in service.tokens.values()
        )
    database.close()


def test_a_stored_city_may_be_sent_back_whole():
    assert CityWrite(**PROFILE).to_dict() == City(**PROFILE).to_dict()


# What is not everybody's: a mark that is put where it belongs, and who may read it.
OWN = {"officer", "auditor", "organiser", "administrator"}
ALL_SEEING = {"auditor", "organiser", "administrator"}
ORGANISING = {"organiser", "administrator"}
SECRETS: dict[str, set[str]] = {
    "MARK-draft": ALL_SEEING,
    "MARK-policy": ALL_SEEING,
    "MARK-dismissed": ALL_SEEING,
    "MARK-declined": ALL_SEEING,
    "MARK-note": OWN,
    "MARK-letter": ALL_SEEING,
    "MARK-contact": {"officer", "association", *ORGANISING},
    "colleague@example.org": {"officer", "association", *ALL_SEEING},
    "MARK-token": {"organiser"},
    "MARK-browser": {"organiser"},
    "mark-hook.example": ORGANISING,
    "MARK-answer": set(),
}


def mark(world: World) -> None:
    """Put every mark where it belongs, by whatever way leads there."""

    def call(method: str, path: str, body: object):
        answer = world.client.request(
            method,
            f"/api/v1{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {world.tokens['organiser']}",
                "If-Match": "*",
            },
        )
        assert answer.is_success, answer.text
        return answer.json()

    pair = {"mentor": "mechelen", "learner": "third", "reason": "MARK-policy"}
    call("PATCH", "/rounds/a-draft", {"description": "MARK-draft"})
    call("PUT", "/rounds/closed/policy", {"bans": [pair]})
    staged, agreed = world.pairings["staged"], world.pairings["confirmed"]
    call("POST", f"/pairings/{staged}/dismiss", {"reason": "MARK-dismissed"})
    call("POST", f"/pairings/{agreed}/check-ins", {"fit": None, "note": "MARK-note"})
    no = {"side": "mentor", "answer": "decline", "reason_code": "other"}
    offered = world.pairings["offered"]
    call("POST", f"/pairings/{offered}/answer", no | {"text": "MARK-declined"})
    call("POST", "/cities/mechelen/contacts", {"name": "MARK-contact"})
    call("POST", "/webhooks", {"url": "https://mark-hook.example/"})
    with world.database.write() as session:
        message = session.get_one(tables.Message, world.ids["message_id"])
        message.text += "MARK-letter"
        token = session.get_one(tables.Token, world.ids["token_id"])
        token.name = "MARK-token"
        session.get_one(tables.Login, world.ids["sign_in_id"]).browser = "MARK-browser"
        account = session.get_one(tables.Account, find_organiser(session))
        account.password = "MARK-answer"  # noqa: S105 -- nobody reads a hash


# What is computed for the answer takes its time: it is asked for once.
COMPUTED = (
    "/repairs",
    "/drill",
    "/why-not",
    "/readiness",
    "/suggestions",
    "/scenarios",
)


def everything_read(world: World, caller: str | None) -> str:
    """Return all that the API tells somebody who asks for everything there is."""
    everywhere = {
        "round_id": ["r", "a-draft", *FURTHER],
        "pairing_id": [*world.pairings.values()],
        "city_id": ["mechelen", "third"],
        "run_id": [world.ids["run_id"], *world.runs.values()],
    }
    told = []
    for operation in OPERATIONS:
        method, path = (operation + ASKED.get(operation, "")).split(" ")
        if method != "GET" or "events" in path:  # a stream tells what the run does
            continue
        places = {} if path.partition("?")[0].endswith(COMPUTED) else everywhere
        known = dict.fromkeys((*places, *world.ids))
        names = [name for name in known if f"{{{name}}}" in path]
        choices = [places.get(name, [world.ids.get(name, "")]) for name in names]
        for chosen in product(*choices):
            url = path
            for name, value in zip(names, chosen, strict=True):
                url = url.replace(f"{{{name}}}", value)
            told.append(world.get(url, caller))
    return "\n".join(told)


@ON_SQLITE
def test_the_api_tells_each_what_is_theirs_and_nobody_else(make_world):
    world = make_world()
    mark(world)

    told = {caller: everything_read(world, caller) for caller in CALLERS}

    found = {
        secret: {caller for caller, text in told.items() if secret in text}
        for secret in SECRETS
    }
    assert found == SECRETS
