"""What holds for every answer, whatever the route."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from starlette.routing import Mount

from app.http.border import CLOSED, ConditionalRequests
from app.main import create_app
from app.services.accounts import accounts, sign_in
from app.services.accounts.tokens import add as add_token
from app.settings import Settings
from app.templates.pages import STYLED
from tests.fixtures.asynchronous import run_async
from tests.fixtures.cities import (
    FIVE,
    city,
    inclucities_round,
    listed,
    refusal,
    register,
    released_round,
)
from tests.fixtures.database import ON_SQLITE
from tests.fixtures.process import served
from tests.fixtures.service import Service, start

GUARDS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": None,
}
CLOSED_OR_STYLED = {CLOSED, STYLED}


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Service]:
    yield from start(_copy_sqlite(), runs_at_once=0)


@pytest.fixture(scope="module")
def ids(site) -> dict[str, str]:
    """Return a thing of each kind, by the name of the parameter that names it."""
    round_id = released_round(site, *FIVE)
    (one, *_) = listed(site, f"/rounds/{round_id}/pairings")
    practice = {"area": "housing", "title": "T"}
    made = site.post("/cities/amiens/practices", practice).json()
    contact = site.post("/cities/amiens/contacts", {"name": "A. Contact"}).json()
    hook = site.post("/webhooks", {"url": "https://hooks.example.org/"}).json()
    site.post(f"/webhooks/{hook['id']}/ping", None)
    (delivery,) = listed(site, f"/webhooks/{hook['id']}/deliveries")
    return {
        "round_id": round_id,
        "pairing_id": one["id"],
        "run_id": one["run"],
        "run": one["run"],
        "city_id": "amiens",
        "practice_id": made["id"],
        "message_id": listed(site, f"/rounds/{round_id}/messages")[0]["id"],
        "account_id": listed(site, "/accounts")[0]["id"],
        "contact_id": contact["id"],
        "webhook_id": hook["id"],
        "delivery_id": delivery["id"],
        "mentor": "amiens",
        "learner": "delft",
        "code": "stale",
        "q": "Gent",
    }


def routes(app) -> list[tuple[str, str]]:
    """Return method and path of every route, those that are not documented too."""
    found = []
    for route in app.routes:
        if isinstance(route, Mount):
            found.append(("GET", f"{route.path}/compaan.css"))
        elif hasattr(route, "effective_route_contexts"):
            for one in route.effective_route_contexts():
                found += [(method, one.path_format) for method in one.methods]
        else:
            found.append(("GET", route.path))
    return sorted(found)


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda named: ids.get(named[1], "x"), path)


def differing(answer, policies: set[str]) -> dict[str, str | None]:
    """Return the headers of an answer that are not as they must be."""
    wrong = {
        name: answer.headers.get(name)
        for name, value in GUARDS.items()
        if answer.headers.get(name) != value
    }
    policy = answer.headers.get("content-security-policy")
    return wrong if policy in policies else wrong | {"csp": policy}


@pytest.fixture(scope="module")
def walked(site, ids) -> list[tuple[str, str, httpx2.Response]]:
    """Ask every route as nobody, in a browser, signed in and with a token.

    As an organiser of its own: some routes end the account or its tokens.
    """
    with site.client.app.state.database.write() as session:
        walker = accounts.add_user(session, "walker@example.org", "organiser", None)
        browser = sign_in.Visit("Firefox")
        cookie = sign_in.let_in(session, walker, "password", browser).cookie
        token = {"Authorization": f"Bearer {add_token(session, walker)}"}
    page = {"Accept": "text/html"}
    callers = ({}, page, page | {"Cookie": f"compaan={cookie}"})
    every = [*routes(site.client.app), ("GET", "/nowhere"), ("BREW", "/cities")]
    return [
        (
            method,
            path,
            site.client.request(
                method,
                # Writing, an organiser asks for what is not there: the rest stays.
                filled(path, ids if method == "GET" else {}),
                headers=headers,
                follow_redirects=False,
            ),
        )
        for method, path in every
        for headers in (*callers, token)
    ]


def test_every_route_answers_with_all_guards(walked):
    wrong = {
        (method, path): differing(answer, CLOSED_OR_STYLED)
        for method, path, answer in walked
        if path != "/api/docs" and differing(answer, CLOSED_OR_STYLED)
    }

    assert wrong == {}
    assert len(walked) > 600


def kept_wrongly(answer) -> dict[str, str | None]:
    """Return what tells caches too little of an answer that depends on who asks."""
    said = answer.headers
    path, method = answer.request.url.path, answer.request.method
    vary = {one.strip() for one in said.get("vary", "").split(",")}
    wanted = {"Authorization", "Cookie"}
    if path.startswith("/api/v1/"):
        is_read = method in {"GET", "HEAD"} and answer.status_code in {200, 304}
        asks_again = {"no-cache", "private, no-cache"} if is_read else set()
    else:
        wanted |= {"Accept", "Accept-Language"}
        asks_again = set()
    if "authorization" in answer.request.headers:
        asks_again -= {"no-cache"}
    fits = said.get("cache-control") in asks_again | {"no-store"} and wanted <= vary
    return {} if fits else {"kept": said.get("cache-control"), "vary": said.get("vary")}


def is_for_all(path: str) -> bool:
    """Tell whether a file is the same for everybody."""
    return path.startswith(("/static/", "/api/docs/assets/"))


def test_caches_keep_no_answer_that_depends_on_who_asks(walked):
    wrong = {
        (method, path, answer.status_code): kept_wrongly(answer)
        for method, path, answer in walked
        if not is_for_all(path) and kept_wrongly(answer)
    }

    assert wrong == {}
    found = {answer.status_code for *_, answer in walked}
    assert found >= {200, 204, 303, 401, 404, 405, 415, 422}


def test_files_that_are_the_same_for_all_may_be_kept(site):
    answer = site.client.get("/static/shared/compaan.css")

    assert answer.status_code == 200
    assert "Cookie" not in answer.headers.get("vary", "")
    assert "cache-control" not in answer.headers
    missing = site.client.get("/static/nowhere.css")
    assert missing.headers["cache-control"] == "no-store"


def test_the_documents_may_run_their_own_script_alone(site):
    answer = site.client.get("/api/docs")

    (policy,) = re.findall(
        "script-src ([^;]*);", answer.headers["content-security-policy"]
    )
    assert re.fullmatch("'self' 'sha256-[A-Za-z0-9+/=]{44}'", policy)
    assert differing(answer, {answer.headers["content-security-policy"]}) == {}


def test_behind_https_browsers_are_told_to_stay_there():
    app = create_app(Settings(public_url="https://c.example.org", runs_at_once=0))

    answer = TestClient(app).get("/healthz")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_mistake_of_ours_has_the_headers_of_every_answer():
    app = create_app(Settings(runs_at_once=0))

    @app.get("/api/v1/boom")
    def boom() -> None:
        raise ZeroDivisionError

    answer = TestClient(app).get("/api/v1/boom", headers={"Origin": "https://a.org"})

    assert refusal(answer) == (500, "internal-error", [])
    assert differing(answer, {CLOSED}) == {}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-request-id"] in answer.json()["detail"]


def reading(app) -> list[tuple[str, dict]]:
    """Return path and description of every documented GET."""
    paths = app.openapi()["paths"]
    return [(path, said["get"]) for path, said in paths.items() if "get" in said]


def asked(said, ids: dict[str, str]) -> dict[str, str]:
    """Return the parameters that an operation must be sent."""
    return {
        one["name"]: ids[one["name"]]
        for one in said["parameters"]
        if one["in"] == "query" and one["required"]
    }


# They tell the moment at which they were made.
DATED = ["/api/v1/account/export", "/api/v1/accounts/{account_id}/export"]


def test_what_the_caller_has_already_is_not_sent_again(site, ids):
    unlike = []
    for path, said in reading(site.client.app):
        if path.endswith("/events"):  # a stream
            continue
        url = filled(path, ids).removeprefix("/api/v1")
        first = site.get(url, params=asked(said, ids))
        assert first.status_code == 200, first.text
        tag = first.headers["etag"]
        again = site.get(
            url,
            params=asked(said, ids),
            headers={"If-None-Match": f'"other", W/{tag}'},
        )
        kept = ("etag", "cache-control", "vary")
        if (
            (again.status_code, again.content) != (304, b"")
            or [again.headers[one] for one in kept]
            != [first.headers[one] for one in kept]
            or "content-type" in again.headers
            or not re.fullmatch('"[!#-~]+"', tag)
        ):
            unlike.append((path, again.status_code, first.headers, again.headers))

    assert [one[0] for one in unlike] == DATED


def test_the_documents_tell_what_holds_for_every_operation(site):
    untold = [
        (method, path)
        for path, methods in site.client.app.openapi()["paths"].items()
        for method, said in methods.items()
        if list(said["responses"]["429"]["content"]) != ["application/problem+json"]
        or "Retry-After" not in said["responses"]["429"]["headers"]
    ]
    streams = [
        path
        for path, said in reading(site.client.app)
        if "ETag" not in said["responses"]["200"].get("headers", {})
        or "304" not in said["responses"]
        or "If-None-Match" not in {one["name"] for one in said["parameters"]}
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
        told = []
        for path in paths:
            asked = server.address + path
            got = httpx2.get(asked, headers=server.bearer())
            head = httpx2.head(asked, headers=server.bearer())
            assert head.content == b""
            told.append(
                (
                    head.status_code,
                    head.headers.get("content-length"),
                    got.status_code,
                    got.headers["content-length"],
                )
            )

    assert [one[:2] for one in told] == [one[2:] for one in told]
    assert [one[0] for one in told] == [200, 200, 200, 200, 404]


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


def test_no_redirect_leads_to_where_the_caller_says(site):
    answer = site.client.get(
        "/cities/", headers={"Host": "evil.example"}, follow_redirects=False
    )

    assert refusal(answer) == (404, "not-found", [])


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
    told = "\n".join(line for line in lines if not line.startswith("#"))
    assert 'method="other"' in told
    assert 'route="none"' in told
    assert not re.search('="[^"]*(BREW|organiser|example|/a"|/b")', told)


SECURITY = Path("SECURITY.md").read_text("utf-8")


@pytest.mark.parametrize(
    "named", sorted(set(re.findall("`(test_[a-z_0-9]+)`", SECURITY)))
)
def test_a_test_that_is_named_exists(named):
    texts = "".join(path.read_text("utf-8") for path in Path("tests").rglob("*.py"))

    assert f"def {named}(" in texts


@pytest.mark.parametrize(
    "named", sorted(set(re.findall(r"`(tests/[\w/.]+)`", SECURITY)))
)
def test_a_file_that_is_named_exists(named):
    assert Path(named).is_file()
