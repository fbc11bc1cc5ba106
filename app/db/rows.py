"""All rows of a table, out of a database and into another: below the classes.

A row is a dict of what JSON can hold. It is the same for both kinds of database: a
moment is ISO 8601 in UTC, bytes are base64, and a JSON column is its text, so that no
number in it changes and its `null` differs from no value.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    LargeBinary,
    Table,
    Text,
    cast,
    column,
    func,
    insert,
    select,
    table,
    text,
)
from sqlalchemy.exc import IntegrityError

from app.db.database import Database, named

Row = dict[str, Any]
_AT_ONCE = 100
"""Rows in memory: one may have a megabyte."""


class NotTaken(ValueError):
    """The database does not take these rows."""


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Read everything as it is at one moment, while others go on writing."""
    engine = database.engine
    if not database.is_sqlite:  # there, every reading transaction is one
        engine = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    with named(), engine.connect() as connection:
        yield connection


def read(connection: Connection, source: Table) -> Iterator[Row]:
    """Yield all rows by primary key; few at a time are in memory."""
    columns = [
        cast(one, Text).label(one.name) if isinstance(one.type, JSON) else one
        for one in source.columns
    ]
    asked = select(*columns).order_by(*source.primary_key)
    found = connection.execute(asked.execution_options(yield_per=_AT_ONCE))
    for row in found.mappings():
        yield {name: _portable(value) for name, value in row.items()}


def _portable(value: Any) -> Any:  # noqa: ANN401 -- a cell
    if isinstance(value, datetime):
        # SQLite keeps UTC, and forgets that it does.
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return aware.astimezone(UTC).isoformat()
    return b64encode(value).decode() if isinstance(value, bytes) else value


def has_rows(connection: Connection, source: Table) -> bool:
    """Tell whether there is a row in the table."""
    return (
        connection.execute(select(1).select_from(source).limit(1)).first() is not None
    )


def close_to_writers(connection: Connection, tables: Iterable[Table]) -> None:
    """Let nobody else write to these tables until the transaction ends."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(one.name) for one in tables)
    if connection.dialect.name == "postgresql" and names:
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def load(connection: Connection, target: Table, rows: Iterable[Row]) -> None:
    """Store rows as `read` yields them.

    Raises:
        NotTaken: If one is not as the table wants it.

    """
    write = _copy if connection.dialect.name == "postgresql" else _insert
    stored = (_stored(target, row) for row in rows)
    try:
        write(connection, target, stored)
    except (IntegrityError, psycopg.IntegrityError, psycopg.DataError) as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise NotTaken(f"{target.name}: {reason}") from error
    except OverflowError as error:  # SQLite, about a number
        raise NotTaken(f"{target.name}: {error}") from error


def _copy(connection: Connection, target: Table, rows: Iterable[Row]) -> None:
    """Store all rows by one statement: only after it are references looked at."""
    names = [one.name for one in target.columns]
    order = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(target.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(order) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def _insert(connection: Connection, target: Table, rows: Iterable[Row]) -> None:
    as_text = {one.name: Text() for one in target.columns if isinstance(one.type, JSON)}
    columns = [column(one.name, as_text.get(one.name, one.type)) for one in target.c]
    order = insert(table(target.name, *columns))
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        connection.execute(order, some)


def _stored(target: Table, row: Row) -> Row:
    """Return the row as drivers take it, or raise `NotTaken`.

    Either database would take some of what is wrong: SQLite a text as a number,
    PostgreSQL `yesterday` as a moment.
    """
    try:
        return {one.name: _cell(one, row[one.name]) for one in target.columns}
    except (KeyError, TypeError, ValueError) as error:
        raise NotTaken(f"{target.name}: {error}") from error


def _cell(one: Column[Any], value: Any) -> Any:  # noqa: ANN401 -- a cell
    if value is None:
        return None
    if isinstance(one.type, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(one.type, LargeBinary):
        return b64decode(value, validate=True)
    kind = str if isinstance(one.type, JSON) else one.type.python_type
    if type(value) is not kind:
        raise TypeError(f"{one.name} is not {kind.__name__}")
    return value


def count_on(connection: Connection, tables: Iterable[Table]) -> None:
    """Let PostgreSQL number new rows after those that are there; SQLite does anyway."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    for one in tables:
        for key in one.primary_key:
            sequence = func.pg_get_serial_sequence(quote(one.name), key.name)
            name = connection.scalar(select(sequence))
            if name is not None:
                last = select(func.coalesce(func.max(key), 0)).scalar_subquery()
                connection.execute(select(func.setval(name, last + 1, False)))  # noqa: FBT003 -- SQL
