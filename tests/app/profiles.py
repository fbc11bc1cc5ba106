"""Cities for tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import data
from app.db import Database, tables
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.runs import runs
from matching import match

INCLUCITIES = data.inclucities()
MECHELEN = next(city.to_dict() for city in INCLUCITIES.cities if city.id == "mechelen")


def city(slug: str, role: str = "learner", /, **fields: Any) -> dict[str, Any]:
    """Return a small profile, as it is sent."""
    areas = {"housing": {"need": 2, "strength": 3}}
    own = {"id": slug, "name": slug, "country": "BE", "roles": [role], "areas": areas}
    return own | fields


def register(service, *cities: dict[str, Any]) -> None:
    for profile in cities:
        answer = service.post("/cities", profile)
        assert answer.status_code == 201, answer.text


def open_round(service, *cities: dict[str, Any], policy=None) -> str:
    """Register the cities, enter them in a new round, and open it."""
    register(service, *cities)
    round_id = service.post("/rounds", {"name": "Trial"}).json()["id"]
    for profile in cities:
        answer = service.put(f"/rounds/{round_id}/participants/{profile['id']}", {})
        assert answer.status_code == 201, answer.text
    if policy is not None:
        answer = service.put(f"/rounds/{round_id}/policy", policy, tag="*")
        assert answer.status_code == 200, answer.text
    assert service.post(f"/rounds/{round_id}/phase", {"to": "open"}).is_success
    return round_id


def inclucities_round(service) -> str:
    """Return the id of a stored, open IncluCities round."""
    return open_round(
        service,
        *(one.to_dict() for one in INCLUCITIES.cities),
        policy=INCLUCITIES.policy.to_dict(),
    )


def compute(service, round_id: str, *, trials: bool = False, **fields: Any) -> str:
    """Start a run and compute it here and now: nobody else computes this service's."""
    started = service.post(f"/rounds/{round_id}/runs", fields)
    assert started.status_code == 202, started.text
    database = service.client.app.state.database
    mine = runs.claim(database)
    assert mine is not None
    assert mine.run == started.json()["id"]
    most = runs.trials(mine.problem, mine.policy) if trials else 0
    found = match(mine.problem, mine.policy, trials=most)
    assert runs.succeed(database, mine, found)
    return mine.run


def refusal(answer) -> tuple[int, str, list[str]]:
    """Return status, code and pointers of a refusal, its shape checked."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["type"] == f"/problems/{body['code']}"
    assert body["detail"]
    assert set(body) == {"type", "title", "status", "detail", "code", "errors"}
    return body["status"], body["code"], [error["pointer"] for error in body["errors"]]


# A round whose proposal can be told at a glance, and the way of its pairings.

FIVE = (
    city(
        "amiens",
        "mentor",
        languages=["fr"],
        areas={"housing": {"strength": 4}, "health": {"strength": 1}},
    ),
    city(
        "bruges",
        "mentor",
        languages=["nl"],
        areas={"health": {"strength": 4}, "housing": {"strength": 1}},
        mentor_capacity=2,
    ),
    city("celje", languages=["sl"], areas={"housing": {"need": 4}}),
    city("delft", languages=["nl"], areas={"health": {"need": 4}}),
    city("evora", languages=["pt"], areas={"health": {"need": 2}}),
)
"""Amiens fits celje, and bruges has a place for each of delft and evora."""
PROPOSED = [("amiens", "celje"), ("bruges", "delft"), ("bruges", "evora")]


def add_officer(service, city_id: str, caller: str = "") -> None:
    """Open an account for an officer; it calls by the name of its city, or another."""
    with service.client.app.state.database.write() as session:
        address = f"{caller or city_id}@example.org"
        account = accounts.add_user(session, address, "officer", city_id)
        service.tokens[caller or city_id] = add_token(session, account)


def closed_round(service, *cities: dict[str, Any], policy=None) -> tuple[str, str]:
    """Return the id of a closed round, and a run of it."""
    round_id = open_round(service, *cities, policy=policy)
    assert service.post(f"/rounds/{round_id}/phase", {"to": "closed"}).is_success
    return round_id, compute(service, round_id)


def staged_round(service, *cities: dict[str, Any], policy=None) -> str:
    """Return the id of a round with the pairings of a run staged."""
    round_id, run = closed_round(service, *cities, policy=policy)
    staged = service.post(f"/rounds/{round_id}/stage", {"run": run})
    assert staged.status_code == 200, staged.text
    return round_id


def released_round(service, *cities: dict[str, Any], policy=None) -> str:
    """Return the id of a released round."""
    round_id = staged_round(service, *cities, policy=policy)
    released = service.post(f"/rounds/{round_id}/release", {})
    assert released.status_code == 200, released.text
    return round_id


def listed(service, path: str, role: str = "organiser") -> list[dict[str, Any]]:
    """Return everything of a list, page by page."""
    found, place = [], f"/api/v1{path}"
    while place:
        page = service.get(place.removeprefix("/api/v1"), role)
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        place = page.json()["next"]
    return found


def pairs(
    service, round_id: str, *states: str, role: str = "organiser"
) -> list[tuple[str, str]]:
    """Return (mentor, learner) of the round's pairings in these states, or in all."""
    return [
        (one["mentor"], one["learner"])
        for one in listed(service, f"/rounds/{round_id}/pairings", role)
        if not states or one["state"] in states
    ]


def pairing(service, round_id: str, mentor: str, learner: str) -> dict[str, Any]:
    """Return the newest pairing of the two."""
    found = [
        one
        for one in listed(service, f"/rounds/{round_id}/pairings")
        if (one["mentor"], one["learner"]) == (mentor, learner)
    ]
    return max(found, key=lambda one: one["created_at"])


def say(service, one: dict[str, Any], side: str, what: str, role: str = "organiser"):
    """Answer for one side; to decline has a reason."""
    body = {"side": side, "answer": what}
    if what == "decline":
        body["reason_code"] = "timing"
    return service.post(f"/pairings/{one['id']}/answer", body, role)


def confirm(service, one: dict[str, Any]) -> None:
    """Accept for both sides."""
    for side in ("mentor", "learner"):
        answer = say(service, one, side, "accept")
        assert answer.status_code == 200, answer.text


@contextmanager
def changing(service) -> Iterator[Session]:
    """Open a transaction of the service's own database: what no caller can bring about,
    as that time passes."""
    with service.client.app.state.database.write() as session:
        yield session


def messages(
    service, round_id: str, *states: str
) -> list[tuple[str | None, str, str, str]]:
    """Return (city, kind, role, state) of each message of the round, sorted."""
    return sorted(
        (
            (one["city"], one["kind"], one["role"], one["state"])
            for one in listed(service, f"/rounds/{round_id}/messages")
            if not states or one["state"] in states
        ),
        key=lambda one: (one[0] or "", *one[1:]),
    )


def audited(service) -> int:
    """Return how many things the log tells of."""
    database: Database = service.client.app.state.database
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(tables.Audit)) or 0


def last_actions(service, round_id: str, count: int) -> Sequence[str]:
    """Return the last things that were done in the round, the latest first."""
    log = service.get(f"/rounds/{round_id}/audit").json()["items"]
    return [entry["action"] for entry in log[:count]]
