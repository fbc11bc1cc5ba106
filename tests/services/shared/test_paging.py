"""Pages follow each other in any order of any columns; made-up cursors are refused."""

import base64
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

from app.db.tables.base import Moment
from app.errors import InvalidInput
from app.services.shared.paging import (
    LONGEST_CURSOR,
    PageRequest,
    fetch_page,
    fetch_rows,
)
from tests.api.lists import MIDNIGHT, closed, opened
from tests.fixtures.database import ON_SQLITE

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("number", Float, nullable=False),
    Column("at", Moment, nullable=False),
    Column("maybe", String(20)),
    Column("perhaps", BigInteger),
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
things = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["a", "A", "b", "é", "-a", "_"]) | words,
        "number": st.floats(allow_nan=False, allow_infinity=False, width=64),
        "at": st.datetimes(timezones=st.just(UTC)) | st.just(MIDNIGHT),
        "maybe": st.none() | words,
        "perhaps": st.none() | st.integers(-(2**63), 2**63 - 1),
    }
)
columns = st.tuples(
    st.lists(
        st.sampled_from(["text", "number", "at", "maybe", "perhaps"]),
        unique=True,
        max_size=3,
    ),
    st.lists(st.booleans(), min_size=4, max_size=4),
)


def ordered(names, falling):
    for name, falls in zip((*names, "id"), falling, strict=False):
        yield THINGS.c[name].desc() if falls else THINGS.c[name]


def test_any_order_is_total_with_missing_values_and_ties(database):
    with database.write() as session:
        THINGS.create(session.connection())

    @settings(derandomize=True, deadline=None, max_examples=50)
    @given(st.lists(things, max_size=8), columns, st.integers(1, 3))
    def walk(rows, order, limit):
        terms = list(ordered(*order))
        with database.read() as session:
            for at, row in enumerate(rows):
                session.execute(insert(THINGS).values(row | {"id": at}))
            asked = select(THINGS.c.id)
            whole, end = fetch_page(session, asked, PageRequest(100), *terms)
            seen, cursor = fetch_page(session, asked, PageRequest(limit), *terms)
            while cursor is not None:
                assert len(cursor) <= LONGEST_CURSOR
                session.execute(THINGS.delete().where(THINGS.c.id == seen[-1]))
                page, cursor = fetch_page(
                    session, asked, PageRequest(limit, cursor), *terms
                )
                seen += page
        assert (seen, end) == (whole, None)
        assert sorted(seen) == list(range(len(rows)))

    walk()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
moments = st.datetimes(timezones=st.timezones()).map(datetime.isoformat)


def test_made_up_values_are_compared_or_refused(database):
    with database.write() as session:
        THINGS.create(session.connection())
        for number in range(2):
            row = {"id": number, "text": "a", "number": 1.0, "at": MIDNIGHT}
            session.execute(insert(THINGS).values(row))
    with database.read() as session:
        found = {
            name: fetch_page(
                session, select(THINGS.c.id), PageRequest(1), THINGS.c[name]
            )[1]
            for name in THINGS.c.keys()  # noqa: SIM118
        }

    @settings(derandomize=True, deadline=None, max_examples=100)
    @given(st.sampled_from(sorted(found)), json_values | moments)
    def try_out(name, value):
        version, of, _ = opened(found[name])
        cut = PageRequest(5, closed([version, of, [value]]))
        with database.read() as session, suppress(InvalidInput):
            fetch_page(session, select(THINGS.c.id), cut, THINGS.c[name])

    try_out()


NO_CURSORS = (
    "",
    "=",
    "é",
    "\0",
    base64.b64encode(b"\xff").decode(),
    base64.b64encode(b"[" * 1490).decode(),
    base64.b64encode(b"9" * 1490).decode(),
    base64.b64encode(b"NaN").decode(),
    "W" * (LONGEST_CURSOR + 1),
    base64.b64encode(bytes(range(256)) * 4).decode(),
)


@ON_SQLITE
def test_text_that_is_no_cursor_is_refused(database):
    with database.write() as session:
        THINGS.create(session.connection())

    for text in NO_CURSORS:
        with database.read() as session, pytest.raises(InvalidInput, match="not ours"):
            fetch_rows(session, select(THINGS.c.id), PageRequest(1, text), THINGS.c.id)
