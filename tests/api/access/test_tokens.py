"""Tokens let in for what they are meant for, and are not stored as they are."""

import pytest
from sqlalchemy import select

from app.db import Database, tables
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.accounts.tokens import revoke_all as revoke_tokens
from schemas import City, CityWrite
from tests.api.access.world import PROFILE
from tests.fixtures.cities import city, refusal, register
from tests.fixtures.service import ROLES


@pytest.fixture
def service(idle_service):
    """Return the application; nothing here has it compute."""
    return idle_service


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
