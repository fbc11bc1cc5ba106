"""The contract does not break unnoticed, and what will go says so."""

import copy
from datetime import date

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from app.api_changes import CHANGES
from app.http.deprecation import Deprecation, deprecated
from app.http.openapi import merge_patch_of
from app.main import create_app
from app.settings import Settings
from schemas import RoundWrite
from tests.api import contract

SINCE, UNTIL = date(2027, 1, 1), date(2027, 7, 3)
RENEW = "To write the contract down anew: python -m tests.api.contract"


@pytest.fixture(scope="module")
def present():
    return contract.now()


def test_nothing_of_the_contract_breaks_untold(present):
    assert contract.untold(contract.kept(), present) == [], (
        "This breaks callers. If it must be, add an entry to app/api_changes.py that "
        f"names each of these lines in `breaks`. {RENEW}"
    )


def test_the_contract_that_is_written_down_is_the_present_one(present):
    assert contract.KEPT.read_text("utf-8") == contract.written(present), RENEW


def broken(present, *path, value=None):
    """Return the contract with one thing taken out, or set."""
    other = copy.deepcopy(present)
    inner = other
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return other


LIST = "GET /api/v1/cities"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            (("operations", LIST), None),
            f"operation {LIST} is gone",
        ),
        (
            (("operations", LIST, "parameters", "query role"), None),
            f"{LIST}: query role is gone",
        ),
        (
            (("operations", LIST, "parameters", "query role"), True),
            f"{LIST}: query role must be sent now",
        ),
        (
            (("operations", LIST, "parameters", "query new"), True),
            f"{LIST}: query new must be sent now",
        ),
        (
            (("operations", LIST, "answers", "200"), []),
            f"{LIST}: status 200 as application/json is gone",
        ),
        (
            (("operations", "POST /api/v1/cities", "takes"), []),
            "POST /api/v1/cities: takes application/json is gone",
        ),
        ((("sent", "RoundNew", "copy_of"), None), "sent RoundNew copy_of is gone"),
        (
            (("sent", "RoundNew", "description"), True),
            "sent RoundNew description must be sent now",
        ),
        ((("answered", "Round", "phase"), None), "answered Round phase is gone"),
        (
            (("answered", "Round", "phase"), False),
            "answered Round phase can be missing now",
        ),
        ((("refusals", "stale"), None), "refusal stale is gone"),
    ],
)
def test_what_breaks_callers_is_told(present, changed, told):
    path, value = changed

    assert contract.breaks(present, broken(present, *path, value=value)) == [told]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("operations", "GET /api/v1/new"), {}),
        (("operations", LIST, "parameters", "query new"), False),
        (("sent", "RoundNew", "name"), False),
        (("answered", "Round", "new"), True),
        (("refusals", "new"), 409),
    ],
)
def test_what_is_added_breaks_nobody(present, path, value):
    assert contract.breaks(present, broken(present, *path, value=value)) == []


def test_a_break_that_stands_in_the_change_log_is_told(present, monkeypatch):
    told = "refusal stale is gone"
    entry = CHANGES[0].__class__(SINCE, "removed", "It is gone.", (told,))
    new = broken(present, "refusals", "stale")

    assert contract.untold(present, new) == [told]
    monkeypatch.setattr(contract, "CHANGES", (entry, *CHANGES))
    assert contract.untold(present, new) == []


def test_the_page_tells_every_change_newest_first():
    page = TestClient(create_app(Settings(runs_at_once=0))).get("/api/changes").text

    places = [page.index(change.text) for change in CHANGES]
    assert places == sorted(places)
    days = [change.date for change in CHANGES]
    assert days == sorted(days, reverse=True)


def going() -> FastAPI:
    """Return an application with an operation that will go."""
    app, router = FastAPI(), APIRouter()
    app.add_middleware(Deprecation)
    will_go = deprecated(SINCE, UNTIL, "/new")
    extra = {"openapi_extra": will_go["openapi_extra"] | merge_patch_of(RoundWrite, {})}

    @app.get("/old", **will_go)
    def old() -> dict[str, str]:
        return {}

    @router.patch("/old", **will_go | extra)
    def change(patch: dict[str, str]) -> dict[str, str]:
        return patch

    @app.get("/new")
    def new() -> dict[str, str]:
        return {}

    app.include_router(router)
    return app


def test_what_will_go_says_when_and_what_to_use_instead():
    client = TestClient(going())
    told = {
        "deprecation": "@1798761600",
        "sunset": "Sat, 03 Jul 2027 00:00:00 GMT",
        "link": '</api/changes>; rel="deprecation"; type="text/html", '
        '</new>; rel="successor-version"',
    }

    answers = [client.get("/old"), client.patch("/old", json={"name": "x"})]
    answers.append(client.patch("/old", json=3))
    kept = client.get("/new")

    assert [answer.status_code for answer in answers] == [200, 200, 422]
    for answer in answers:
        assert {name: answer.headers[name] for name in told} == told
    assert not told.keys() & kept.headers.keys()


def test_the_documents_mark_what_will_go():
    paths = going().openapi()["paths"]

    assert paths["/old"]["get"]["deprecated"] is True
    assert paths["/old"]["patch"]["deprecated"] is True
    assert "requestBody" in paths["/old"]["patch"]
    assert "deprecated" not in paths["/new"]["get"]


def test_callers_have_six_months():
    with pytest.raises(ValueError, match="less than six months"):
        deprecated(SINCE, date(2027, 6, 30), "/new")
