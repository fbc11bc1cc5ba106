"""Signing in by password: attempts, changes and forgotten passwords."""

import pytest
from sqlalchemy import select

from app.db import tables
from app.db.tables.base import now
from app.errors import TooMany
from app.services.accounts import passwords, sign_in
from tests.fixtures.cities import changing
from tests.services.accounts.browsers import (
    EMAIL,
    OTHER,
    PASSWORD,
    Browsing,
    browser,
    enter_password,
    is_signed_in,
    link,
    row_of,
    set_password,
    signed_in,
)
from tests.web.visitor import Visitor


def test_a_password_lets_in_and_leads_on(service):
    set_password(service)

    one = browser(service)
    answer = enter_password(one, " Organiser@Example.org", PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, "/rounds")
    assert is_signed_in(one)
    assert row_of(service, EMAIL).signed_in_at is not None


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(idle_service):
    service = idle_service
    set_password(service)

    shown = {
        enter_password(browser(service), email, password).text.replace(email, "E")
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
        assert enter_password(browser(service), email, "wrong").status_code == 401

    assert len(verified) == 3
    assert verified[0] == verified[1] == verified[2]
    assert verified[0] == ["argon2id", "v=19", "m=65536,t=3,p=4"]


def test_too_many_attempts_are_stopped_however_the_address_is_written(sqlite_service):
    service = sqlite_service
    set_password(service)
    service.client.app.state.throttle = sign_in.Throttle(per_quarter=3)

    tried = [
        enter_password(browser(service), email, "wrong").status_code
        for email in (EMAIL, EMAIL.upper(), f" {EMAIL}")
    ]
    stopped = enter_password(browser(service), EMAIL, PASSWORD)
    another = enter_password(browser(service), "officer@example.org", "wrong")

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
        enter_password(browser(service), EMAIL, password).status_code
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
    first, second = browser(service), browser(service)
    for one in (first, second):
        assert enter_password(one, EMAIL, PASSWORD).status_code == 303

    visitor = Visitor(Browsing(first)).open("/account")
    visitor.press("Change the password", current=PASSWORD, new=OTHER)

    assert visitor.status == 200
    assert "Your password is changed" in visitor.text
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)
    assert enter_password(browser(service), EMAIL, PASSWORD).status_code == 401
    assert enter_password(browser(service), EMAIL, OTHER).status_code == 303


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
    assert enter_password(browser(service), EMAIL, PASSWORD).status_code == 303


def test_a_forgotten_password_is_replaced_by_whoever_has_just_read_the_mail(service):
    set_password(service)
    visitor = Visitor(Browsing(signed_in(service, link(service, EMAIL))))
    fresh = Visitor(Browsing(signed_in(service, link(service, EMAIL))))
    with changing(service) as session:
        first = select(tables.Login).order_by(tables.Login.created_at).limit(1)
        session.scalar(first).created_at = now() - sign_in.LINK

    visitor.open("/account").press("Change the password", current="", new=OTHER)
    fresh.open("/account").press("Change the password", new=OTHER)

    assert (visitor.status, fresh.status) == (422, 200)
    assert "Your present password is another one." in visitor.text
    assert enter_password(browser(service), EMAIL, OTHER).status_code == 303
