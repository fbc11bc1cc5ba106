"""What stands in the log: no secret, and nothing of a person."""

import json
import re
import sqlite3
from itertools import count
from pathlib import Path

import httpx2
import pytest
from sqlalchemy.engine import make_url

from app.db import Database
from app.log import traced
from app.main import create_app
from app.settings import Settings
from tests.fixtures.cities import city
from tests.fixtures.process import served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

MARK = "zq7marked"
"""Stands in all that is sent."""
SENT = {
    "email": f"{MARK}@example.org",
    "name": MARK,
    "password": f"{MARK} correct horse",
    "old": f"{MARK} old",
    "token": f"cmp_{MARK}",
    "reason": MARK,
    "text": MARK,
    "url": f"https://{MARK}.example.org/",
    "role": "organiser",
}
HEADERS = {
    "If-Match": "*",
    "If-None-Match": f'"{MARK}"',
    "User-Agent": MARK,
    "Referer": f"https://{MARK}.example.org/",
    "X-Request-ID": f"{MARK}@",  # not sane: it is not taken
}
APP = create_app(Settings(runs_at_once=0))
OPERATIONS = [
    (method, re.sub("{[^}]*}", "1", path))
    for path, methods in APP.openapi()["paths"].items()
    for method in methods
    if not path.endswith("/events")
]


def bodies(url: str) -> list[dict[str, object]]:
    """Return what is sent to a path: JSON, what is no JSON, a table, a form."""
    return [
        {"json": city(MARK)},
        {"json": SENT},
        {"content": f"{{ {MARK}", "headers": {"Content-Type": "application/json"}},
        {"content": f"id,name\n{MARK},{MARK}", "headers": {"Content-Type": "text/csv"}},
        {"data": SENT},
    ][: 5 if url.endswith(("/import", "/cities", "/sign-in")) else 2]


def drive(address: str, tokens: dict[str, str], *wrong: str) -> set[int]:
    """Send marked things everywhere; return the statuses of the answers."""
    statuses, number = set(), count()
    query = dict.fromkeys(("q", "key", "to", *wrong), MARK)
    # A server closes connections that are idle: each request has its own.
    apart = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(base_url=address, timeout=20, limits=apart) as client:

        def send(method: str, url: str, bearer: str, **sent: object) -> None:
            headers = HEADERS | {"Authorization": f"Bearer {bearer}"}
            headers["Idempotency-Key"] = f"{MARK}{next(number)}"
            headers |= {"Cookie": f"compaan={MARK}"} | sent.pop("headers", {})
            answer = client.request(method, url, params=query, headers=headers, **sent)
            statuses.add(answer.status_code)

        pages = [("post", "/sign-in"), ("get", "/sign-in"), ("get", "/sign-in/link")]
        for method, url in [*pages, *OPERATIONS]:
            for sent in bodies(url) if method != "get" else [{}]:
                for bearer in (tokens["organiser"], f"cmp_{MARK}"):
                    if (method, url) != ("delete", "/api/v1/account"):
                        send(method, url, bearer, **sent)
    return statuses


@pytest.fixture
def filled(_copy_sqlite):
    """Return the URL of a database, and a token for every role."""
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    database.close()
    return url, tokens


@pytest.mark.parametrize(
    "log_format", [pytest.param("console", marks=pytest.mark.release), "json"]
)
def test_no_line_of_the_log_tells_what_was_sent(filled, tmp_path, log_format):
    url, tokens = filled
    log = tmp_path / "log"
    with served(url, tokens, log=log, log_format=log_format) as server:
        statuses = drive(server.address, tokens, "cursor", "updated_since")
        with sqlite3.connect(make_url(url).database) as broken:
            # Now what is sent fails inside statements that hold it.
            broken.execute("ALTER TABLE city RENAME COLUMN name_key TO gone")
            broken.execute("ALTER TABLE webhook RENAME COLUMN url TO gone")
        broken.close()
        failed = drive(server.address, tokens)

    text = log.read_text("utf-8")
    assert {200, 201, 400, 401, 404, 422} <= statuses
    assert 500 in failed
    lines = text.splitlines()
    assert sum("request" in line for line in lines) > 2 * len(OPERATIONS)
    assert "OperationalError SQLITE_ERROR" in text
    assert [line for line in lines if MARK in line] == []
    secrets = [*tokens.values(), *(f"{role}@example.org" for role in tokens)]
    assert [one for one in secrets if one in text] == []
    if log_format == "json":
        assert {json.loads(line)["level"] for line in lines} >= {"info", "error"}


def test_a_failure_is_told_by_kind_code_and_place_in_the_order_it_came():
    def fail() -> None:
        with sqlite3.connect(":memory:") as connection:
            connection.execute("SELECT 'secret' FROM nowhere")

    try:
        try:
            fail()
        except sqlite3.OperationalError as error:
            raise ValueError("secret") from error
    except ValueError as error:
        told = traced(error)

    here = Path(__file__).name
    kinds = re.findall(r"^(\S*Error.*)$", told, re.MULTILINE)
    assert kinds == ["sqlite3.OperationalError SQLITE_ERROR", "builtins.ValueError"]
    assert re.findall(rf"{here}\", line \d+, in (\w+)", told) == [
        "test_a_failure_is_told_by_kind_code_and_place_in_the_order_it_came",
        "fail",
        "test_a_failure_is_told_by_kind_code_and_place_in_the_order_it_came",
    ]
