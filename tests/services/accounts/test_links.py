"""Signing in by a link that comes by mail."""

import threading
from datetime import timedelta

import httpx2
from sqlalchemy import select, update

from app.db import Database, tables
from app.db.tables.base import now
from app.services.accounts import accounts, sign_in
from tests.fixtures.cities import changing
from tests.fixtures.process import served
from tests.services.accounts.browsers import (
    EMAIL,
    Browsing,
    browser,
    is_signed_in,
    link,
    sent_links,
)
from tests.web.visitor import HTML, Visitor


def test_a_link_comes_by_mail_and_lets_in_once(idle_service, tmp_path):
    service = idle_service
    page = Visitor(service).open("/sign-in").press("Send me a link", email=EMAIL)
    assert (page.status, page.path) == (200, "/sign-in")
    ((to, path),) = sent_links(service, tmp_path)
    one = browser(service)

    looked = [one.get(path, headers=HTML) for _ in range(2)]  # a scanner of mail
    assert (to, is_signed_in(one)) == (EMAIL, False)
    visitor = Visitor(Browsing(one)).open(path).press("Come in")
    again = Visitor(Browsing(browser(service))).open(path).press("Come in")

    assert [answer.status_code for answer in looked] == [200, 200]
    assert {answer.headers["referrer-policy"] for answer in looked} == {"same-origin"}
    assert (visitor.status, visitor.path, is_signed_in(one)) == (200, "/", True)
    assert again.status == 401
    assert "This link has been used, or is too old: ask for another" in again.text
    assert not is_signed_in(again.service.client)


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
        rows = session.execute(select(tables.Link.created_at, tables.Link.expires_at))
        lives = sorted(expires - created for created, expires in rows)

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
