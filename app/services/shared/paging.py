"""Pages of a list, in one total order.

A cursor holds the values that the last thing of a page is sorted by. The next page
begins after these values, whether or not that thing is still there. A cursor also
names the list that it belongs to: its conditions and its order. It is not signed:
whoever makes one up begins elsewhere in a list that they may read anyway.
"""

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    UnaryExpression,
    and_,
    false,
    literal,
    or_,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.operators import desc_op

from app.errors import InvalidInput
from schemas import InputError

T = TypeVar("T")
AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]
LONGEST_CURSOR = 2000
_VERSION = 1
_NOT_OURS = "This cursor is not ours: follow `next` of a page, or leave it out."
_ELSEWHERE = (
    "This cursor belongs to another list or to other filters: begin again without it."
)


@dataclass(frozen=True)
class PageRequest:
    """Where a page begins and how long it may be.

    Attributes:
        limit: Most things on it.
        cursor: As the page before gave it; None: the first page.

    """

    limit: int
    cursor: str | None = None


def fetch_page(
    session: Session,
    asked: Select[T],
    cut: PageRequest,
    *order: SQLColumnExpression[Any],
) -> tuple[list[T], str | None]:
    """Return a page of a list of one kind of thing, and the cursor of the next page.

    Args:
        session: Where to read.
        asked: What the list has, without an order. Values in its conditions must be
            the same for each page, or the cursor is taken for that of another list:
            the present moment is `func.now()` there, and not a value.
        cut: Which page.
        order: The columns to sort by, `.desc()` for the largest first. Missing values
            come last. No two things of the list have the same value in the last one.

    Raises:
        InvalidInput: If the cursor is not one of this list.

    """
    rows, following = fetch_rows(session, asked, cut, *order)
    return [row[0] for row in rows], following


def fetch_rows(
    session: Session,
    asked: AnySelect,
    cut: PageRequest,
    *order: SQLColumnExpression[Any],
) -> tuple[Sequence[AnyRow], str | None]:
    """Do the same for a select of several columns: those of the order follow them."""
    keys = [_Key(one) for one in order]
    paged = asked.add_columns(*(key.column for key in keys)).order_by(
        *(key.clause for key in keys)
    )
    if cut.cursor is not None:
        last = _read_cursor(cut.cursor, _list_of(session, asked, keys), keys)
        paged = paged.where(_after(keys, last))
    found = session.execute(paged.limit(cut.limit + 1)).all()
    if len(found) <= cut.limit:
        return found, None
    page = found[: cut.limit]
    return page, _write_cursor(_list_of(session, asked, keys), page[-1][-len(keys) :])


class _Key:
    """One of the columns that a list is sorted by."""

    def __init__(self, given: SQLColumnExpression[Any]) -> None:
        term = given if isinstance(given, UnaryExpression) else given.asc()
        self.column: ColumnElement[Any] = term.element
        self.falls = term.modifier is desc_op
        self.may_be_null: bool = getattr(self.column, "nullable", True)
        # SQLite would put missing values first, PostgreSQL last.
        self.clause = term.nulls_last() if self.may_be_null else term

    def same(self, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 -- a cell
        return self.column.is_(None) if value is None else self.column == value

    def beyond(self, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 -- a cell
        if value is None:
            return false()
        beyond = self.column < value if self.falls else self.column > value
        return or_(beyond, self.column.is_(None)) if self.may_be_null else beyond

    def value(self, given: object) -> object:
        """Return the value of a cursor as the database takes it, or raise `ValueError`.

        What the database cannot compare with the column is no value of it.
        """
        if given is None and self.may_be_null:
            return None
        kind = self.column.type.python_type
        if kind is datetime and isinstance(given, str):
            moment = datetime.fromisoformat(given)
            if moment.utcoffset() == timedelta(0):
                return moment
        elif isinstance(given, str) and kind is str:
            given.encode()  # half of a surrogate pair is no text
            if "\0" not in given:
                return given
        elif type(given) is kind is int:
            bits = 63 if isinstance(self.column.type, BigInteger) else 31
            if -(2**bits) <= given < 2**bits:
                return given
        elif type(given) is kind is float and math.isfinite(given):
            return given
        raise ValueError("This is no value of the column.")


def _after(keys: Sequence[_Key], last: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition of what comes after these values."""
    if len({key.falls for key in keys}) == 1 and not any(k.may_be_null for k in keys):
        # Databases find the first such row by an index on these columns.
        row = tuple_(*(key.column for key in keys))
        place = tuple_(
            *(literal(one, k.column.type) for k, one in zip(keys, last, strict=True))
        )
        return row < place if keys[0].falls else row > place
    steps = list(zip(keys, last, strict=True))
    return or_(
        *(
            and_(*(key.same(one) for key, one in steps[:at]), steps[at][0].beyond(one))
            for at, (_, one) in enumerate(steps)
        )
    )


def _list_of(session: Session, asked: AnySelect, keys: Sequence[_Key]) -> str:
    """Return a short name of a list: a digest of its conditions and its order."""
    said: list[object] = [str(key.clause) for key in keys]
    if asked.whereclause is not None:
        condition = asked.whereclause.compile(dialect=session.get_bind().dialect)
        said += [str(condition), sorted(condition.params.items())]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _write_cursor(of: str, last: Sequence[Any]) -> str:
    values = [one.isoformat() if isinstance(one, datetime) else one for one in last]
    text = json.dumps(
        [_VERSION, of, values],
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, of: str, keys: Sequence[_Key]) -> list[object]:
    """Return the values that a cursor holds, or raise `InvalidInput`."""
    if len(cursor) > LONGEST_CURSOR:
        raise _refusal(_NOT_OURS)
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True)
        version, named, values = json.loads(text)
        if version != _VERSION or not isinstance(named, str):
            raise _refusal(_NOT_OURS)
        if named != of:
            raise _refusal(_ELSEWHERE)
        return [key.value(one) for key, one in zip(keys, values, strict=True)]
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise _refusal(_NOT_OURS) from None


def _refusal(said: str) -> InvalidInput:
    error = InputError(pointer="?cursor", code="cursor", message=said)
    return InvalidInput(said, [error])
