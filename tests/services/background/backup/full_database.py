"""A database with rows in every table, and how to compare it with another."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Double,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    cast,
    func,
    inspect,
    select,
)

from app.db import Database
from app.db.tables import Base
from app.db.tables.base import Moment

KINDS = ("sqlite", "postgres")
TABLES = Base.metadata.sorted_tables
WORDS = "Žďár 🏙 \\ \" ' \u2028\r\n\tالدار \x7f"


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def extreme(table: Table, number: int) -> dict[str, Any]:
    """Return a row of extreme values; in row 2 nullable columns are empty."""
    return {
        column.name: None
        if number == 2 and column.nullable
        else f"\u00fc{number}"[: column.type.length]
        if column.foreign_keys and isinstance(column.type, String)
        else _hard(column.type, number)
        for column in table.columns
    }


def _hard(kind: Any, number: int) -> Any:
    one_way = number == 1
    if isinstance(kind, Moment):
        return datetime(2026, 3, 29, 1, 59, 59, 999_990 + number, UTC)
    if isinstance(kind, JSON):
        hard = {WORDS: [None, 0.1 + 0.2, 2**70, 5e-324, True], "none": None}
        return hard if one_way else None  # JSON's null, which is a value
    if isinstance(kind, String):
        # Keys are the beginning of it, so that other rows can refer to them.
        return (f"\u00fc{number}" + WORDS * (kind.length is None))[: kind.length]
    largest = -(2**62) if isinstance(kind, BigInteger) else -(2**30)
    return {
        Boolean: one_way,
        Integer: largest + number,
        BigInteger: largest + number,
        Float: 5e-324 if one_way else 0.1 + 0.2,
        Double: 5e-324 if one_way else 0.1 + 0.2,
        LargeBinary: bytes(range(256)) * number,
    }[type(kind)]


def everything(database: Database) -> dict[str, list[tuple[str, ...]]]:
    """Return all rows of all tables, sorted, with the exact type of every value."""
    with database.read() as session:
        return {
            table.name: sorted(
                tuple(map(_exactly, row))
                for row in session.execute(
                    select(
                        *(
                            cast(one, Text) if isinstance(one.type, JSON) else one
                            for one in table.columns
                        )
                    )
                )
            )
            for table in TABLES
        }


def _exactly(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"  # True is not 1


def is_empty(database: Database) -> bool:
    """Tell whether there are no tables, or no rows in any."""
    names = set(inspect(database.engine).get_table_names())
    with database.read() as session:
        return not any(
            session.scalar(select(func.count()).select_from(table))
            for table in TABLES
            if table.name in names
        )
