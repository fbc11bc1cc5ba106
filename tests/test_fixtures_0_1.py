"""What version 0.1 stored, sealed and promised is still good: see `make_0_1.py`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import inspect, text
from typer.testing import CliRunner

from app.cli import cli
from app.db import Database
from app.db.schema import is_current, migrate
from app.main import create_app
from app.settings import Settings
from matching import match
from tests.api import contract
from tests.fixtures.cities import INCLUCITIES
from tests.fixtures.process import served
from tests.fixtures.versions import caller_0_1
from tests.fixtures.versions.restored import FOLDER, into_postgres, into_sqlite, kept

KNOWN, ANSWERS = kept("known.json"), kept("answers.json")
RELEASE = ("run.zip", "release.zip")


def rows_kept() -> dict[str, int]:
    """Return how many rows each table had, as the dump says it."""
    dump = (FOLDER / "postgres.sql").read_text("utf-8")
    tables = re.findall(r"^CREATE TABLE public\.(\w+)", dump, re.MULTILINE)
    return {
        name: len(re.findall(rf"^INSERT INTO public\.{name} ", dump, re.MULTILINE))
        for name in tables
        if name != "alembic_version"
    }


def rows_now(url: str) -> dict[str, int]:
    database = Database(url)
    with database.read() as session:
        quoted = inspect(database.engine).get_table_names()
        counted = {
            name: session.scalar(text(f'SELECT count(*) FROM "{name}"'))  # noqa: S608
            for name in quoted
        }
    database.close()
    return counted


@pytest.fixture(params=["sqlite", "postgres"])
def migrated(request, tmp_path) -> str:
    """Return the URL of a database of 0.1 that is brought to the tables of today."""
    if request.param == "sqlite":
        url = into_sqlite(tmp_path / "filled.db")
    else:
        url = into_postgres(request.getfixturevalue("postgres"), "filled_0_1")
    database = Database(url)
    migrate(database)
    assert is_current(database)
    database.close()
    return url


def missing(then, now, place: str = "") -> list[str]:
    """Return what an answer said then and does not say now; more may be said now."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [
            line
            for key, value in then.items()
            for line in missing(value, now.get(key), f"{place}/{key}")
        ]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = enumerate(zip(then, now, strict=True))
        return [line for at, (a, b) in pairs for line in missing(a, b, f"{place}/{at}")]
    return [] if then == now else [f"{place}: {then!r} then, {now!r} now"]


def test_every_table_had_rows():
    assert [name for name, rows in rows_kept().items() if not rows] == []


def test_a_database_of_0_1_is_migrated_and_answers_as_it_did(migrated):
    then, now = rows_kept(), rows_now(migrated)
    settings = Settings(database_url=migrated, runs_at_once=0)
    # Without its life span: nothing is done in the background.
    caller = TestClient(create_app(settings), raise_server_exceptions=False)
    told = {}
    for path in ANSWERS:
        headers = {"Authorization": f"Bearer {KNOWN['tokens']['organiser']}"}
        told[path] = caller.get(f"/api/v1{path}", headers=headers)
    caller.app.state.database.close()

    assert {name: now.get(name) for name in then} == then
    assert {path: one.status_code for path, one in told.items()} == dict.fromkeys(
        ANSWERS, 200
    )
    lost = {path: missing(ANSWERS[path], one.json()) for path, one in told.items()}
    assert {path: lines for path, lines in lost.items() if lines} == {}


def test_a_backup_of_0_1_is_restored(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/restored.db"
    monkeypatch.setenv("COMPAAN_DATABASE_URL", url)

    done = CliRunner().invoke(cli, ["restore", str(FOLDER / "backup.zip")])
    if done.exit_code == 0:
        CliRunner().invoke(cli, ["migrate"], catch_exceptions=False)

    assert done.exit_code == 0, done.stderr
    now = rows_now(url)
    assert {name: now.get(name) for name in rows_kept()} == rows_kept()


@pytest.mark.parametrize("name", RELEASE)
def test_a_bundle_of_0_1_is_computed_again(name):
    versions = match(INCLUCITIES.problem(), INCLUCITIES.policy).versions
    done = CliRunner().invoke(cli, ["verify", str(FOLDER / name)])

    said = done.stdout.splitlines()
    if versions == kept("answers.json")[solution_path()]["versions"]:
        assert (done.exit_code, said[0].split(":")[0]) == (0, "The same, byte for byte")
    else:
        assert (done.exit_code, said[0]) == (3, "Other versions:")
    assert done.stderr == ""


def solution_path() -> str:
    (path,) = (path for path in ANSWERS if path.endswith("/solution"))
    return path


def test_the_client_of_0_1_works(tmp_path):
    url = into_sqlite(tmp_path / "filled.db")
    database = Database(url)
    migrate(database)
    with database.write() as session:  # nothing is to leave this machine
        session.execute(text("UPDATE delivery SET state = 'failed'"))
    database.close()
    program, token = Path(caller_0_1.__file__), KNOWN["tokens"]["organiser"]
    with served(url, {}, mail=f"file:{tmp_path}/mail") as running:
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-P", program, running.address, token],
            env={**os.environ, "PYTHONPATH": str(FOLDER / "client.zip")},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert "client.zip" in told.pop("client")
    assert len(told.pop("proposed")) == 4
    assert told == {
        "cities": {
            one["id"]: one["name"] for one in ANSWERS["/cities?limit=100"]["items"]
        },
        "read again": True,
        "saved": "Rents",
        "refused": "stale",
        "pairings": [
            one["state"] for one in ANSWERS["/rounds/released/pairings"]["items"]
        ],
    }


def test_what_0_1_promised_is_kept_or_told_of():
    promised = contract.of(kept("openapi.json")) | {"refusals": KNOWN["refusals"]}

    assert contract.untold(promised, contract.now()) == []
