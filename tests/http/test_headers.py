"""Every answer protects browsers and tells caches what they may keep."""

import re

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.http.border import CLOSED
from app.main import create_app
from app.services.accounts import accounts, sign_in
from app.services.accounts.tokens import add as add_token
from app.settings import Settings
from tests.fixtures.cities import refusal
from tests.http.guards import CLOSED_OR_STYLED, differing
from tests.http.routes import filled, routes


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


def caching_faults(answer) -> dict[str, str | None]:
    """Return the headers by which a cache could give an answer to somebody else."""
    headers = answer.headers
    path, method = answer.request.url.path, answer.request.method
    vary = {one.strip() for one in headers.get("vary", "").split(",")}
    wanted = {"Authorization", "Cookie"}
    if path.startswith("/api/v1/"):
        is_read = method in {"GET", "HEAD"} and answer.status_code in {200, 304}
        asks_again = {"no-cache", "private, no-cache"} if is_read else set()
    else:
        wanted |= {"Accept", "Accept-Language"}
        asks_again = set()
    if "authorization" in answer.request.headers:
        asks_again -= {"no-cache"}
    fits = headers.get("cache-control") in asks_again | {"no-store"} and wanted <= vary
    if fits:
        return {}
    return {"cache-control": headers.get("cache-control"), "vary": headers.get("vary")}


def is_for_all(path: str) -> bool:
    """Tell whether a file is the same for everybody."""
    return path.startswith(("/static/", "/api/docs/assets/"))


def test_caches_keep_no_answer_that_depends_on_who_asks(walked):
    wrong = {
        (method, path, answer.status_code): caching_faults(answer)
        for method, path, answer in walked
        if not is_for_all(path) and caching_faults(answer)
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


def test_no_redirect_leads_to_where_the_caller_says(site):
    answer = site.client.get(
        "/cities/", headers={"Host": "evil.example"}, follow_redirects=False
    )

    assert refusal(answer) == (404, "not-found", [])
