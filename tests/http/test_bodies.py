"""What a body may cost: it is read last, in a thread, and given up when it is wrong."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    BeforeValidator,
    TypeAdapter,
    ValidationError,
)

from app.db import tables
from app.errors import InvalidInput
from app.http.body import _MOST_FIELDS, CHECKED, Route
from app.services.cities import profiles
from app.services.webhooks import subscriptions
from schemas import MatchRequest, Policy, Problem
from schemas.bounds import ECHO, LONG_LIST, MOST_ERRORS, ErrorCount
from tests.fixtures.asynchronous import run_async
from tests.fixtures.cities import FIVE, city, refusal, register
from tests.fixtures.service import Service, start
from tests.http.routes import filled, routes

RUN = "0" * 32
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ANONYMOUS = {"/api/v1/match", "/sign-in", "/sign-in/mail", "/sign-in/link", "/sign-out"}
"""What takes a body of whoever sends it; `/demo` and the like take none."""


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Service]:
    yield from start(_copy_sqlite(), runs_at_once=0)


def ask(
    app: FastAPI, method: str, path: str, headers: dict[str, str], body: bytes = b"{}"
) -> tuple[int, int]:
    """Return the status of the answer, and how often the body was asked for."""
    read, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": "http",
        "query_string": b"",
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in headers.items()
        ],
        "client": ("192.0.2.7", 1),
    }
    run_async(app, scope, receive, send)
    return status, read


@pytest.mark.parametrize(
    "shown",
    [{}, {"Authorization": "Bearer cmp_made-up", "Cookie": "compaan=made-up"}],
    ids=["nothing", "made up"],
)
def test_nothing_is_read_of_a_caller_who_is_not_known(site, shown):
    app, tried, read = site.client.app, 0, []
    for method, path in routes(app):
        if method in {"GET", "HEAD"} or path in ANONYMOUS or path.startswith("/demo"):
            continue
        is_api = path.startswith("/api/")
        sent = shown | (JSON if is_api else FORM | {"Accept": "text/html"})
        found = ask(app, method, filled(path, {"city_id": "x"}), sent)
        tried += 1
        if found != (401 if is_api else 303, 0):
            read.append((method, path, *found))

    assert read == []
    assert tried > 90


@pytest.fixture
def counting(_copy_sqlite, monkeypatch) -> Iterator[FastAPI]:
    """Return an application that takes one matching a minute, and three requests."""
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began)  # the minute does not end
    limits = {"match_per_minute": 1, "requests_per_minute": 3}
    for service in start(_copy_sqlite(), fresh=True, runs_at_once=0, **limits):
        yield service.client.app


def test_a_body_is_counted_before_it_is_read(counting):
    found = [ask(counting, "POST", "/api/v1/match", JSON) for _ in range(4)]

    assert found[0] == (422, 1)  # there are no cities in it
    # First too many matchings, then too many requests altogether.
    assert found[1:] == [(429, 0)] * 3


def test_what_is_no_json_at_all_is_counted_too(counting):
    found = [ask(counting, "POST", "/api/v1/match", JSON, b"{") for _ in range(2)]

    assert found == [(400, 1), (429, 0)]


class Counting(list[Any]):
    """A list that knows how many of its items were looked at."""

    seen = 0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            self.seen += 1
            yield item


def bodies(app: FastAPI) -> dict[str, TypeAdapter[Any]]:
    """Return what checks the body of each operation that has one."""
    found = {}
    for route in app.routes:
        for one in getattr(route, "effective_route_contexts", list)():
            if getattr(one, "body_field", None) is not None:
                info = one.body_field.field_info
                kind: Any = Annotated[info.annotation, *info.metadata]
                found[f"{one.methods} {one.path_format}"] = TypeAdapter(kind)
                assert CHECKED in info.metadata, one.path_format
                assert isinstance(one.original_route, Route), one.path_format
    return found


def tuples(schema: Any, *, is_bounded: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yield every tuple in a core schema, and whether it ends when much is wrong."""
    if isinstance(schema, dict):
        if schema.get("type") == "tuple":
            yield schema, is_bounded
        for name, within in schema.items():
            if name not in {"metadata", "serialization", "json_schema"}:
                is_own = schema.get("type") == "json-or-python" or (
                    is_bounded and schema.get("type") == "function-wrap"
                )
                yield from tuples(within, is_bounded=is_own)
    elif isinstance(schema, list):
        for within in schema:
            yield from tuples(within)


def test_every_list_in_a_body_is_short_or_ends_when_much_is_wrong(site):
    found = bodies(site.client.app)
    unbounded = [
        (path, schema["items_schema"])
        for path, adapter in found.items()
        for schema, is_bounded in tuples(adapter.core_schema)
        if not is_bounded and schema.get("max_length", 1_000) > 50
    ]
    bounded = [
        schema
        for adapter in found.values()
        for schema, is_bounded in tuples(adapter.core_schema)
        if is_bounded
    ]

    assert len(found) > 25
    assert unbounded == []
    assert len(bounded) > 10


LISTS = ("cities", "wishes", "vetoes", "history", "left_out")


@pytest.mark.parametrize("field", LISTS)
@pytest.mark.parametrize("wrong", [{}, 1, [], {"id": 1}, None], ids=repr)
def test_checking_ends_when_much_is_wrong(field, wrong):
    sent = Counting([wrong] * 5_000)
    with pytest.raises(ValidationError) as refused:
        MatchRequest.model_validate({"cities": [], field: sent}, context=ErrorCount())

    assert sent.seen <= MOST_ERRORS + 2
    told = [one for one in refused.value.errors() if one["type"] != ECHO]
    assert MOST_ERRORS < len(told) <= MOST_ERRORS + 10


def test_what_is_wrong_in_one_list_ends_the_next_ones_too():
    first, second = Counting([{}] * 500), Counting([{}] * 500)
    with pytest.raises(ValidationError):
        MatchRequest.model_validate(
            {"cities": first, "policy": {"bans": second}}, context=ErrorCount()
        )

    assert first.seen < 100
    assert second.seen <= 1


def test_lists_within_lists_count_once():
    wrong = city("a") | {"practices": [{}] * 10}  # two fields are missing in each
    sent = Counting([wrong] * 50)
    with pytest.raises(ValidationError) as refused:
        MatchRequest.model_validate({"cities": sent}, context=ErrorCount())

    assert MOST_ERRORS < refused.value.error_count() <= MOST_ERRORS + 20
    assert sent.seen == 7


def test_a_list_that_is_too_long_is_not_looked_at():
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 1}
    sent = Counting([cap] * 201)
    with pytest.raises(ValidationError) as bounded:
        Policy.model_validate({"caps": sent}, context=ErrorCount())
    with pytest.raises(ValidationError) as unbounded:
        Policy.model_validate({"caps": [cap] * 201})

    assert sent.seen == 0
    assert bounded.value.errors(include_input=False) == unbounded.value.errors(
        include_input=False
    )


ITEMS = st.sampled_from(
    [city("a"), city("b"), city("b", "mentor"), {}, 1, {"id": "c"}, {"areas": {"x": 1}}]
)
WISHES = st.sampled_from(
    [{"city": "a", "role": "learner", "partners": ["b"]}, {"city": "a"}, {}, "x"]
)


@given(st.lists(ITEMS, max_size=8), st.lists(WISHES, max_size=8))
def test_up_to_a_hundred_errors_nothing_is_told_otherwise(cities, wishes):
    def found(context: ErrorCount | None) -> Any:
        sent = {"cities": cities, "wishes": wishes}
        try:
            return MatchRequest.model_validate(sent, context=context)
        except ValidationError as error:
            return error.errors()

    assert found(ErrorCount()) == found(None)


def test_what_contradicts_itself_is_told_a_hundred_times_at_most():
    vetoes = [{"city": "x", "partner": "y"}] * 1_000
    with pytest.raises(ValidationError) as refused:
        Problem.model_validate({"cities": [], "vetoes": vetoes})

    assert refused.value.error_count() == MOST_ERRORS + 1


def many(item: str, times: int = 3_000) -> str:
    return ",".join([item] * times)


FIELDS = ",".join(f'"k{at}":1' for at in range(_MOST_FIELDS - 1))
HOSTILE = {
    "cities": '{"cities":[' + many("{}") + "]}",
    "lists": '{"cities":[' + many("[]") + "]}",
    "history": '{"cities":[],"history":[' + many("{}") + "]}",
    "fields in cities": '{"cities":[' + many("{" + FIELDS + "}", 300) + "]}",
    "areas": '{"cities":[' + many('{"areas":{' + FIELDS + "}}", 300) + "]}",
    "vetoes": '{"cities":[],"vetoes":[' + many('{"city":"a","partner":"b"}') + "]}",
    "numbers": '{"cities":[' + many("9" * 4_000, 200) + "]}",
    "caps": '{"cities":[],"policy":{"caps":[' + many("{" + FIELDS + "}", 90) + "]}}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hundred_errors_are_told_and_that_there_are_more(site, name):
    answer = site.call("POST", "/match", None, content=HOSTILE[name], headers=JSON)

    status, code, pointers = refusal(answer)
    assert (status, code, len(pointers)) == (422, "invalid-input", MOST_ERRORS)
    more = "There are more than 100 errors; 100 are listed."
    assert answer.json()["detail"].endswith(more)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({f"k{at}": 1 for at in range(_MOST_FIELDS + 1)}, 413),
        ({"cities": [{f"k{at}": 1 for at in range(_MOST_FIELDS + 1)}]}, 413),
        ({"k" * 201: 1}, 413),
        ({"k" * 200: 1}, 422),
    ],
)
def test_an_object_with_more_than_we_have_is_not_looked_at(site, body, status):
    assert refusal(site.post("/match", body, None))[0] == status


@pytest.mark.parametrize("depth", [50, 900, 990, 100_000])
def test_what_is_nested_deeply_is_refused_and_breaks_nothing(site, depth):
    register(site, *(one for one in FIVE if site.get(f"/cities/{one['id']}").is_error))
    patch = JSON | {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    sent = '{"areas":' + '{"a":' * depth + "1" + "}" * depth + "}"
    patched = site.call("PATCH", "/cities/delft", content=sent, headers=patch)
    sent = '{"cities":' + "[" * depth + "]" * depth + "}"
    matched = site.call("POST", "/match", None, content=sent, headers=JSON)

    assert {patched.status_code, matched.status_code} <= {400, 422}


@pytest.mark.parametrize(
    ("path", "list_of"),
    [
        ("/cities", "practices"),
        ("/webhooks", "events"),
        ("/rounds/none/participants/x", "vetoes"),
        ("/rounds/none/policy", "bans"),
        (f"/runs/{RUN}/what-if", "add"),
        (f"/runs/{RUN}/what-if", "force"),
    ],
)
def test_other_operations_stop_as_well(site, path, list_of):
    sent = {list_of: [{}] * 150}
    method = "POST" if path.count("/") == 1 or "what-if" in path else "PUT"
    headers = {"If-Match": "*"}
    answer = site.call(method, path, json=sent, headers=headers)

    assert refusal(answer)[0] == 422
    assert len(answer.json()["errors"]) == MOST_ERRORS


def test_a_patch_stops_as_well(site):
    made = site.post("/webhooks", {"url": "https://hooks.example.org/"}).json()
    sent = json.dumps({"events": [1] * 5_000})
    kind = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
    answer = site.call("PATCH", f"/webhooks/{made['id']}", content=sent, headers=kind)

    assert len(refusal(answer)[2]) == MOST_ERRORS


def test_what_a_route_takes_is_given_up_when_much_is_wrong():
    app, looked_at = FastAPI(), []
    app.router.route_class = Route

    class Sent(BaseModel):
        items: Annotated[
            tuple[Annotated[int, BeforeValidator(looked_at.append)], ...], LONG_LIST
        ]

    @app.post("/sent")
    async def take(sent: Annotated[Sent, CHECKED]) -> None:
        pass

    with TestClient(app) as client:
        answer = client.post("/sent", json={"items": [1] * 5_000})

    assert answer.status_code == 422
    assert len(looked_at) == MOST_ERRORS + 1


def test_what_a_patch_makes_is_given_up_when_much_is_wrong(site):
    register(site, city("patched"))
    made = site.post("/webhooks", {"url": "https://hooks.example.org/"}).json()
    events, practices = Counting([1] * 5_000), Counting([{}] * 200)
    with site.client.app.state.database.read() as session:
        webhook = session.get_one(tables.Webhook, made["id"])
        with pytest.raises(InvalidInput):
            subscriptions.patched(webhook, {"events": events})
        row = profiles.get(session, "patched")
        with pytest.raises(InvalidInput):
            profiles.patched(row, {"practices": practices})

    assert events.seen <= MOST_ERRORS + 2
    assert practices.seen <= MOST_ERRORS


def test_a_form_with_too_many_fields_is_refused(site):
    sent = "&".join(["a=1"] * 201)
    answer = site.client.post("/sign-in", content=sent, headers=FORM)

    assert refusal(answer) == (400, "not-json", [])
