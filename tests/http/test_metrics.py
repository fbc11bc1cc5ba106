"""Metrics count answers and what waits, for organisers and this machine."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient

from tests.fixtures.cities import city, register
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.process import served
from tests.fixtures.service import Service, start


def from_here(service) -> TestClient:
    return TestClient(service.client.app, client=("127.0.0.1", 50000))


def test_metrics_are_for_this_machine_and_for_organisers(sqlite_service):
    def status(role):
        answer = sqlite_service.client.get(
            "/metrics", headers=sqlite_service.bearer(role)
        )
        return answer.status_code

    assert from_here(sqlite_service).get("/metrics").status_code == 200
    roles = ("organiser", "administrator", "auditor", "officer", None)
    assert [status(role) for role in roles] == [200, 200, 404, 404, 401]


@ON_SQLITE
def test_metrics_behind_a_proxy_are_not_for_everybody(accounts_of):
    url, tokens = accounts_of
    with served(url, tokens) as server:
        asked = f"{server.address}/metrics"
        near = httpx2.get(asked)
        far = httpx2.get(asked, headers={"X-Forwarded-For": "203.0.113.9"})

    assert (near.status_code, far.status_code) == (200, 401)


@pytest.fixture
def uncounted(_copy_sqlite) -> Iterator[Service]:
    """Return an application that has not answered yet."""
    yield from start(_copy_sqlite(), fresh=True, runs_at_once=0)


def test_metrics_count_answers_and_what_waits(uncounted):
    service, client = uncounted, from_here(uncounted)
    register(service, city("a"))
    for path in ("/cities/a", "/cities/b", "/nowhere/%0Aq"):
        service.get(path)
    service.call("BREW", "/cities/a")
    round_id = service.post("/rounds", {"name": "R"}).json()["id"]
    service.post(f"/rounds/{round_id}/phase", {"to": "open"})
    service.post(f"/rounds/{round_id}/runs", {})

    lines = set(client.get("/metrics").text.splitlines())

    def answers(method: str, route: str, status: int) -> str:
        return (
            f'compaan_requests_total{{method="{method}",'
            f'route="{route}",status="{status}"}} '
        )

    one = "/api/v1/cities/{city_id}"
    assert {
        answers("GET", one, 200) + "1.0",
        answers("GET", one, 404) + "1.0",
        'compaan_runs{state="queued"} 1.0',
        'compaan_runs{state="failed"} 0.0',
        'compaan_messages{state="queued"} 0.0',
        'compaan_deliveries{state="queued"} 0.0',
    } <= lines
    samples = "\n".join(line for line in lines if not line.startswith("#"))
    assert 'method="other"' in samples
    assert 'route="none"' in samples
    assert not re.search('="[^"]*(BREW|organiser|example|/a"|/b")', samples)
