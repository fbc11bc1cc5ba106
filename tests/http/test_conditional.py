"""What a caller has already is not sent again, and caches keep nothing of persons."""

import re

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from app.http.border import ConditionalRequests
from tests.fixtures.cities import city, register
from tests.http.routes import filled, reading


def required_query(operation, ids: dict[str, str]) -> dict[str, str]:
    """Return the query parameters that an operation requires."""
    return {
        one["name"]: ids[one["name"]]
        for one in operation["parameters"]
        if one["in"] == "query" and one["required"]
    }


# They tell the moment at which they were made.
DATED = ["/api/v1/account/export", "/api/v1/accounts/{account_id}/export"]


def test_what_the_caller_has_already_is_not_sent_again(site, ids):
    unlike = []
    for path, operation in reading(site.client.app):
        if path.endswith("/events"):  # a stream
            continue
        url = filled(path, ids).removeprefix("/api/v1")
        first = site.get(url, params=required_query(operation, ids))
        assert first.status_code == 200, first.text
        tag = first.headers["etag"]
        again = site.get(
            url,
            params=required_query(operation, ids),
            headers={"If-None-Match": f'"other", W/{tag}'},
        )
        same_headers = ("etag", "cache-control", "vary")
        if (
            (again.status_code, again.content) != (304, b"")
            or [again.headers[one] for one in same_headers]
            != [first.headers[one] for one in same_headers]
            or "content-type" in again.headers
            or not re.fullmatch('"[!#-~]+"', tag)
        ):
            unlike.append((path, again.status_code, first.headers, again.headers))

    assert [one[0] for one in unlike] == DATED


def test_the_documents_tell_what_holds_for_every_operation(site):
    untold = [
        (method, path)
        for path, methods in site.client.app.openapi()["paths"].items()
        for method, operation in methods.items()
        if list(operation["responses"]["429"]["content"])
        != ["application/problem+json"]
        or "Retry-After" not in operation["responses"]["429"]["headers"]
    ]
    streams = [
        path
        for path, operation in reading(site.client.app)
        if "ETag" not in operation["responses"]["200"].get("headers", {})
        or "304" not in operation["responses"]
        or "If-None-Match" not in {one["name"] for one in operation["parameters"]}
    ]

    assert untold == []
    assert streams == ["/api/v1/runs/{run_id}/events"]


@pytest.mark.parametrize(
    ("size", "is_tagged"), [(0, True), (4 * 2**20, True), (4 * 2**20 + 1, False)]
)
def test_a_large_answer_is_not_held_back(size, is_tagged):
    app = FastAPI()
    app.add_middleware(ConditionalRequests)

    @app.get("/api/v1/file")
    def file() -> Response:
        return Response(b"x" * size)

    @app.get("/api/v1/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"x", b"y"]))

    client = TestClient(app)
    answer, streamed = client.get("/api/v1/file"), client.get("/api/v1/stream")

    assert answer.content == b"x" * size
    assert ("etag" in answer.headers) is is_tagged
    assert (streamed.content, "etag" in streamed.headers) == (b"xy", False)


def test_an_answer_that_has_changed_is_sent_again(site):
    first = site.get("/cities")
    register(site, city("zadar"))

    again = site.get("/cities", headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]
    assert "zadar" in again.text


def test_the_tag_of_a_thing_is_its_version(site, ids):
    row = site.get("/cities/amiens")
    practice = site.get(f"/cities/amiens/practices/{ids['practice_id']}")

    assert row.headers["etag"] == practice.headers["etag"] == '"2"'


@pytest.mark.parametrize("has", ["*", " * "])
def test_whoever_has_anything_is_told_so(site, has):
    answer = site.get("/policy-areas", None, headers={"If-None-Match": has})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("has", ['"x"', "W/", "nonsense", ""])
def test_a_tag_that_is_not_this_one_changes_nothing(site, has):
    answer = site.get("/policy-areas", headers={"If-None-Match": has})

    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 17


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("path", "role", "kept"),
    [
        ("/policy-areas", None, "no-cache"),
        ("/cities", "organiser", "private, no-cache"),
        ("/cities", None, "no-store"),
        ("/cities/nowhere", "organiser", "no-store"),
        ("/account", "organiser", "no-store"),
        ("/account/tokens", "organiser", "no-store"),
        ("/accounts", "organiser", "no-store"),
        ("/cities/amiens/contacts", "organiser", "no-store"),
        ("/webhooks", "organiser", "no-store"),
    ],
)
def test_caches_keep_nothing_of_persons_or_for_others(site, path, role, kept):
    answer = site.get(path, role)

    assert answer.headers["cache-control"] == kept
    assert "Authorization, Cookie" in answer.headers["vary"]


def test_what_was_written_is_not_kept(site):
    assert site.post("/rounds", {"name": "Kept"}).headers["cache-control"] == "no-store"
