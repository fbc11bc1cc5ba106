"""The OpenAPI document tells the truth: Schemathesis tries every operation.

As an organiser on PostgreSQL, which refuses more than SQLite does, as an officer and as
nobody on SQLite; sequences of calls on both. A few calls of each operation are made by
chance; before a release, all that Schemathesis makes of each line of the schema. What
takes an account is asked of nobody by the table of who may do what.
"""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import Phase, settings
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.pytest.lazy import get_all_tests
from sqlalchemy import select

from app.db import Database, tables
from app.db.tables.base import now
from app.main import create_app
from app.permissions import TERMINAL
from app.services.accounts import accounts, sign_in, tokens
from app.services.accounts.tokens import add as add_token
from app.services.background import run_protocol
from app.services.cities import contacts, profiles
from app.services.decisions import participants, phases
from app.services.log import announcements
from app.services.pairings import pairings
from app.services.rounds import rounds
from app.services.runs import runs
from app.services.webhooks import subscriptions
from app.settings import Settings
from matching import match
from schemas import (
    City,
    ContactWrite,
    ParticipationWrite,
    RoundWrite,
    RunWrite,
    TokenWrite,
    WebhookWrite,
)
from tests.fixtures.cities import INCLUCITIES
from tests.fixtures.cities import refusal as refusal_of
from tests.fixtures.database import Copy
from tests.fixtures.service import serve_from

pytestmark = pytest.mark.slow
TOKENS = {"organiser": "cmp_contract-organiser", "officer": "cmp_contract-officer"}
# A body may fit its schema and yet contradict itself, name a city that is not there,
# or come at the wrong moment.
FINE = ["2xx", "304", "401", "403", "404", "409", "412", "422", "428"]
APP = create_app(
    Settings(
        match_per_minute=100_000,
        requests_per_minute=10_000_000,
        runs_at_once=0,
        wait_seconds=0.1,
        stream_seconds=0.1,
    )
)
DOCUMENT = "/api/v1/openapi.json"


@cache
def described(role: str | None, examples: int, *, covering: bool = True):
    """Return the document with a configuration that calls as this role.

    `covering` goes through each bound and each kind of value in the schema, too.
    """
    config = {
        "phases": {"coverage": {"enabled": covering}},
        "generation": {
            "deterministic": True,
            "max-examples": examples,
            "no-shrink": True,
        },
        "checks": {
            "positive_data_acceptance": {"expected-statuses": FINE},
            # The usual ones, and the refusal of a body that is too long to be read.
            "negative_data_rejection": {
                "expected-statuses": [
                    *("400", "401", "403", "404", "405", "406", "409", "413", "415"),
                    *("422", "428", "429"),
                ]
            },
            "missing_required_header": {
                "expected-statuses": ["400", "401", "403", "404", "422", "428"]
            },
        },
    }
    if role is not None:
        config["auth"] = {"openapi": {"HTTPBearer": {"bearer": TOKENS[role]}}}
    return schemathesis.openapi.from_asgi(
        DOCUMENT, APP, config=SchemathesisConfig.from_dict(config)
    )


def as_organiser(*, covering=True):
    return described("organiser", 4 if covering else 8, covering=covering)


def as_officer(*, covering=True):
    return described("officer", 5, covering=covering)


def as_nobody(*, covering=True):
    return described(None, 5 if covering else 25, covering=covering)


OPERATIONS = [
    (method, path)
    for path, methods in APP.openapi()["paths"].items()
    for method in methods
]
# What needs no account is tried by nobody.
OPEN = ("post", "/api/v1/match")
OF_AN_ACCOUNT = [one for one in OPERATIONS if one != OPEN]


def try_out(described, operation: tuple[str, str]) -> None:
    """Call an operation in every way that Schemathesis thinks of.

    It is asked when the operation's turn has come. Its own `parametrize` makes up the
    calls of all operations while tests are collected, in each process that runs some.
    """
    load_all_checks()
    method, path = operation
    (found,) = get_all_tests(
        schema=described.include(method=method, path=path),
        test_func=call_and_validate,
        settings=None,
        given_kwargs=None,
    )
    _, call_all = found.ok()
    call_all()


def call_and_validate(case):
    case.call_and_validate()


def fill(database: Database) -> dict[str, str]:
    """Store the IncluCities round with a run that has ended; return what is where."""
    with database.write() as session:
        for role, token in TOKENS.items():
            city = "mechelen" if role == "officer" else None
            account = accounts.add_user(session, f"{role}@contract.org", role, city)
            add_token(session, account, secret=token)
        row = rounds.add(session, TERMINAL, RoundWrite(name="IncluCities"))
        for city in INCLUCITIES.cities:
            profiles.add(session, TERMINAL, City(**city.to_dict()))
            participants.put(session, TERMINAL, row, city.id, ParticipationWrite())
        phases.move(session, TERMINAL, row, "open", None)
        runs.start(session, TERMINAL, row, RunWrite())
    mine = run_protocol.claim(database)
    assert mine is not None
    run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
    offered, message = released(database)
    with database.write() as session:
        practice = profiles.get(session, "mechelen").practices[0].id
        officer = accounts.find_user(session, "officer@contract.org")
        organiser = accounts.find_user(session, "organiser@contract.org")
        spare = tokens.make(
            session, accounts.as_actor(organiser), TokenWrite(name="Spare")
        )
        sign_in.let_in(session, organiser, "password", sign_in.Visit("Firefox"))
        (browser,) = sign_in.of_account(session, accounts.as_actor(organiser))
        address = WebhookWrite(url="https://hooks.example.org/")
        hook = subscriptions.add(session, TERMINAL, address, allow_private=False)
        told = announcements.ping(session, hook)
        told.state, told.ended_at = "failed", now()
        person = ContactWrite(name="Desk")
        contact = contacts.add(session, TERMINAL, "mechelen", person)
    return {
        "webhook_id": hook.id,
        "delivery_id": told.id,
        "contact_id": contact.id,
        "account_id": officer.id,
        "token_id": spare.id,
        "sign_in_id": browser.id,
        "run_id": mine.run,
        "run": mine.run,
        "practice_id": practice,
        "pairing_id": offered,
        "message_id": message,
    }


def released(database: Database) -> tuple[str, str]:
    """Store a round that is released; return a pairing and a message of it."""
    with database.write() as session:
        row = rounds.add(session, TERMINAL, RoundWrite(id="released", name="Released"))
        for city in INCLUCITIES.cities:
            participants.put(session, TERMINAL, row, city.id, ParticipationWrite())
        phases.move(session, TERMINAL, row, "open", None)
        phases.move(session, TERMINAL, row, "closed", None)
        runs.start(session, TERMINAL, row, RunWrite())
    mine = run_protocol.claim(database)
    assert mine is not None
    run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
    with database.write() as session:
        row = rounds.get(session, TERMINAL, "released", lock=True)
        phases.stage(session, TERMINAL, row, runs.get(session, TERMINAL, mine.run))
        phases.release(session, TERMINAL, row, None)
        (offered, *_) = pairings.of_round(session, "released")
        message = session.scalars(select(tables.Message.id)).first()
    assert message is not None
    return offered.id, message


@pytest.fixture(scope="module")
def fill_a_copy() -> Callable[[Copy], tuple[Database, dict[str, str]]]:
    """Return what makes a filled database, and tells what is where in it."""
    built: dict[Copy, tuple[str, dict[str, str]]] = {}

    def filled(copy: Copy) -> tuple[Database, dict[str, str]]:
        if copy not in built:
            url = copy()
            first = Database(url)
            built[copy] = url, fill(first)
            first.close()  # one that is in use cannot be copied
        source, ids = built[copy]
        database = Database(copy(source))
        serve_from(APP, database)
        return database, ids

    return filled


@pytest.fixture
def _filled(fill_a_copy, _copy_postgres):
    database, _ = fill_a_copy(_copy_postgres)
    yield
    database.close()


@pytest.fixture
def ids(fill_a_copy, _copy_sqlite) -> Iterator[dict[str, str]]:
    """Serve from a filled SQLite database; return what is where in it."""
    database, found = fill_a_copy(_copy_sqlite)
    yield found
    database.close()


@pytest.fixture
def _filled_sqlite(ids):
    """Serve from a filled SQLite database."""


ALL = pytest.param(True, id="all", marks=pytest.mark.release)
"""Before a release, what Schemathesis makes of each line of the schema."""


@pytest.mark.parametrize("operation", OF_AN_ACCOUNT, ids=" ".join)
@pytest.mark.parametrize("covering", [pytest.param(False, id="some"), ALL])
@pytest.mark.usefixtures("_filled")
def test_every_operation_keeps_its_word_to_an_organiser(operation, covering):
    try_out(as_organiser(covering=covering), operation)


@pytest.mark.parametrize("operation", OF_AN_ACCOUNT, ids=" ".join)
@pytest.mark.parametrize("covering", [pytest.param(False, id="some"), ALL])
@pytest.mark.usefixtures("_filled_sqlite")
def test_every_operation_keeps_its_word_to_an_officer(operation, covering):
    try_out(as_officer(covering=covering), operation)


@pytest.mark.usefixtures("_filled_sqlite")
def test_matching_keeps_its_word_to_nobody():
    try_out(as_nobody(covering=False), OPEN)


@pytest.mark.release
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
@pytest.mark.usefixtures("_filled_sqlite")
def test_every_operation_keeps_its_word_to_nobody(operation):
    try_out(as_nobody(), operation)


@pytest.mark.parametrize(
    ("copy_database", "described_as", "sequences"),
    [
        ("sqlite", as_organiser, 25),
        ("sqlite", as_officer, 10),
        ("postgres", as_organiser, 8),
        pytest.param("postgres", as_organiser, 25, marks=pytest.mark.release),
        pytest.param("postgres", as_officer, 10, marks=pytest.mark.release),
    ],
    indirect=["copy_database"],
)
def test_sequences_of_calls_keep_their_word(
    fill_a_copy, copy_database: Copy, described_as, sequences
):
    open_to_all = {"method": "POST", "path": "/api/v1/match"}

    class Sequences(described_as().exclude(**open_to_all).as_state_machine()):
        def setup(self):
            fill_a_copy(copy_database)

        def teardown(self):
            APP.state.database.close()

    Sequences.run(
        settings=settings(
            max_examples=sequences,
            stateful_step_count=8,
            derandomize=True,
            deadline=None,
            phases=[Phase.generate],
        )
    )


def addressed(path: str, said, ids: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the path and the query of an operation, filled with its examples."""
    query = {}
    for parameter in said.get("parameters", ()):
        name = parameter["name"]
        example = parameter["schema"].get("examples", parameter.get("examples"))
        value = ids.get(name) or example
        value = value[0] if isinstance(value, list) else value
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", value)
        elif parameter["in"] == "query" and parameter["required"]:
            query[name] = value
    return path, query


def bodies(said) -> list[tuple[str, object]]:
    """Return the examples of an operation's body, each with its media type."""
    examples: list[tuple[str, object]] = []
    for kind, content in said.get("requestBody", {}).get("content", {}).items():
        found = content.get("example") or content["schema"].get("examples")
        if found is None:  # FastAPI puts them beside the schema
            found = [one["value"] for one in content["examples"].values()]
        examples += [
            (kind, one) for one in (found if isinstance(found, list) else [found])
        ]
    return examples


# Operations that are about a released round, and not about an open one.
OF_A_RELEASE = (
    "/decision",
    "/bundle",
    "/how-we-chose",
    "/how-we-chose.html",
    "/repairs",
)
# Operations whose example is refused: it names what is not there, or comes too late.
REFUSED = {
    ("delete", "/api/v1/cities/{city_id}"): "in-use",
    ("post", "/api/v1/accounts/{account_id}/invitation"): "conflict",
    ("post", "/api/v1/cities"): "already-exists",
    ("post", "/api/v1/rounds/{round_id}/stage"): "not-found",
    ("post", "/api/v1/rounds/{round_id}/release"): "wrong-phase",
    ("post", "/api/v1/rounds/{round_id}/overrides"): "wrong-phase",
    ("post", "/api/v1/rounds/{round_id}/repairs"): "stale",
    ("post", "/api/v1/pairings/{pairing_id}/dismiss"): "not-offered",
    ("post", "/api/v1/pairings/{pairing_id}/check-ins"): "not-offered",
    ("post", "/api/v1/messages/{message_id}/send-again"): "conflict",
}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_documented_example_works(ids, method, path):
    client = TestClient(APP, raise_server_exceptions=False)
    caller = {"Authorization": f"Bearer {TOKENS['organiser']}"}
    said = APP.openapi()["paths"][path][method]
    if path.startswith("/api/v1/rounds/") and path.endswith(OF_A_RELEASE):
        ids = ids | {"round_id": "released"}
    url, asked = addressed(path, said, ids)
    examples = bodies(said)
    if said.get("requestBody"):
        assert examples, "a body without an example"
    for kind, body in examples or [("", None)]:
        headers = caller | {"If-Match": "*"} | ({"Content-Type": kind} if kind else {})
        content = body if isinstance(body, str) else None
        answer = client.request(
            method.upper(),
            url,
            headers=headers,
            params=asked,
            **({"content": content} if content else {"json": body} if kind else {}),
        )
        if (method, path) in REFUSED:
            assert refusal_of(answer)[1] == REFUSED[method, path]
        elif (method, path) in {
            ("delete", "/api/v1/rounds/{round_id}"),
            ("post", "/api/v1/rounds/{round_id}/phase"),
            ("delete", "/api/v1/runs/{run_id}"),
        }:
            assert answer.status_code in {200, 409}
        else:
            assert answer.is_success, answer.text
