"""Cities for tests."""

from typing import Any

from app import data
from app.services import runs
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
