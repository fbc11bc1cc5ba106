"""Nothing that was acknowledged is lost: many writers, real processes, SIGKILL."""

import asyncio
import resource
import threading
import time

import httpx2
import pytest

from tests.app.profiles import city
from tests.fixtures.process import served

_FILES = 9000
"""Open files for 4,000 connections, in this process and in the server."""


@pytest.fixture(autouse=True)
def _many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    assert wanted >= _FILES, "4,000 connections need `ulimit -Hn` of 9000 or more"
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def stored(server) -> dict[str, str]:
    answer = httpx2.get(
        f"{server.address}/api/v1/cities/export?format=json",
        headers=server.bearer(),
        timeout=60,
    )
    return {one["id"]: one["name"] for one in answer.json()["cities"]}


async def _write_all(server, writers: int) -> list[tuple[str, str, httpx2.Response]]:
    """Send one write for each writer at once: most register, some edit one city."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx2.AsyncClient(
        base_url=f"{server.address}/api/v1",
        headers=server.bearer(),
        limits=limits,
        timeout=120,
    ) as client:

        async def write(at: int):
            if at % 8 == 0:
                body = city("shared", name=f"by {at}")
                answer = await client.put(
                    "/cities/shared", json=body, headers={"If-Match": '"1"'}
                )
                return "shared", body["name"], answer
            # Every eighth id is sent twice: one of the two comes second.
            slug = f"c{at - 1 if at % 8 == 2 else at}"
            answer = await client.post("/cities", json=city(slug, name=f"by {at}"))
            return slug, f"by {at}", answer

        return await asyncio.gather(*(write(at) for at in range(writers)))


@pytest.mark.parametrize("writers", [400, 4000])
def test_many_writers_at_once_lose_nothing(accounts_of, writers):
    url, tokens = accounts_of
    with served(url, tokens, runs_at_once="0") as server:
        first = httpx2.put(
            f"{server.address}/api/v1/cities/shared",
            json=city("shared"),
            headers=server.bearer(),
        )
        assert first.status_code == 201

        told = asyncio.run(_write_all(server, writers))
        kept = stored(server)

    assert {answer.status_code for *_, answer in told} <= {200, 201, 409, 412, 503}
    for *_, answer in told:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
    acknowledged = {slug: name for slug, name, a in told if a.is_success}
    assert {slug: kept.get(slug) for slug in acknowledged} == acknowledged
    assert kept.keys() == acknowledged.keys() | {"shared"}
    assert sum(a.is_success for slug, _, a in told if slug == "shared") == 1
    assert len(acknowledged) > writers / 2


def test_a_killed_server_loses_no_acknowledged_write(accounts_of):
    url, tokens = accounts_of
    acknowledged: set[str] = set()
    with served(url, tokens) as server:

        def write(writer: int) -> None:
            with httpx2.Client(headers=server.bearer(), timeout=10) as client:
                for at in range(10_000):
                    slug = f"w{writer}-{at}"
                    try:
                        answer = client.post(
                            f"{server.address}/api/v1/cities", json=city(slug)
                        )
                    except httpx2.TransportError:
                        return
                    if answer.status_code == 201:
                        acknowledged.add(slug)

        writers = [threading.Thread(target=write, args=(at,)) for at in range(16)]
        for writer in writers:
            writer.start()
        until = time.monotonic() + 60
        while len(acknowledged) < 200:
            assert time.monotonic() < until
            time.sleep(0.01)
        server.kill()
        for writer in writers:
            writer.join()

    with served(url, tokens) as server:
        kept = stored(server).keys()

    assert acknowledged <= kept
    # At most the one write of each writer that was under way came in unacknowledged.
    assert len(kept - acknowledged) <= 16


def test_a_run_outlives_the_server_that_began_it(accounts_of):
    url, tokens = accounts_of
    cities = [
        city(
            f"c{at}",
            "mentor" if at % 2 else "learner",
            areas={
                area: {"need": (at * step) % 5, "strength": (at + step) % 5}
                for step, area in enumerate(("housing", "health", "data", "finance"))
            },
        )
        for at in range(600)
    ]
    with served(url, tokens) as server:
        api = httpx2.Client(
            base_url=f"{server.address}/api/v1", headers=server.bearer(), timeout=60
        )
        head = "id,name,country,roles,need_housing,strength_housing,need_health\n"
        rows = [
            f"{one['id']},{one['id']},BE,{one['roles'][0]},{at % 5},{at % 4},{at % 3}\n"
            for at, one in enumerate(cities)
        ]
        sheet = api.post(
            "/cities/import",
            content=(head + "".join(rows)).encode(),
            headers={"Content-Type": "text/csv"},
        )
        assert sheet.status_code == 200
        api.put("/rounds/r", json={"name": "R"})
        for one in cities:
            api.put(f"/rounds/r/participants/{one['id']}", json={})
        api.put(
            "/rounds/r/policy", json={"objective": "fair"}, headers={"If-Match": "*"}
        )
        api.post("/rounds/r/phase", json={"to": "open"})
        run = api.post("/rounds/r/runs", json={}).json()["id"]
        until = time.monotonic() + 30
        while api.get(f"/runs/{run}").json()["state"] == "queued":
            assert time.monotonic() < until
            time.sleep(0.02)
        assert api.get(f"/runs/{run}").json()["state"] == "running"
        server.kill()
        api.close()

    with served(url, tokens) as server:
        until = time.monotonic() + 90
        while True:
            told = httpx2.get(
                f"{server.address}/api/v1/runs/{run}", headers=server.bearer()
            ).json()
            if told["state"] not in {"queued", "running"}:
                break
            assert time.monotonic() < until, told
            time.sleep(0.2)

    assert (told["state"], told["attempt"]) == ("succeeded", 2)
