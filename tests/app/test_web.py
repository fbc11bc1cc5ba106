"""The pages' promises that need no browser."""

import re
from html import unescape

import pytest

from app.db import Database
from app.services import accounts
from app.services.answers import Answers
from app.services.tokens import revoke_all as revoke_tokens
from app.settings import Settings
from tests.app.profiles import city, open_round, register

HTML = {"Accept": "text/html"}


def sign_in(service, role="organiser", **headers):
    return service.client.post(
        "/sign-in",
        data={"token": service.tokens[role], "to": headers.pop("to", "/")},
        headers=HTML | headers,
        follow_redirects=False,
    )


def test_a_cookie_is_no_script_readable_and_falls_with_the_token(service):
    answer = sign_in(service)
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    for part in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert service.tokens["organiser"] not in cookie
    assert service.client.get("/rounds", headers=HTML).status_code == 200

    database = Database(service.url)
    with database.write() as session:
        account = accounts.find_user(session, "organiser@example.org")
        revoke_tokens(session, account)
    database.close()
    out = service.client.get("/rounds", headers=HTML, follow_redirects=False)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in?to=/rounds")


def test_signing_out_ends_it_in_the_database_too(service):
    sign_in(service)
    kept = dict(service.client.cookies)
    service.client.post("/sign-out", headers=HTML)
    service.client.cookies.update(kept)

    out = service.client.get("/rounds", headers=HTML, follow_redirects=False)

    assert out.status_code == 303


def test_a_wrong_token_is_told_so(service):
    answer = service.client.post(
        "/sign-in", data={"token": "cmp_wrong"}, headers=HTML, follow_redirects=False
    )

    assert answer.status_code == 401
    assert "not known here" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil", "x"]
)
def test_signing_in_leads_nowhere_else(service, to):
    assert sign_in(service, to=to).headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://testserver"}, 303),
    ],
)
def test_forms_of_other_sites_are_refused(service, headers, status):
    sign_in(service)

    answer = service.client.post(
        "/rounds", data={"name": "R"}, headers=HTML | headers, follow_redirects=False
    )

    assert answer.status_code == status
    made = service.get("/rounds").json()["items"]
    assert len(made) == int(status == 303)


def test_a_cookie_opens_no_api(service):
    sign_in(service)

    assert service.client.get("/api/v1/cities").status_code == 401


def test_pages_keep_what_roles_may_see(service):
    round_id = open_round(service, city("mechelen", "mentor"), city("b"))
    run = service.post(f"/rounds/{round_id}/runs?wait=30", {}).json()["id"]
    sign_in(service, "officer")
    get = service.client.get

    assert get(f"/runs/{run}", headers=HTML).status_code == 404
    assert get(f"/runs/{run}.csv", headers=HTML).status_code == 404
    assert get(f"/runs/{run}/drill", headers=HTML).status_code == 404
    asked = "why-not?mentor=mechelen&learner=b"
    assert get(f"/runs/{run}/{asked}", headers=HTML).status_code == 404
    assert get("/cities/b/edit", headers=HTML).status_code == 404
    assert get("/cities/new", headers=HTML).status_code == 404
    assert get("/cities/import", headers=HTML).status_code == 404
    shown = get(f"/rounds/{round_id}", headers=HTML)
    assert shown.status_code == 200
    assert "Propose pairings" not in shown.text
    assert run not in shown.text
    for path, sent in (
        (f"/rounds/{round_id}/runs", {}),
        (f"/rounds/{round_id}/phase", {"to": "closed"}),
        ("/rounds", {"name": "X"}),
        ("/cities/new", {"name": "X", "country": "BE"}),
        ("/cities/b/edit", {"name": "X", "version": "1"}),
        ("/cities/b/practices", {"area": "housing", "title": "T"}),
        (f"/rounds/{round_id}/participants/b/delete", {}),
    ):
        answer = service.client.post(
            path, data=sent, headers=HTML, follow_redirects=False
        )
        assert answer.status_code in {403, 404, 422}, path
    assert service.get(f"/rounds/{round_id}").json()["phase"] == "open"
    assert service.get("/cities/b").headers["etag"] == '"1"'
    assert len(service.get(f"/rounds/{round_id}/participants").json()["items"]) == 2


def test_the_page_of_a_round_tells_what_is_short_and_what_would_help(sqlite_service):
    service = sqlite_service
    policy = {"rules": {"different_country": True}}
    cities = [city("a", "mentor", mentor_capacity=2), city("b"), city("c")]
    round_id = open_round(service, *cities, policy=policy)
    sign_in(service)

    shown = service.client.get(f"/rounds/{round_id}", headers=HTML).text
    # So much effort that it is not found out on the spot.
    hard = {"objective": "fair", "min_load": {"mentor": 2, "only_if_used": True}}
    assert service.put(f"/rounds/{round_id}/policy", hard, "*").status_code == 200
    service.client.app.state.answers = Answers(Settings(answer_seconds=0.001))
    without = service.client.get(f"/rounds/{round_id}", headers=HTML)

    assert "2 learners can go to no mentor at all. These learners: b and c." in shown
    help_ = "Allow two cities of one country: 2 more learners get a mentor"
    assert help_ in shown
    assert without.status_code == 200
    assert "takes too long to find out" in without.text
    assert "Take out" in without.text


def test_an_officer_registers_its_city_with_the_form(service):
    sign_in(service, "officer")
    empty = service.client.get("/cities/mechelen/edit", headers=HTML)
    sent = {
        "name": "Mechelen",
        "country": "BE",
        "roles": ["mentor", "learner"],
        "need_housing": "2",
        "strength_health": "4",
        "languages": "Dutch, French",
    }

    wrong = service.client.post(
        "/cities/mechelen/edit",
        data=sent | {"need_housing": ""} | {"strength_health": ""},
        headers=HTML,
    )
    done = service.client.post("/cities/mechelen/edit", data=sent, headers=HTML)

    assert empty.status_code == 200
    assert wrong.status_code == 422
    assert done.status_code == 200
    stored = service.get("/cities/mechelen").json()
    assert stored["roles"] == ["mentor", "learner"]
    assert stored["languages"] == ["nl", "fr"]
    assert stored["areas"] == {
        "health": {"need": 0, "strength": 4},
        "housing": {"need": 2, "strength": 0},
    }


def test_a_form_that_changes_nothing_makes_no_new_version(service):
    practices = [{"area": "housing", "title": "T"}]
    full = city(
        "mechelen",
        "mentor",
        practices=practices,
        languages=["nl"],
        latitude=1.5,
        longitude=-2.25,
        population={"value": 5, "year": 2020, "source": "x"},
        needs_text="a\nb",
    )
    register(service, full)
    before = service.get("/cities/mechelen").json()
    sign_in(service, "officer")
    form = service.client.get("/cities/mechelen/edit", headers=HTML).text
    sent = {
        name: unescape(value)
        for name, value in re.findall(r'name="(\w+)" type="text" value="([^"]*)"', form)
    }
    for select, options in re.findall(
        r'<select id="\w+" name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'value="(\w*)" selected', options)
        sent[select] = chosen[1] if chosen else ""
    sent |= {"roles": "mentor", "version": "1", "needs_text": "a\r\nb"}

    answer = service.client.post(
        "/cities/mechelen/edit", data=sent, headers=HTML, follow_redirects=False
    )

    assert answer.status_code == 303
    after = service.get("/cities/mechelen")
    assert after.json() == before
    assert after.headers["etag"] == '"1"'


def test_a_refusal_is_a_page_for_a_browser_and_json_for_a_tool(service):
    page = service.client.get("/nowhere", headers=HTML)
    tool = service.client.get("/nowhere")

    assert (page.status_code, page.headers["content-type"]) == (
        404,
        "text/html; charset=utf-8",
    )
    assert tool.headers["content-type"] == "application/problem+json"
