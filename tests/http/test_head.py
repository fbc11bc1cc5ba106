"""HEAD answers like GET, without the body."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings
from tests.fixtures.asynchronous import run_async
from tests.fixtures.cities import inclucities_round
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.process import served
from tests.fixtures.service import Service, start


@ON_SQLITE
def test_head_answers_what_get_does_without_the_body(accounts_of):
    url, tokens = accounts_of
    paths = (
        "/healthz",
        "/",
        "/static/shared/compaan.css",
        "/api/v1/cities",
        "/nowhere",
    )
    with served(url, tokens) as server:
        figures = []
        for path in paths:
            asked = server.address + path
            got = httpx2.get(asked, headers=server.bearer())
            head = httpx2.head(asked, headers=server.bearer())
            assert head.content == b""
            figures.append(
                (
                    head.status_code,
                    head.headers.get("content-length"),
                    got.status_code,
                    got.headers["content-length"],
                )
            )

    assert [one[:2] for one in figures] == [one[2:] for one in figures]
    assert [one[0] for one in figures] == [200, 200, 200, 200, 404]


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/policy-areas", "/nowhere"])
def test_head_leaves_the_body_out_by_itself(path):
    app, sent = create_app(Settings(runs_at_once=0)), []
    scope = {
        "type": "http",
        "method": "HEAD",
        "path": path,
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"here")],
        "client": None,
    }

    async def nothing():
        return {"type": "http.request"}

    async def keep(message):
        sent.append(message)

    run_async(app, scope, nothing, keep)

    assert [message["type"] for message in sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert not sent[1]["body"]
    assert dict(sent[0]["headers"])[b"content-length"] != b"0"


@pytest.fixture
def streaming(_copy_sqlite) -> Iterator[Service]:
    yield from start(_copy_sqlite(), runs_at_once=0, stream_seconds=5)


def test_head_of_a_stream_does_not_wait_for_its_end(streaming):
    round_id = inclucities_round(streaming)
    run = streaming.post(f"/rounds/{round_id}/runs", {}).json()["id"]

    began = time.monotonic()
    answer = streaming.call("HEAD", f"/runs/{run}/events")

    assert time.monotonic() - began < 4
    assert answer.headers["content-type"].startswith("text/event-stream")
