"""Forms that other sites send, and those of our own pages over plain HTTP."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.db import tables
from app.services.accounts import accounts, passwords, sign_in
from tests.fixtures.service import Service, start
from tests.http.routes import routes
from tests.web.visitor import HTML, Visitor

EMAIL = "organiser@example.org"
PASSWORD = "correct horse battery"  # noqa: S105
PUBLIC = "https://compaan.example.org"
NULL = {"Origin": "null"}
SAME = {"Sec-Fetch-Site": "same-origin"}
HERE = {"Origin": "http://testserver"}

OURS = [
    {},
    SAME,
    {"Sec-Fetch-Site": "none"},
    SAME | NULL,
    {"Sec-Fetch-Site": "none"} | NULL,
    SAME | {"Origin": "https://evil.example"},
    NULL,
    HERE,
    {"Origin": "HTTP://TestServer"},
    {"Origin": "http://testserver:80"},
    {"Origin": "https://testserver"},  # a proxy ends TLS
    {"Origin": "http://10.0.0.7:8000", "Host": "10.0.0.7:8000"},
    {"Origin": "http://[fd00::2]:8000", "Host": "[fd00::2]:8000"},
    {"Origin": "http://town", "Host": "town:80"},
    {"Origin": "https://town", "Host": "town:443"},
    {"Origin": PUBLIC, "Host": "10.0.0.7:8000"},  # a proxy passes its own name on
    {"Origin": f"{PUBLIC}:443", "Host": "10.0.0.7:8000"},
]
OTHERS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"} | NULL,
    {"Sec-Fetch-Site": "cross-site"} | HERE,
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.example"},
    {"Origin": ""},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:8000"},
    {"Origin": "http://town:8000", "Host": "town:8001"},
    {"Origin": "http://town", "Host": "town:443"},
    {"Origin": "http://compaan.example.org", "Host": "10.0.0.7:8000"},
    {"Origin": "http://127.0.0.1:8000"},
    {"Origin": "file://"},
    {"Origin": "chrome-extension://testserver"},
    {"Origin": "http://["},
    {"Origin": "http://testserver:port"},
    {"Origin": "nonsense"},
    {"Authorization": "Basic dTpw", "Origin": "https://evil.example"},
]


@pytest.fixture
def site(_copy_sqlite) -> Iterator[Service]:
    """Serve behind a proxy, under a name of its own."""
    yield from start(_copy_sqlite(), runs_at_once=0, public_url=PUBLIC)


def send(site, path, told, **headers):
    return site.client.post(
        path, data=told, headers=HTML | headers, follow_redirects=False
    )


def count(site, table) -> int:
    with site.client.app.state.database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def by_token(site):
    return "/sign-in", {"token": site.tokens["organiser"], "to": "/"}


def by_password(site):
    with site.client.app.state.database.write() as session:
        row = accounts.find_user(session, EMAIL)
        row.password = row.password or passwords.hashed(PASSWORD)
    return "/sign-in", {"email": EMAIL, "password": PASSWORD, "to": "/"}


def by_link(site):
    with site.client.app.state.database.write() as session:
        row = accounts.find_user(session, EMAIL)
        return "/sign-in/link", {"key": sign_in.new_link(session, row.id, "link")}


def by_mail(_site):
    return "/sign-in/mail", {"email": EMAIL}


WAYS = {way.__name__: way for way in (by_token, by_password, by_link, by_mail)}


def test_our_own_forms_are_taken(site):
    Visitor(site).sign_in("organiser")

    for number, headers in enumerate(OURS, start=1):
        answer = send(site, "/rounds", {"name": f"R{number}"}, **headers)
        assert answer.status_code == 303, headers
        assert count(site, tables.Round) == number, headers


@pytest.mark.parametrize("way", ["round", *WAYS])
def test_forms_of_other_sites_are_refused(site, way):
    if way == "round":
        Visitor(site).sign_in("organiser")
    path, told = WAYS[way](site) if way in WAYS else ("/rounds", {"name": "R"})
    logins = count(site, tables.Login)

    for headers in OTHERS:
        answer = send(site, path, told, **headers)
        assert answer.status_code == 403, headers
    assert count(site, tables.Round) + count(site, tables.Message) == 0
    assert count(site, tables.Login) == logins


@pytest.mark.parametrize("way", WAYS)
def test_everybody_signs_in_where_the_browser_says_whence(site, way):
    for number, headers in enumerate([{}, SAME, SAME | NULL, HERE], start=1):
        site.client.cookies.clear()
        path, told = WAYS[way](site)
        answer = send(site, path, told, **headers)
        assert answer.status_code == 303, headers
        assert count(site, tables.Login) + count(site, tables.Message) == number


@pytest.mark.parametrize("way", WAYS)
def test_without_the_cookie_of_its_page_a_form_from_nowhere_does_nothing(site, way):
    path, told = WAYS[way](site)

    first = send(site, path, told, **NULL)

    assert first.status_code == 200
    assert "Nothing was done yet: please send it once more." in first.text
    assert count(site, tables.Login) + count(site, tables.Message) == 0
    again = Visitor(site, page=first)
    (form,) = (
        form
        for form in again.forms()
        if form.action == path and form.fields.keys() == told.keys()
    )
    kept = {name: [told[name]] for name in told.keys() & {"email", "key", "to"}}
    assert {name: form.fields[name] for name in kept} == kept
    # The page has set the cookie now.
    second = send(site, path, told, **NULL)
    assert second.status_code == 303
    assert count(site, tables.Login) + count(site, tables.Message) == 1


@pytest.mark.parametrize("page", ["/sign-in", "/sign-in/link?key=x"])
def test_with_the_cookie_of_its_page_it_signs_in(site, page):
    for number, way in enumerate(WAYS.values(), start=1):
        site.client.cookies.clear()
        cookie = site.client.get(page, headers=HTML).headers["set-cookie"]
        for part in ("compaan-form=", "HttpOnly", "SameSite=lax", "Path=/"):
            assert part in cookie

        answer = send(site, *way(site), **NULL)

        assert answer.status_code == 303
        assert count(site, tables.Login) + count(site, tables.Message) == number


def test_what_is_only_shown_again_is_no_attempt(site):
    path, told = by_password(site)
    wrong = told | {"password": "another one"}
    for _ in range(12):
        assert send(site, path, wrong, **NULL).status_code == 200
        site.client.cookies.clear()

    assert send(site, path, told).status_code == 303


def test_no_form_from_nowhere_does_anything_without_a_cookie(site):
    every = routes(site.client.app)
    paths = {path for method, path in every if method == "POST" and "/api/" not in path}
    assert len(paths) > 40
    for path in sorted(paths):
        answer = send(site, path.replace("{", "").replace("}", ""), {"x": "1"}, **NULL)
        told = (answer.status_code, answer.headers.get("location", "")[:12])
        assert told in {(303, "/sign-in?to="), (200, ""), (404, ""), (303, "/")}, path
        ended = [
            cookie
            for cookie in answer.headers.get_list("set-cookie")
            if cookie.startswith(("compaan=", "__Host-compaan="))
        ]
        assert ended == [], path
        site.client.cookies.clear()


def test_a_program_with_a_token_is_asked_for_no_origin(site):
    headers = {"Origin": "https://evil.example"} | site.bearer("organiser")

    told = send(site, "/rounds", {"name": "R"}, **headers)
    assert (told.status_code, told.headers["location"]) == (303, "/sign-in?to=/")

    Visitor(site).sign_in("organiser")
    assert send(site, "/rounds", {"name": "R"}, **headers).status_code == 403


def test_the_public_url_counts_only_where_it_is_set(sqlite_service):
    headers = {"Origin": "http://127.0.0.1:8000", "Host": "town"}

    answer = send(sqlite_service, "/sign-in", {"token": "x"}, **headers)

    assert answer.status_code == 403
