"""The one line of migrations, on both databases, with data, and many at once."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import app
from app.db import Database
from app.db.schema import is_current, migrate
from app.db.tables import Base
from app.permissions import TERMINAL
from app.services.accounts import accounts, sign_in
from app.services.accounts.tokens import add as add_token
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import rounds
from app.services.runs import runs
from schemas import City, ParticipationWrite, RoundWrite, RunWrite
from tests.fixtures.cities import MECHELEN
from tests.fixtures.moments import wait_until
from tests.fixtures.process import Process, launch

pytestmark = pytest.mark.slow

INI = "alembic.ini"
HERE = Path(app.__file__).parents[1]
REVISIONS = [
    script.revision
    for script in ScriptDirectory.from_config(Config(INI)).walk_revisions()
]


_NEXT = '''"""A table made anew, one that refers to itself, and numbers of its own."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "ffff00000001", "{head}"


def upgrade():
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table(
        "round", recreate="always" if is_sqlite else "never"
    ) as table:
        table.add_column(sa.Column("note", sa.Text()))
    op.execute("UPDATE round SET note = 'older'")
    op.create_table(
        "order",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("parent", sa.Integer(), sa.ForeignKey("order.id")),
    )


def downgrade():
    op.drop_table("order")
    op.drop_column("round", "note")
'''


def next_version(folder: Path) -> dict[str, str]:
    """Write a version of the program that has one more migration.

    Returns:
        The environment in which `compaan` is that version.

    """
    for part in ("app", "migrations"):
        shutil.copytree(HERE / part, folder / part)
    shutil.copy(HERE / INI, folder)
    later = _NEXT.replace("{head}", REVISIONS[0])
    (folder / "migrations/versions/next.py").write_text(later)
    return {**os.environ, "PYTHONPATH": str(folder)}


def start(
    url: str,
    *arguments: object,
    environment: dict[str, str] | None = None,
    before: str = "",
) -> Process:
    """Start `compaan` over a database: this version, or that of the environment.

    `before` is Python that its process runs first.
    """
    if environment is None and not before:
        return launch(*arguments, env={**os.environ, "COMPAAN_DATABASE_URL": url})
    given = os.environ if environment is None else environment
    program = f"{before}\nfrom app.cli import cli; cli()"
    return subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-P", "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(HERE), **given, "COMPAAN_DATABASE_URL": url},
    )


def ended(process: Process) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of a process when it has ended."""
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()  # one that would never end
        process.wait()
    return process.returncode, out, err


def compaan(url: str, *arguments: object, **options) -> tuple[int, str, str]:
    return ended(start(url, *arguments, **options))


def new_database(request: pytest.FixtureRequest, kind: str) -> str:
    """Return the URL of a new database that has no tables."""
    name = f"new_{time.monotonic_ns()}"
    if kind == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path')}/{name}.db"
    server = request.getfixturevalue("postgres")
    with psycopg.connect(plain(server), autocommit=True) as admin:
        admin.execute(
            f"CREATE DATABASE {name} TEMPLATE template0"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
        )
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def blank(request) -> Callable[[str], str]:
    """Return what makes a database of a kind, without tables, and tells its URL."""
    return partial(new_database, request)


def plain(url: str) -> str:
    """Return the URL as the driver itself takes it."""
    return url.replace("+psycopg", "")


def fill(database: Database) -> None:
    """Put a row into every table that requests fill."""
    with database.write() as session:
        account = accounts.add_user(session, "o@example.org", "organiser", None)
        sign_in.by_token(session, add_token(session, account), sign_in.Visit("Firefox"))
        profiles.add(session, TERMINAL, City(**MECHELEN))
        row = rounds.add(session, TERMINAL, RoundWrite(name="R"))
        participants.put(session, TERMINAL, row, "mechelen", ParticipationWrite())
        phases.move(session, TERMINAL, row, "open", None)
        runs.start(session, TERMINAL, row, RunWrite())


def move(database: Database, to: str) -> None:
    config = Config(INI)
    with database.engine.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        if to == "head":
            command.upgrade(config, to)
        else:
            command.downgrade(config, to)


def test_there_is_one_line():
    assert len(ScriptDirectory.from_config(Config(INI)).get_heads()) == 1


def test_up_down_up_with_data(database):
    fill(database)

    for revision in [*REVISIONS[1:], "base"]:
        move(database, revision)
    tables = inspect(database.engine).get_table_names()
    assert [name for name in tables if name != "alembic_version"] == []
    assert not is_current(database)
    move(database, "head")

    assert is_current(database)
    fill(database)
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM city")) == 1


def test_migrating_again_changes_nothing(database):
    fill(database)

    migrate(database)

    with database.read() as session:
        assert profiles.as_city(profiles.get(session, "mechelen")).to_dict() == MECHELEN


def test_the_tables_are_what_the_code_says(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d"])
def test_a_plain_postgres_url_means_our_driver(url):
    assert Database(url).engine.dialect.driver == "psycopg"


MIGRATED = (0, "The database is up to date.\n", "")


def waiting(url: str) -> int:
    """Count who waits for a lock of this PostgreSQL database."""
    with psycopg.connect(plain(url)) as connection:
        return connection.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        ).fetchone()[0]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_many_at_once_migrate_once(blank, kind):
    url = blank(kind)
    database = Database(url)

    # Nobody can begin before all are there.
    with database.write() as session:
        session.connection()
        if kind == "postgres":
            session.execute(text("SELECT pg_advisory_xact_lock(4019573)"))
        processes = [start(url, "migrate") for _ in range(4)]
        if kind == "postgres":
            wait_until(lambda: waiting(url) == 4)
        else:
            path = database.engine.url.database
            for one in processes:
                wait_until(
                    lambda one=one: (
                        path
                        in {file.path for file in psutil.Process(one.pid).open_files()}
                    )
                )
            time.sleep(0.2)
    told = [ended(one) for one in processes]

    worked = [err for _, _, err in told if err]
    assert [(code, out) for code, out, _ in told] == [MIGRATED[:2]] * 4
    (lines,) = worked
    assert [line.split()[1] for line in lines.splitlines()] == REVISIONS[::-1]
    assert is_current(database)
    database.close()


def test_waiting_for_the_turn_ends_and_says_who_has_it(blank):
    url = blank("postgres")

    with psycopg.connect(plain(url)) as other:
        other.execute("SELECT pg_advisory_xact_lock(4019573)")
        began = time.monotonic()
        code, out, err = compaan(url, "migrate", "--wait", 1)
        took = time.monotonic() - began
        pid = other.info.backend_pid
        with psycopg.connect(plain(url)) as third:
            tables = third.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchone()

    assert (code, out) == (2, "")
    assert f"being migrated, restored or backed up by process {pid} of postgres" in err
    assert f"SELECT pg_terminate_backend({pid}) ends it" in err
    assert "Traceback" not in err
    assert took < 30
    assert tables == (0,)
    assert compaan(url, "migrate")[:2] == MIGRATED[:2]


def test_a_long_reader_is_given_way_to_and_stops_nobody(blank, tmp_path):
    url = blank("postgres")
    compaan(url, "migrate")
    later = next_version(tmp_path / "next")
    slowest = 0.0

    with (
        psycopg.connect(plain(url)) as reader,
        psycopg.connect(plain(url), autocommit=True) as others,
    ):
        reader.execute("SELECT count(*) FROM round")
        process = start(url, "migrate", "--wait", 6, environment=later)
        waited = False
        while process.poll() is None:
            began = time.monotonic()
            others.execute("SELECT count(*) FROM round")
            slowest = max(slowest, time.monotonic() - began)
            waited = waited or slowest > 0.5
            time.sleep(0.02)
        code, out, err = ended(process)
        pid = reader.info.backend_pid
        again = start(url, "migrate", environment=later)
        wait_until(lambda: waiting(url) == 1)
    done = ended(again)

    assert (code, out) == (2, "")
    assert f"The tables were in use for 6 s, by process {pid} of postgres" in err
    assert "idle in transaction" in err
    assert "Traceback" not in err
    assert waited  # behind the migration; but for one attempt of a second only
    assert slowest < 3
    assert done[:2] == MIGRATED[:2]
    assert done[2].startswith("Applied ffff00000001 A table made anew")


def test_migrate_ends_when_somebody_writes_to_the_file_for_long(blank):
    url = blank("sqlite")
    database = Database(url)

    with database.write() as session:
        session.connection()
        code, out, err = compaan(url, "migrate", "--wait", 0.5)
    database.close()

    assert (code, out) == (2, "")
    assert err.startswith("Somebody else was writing to the database for 0.5 s. ")
    assert compaan(url, "migrate")[:2] == MIGRATED[:2]


def test_a_newer_database_is_refused_and_left_alone(copy_database, tmp_path):
    url = copy_database()
    database = Database(url)
    fill(database)
    later = next_version(tmp_path / "next")

    migrated = compaan(url, "migrate", environment=later)
    commands = (
        ["migrate"],
        ["serve", "--port", 0],
        ["user", "list"],
        ["backup", tmp_path / "backup.zip"],
    )
    told = [ended(one) for one in [start(url, *command) for command in commands]]

    assert migrated[:2] == MIGRATED[:2]
    assert [(code, out) for code, out, _ in told] == [(2, "")] * 4
    for _, _, err in told:
        assert err.startswith(
            "The database is newer than this program: it is at revision ffff00000001, "
            f"and this program knows none after {REVISIONS[0]}."
        )
    with database.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == (
            "ffff00000001"
        )
        # The table of rounds was made anew on SQLite: nothing fell with the old one.
        assert session.scalar(text("SELECT count(*) FROM participant")) == 1
        assert session.scalar(text("SELECT note FROM round")) == "older"
    database.close()
    assert not (tmp_path / "backup.zip").exists()


def test_a_migration_without_rights_says_so(blank):
    url = blank("postgres")
    with psycopg.connect(plain(url), autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS guest")
        admin.execute("CREATE ROLE guest LOGIN")
    as_guest = url.replace("//postgres:", "//guest:").replace("//postgres@", "//guest@")

    code, out, err = compaan(as_guest, "migrate")

    assert (code, out) == (1, "")
    assert err == ("The database refuses: permission denied for schema public\n")
