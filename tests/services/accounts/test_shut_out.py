"""Who is shut out at once, on the API and on the pages."""

import pytest
from sqlalchemy import update

from app.db import tables
from app.db.tables.base import now
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from tests.fixtures.cities import add_officer, changing, city, refusal, register
from tests.services.accounts.browsers import (
    EMAIL,
    Browsing,
    api,
    browser,
    is_signed_in,
    link,
    row_of,
    signed_in,
)
from tests.web.visitor import HTML, Visitor


def test_a_revoked_token_is_out_and_so_is_its_browser(service):
    by_token = signed_in(service, "officer")
    by_link = signed_in(service, link(service, "officer@example.org"))
    (token,) = service.get("/account/tokens", "officer").json()["items"]

    revoked = service.delete(f"/account/tokens/{token['id']}", None, "officer")

    assert revoked.status_code == 204
    assert api(service, "officer") == 401
    assert (is_signed_in(by_token), is_signed_in(by_link)) == (False, True)


def test_an_expired_token_is_out_and_so_is_its_browser(service):
    by_token = signed_in(service, "officer")

    with changing(service) as session:
        row = accounts.find_user(session, "officer@example.org")
        of_account = tables.Token.account_id == row.id
        session.execute(update(tables.Token).where(of_account).values(expires_at=now()))

    assert (api(service, "officer"), api(service, "organiser")) == (401, 200)
    assert not is_signed_in(by_token)


def test_an_expired_sign_in_is_out(service):
    one = signed_in(service, link(service, EMAIL))
    assert is_signed_in(one)

    with changing(service) as session:
        session.execute(update(tables.Login).values(expires_at=now()))

    assert not is_signed_in(one)


def test_a_cookie_that_was_copied_is_out_after_signing_out(service):
    one = signed_in(service, link(service, EMAIL))
    thief = browser(service)
    thief.cookies.update(dict(one.cookies))
    assert is_signed_in(thief)

    one.post("/sign-out")

    assert not is_signed_in(thief)


def test_one_browser_signs_another_out_and_all_others(service):
    first, second, third = (signed_in(service, link(service, EMAIL)) for _ in range(3))
    visitor = Visitor(Browsing(first)).open("/account")
    labels = [one for one in visitor.buttons() if one.startswith("Sign it out")]
    assert len(labels) == 2

    visitor.press(labels[0])
    left = [is_signed_in(one) for one in (first, second, third)]
    visitor.open("/account").press("Sign all others out")

    assert left[0]
    assert sorted(left[1:]) == [False, True]
    assert [is_signed_in(one) for one in (first, second, third)] == [True, False, False]


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
    assert is_signed_in(one)
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
    assert (is_signed_in(by_token), is_signed_in(by_link)) == (False, False)
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
    statuses = [service.post("/rounds", {"name": "A"}).status_code]
    statuses.append(one.post("/rounds", data={"name": "B"}, headers=HTML).status_code)

    changed(service, EMAIL, role="auditor")

    assert statuses == [201, 200]
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

    created = one.post(
        "/developers/tokens",
        data={"name": "wider", "scope": "write", "days": "9"},
        headers=HTML,
    )
    closed = one.post("/account/close", headers=HTML)

    assert (created.status_code, closed.status_code) == (403, 403)
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
    people = one.get("/people", headers=HTML).text

    assert [answer.status_code for answer in answers] == [404] * 4
    assert "other@example.org" in people
    assert "officer@example.org" not in people
    assert is_signed_in(signed_in(service, "officer"))
