"""Coming in, staying in, and being shut out: by password, by link and by token."""

import re
import sqlite3
import threading
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import httpx2
import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import TooMany
from app.main import create_app
from app.outside import mailers
from app.services.accounts import accounts, passwords, sign_in
from app.services.accounts.tokens import add as add_token
from app.services.background import send_mail
from app.settings import Settings
from tests.fixtures.cities import add_officer, changing, city, refusal, register
from tests.fixtures.process import served
from tests.web.visitor import HTML, Visitor


@pytest.fixture
def service(idle_service):
    """Return the application; nothing here has it compute."""
    return idle_service


PASSWORD = "four words are easy"  # noqa: S105
OTHER = "another four words here"
EMAIL = "organiser@example.org"


def browser(service):
    """Return one more browser, with cookies of its own."""
    return TestClient(service.client.app, raise_server_exceptions=False)


def signed_in(service, way):
    """Return a browser that has come in, by the role of a token or a link's secret."""
    one = browser(service)
    if way in service.tokens:
        answer = one.post("/sign-in", data={"token": service.tokens[way]})
    else:
        answer = one.post("/sign-in/link", data={"key": way})
    assert answer.status_code == 200, answer.text
    return one


def is_in(one) -> bool:
    answer = one.get("/account", headers=HTML, follow_redirects=False)
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


def row_of(service, email):
    with service.client.app.state.database.read() as session:
        return accounts.by_address(session, email)


def link(service, email, kind="sign_in"):
    """Return the secret of a new link to this account."""
    with changing(service) as session:
        row = accounts.find_user(session, email)
        return sign_in.new_link(session, row.id, kind)


def set_password(service, email=EMAIL, password=PASSWORD):
    with changing(service) as session:
        accounts.find_user(session, email).password = passwords.hashed(password)


def enter(one, email, password, **options):
    return one.post(
        "/sign-in",
        data={"email": email, "password": password, "to": "/rounds"},
        headers=HTML,
        follow_redirects=False,
        **options,
    )


def sent_links(service, folder):
    """Deliver what is queued; return the recipient and the link of each letter."""
    post = mailers.mailer(Settings(mail=f"file:{folder}"))
    send_mail.deliver(
        service.client.app.state.database, post, "https://compaan.example.org"
    )
    found = []
    for path in sorted(folder.glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        text = letter.get_body().get_content()
        url = re.search(r"https://compaan.example.org(/sign-in/\S+)", text)
        found.append((letter["to"], url[1]))
        path.unlink()
    return found


# By password.


def test_a_password_lets_in_and_leads_on(service):
    set_password(service)

    one = browser(service)
    answer = enter(one, " Organiser@Example.org", PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, "/rounds")
    assert is_in(one)
    assert row_of(service, EMAIL).signed_in_at is not None


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(idle_service):
    service = idle_service
    set_password(service)

    shown = {
        enter(browser(service), email, password).text.replace(email, "E")
        for email, password in (
            (EMAIL, "wrong"),
            ("nobody@example.org", "wrong"),
            ("nobody@example.org", ""),
            ("officer@example.org", ""),  # has no password
        )
    }

    assert len(shown) == 1
    assert sign_in.WRONG in shown.pop()


def test_an_unknown_address_costs_one_verification_like_a_wrong_password(
    sqlite_service, monkeypatch
):
    service = sqlite_service
    set_password(service)
    verified = []
    real = passwords._hasher  # noqa: SLF001 -- the library's, watched

    class Watched(type(real)):
        def verify(self, hash, password):  # noqa: A002 -- the library's name
            verified.append(hash.split("$")[1:4])
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    for email in (EMAIL, "nobody@example.org", "officer@example.org"):
        assert enter(browser(service), email, "wrong").status_code == 401

    assert len(verified) == 3
    assert verified[0] == verified[1] == verified[2]
    assert verified[0] == ["argon2id", "v=19", "m=65536,t=3,p=4"]


def test_too_many_attempts_are_stopped_however_the_address_is_written(sqlite_service):
    service = sqlite_service
    set_password(service)
    service.client.app.state.throttle = sign_in.Throttle(per_quarter=3)

    tried = [
        enter(browser(service), email, "wrong").status_code
        for email in (EMAIL, EMAIL.upper(), f" {EMAIL}")
    ]
    stopped = enter(browser(service), EMAIL, PASSWORD)
    another = enter(browser(service), "officer@example.org", "wrong")

    assert tried == [401, 401, 401]
    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["retry-after"]) <= 15 * 60
    assert "Too many attempts to sign in. Wait, or ask for a link" in stopped.text
    assert another.status_code == 401


def test_the_right_password_forgets_the_attempts_before_it(sqlite_service):
    service = sqlite_service
    set_password(service)
    service.client.app.state.throttle = sign_in.Throttle(per_quarter=2)

    statuses = [
        enter(browser(service), EMAIL, password).status_code
        for password in ("wrong", PASSWORD, "wrong", PASSWORD)
    ]

    assert statuses == [401, 303, 401, 303]


def test_one_place_may_try_so_often_and_no_more():
    throttle = sign_in.Throttle(from_one_place=2)

    throttle.attempt("a@example.org", "192.0.2.1")
    throttle.mail("b@example.org", "192.0.2.1")
    throttle.knock("192.0.2.2")

    with pytest.raises(TooMany):
        throttle.attempt("c@example.org", "192.0.2.1")


def test_changing_the_password_signs_the_other_browsers_out(service):
    set_password(service)
    here, there = browser(service), browser(service)
    for one in (here, there):
        assert enter(one, EMAIL, PASSWORD).status_code == 303

    visitor = Visitor(Browsing(here)).open("/account")
    visitor.press("Change the password", current=PASSWORD, new=OTHER)

    assert visitor.status == 200
    assert "Your password is changed" in visitor.text
    assert (is_in(here), is_in(there)) == (True, False)
    assert enter(browser(service), EMAIL, PASSWORD).status_code == 401
    assert enter(browser(service), EMAIL, OTHER).status_code == 303


def test_a_password_is_not_changed_by_whoever_does_not_know_it(service):
    set_password(service)
    visitor = Visitor(Browsing(signed_in(service, "organiser"))).open("/account")

    visitor.press("Change the password", current="a guess", new=OTHER)
    wrong = visitor.status, visitor.text
    visitor.open("/account").press("Change the password", current=PASSWORD, new="short")

    assert wrong[0] == 422
    assert "Your present password is another one." in wrong[1]
    assert visitor.status == 422
    assert "12" in visitor.text
    assert enter(browser(service), EMAIL, PASSWORD).status_code == 303


def test_a_forgotten_password_is_replaced_by_whoever_has_just_read_the_mail(service):
    set_password(service)
    kept = Visitor(Browsing(signed_in(service, link(service, EMAIL))))
    fresh = Visitor(Browsing(signed_in(service, link(service, EMAIL))))
    with changing(service) as session:
        first = select(tables.Login).order_by(tables.Login.created_at).limit(1)
        session.scalar(first).created_at = now() - sign_in.LINK

    kept.open("/account").press("Change the password", current="", new=OTHER)
    fresh.open("/account").press("Change the password", new=OTHER)

    assert (kept.status, fresh.status) == (422, 200)
    assert "Your present password is another one." in kept.text
    assert enter(browser(service), EMAIL, OTHER).status_code == 303


class Browsing:
    """What a visitor of the tests looks through."""

    def __init__(self, client) -> None:
        self.client = client


# By link.


def test_a_link_comes_by_mail_and_lets_in_once(idle_service, tmp_path):
    service = idle_service
    asked = Visitor(service).open("/sign-in").press("Send me a link", email=EMAIL)
    assert (asked.status, asked.path) == (200, "/sign-in")
    ((to, path),) = sent_links(service, tmp_path)
    one = browser(service)

    looked = [one.get(path, headers=HTML) for _ in range(2)]  # a scanner of mail
    assert (to, is_in(one)) == (EMAIL, False)
    visitor = Visitor(Browsing(one)).open(path).press("Come in")
    again = Visitor(Browsing(browser(service))).open(path).press("Come in")

    assert [answer.status_code for answer in looked] == [200, 200]
    assert {answer.headers["referrer-policy"] for answer in looked} == {"same-origin"}
    assert (visitor.status, visitor.path, is_in(one)) == (200, "/", True)
    assert again.status == 401
    assert "This link has been used, or is too old: ask for another" in again.text
    assert not is_in(again.service.client)


def test_nobody_is_told_whether_there_is_such_an_account(idle_service, tmp_path):
    service = idle_service
    pages = {
        Visitor(service).open("/sign-in").press("Send me a link", email=email).page.text
        for email in (EMAIL, "nobody@example.org")
    }

    assert len(pages) == 1
    assert [to for to, _ in sent_links(service, tmp_path)] == [EMAIL]


def test_mails_to_one_address_are_few(idle_service, tmp_path):
    service = idle_service
    statuses = [
        service.client.post(
            "/sign-in/mail", data={"email": EMAIL}, follow_redirects=False
        ).status_code
        for _ in range(6)
    ]

    assert statuses == [303] * 5 + [429]
    assert len(sent_links(service, tmp_path)) == 5


def test_an_old_link_and_a_made_up_one_let_nobody_in(service):
    old = link(service, EMAIL)
    with changing(service) as session:
        session.execute(update(tables.Link).values(expires_at=now()))

    answers = [
        browser(service).post("/sign-in/link", data={"key": key}, headers=HTML)
        for key in (old, "0" * 64, "")
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len({answer.text for answer in answers}) == 1
    assert "set-cookie" not in answers[0].headers


def test_links_last_as_long_as_the_letters_say(service):
    link(service, EMAIL)
    link(service, "auditor@example.org", "invitation")

    with service.client.app.state.database.read() as session:
        kept = session.execute(select(tables.Link.created_at, tables.Link.expires_at))
        lives = sorted(expires - created for created, expires in kept)

    assert [round(life / timedelta(minutes=1)) for life in lives] == [30, 14 * 24 * 60]


def test_of_two_browsers_with_one_link_one_gets_in(accounts_of):
    url, tokens = accounts_of
    with served(url, tokens) as first, served(url, tokens) as second:
        for _ in range(3):
            key = made_link(url)
            gate = threading.Barrier(2)
            answers = []

            def come(server, key=key, gate=gate, answers=answers):
                with httpx2.Client(base_url=server.address) as one:
                    one.get("/sign-in")
                    gate.wait(30)
                    answer = one.post("/sign-in/link", data={"key": key})
                    answers.append(answer.status_code)

            threads = [
                threading.Thread(target=come, args=(server,))
                for server in (first, second)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(answers) == [303, 401]


def made_link(url):
    database = Database(url)
    with database.write() as session:
        row = accounts.find_user(session, EMAIL)
        key = sign_in.new_link(session, row.id, "sign_in")
    database.close()
    return key


# Shut out at once, on the API and on the pages.


def api(service, token) -> int:
    headers = {"Authorization": f"Bearer {service.tokens[token]}"}
    return service.client.get("/api/v1/cities", headers=headers).status_code


def test_a_revoked_token_is_out_and_so_is_its_browser(service):
    by_token = signed_in(service, "officer")
    by_link = signed_in(service, link(service, "officer@example.org"))
    (token,) = service.get("/account/tokens", "officer").json()["items"]

    revoked = service.delete(f"/account/tokens/{token['id']}", None, "officer")

    assert revoked.status_code == 204
    assert api(service, "officer") == 401
    assert (is_in(by_token), is_in(by_link)) == (False, True)


def test_an_expired_token_is_out_and_so_is_its_browser(service):
    by_token = signed_in(service, "officer")

    with changing(service) as session:
        row = accounts.find_user(session, "officer@example.org")
        mine = tables.Token.account_id == row.id
        session.execute(update(tables.Token).where(mine).values(expires_at=now()))

    assert (api(service, "officer"), api(service, "organiser")) == (401, 200)
    assert not is_in(by_token)


def test_an_expired_sign_in_is_out(service):
    one = signed_in(service, link(service, EMAIL))
    assert is_in(one)

    with changing(service) as session:
        session.execute(update(tables.Login).values(expires_at=now()))

    assert not is_in(one)


def test_a_cookie_that_was_copied_is_out_after_signing_out(service):
    one = signed_in(service, link(service, EMAIL))
    thief = browser(service)
    thief.cookies.update(dict(one.cookies))
    assert is_in(thief)

    one.post("/sign-out")

    assert not is_in(thief)


def test_one_browser_signs_another_out_and_all_others(service):
    here, there, third = (signed_in(service, link(service, EMAIL)) for _ in range(3))
    visitor = Visitor(Browsing(here)).open("/account")
    labels = [one for one in visitor.buttons() if one.startswith("Sign it out")]
    assert len(labels) == 2

    visitor.press(labels[0])
    left = [is_in(one) for one in (here, there, third)]
    visitor.open("/account").press("Sign all others out")

    assert left[0]
    assert sorted(left[1:]) == [False, True]
    assert [is_in(one) for one in (here, there, third)] == [True, False, False]


def test_nobody_signs_others_browsers_out_or_revokes_their_tokens(service):
    one = signed_in(service, link(service, EMAIL))
    (login,) = service.get("/account/sign-ins").json()["items"]
    (token,) = service.get("/account/tokens").json()["items"]
    thief = signed_in(service, "administrator")

    answers = [
        thief.post(f"/account/sign-ins/{login['id']}/sign-out", headers=HTML),
        thief.post(f"/developers/tokens/{token['id']}/revoke", headers=HTML),
        service.delete(f"/account/sign-ins/{login['id']}", None, "administrator"),
        service.delete(f"/account/tokens/{token['id']}", None, "administrator"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert is_in(one)
    assert api(service, "organiser") == 200


def test_a_closed_account_is_out_with_all_it_had(service):
    by_token, by_link = (
        signed_in(service, "officer"),
        signed_in(service, link(service, "officer@example.org")),
    )
    waiting = link(service, "officer@example.org")
    row = row_of(service, "officer@example.org")

    assert service.delete(f"/accounts/{row.id}").status_code == 204

    assert api(service, "officer") == 401
    assert (is_in(by_token), is_in(by_link)) == (False, False)
    late = browser(service).post("/sign-in/link", data={"key": waiting}, headers=HTML)
    assert late.status_code == 401


def changed(service, email, **fields):
    row = row_of(service, email)
    answer = service.call(
        "PATCH",
        f"/accounts/{row.id}",
        "administrator",
        json=fields,
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text


def test_an_officer_who_moved_to_another_city_writes_there_alone(service):
    register(service, city("mechelen"), city("other"))
    one = signed_in(service, link(service, "officer@example.org"))

    def may(place):
        put = service.put(f"/cities/{place}", city(place), "*", "officer")
        page = one.get(f"/cities/{place}/edit", headers=HTML)
        return put.status_code, page.status_code

    before = may("mechelen"), may("other")
    changed(service, "officer@example.org", city="other")

    assert before == ((200, 200), (403, 404))
    assert (may("mechelen"), may("other")) == ((403, 404), (200, 200))


def test_an_organiser_made_auditor_changes_nothing_any_more(service):
    one = signed_in(service, link(service, EMAIL))
    made = [service.post("/rounds", {"name": "A"}).status_code]
    made.append(one.post("/rounds", data={"name": "B"}, headers=HTML).status_code)

    changed(service, EMAIL, role="auditor")

    assert made == [201, 200]
    assert refusal(service.post("/rounds", {"name": "C"}))[:2] == (403, "forbidden")
    assert one.post("/rounds", data={"name": "D"}, headers=HTML).status_code in {
        403,
        404,
    }
    names = {one["name"] for one in service.get("/rounds").json()["items"]}
    assert names == {"A", "B"}


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [
        ("read", [200, 403, 403, 403, 403]),
        ("cities:write", [200, 201, 403, 403, 403]),
        ("rounds:write", [200, 403, 201, 403, 403]),
        ("write", [200, 201, 201, 200, 201]),
    ],
)
def test_a_token_does_what_its_scope_says_and_no_more(service, scope, statuses):
    with changing(service) as session:
        row = accounts.find_user(session, EMAIL)
        service.tokens["narrow"] = add_token(session, row, scope)

    answers = [
        service.get("/rounds", "narrow"),
        service.post("/cities", city("new"), "narrow"),
        service.post("/rounds", {"name": "New"}, "narrow"),
        service.call(
            "PATCH",
            "/account",
            "narrow",
            json={"name": "N"},
            headers={"If-Match": "*"},
        ),
        service.post("/account/tokens", {"name": "wider", "scope": "write"}, "narrow"),
    ]

    assert [answer.status_code for answer in answers] == statuses


@pytest.mark.parametrize("scope", ["read", "cities:write", "rounds:write"])
def test_a_browser_signed_in_with_a_narrow_token_changes_no_account(service, scope):
    with changing(service) as session:
        row = accounts.find_user(session, EMAIL)
        service.tokens["narrow"] = add_token(session, row, scope)
    one = signed_in(service, "narrow")

    made = one.post(
        "/developers/tokens",
        data={"name": "wider", "scope": "write", "days": "9"},
        headers=HTML,
    )
    closed = one.post("/account/close", headers=HTML)

    assert (made.status_code, closed.status_code) == (403, 403)
    assert len(service.get("/account/tokens").json()["items"]) == 2


def test_the_officer_of_another_city_sees_and_changes_nobody_here(service):
    add_officer(service, "other")
    row = row_of(service, "officer@example.org")
    one = signed_in(service, "other")

    answers = [
        service.get(f"/accounts/{row.id}", "other"),
        service.delete(f"/accounts/{row.id}", role="other"),
        one.get(f"/people/{row.id}", headers=HTML),
        one.post(f"/people/{row.id}/close", data={"version": "1"}, headers=HTML),
    ]
    seen = one.get("/people", headers=HTML).text

    assert [answer.status_code for answer in answers] == [404] * 4
    assert "other@example.org" in seen
    assert "officer@example.org" not in seen
    assert is_in(signed_in(service, "officer"))


# What is kept.


def everything(url) -> str:
    """Return every row of the database as text."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            told = "\n".join(database.iterdump())
        database.close()
        return told
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
        enter(one, EMAIL, PASSWORD)
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
    told = everything(service.url)

    assert "website" in told
    assert EMAIL in told
    assert any(entry["path"] == "/sign-in/link" for entry in logged)
    assert not [secret for secret in secrets if secret in told + queued]
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
