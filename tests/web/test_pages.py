"""The pages' promises that need no browser."""

import pytest

from app.db import Database
from app.services.accounts import accounts
from app.services.accounts.tokens import revoke_all as revoke_tokens
from app.services.decisions.engine_queries import EngineQueries
from app.settings import Settings
from tests.fixtures.cities import city, open_round, register
from tests.web.visitor import Visitor

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
    service.client.app.state.answers = EngineQueries(Settings(answer_seconds=0.001))
    without = service.client.get(f"/rounds/{round_id}", headers=HTML)

    assert "2 learners can go to no mentor at all. These learners: b and c." in shown
    help_ = "Allow two cities of one country: 2 more learners get a mentor"
    assert help_ in shown
    assert without.status_code == 200
    assert "takes too long to find out" in without.text
    assert "Take out" in without.text


def test_an_officer_registers_its_city_with_the_form(service):
    officer = Visitor(service).sign_in("officer").open("/cities/mechelen/edit?place=0")

    officer.press("Register the city", name="Mechelen", country="")
    assert (officer.status, service.get("/cities/mechelen").status_code) == (422, 404)
    assert "Country: choose one from the list." in officer.text
    officer.press("Register the city", country="BE")

    assert (officer.status, officer.path) == (200, "/cities/mechelen/edit")
    ask = officer.open
    go_on = "Save and return to the tasks"
    ask("/cities/mechelen/edit/role").press(go_on, roles=["mentor", "learner"])
    ask("/cities/mechelen/edit/languages").press(
        go_on, languages=["nl"], other_languages="French, Turkish"
    )
    levels = {"need_housing": "2", "strength_health": "4"}
    ask("/cities/mechelen/edit/areas").press(go_on, **levels)
    stored = service.get("/cities/mechelen").json()
    assert stored["roles"] == ["mentor", "learner"]
    assert stored["languages"] == ["nl", "fr", "tr"]
    assert stored["areas"] == {
        "health": {"need": 0, "strength": 4},
        "housing": {"need": 2, "strength": 0},
    }


TASKS = ("place", "languages", "role", "areas", "words")


@pytest.mark.parametrize("tongue", ["en", "fr", "nl"])
def test_a_form_that_changes_nothing_makes_no_new_version(sqlite_service, tongue):
    service = sqlite_service
    practices = [{"area": "housing", "title": "T"}]
    full = city(
        "mechelen",
        "mentor",
        practices=practices,
        languages=["nl", "en", "tr"],
        latitude=51.02574,
        longitude=-2.25,
        population={"value": 1234567, "year": 2020, "source": "x"},
        migrant_share={"value": 0.29, "definition": "other"},
        needs_text="a\nb",
    )
    register(service, full | {"roles": ["learner", "mentor"]})
    before = service.get("/cities/mechelen").json()
    officer = Visitor(service).sign_in("officer")

    for task in TASKS:
        officer.open(f"/cities/mechelen/edit/{task}?lang={tongue}")
        form = next(one for one in officer.forms() if "seen" in one.fields)
        sent = {name: values for name, values in form.fields.items() if values}
        answer = service.client.post(form.action, data=sent, follow_redirects=False)
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
