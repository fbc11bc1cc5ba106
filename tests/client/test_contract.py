"""The client against the document of the service, and against answers that are none."""

import inspect
import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import pytest

from app.main import create_app
from app.settings import Settings
from client import Compaan, Kept, NotFound, Proposal, Refused, Unreadable
from schemas import (
    Change,
    City,
    OverrideWrite,
    Pair,
    Policy,
    Practice,
    ProblemDetails,
    Round,
    RoundNew,
)
from tests.fixtures.cities import city

GHENT = City(**city("x"))
PLACE = "/api/v1/cities/x"
MISSING = ProblemDetails(
    type="/problems/not-found", title="t", status=404, detail="d", code="not-found"
)


class _Desk(BaseHTTPRequestHandler):
    """Notes what it is asked, and answers what it is told to."""

    server: "Canned"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path.partition("?")[0]))
        told = self.server.answers.get(self.path, self.server.other)
        if isinstance(told, list):
            told = told.pop(0)
        status, headers, body = told
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815


Told = tuple[int, dict[str, str], bytes]
"""A status, headers and a body; in a list, one after the other."""


class Canned(ThreadingHTTPServer):
    """Something that is not our service, and answers what a test wants."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: list[tuple[str, str]] = []
        self.answers: dict[str, Told | list[Told]] = {}
        self.other = (404, {}, MISSING.model_dump_json().encode())


@contextmanager
def canned() -> Iterator[Canned]:
    with Canned() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


ROUND = Kept(Round.model_construct(), '"1"', "/api/v1/rounds/x")
CITY = Kept(GHENT, '"1"', PLACE)
RUN, PAIRING = "a" * 32, "b" * 32
_FORCE = OverrideWrite(force=(Pair(mentor="a", learner="b"),), reason="r")
# Each method with what it is called with; several times where it asks differently.
CALLS: dict[str, list[tuple[Any, ...]]] = {
    "match": [([GHENT],)],
    "change": [
        (CITY, {}),
        (ROUND, {}),
        (Kept(GHENT, "", f"/api/v1/pairings/{RUN}"), {}),
    ],
    "delete": [
        (Kept(GHENT, '"1"', f"/api/v1/{path}"),)
        for path in (
            "cities/x",
            "rounds/x",
            "rounds/x/participants/x",
            f"cities/x/practices/{RUN}",
        )
    ],
    "log": [()],
    "policy_areas": [()],
    "cities": [()],
    "city": [("x",)],
    "register": [(GHENT,)],
    "save": [(CITY,)],
    "city_log": [("x",)],
    "practices": [("x",)],
    "practice": [("x", RUN)],
    "add_practice": [("x", Practice(area="data", title="t"))],
    "suggestions": [("x",)],
    "import_template": [()],
    "import_cities": [(b"x",)],
    "export": [()],
    "rounds": [()],
    "round": [("x",)],
    "open_round": [(RoundNew(name="x"),)],
    "move": [("x", "open")],
    "round_log": [("x",)],
    "participants": [("x",)],
    "participant": [("x", "x")],
    "enter": [("x", "x")],
    "policy": [("x",)],
    "set_policy": [(Kept(Policy(), '"1"', "/api/v1/rounds/x/policy"),)],
    "readiness": [("x",)],
    "runs": [("x",)],
    "run": [(RUN,)],
    "cancel": [(RUN,)],
    "start": [("x",)],
    "propose": [("x",)],
    "wait_for": [(RUN,)],
    "solution": [(RUN,)],
    "bundle": [(RUN,)],
    "what_if": [(RUN, Change())],
    "why_not": [(RUN,)],
    "drill": [(RUN,)],
    "scenarios": [("x", [RUN])],
    "health": [("x",)],
    "decision": [("x",)],
    "release_bundle": [("x",)],
    "how_we_chose": [("x",)],
    "ledger": [()],
    "stage": [("x", RUN)],
    "release": [("x",)],
    "override": [("x", _FORCE)],
    "repairs": [("x",)],
    "apply_repair": [("x", "c" * 16)],
    "pairings": [("x",)],
    "pairing": [(PAIRING,)],
    "answer": [(PAIRING, "mentor", "accept")],
    "dismiss": [(PAIRING, "r")],
    "withdraw": [(PAIRING, "r")],
    "explanation": [(PAIRING,)],
    "check_ins": [(PAIRING,)],
    "check_in": [(PAIRING,)],
}
MORE = {"why_not": {"mentor": "a", "learner": "b"}, "check_in": {"fit": "good"}}
LEFT_OUT = {
    r".*\.html|.*/solution\.csv": "for people; the client has the data",
    r".*/events": "`propose` and `wait_for` ask again instead",
    r"PUT .*/rounds/\{round_id\}": "`change` does it",
    r"PUT .*/practices/\{practice_id\}": "`save` the city with its practices",
    r".*/(account|accounts|contacts?|sign-in|privacy)\b.*": "persons use the pages",
    r".*/(messages|outbox|reminders)\b.*": "mail is looked at before it goes: pages",
    r".*/(webhooks|hooks|deliveries)\b.*": "set up once, on the pages or with curl",
    r".*/places\b.*": "helps people who fill in a form",
}
"""Operations that the client does not have, and why."""


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('document')}/none.db"
    return create_app(Settings(database_url=url)).openapi()


def call(network: Compaan, name: str, arguments: tuple[Any, ...]) -> None:
    """Call a method; a list is asked for when it is used."""
    try:
        next(getattr(network, name)(*arguments, **MORE.get(name, {})))
    except NotFound:
        return
    pytest.fail(f"{name} asks for nothing.")


def asked_by_each(document) -> dict[str, set[str]]:
    """Return for each method the operations that it asks for, found by calling it."""
    known = {
        f"{verb.upper()} {path}": re.compile(
            re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        )
        for path, verbs in document["paths"].items()
        for verb in verbs
    }
    fixed = [name for name in known if "{" not in name]
    found: dict[str, set[str]] = {}
    with canned() as server, Compaan(server.address) as network:
        for name, each in CALLS.items():
            for arguments in each:
                call(network, name, arguments)
            for verb, path in server.asked:
                fitting = [
                    one
                    for one, pattern in known.items()
                    if one.startswith(f"{verb} ") and pattern.fullmatch(path)
                ]
                best = [one for one in fitting if one in fixed] or fitting
                assert len(best) == 1, (name, verb, path, fitting)
                found.setdefault(name, set()).update(best)
            server.asked.clear()
    return found


def test_every_operation_is_in_the_client_or_left_out_for_a_reason(document):
    methods = {
        name
        for name, _ in inspect.getmembers(Compaan, inspect.isfunction)
        if not name.startswith("_") and name != "close"
    }
    operations = {
        f"{verb.upper()} {path}"
        for path, verbs in document["paths"].items()
        if path.startswith("/api/v1/")
        for verb in verbs
    }

    covered = set().union(*asked_by_each(document).values())
    left_out = {
        one for one in operations for rule in LEFT_OUT if re.fullmatch(rule, one)
    }

    assert set(CALLS) == methods
    assert operations - covered - left_out == set()
    assert covered & left_out == set()


def told_of(hint: Any) -> set[str]:
    """Return the names of the values that a type is made of."""
    if hint is Proposal:
        return {"Run"}
    if get_origin(hint) is not None:
        return set().union(*(told_of(one) for one in get_args(hint) if one is not ...))
    if isinstance(hint, TypeVar):
        return {one.__name__ for one in hint.__constraints__}
    return {hint.__name__}


def answers_of(document, operation: str) -> set[str]:
    """Return the names of the values that an operation answers, one by one."""
    verb, path = operation.split(" ")
    said = document["paths"][path][verb.lower()]["responses"]
    names = set()
    for status, answer in said.items():
        if status == "204":
            names.add("NoneType")
        elif status.startswith("2"):
            content = answer["content"]
            if set(content) != {"application/json"}:
                return {"bytes"}
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][name]
            is_page = {"items", "next"} <= set(schema["properties"])
            if is_page or name == "PolicyAreas":
                inner = schema["properties"]["items"]["items"]
                name = inner["$ref"].rpartition("/")[2]
            names.add(name.partition("-")[0].removesuffix("InWords"))
    return names


def test_every_method_returns_what_its_operation_answers(document):
    for name, operations in asked_by_each(document).items():
        returned = told_of(get_type_hints(getattr(Compaan, name))["return"])
        for operation in operations:
            assert answers_of(document, operation) <= returned, (name, operation)


@pytest.mark.parametrize(
    "address",
    ["http://compaan.example.org", "http://10.0.0.1:8000", "http://127.0.0.1.evil.org"],
)
def test_a_token_does_not_travel_readable_for_all(address):
    with pytest.raises(ValueError, match="use https") as refused:
        Compaan(address, "cmp_secret")

    assert "cmp_secret" not in str(refused.value)
    Compaan(address).close()
    Compaan(address, "cmp_secret", plain_http=True).close()


@pytest.mark.parametrize(
    "address", ["http://localhost:1", "http://[::1]:1", "https://a.b/"]
)
def test_a_token_goes_to_this_machine_or_over_https(address):
    Compaan(address, "cmp_secret").close()


@pytest.mark.parametrize(
    "address", ["", "compaan", "ftp://a.b", "https://u:p@a.b", "https://a.b/api?x"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="address"):
        Compaan(address)


def test_a_token_is_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    with canned() as server, Compaan(server.address, "cmp_secret") as network:
        with pytest.raises(NotFound) as refused:
            network.city("x")
        shown = repr(network)

    assert server.asked == [("GET", PLACE)]
    assert caplog.records
    assert "cmp_secret" not in f"{caplog.text} {shown} {refused.value!r}"


def test_fields_of_a_newer_service_are_left_out():
    newer = GHENT.to_dict() | {"mayor": "x"}
    newer["areas"]["housing"]["budget"] = 3
    with canned() as server, Compaan(server.address) as network:
        server.answers[PLACE] = (200, {"ETag": '"7"'}, json.dumps(newer).encode())

        assert network.city("x") == Kept(GHENT, '"7"', PLACE)


def test_what_is_no_answer_of_the_service_is_told():
    whole = GHENT.model_dump_json().encode()
    page = {"items": [], "next": "https://elsewhere.example.org/api/v1/cities"}
    with canned() as server, Compaan(server.address, patience=0) as network:
        for answer in (
            (200, {"ETag": '"1"'}, b"<html>"),
            (200, {"ETag": '"1"'}, b"{}"),
            (200, {}, whole),
            (302, {"Location": "https://elsewhere.example.org"}, b""),
        ):
            server.answers[PLACE] = answer
            with pytest.raises(Unreadable):
                network.city("x")
        server.answers["/api/v1/cities"] = (200, {}, json.dumps(page).encode())
        with pytest.raises(Unreadable, match="elsewhere"):
            list(network.cities())
        server.answers[PLACE] = (502, {}, b"<h1>Bad gateway</h1>")
        with pytest.raises(Refused) as refused:
            network.city("x")

    assert refused.value.problem.code == "http-502"
    assert refused.value.problem.detail == "<h1>Bad gateway</h1>"


_NO_DATES = ["Fri, 01 Jan 2027 00:00:00 +99999999999999", "nan", "-7", "(" * 9999]


@pytest.mark.parametrize("told", _NO_DATES)
def test_a_retry_after_that_says_nothing_is_passed_over(told):
    whole = GHENT.model_dump_json().encode()
    busy = (503, {"Retry-After": told}, b"")
    with canned() as server, Compaan(server.address, patience=30) as network:
        server.answers[PLACE] = [busy, (200, {"ETag": '"7"'}, whole)]

        assert network.city("x").tag == '"7"'


def test_retry_after_is_heeded_and_never_waited_for_too_long():
    busy = ProblemDetails(
        type="/problems/busy", title="t", status=503, detail="d", code="busy"
    )
    with canned() as server, Compaan(server.address, patience=30) as network:
        for told in ("31", "Fri, 01 Jan 2100 00:00:00 GMT", "999999999999"):
            body = busy.model_dump_json().encode()
            server.answers[PLACE] = (503, {"Retry-After": told}, body)
            with pytest.raises(Refused, match="d"):
                network.city("x")

    assert server.asked == [("GET", PLACE)] * 3
