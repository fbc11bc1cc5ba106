"""Thousands of malformed files and bodies are refused, in little memory."""

import json
import random
from collections import Counter

import psutil
import pytest
from pydantic import ValidationError

from app.errors import InvalidFile
from app.permissions import TERMINAL
from app.services.shared.csv_cells import table
from app.services.spreadsheets.city_sheet import read
from app.services.spreadsheets.imports import bring_in
from app.services.spreadsheets.workbook import Line
from schemas import City, input_errors
from tests.fixtures.cities import MECHELEN, refusal
from tests.fixtures.database import ON_SQLITE
from tests.services.spreadsheets.uploads import send


def malformer(good: bytes):
    """Return a function that returns another broken copy each time it is called."""
    chance = random.Random(2026)  # noqa: S311 -- the same files each time

    def malformed() -> bytes:
        content = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            content = content or bytearray(b"x")
            at = chance.randrange(len(content))
            match chance.randrange(5):
                case 0:
                    content[at] = chance.randrange(256)
                case 1:
                    del content[at : at + chance.randint(1, 30)]
                case 2:
                    content[at:at] = chance.randbytes(chance.randint(1, 20))
                case 3:
                    marks = [b'"', b"\0", b"\r", b",", b";", b"\xff\xfe", b"\\ud800"]
                    content[at:at] = chance.choice(marks)
                case 4:
                    content = content[: at + 1]
        return bytes(content)

    return malformed


ON_EACH = pytest.mark.parametrize(
    ("copy_database", "count"),
    [
        pytest.param("sqlite", 300, id="sqlite"),
        pytest.param("postgres", 300, id="postgres"),
        pytest.param("sqlite", 10_000, id="sqlite-all", marks=pytest.mark.release),
    ],
    indirect=["copy_database"],
)
WRONG_SHEET = table(
    [
        ["id", "name", "country", "roles", "need_housing"],
        ["a", "Ärhus", "Q?", "learner", "3"],
        ["b", "Łódź", "!!", "mentor", "2"],
    ]
).encode()


@ON_SQLITE
def test_ten_thousand_malformed_files_are_refused_and_memory_stays_flat(
    database,
):
    """Every file is refused or reported clearly, as it is read and planned."""
    malformed = malformer(WRONG_SHEET)
    process = psutil.Process()
    peaks = []
    found, whole = Counter(), set()
    with database.read() as session:
        for at in range(10_000):
            try:
                done = bring_in(session, TERMINAL, malformed(), dry_run=True)
            except InvalidFile:
                found["no table"] += 1
            else:
                found["table"] += 1
                wrong = {row.row for row in done.rows if row.state == "wrong"}
                assert wrong == {error.row for error in done.errors}
                # A row may have stayed whole by chance.
                whole |= {row.id for row in done.rows if row.row not in wrong}
            if at % 1000 == 999:
                peaks.append(process.memory_info().rss)

    assert min(found.values()) > 1000
    assert len(whole) < 50
    assert peaks[-1] - peaks[1] < 20_000_000


@pytest.mark.slow
@ON_EACH
def test_malformed_files_are_refused_and_memory_stays_flat(service, count):
    """Every file is refused or reported clearly; nothing wrong is stored."""
    malformed = malformer(WRONG_SHEET)
    process = psutil.Process()
    peaks = []
    refused, stored = set(), set()
    for at in range(count):
        answer = send(service, malformed())
        assert answer.status_code in {200, 422}, answer.text
        if answer.status_code == 422:
            refused.add(refusal(answer)[1])
        else:
            rows = answer.json()["rows"]  # a row may have stayed whole by chance
            stored |= {row["id"] for row in rows if row["state"] != "wrong"}
        if at % 1000 == 999:
            peaks.append(process.memory_info().rss)

    assert refused == {"invalid-file", "invalid-rows"}
    shown = service.get("/cities?limit=200").json()["items"]
    assert {one["id"] for one in shown} == stored
    assert len(stored) < 50
    assert not peaks or peaks[-1] - peaks[1] < 20_000_000


def test_a_sheet_knows_its_delimiter_by_the_columns_it_makes():
    assert read(b"name;note, more\nx;y\n").delimiter == ";"
    assert read(b"sep=;\r\nname;roles\r\nx;y\r\n").rows == [Line(3, ["x", "y"], {})]
    assert read(b"name\nx\n").delimiter == ","


def test_twenty_thousand_malformed_bodies_are_a_city_or_told_what_is_wrong():
    malformed = malformer(json.dumps(MECHELEN, ensure_ascii=False).encode())
    found = Counter()
    for _ in range(20_000):
        try:
            City.model_validate(json.loads(malformed()))
        except ValidationError as error:
            assert input_errors(error.errors())  # noqa: PT017 -- or none is raised
            found["no city"] += 1
        except ValueError:
            found["no JSON"] += 1
        else:  # broken in a text, where anything may stand
            found["city"] += 1

    assert min(found.values()) > 100


@pytest.mark.slow
@ON_EACH
def test_malformed_bodies_are_refused_and_nothing_else_is_stored(idle_service, count):
    service = idle_service
    malformed = malformer(json.dumps(MECHELEN, ensure_ascii=False).encode())
    stored = set()
    for _ in range(count):
        answer = service.call(
            "POST",
            "/cities",
            content=malformed(),
            headers={"Content-Type": "application/json"},
        )
        if answer.status_code == 201:  # broken in a text, where anything may stand
            stored.add(answer.json()["id"])
        else:
            status, code, _ = refusal(answer)
            assert (status, code) in {
                (400, "not-json"),
                (422, "invalid-input"),
                (409, "already-exists"),
            }

    shown = set()
    following = "/api/v1/cities?limit=200"
    while following:
        page = service.client.get(following, headers=service.bearer("auditor")).json()
        shown |= {one["id"] for one in page["items"]}
        following = page["next"]
    assert shown == stored
