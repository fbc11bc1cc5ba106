"""Bringing a database to the tables that this version knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from app.db.database import Database

_ALEMBIC = Path(__file__).parents[2] / "alembic.ini"
_LOCK = 4_019_573
"""Of PostgreSQL's advisory locks: one migration at a time."""


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database up to the revision; does nothing if it is there already."""
    with database.engine.execution_options(write=True).begin() as connection:
        if not database.is_sqlite:  # SQLite's transaction has locked it already
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        config = Config(_ALEMBIC)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def is_current(database: Database) -> bool:
    """Tell whether the database has the tables that this version knows."""
    head = ScriptDirectory.from_config(Config(_ALEMBIC)).get_current_head()
    with database.read() as session:
        context = MigrationContext.configure(session.connection())
        return context.get_current_revision() == head
