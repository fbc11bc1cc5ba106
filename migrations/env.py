"""Alembic runs this; the connection comes from the caller, or from the settings."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection

from app.db import Database
from app.db.tables import Base
from app.db.tables.base import Moment
from app.settings import Settings


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own types as what the database has: migrations outlive the types."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return False


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
        render_item=_render,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    database = Database(Settings().database_url)
    with database.engine.connect() as connection:
        _migrate(connection)
    database.close()
