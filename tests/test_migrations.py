"""The one line of migrations, on both databases, with data."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from app.db import Database
from app.db.models import Base
from app.db.schema import is_current, migrate
from app.permissions import TERMINAL
from app.services import accounts, cities, participants, rounds, runs
from schemas import City, ParticipationWrite, RoundWrite, RunWrite
from tests.app.profiles import MECHELEN

INI = "alembic.ini"
REVISIONS = [
    script.revision
    for script in ScriptDirectory.from_config(Config(INI)).walk_revisions()
]


def fill(database: Database) -> None:
    """Put a row into every table that requests fill."""
    with database.write() as session:
        account = accounts.add_user(session, "o@example.org", "organiser", None)
        accounts.sign_in(session, accounts.add_token(session, account))
        cities.add(session, TERMINAL, City(**MECHELEN))
        row = rounds.add(session, TERMINAL, RoundWrite(name="R"))
        participants.put(session, TERMINAL, row, "mechelen", ParticipationWrite())
        rounds.move(session, TERMINAL, row, "open", None)
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
        assert cities.as_city(cities.get(session, "mechelen")).to_dict() == MECHELEN


def test_the_tables_are_what_the_code_says(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d"])
def test_a_plain_postgres_url_means_our_driver(url):
    assert Database(url).engine.dialect.driver == "psycopg"
