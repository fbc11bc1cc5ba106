"""A caller with too many requests waits; others do not."""

from collections.abc import Iterator

import httpx2
import pytest

from app.http.border import CLOSED
from tests.fixtures.cities import refusal
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.process import served
from tests.fixtures.service import Service, start
from tests.http.guards import differing


@pytest.fixture
def slow_site(_copy_sqlite) -> Iterator[Service]:
    yield from start(_copy_sqlite(), fresh=True, runs_at_once=0, requests_per_minute=3)


def test_a_caller_with_too_many_requests_waits(slow_site):
    answers = [slow_site.get("/cities") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    policies = {answer.headers["ratelimit-policy"] for answer in answers}
    assert policies == {'"minute";q=3;w=60'}
    left = [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers]
    assert left == [f'"minute";r={count}' for count in (2, 1, 0, 0)]
    refused = answers[-1]
    assert refusal(refused) == (429, "too-many-requests", [])
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert differing(refused, {CLOSED}) == {}


def test_others_are_not_held_up_by_a_caller_with_too_many_requests(slow_site):
    for _ in range(4):
        slow_site.get("/cities")

    assert slow_site.get("/cities", "officer").status_code == 200
    assert slow_site.get("/policy-areas", None).status_code == 200
    for path in ("/healthz", "/readyz", "/static/shared/compaan.css"):
        answer = slow_site.client.get(path, headers=slow_site.bearer("organiser"))
        assert answer.status_code == 200


def test_making_tokens_up_does_not_help(slow_site):
    statuses = [
        slow_site.get("/cities", None, headers={"Authorization": f"Bearer {at}"})
        for at in range(4)
    ]

    assert [answer.status_code for answer in statuses] == [401, 401, 401, 429]


def test_a_browser_with_too_many_requests_gets_a_page(slow_site):
    for _ in range(3):
        slow_site.client.get("/")

    answer = slow_site.client.get("/", headers={"Accept": "text/html"})

    assert answer.status_code == 429
    assert "Wait a minute" in answer.text


@ON_SQLITE
def test_addresses_come_from_a_proxy_on_the_same_machine(accounts_of):
    url, tokens = accounts_of
    with served(url, tokens, requests_per_minute="2") as server:

        def status(address: str) -> int:
            asked = f"{server.address}/api/v1/policy-areas"
            headers = {"X-Forwarded-For": address}
            return httpx2.get(asked, headers=headers).status_code

        first, *_, fourth = [status("203.0.113.1") for _ in range(4)]
        another = status("203.0.113.2")

    # The third is let in if another minute has just begun.
    assert (first, fourth, another) == (200, 429, 200)
