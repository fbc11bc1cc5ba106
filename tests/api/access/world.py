"""Fills a database so that every operation of the API can be called for something."""

from dataclasses import dataclass

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
from app.services.background import run_protocol
from app.services.cities import contacts, profiles
from app.services.decisions import participants, phases
from app.services.log import announcements
from app.services.pairings import offers, pairings
from app.services.rounds import rounds
from app.services.runs import runs
from app.services.webhooks import subscriptions
from app.settings import Settings
from matching import match
from schemas import (
    AnswerWrite,
    City,
    ContactWrite,
    Invitation,
    ParticipationWrite,
    Practice,
    RoundWrite,
    RunWrite,
    TokenWrite,
    WebhookWrite,
)
from tests.fixtures.cities import city
from tests.fixtures.service import add_accounts, serve_from

PROFILE = city("mechelen", "mentor", association="VVSG")
HOOK = {"url": "https://hooks.example.org/"}
PLACE_OF = {"officer": "city", "association": "association"}
PLACED = {"role": "officer", "city": "mechelen"}
PRACTICE = {"area": "housing", "title": "T"}
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
    claimed = run_protocol.claim(database)
    assert claimed is not None
    run_protocol.succeed(database, claimed, match(claimed.problem, claimed.policy))
    with database.write() as session:
        queued = runs.start(
            session, TERMINAL, rounds.get(session, TERMINAL, "r"), RunWrite()
        )
    other_runs = {name: further_round(database, name) for name in FURTHER}
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
        delivery = announcements.ping(session, hook)
        delivery.state, delivery.ended_at = "failed", now()
        person = ContactWrite(name="Contact")
        contact = contacts.add(session, TERMINAL, "mechelen", person)
    ids = {
        "webhook_id": hook.id,
        "delivery_id": delivery.id,
        "contact_id": contact.id,
        "account_id": colleague.id,
        "invited": invited.id,
        "token_id": spare.id,
        "sign_in_id": browser.id,
        "message_id": message.id,
        "city_id": "mechelen",
        "round_id": "r",
        "run_id": claimed.run,
        "practice_id": practice.id,
    }
    states = {pairing.state: pairing.id for pairing in found}
    return World(client, database, tokens, ids, queued.id, other_runs, states)


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
        run_row = session.get_one(tables.Run, run.id)
        found = runs.frozen(run_row)
        run_row.state = "succeeded"
        solution = match(found.problem, found.policy)
        session.add(tables.Solution(run_id=run.id, body=solving.written(solution)))
        session.flush()
        row = rounds.get(session, TERMINAL, name, lock=True)
        if name != "closed":
            phases.stage(session, TERMINAL, row, run_row)
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
