"""No secret is stored, logged or shown twice; and cookies in production."""

import re
import sqlite3
from contextlib import contextmanager

import psycopg
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from app.main import create_app
from app.services.accounts import accounts, passwords
from app.services.accounts.tokens import add as add_token
from app.settings import Settings
from tests.fixtures.cities import changing
from tests.services.accounts.browsers import (
    EMAIL,
    OTHER,
    PASSWORD,
    Browsing,
    api,
    browser,
    enter_password,
    link,
    sent_links,
    set_password,
    signed_in,
)
from tests.web.visitor import HTML, Visitor

# What is kept.


def everything(url) -> str:
    """Return every row of the database as text."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            content = "\n".join(database.iterdump())
        database.close()
        return content
    with psycopg.connect(url.replace("+psycopg", "")) as database:
        tables = database.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        rows = [
            database.execute(f'SELECT t::text FROM "{name}" t').fetchall()  # noqa: S608
            for (name,) in tables
        ]
    return repr(rows)


def test_no_secret_is_stored_or_logged(idle_service, tmp_path):
    service = idle_service
    with capture_logs() as logged:
        set_password(service)
        one = browser(service)
        enter_password(one, EMAIL, PASSWORD)
        visitor = Visitor(Browsing(one)).open("/developers")
        visitor.press("Make it", name="website", scope="read", days="9")
        token = re.search(r"cmp_[\w-]+", visitor.text)[0]
        service.client.get(
            "/api/v1/cities", headers={"Authorization": f"Bearer {token}"}
        )
        Visitor(service).open("/sign-in").press("Send me a link", email=EMAIL)
        queued = everything(service.url)
        ((_, path),) = sent_links(service, tmp_path)
        one.get(path, headers=HTML)
        Visitor(Browsing(one)).open(path).press("Come in")
        visitor.open("/account").press("Change the password", new=OTHER)
    (cookie,) = one.cookies.values()
    secrets = [PASSWORD, OTHER, token, path.partition("key=")[2], cookie]
    content = everything(service.url)

    assert "website" in content
    assert EMAIL in content
    assert any(entry["path"] == "/sign-in/link" for entry in logged)
    assert not [secret for secret in secrets if secret in content + queued]
    assert not [secret for secret in secrets if secret in repr(logged)]


def test_a_token_is_shown_once(service):
    visitor = Visitor(Browsing(signed_in(service, "auditor"))).open("/developers")

    visitor.press("Make it", name="website", scope="read", days="90")
    token = re.search(r"cmp_[\w-]+", visitor.text)[0]
    shown = visitor.page
    visitor.open("/developers")

    assert shown.headers["cache-control"] == "no-store"
    assert "cmp_" not in visitor.text
    service.tokens["website"] = token
    assert api(service, "website") == 200
    (made, *_) = service.get("/account/tokens", "auditor").json()["items"]
    assert (made["name"], made["scope"]) == ("website", "read")
    visitor.press("Revoke website")
    assert "good for nothing" in visitor.text
    assert api(service, "website") == 401


# In production.

SAFE = {
    "production": True,
    "public_url": "https://compaan.example.org",
    "mail": "smtp://mail.example.org",
    "mail_from": "compaan@example.org",
    "controller": "The network, Brussels",
    "controller_mail": "privacy@example.org",
    "runs_at_once": 0,
}


@contextmanager
def production(url):
    app = create_app(Settings(database_url=url, **SAFE))
    with TestClient(app, base_url="https://testserver") as client:
        yield client


def test_in_production_cookies_are_secure_even_behind_a_proxy(sqlite_service):
    service = sqlite_service
    with production(service.url) as client:
        answer = client.post(
            "http://testserver/sign-in",  # what comes in behind a proxy
            data={"token": service.tokens["organiser"]},
            follow_redirects=False,
        )
        cookie = answer.headers["set-cookie"]
        name, _, rest = cookie.partition("=")
        value = rest.partition(";")[0]
        client.cookies.clear()
        planted = client.get(
            "/rounds",
            headers=HTML | {"Cookie": f"compaan={value}"},
            follow_redirects=False,
        )
        ours = client.get("/rounds", headers=HTML | {"Cookie": f"{name}={value}"})

    assert name == "__Host-compaan"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert planted.status_code == 303
    assert ours.status_code == 200


def test_in_production_nobody_comes_in_with_an_account_of_the_demo(sqlite_service):
    service = sqlite_service
    with changing(service) as session:
        row = accounts.add_user(session, "officer@demo.example", "officer", "x")
        row.password = passwords.hashed(PASSWORD)
        service.tokens["demo"] = add_token(session, row)
    secret = link(service, "officer@demo.example")

    def tried(client):
        forms = (
            ("/sign-in", {"email": "officer@demo.example", "password": PASSWORD}),
            ("/sign-in", {"token": service.tokens["demo"]}),
            ("/sign-in/link", {"key": secret}),
        )
        return [
            client.post(path, data=form, follow_redirects=False).status_code
            for path, form in forms
        ]

    with production(service.url) as client:
        refused = tried(client)

    assert refused == [401, 401, 401]
    assert tried(browser(service)) == [303, 303, 303]
