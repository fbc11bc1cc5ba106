"""Lists keep their place, whatever comes and goes while somebody reads them."""

import base64
import json
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
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
    event,
    insert,
    select,
)

from app.db.models.base import Moment
from app.errors import InvalidInput
from app.services.paging import LONGEST_CURSOR, Cut, fetch_page, fetch_rows
from tests.app.lists import IDS, LISTS, MIDNIGHT, WHOLE, address, begin, in_document
from tests.app.profiles import changing, refusal
from tests.app.visitor import Visitor
from tests.fixtures.database import ON_SQLITE

SOLID = settings(
    derandomize=True,
    deadline=None,
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def opened(cursor: str) -> list:
    padded = cursor + "=" * (-len(cursor) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))


def closed(held: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")


# All lists of the API.


class Reader:
    """Reads one list page by page while its rows come and go."""

    def __init__(self, service, path: str) -> None:
        self.service = service
        self.path = address(path)
        self.rows = LISTS[path]
        self.made: list = []

    def page(self, place: str, **query):
        answer = self.service.get(place.removeprefix("/api/v1"), params=query or None)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["items"], [one[self.rows.item] for one in body["items"]], body

    def everything(self) -> list:
        _, names, body = self.page(self.path, limit=200)
        assert body["next"] is None
        return names

    def change(self, steps, seen: list) -> None:
        with changing(self.service) as session:
            for kind, number in steps:
                if kind == "add":
                    self.made.append(self.rows.add(session, number))
                    continue
                if self.rows.stays:
                    continue
                gone = seen[-1] if kind == "drop last" and seen else None
                if gone not in self.made:
                    gone = self.made[number % len(self.made)] if self.made else None
                if gone is not None:
                    self.made.remove(gone)
                    self.rows.drop(session, gone)

    def walk(self, limit: int, script) -> None:
        """Read all, one entry of the script before each further page, and compare."""
        before, seen, left = self.everything(), [], list(script)
        items, names, body = self.page(self.path, limit=limit)
        most = len(before) + sum(map(len, script)) + 1
        for _ in range(most):
            seen += names
            if body["next"] is None:
                break
            assert len(names) == limit
            assert_shown(body["next"], items[-1])
            self.change(left.pop(0) if left else (), seen)
            items, names, body = self.page(body["next"])
        after = set(self.everything())
        stayed = [one for one in before if one in after]
        assert body["next"] is None
        assert [one for one in seen if one in set(stayed)] == stayed
        assert len(set(seen)) == len(seen)
        self.change([("drop", 0)] * len(self.made), [])


def assert_shown(following: str, last: dict) -> None:
    """Compare a cursor with what the page has shown of its last thing."""
    _version, _list, values = opened(following.rpartition("cursor=")[2])
    shown = {str(one) for one in last.values()}
    shown |= {one.replace("Z", "+00:00") for one in shown}
    assert {str(one) for one in values} <= shown


steps = st.tuples(st.sampled_from(["add", "drop", "drop last"]), st.integers(0, 5))
scripts = st.lists(st.lists(steps, max_size=3), min_size=2, max_size=5)


@pytest.mark.parametrize("path", LISTS)
def test_what_stays_in_a_list_is_read_once(sqlite_service, path):
    with changing(sqlite_service) as session:
        begin(session)
    reader = Reader(sqlite_service, path)

    @SOLID
    @given(
        st.lists(st.integers(0, 5), min_size=3, max_size=6), st.integers(1, 3), scripts
    )
    def walk(places, limit, script):
        reader.change([("add", place) for place in places], [])
        reader.walk(limit, script)

    walk()


def test_the_same_holds_on_both_databases_where_the_last_row_of_each_page_goes(
    idle_service,
):
    with changing(idle_service) as session:
        begin(session)

    for path in LISTS:
        reader = Reader(idle_service, path)
        reader.change([("add", place % 3) for place in range(6)], [])
        reader.walk(2, [[("drop last", 0), ("add", 1)]] * 3)


def test_every_list_is_walked_or_has_no_pages(sqlite_service):
    found = in_document(sqlite_service.client.app.openapi())

    paged = {
        path
        for path, parameters in found.items()
        if any(one["name"] == "cursor" for one in parameters)
    }
    assert paged == LISTS.keys()
    assert found.keys() - paged == WHOLE


GIVEN = {
    "account": "0" * 32,
    "country": "BE",
    "area": "housing",
    "role": "mentor",
    "q": "row",
    "updated_since": "2026-01-01T00:00:00Z",
    "state": "failed",
}
"""A value of each parameter that narrows a list."""


def test_a_cursor_is_of_one_list_with_its_filters(sqlite_service):
    service, cursors = sqlite_service, {}
    with changing(service) as session:
        begin(session)
        for rows in LISTS.values():
            for place in range(3):
                rows.add(session, place)
    parameters = in_document(service.client.app.openapi())

    for path in LISTS:
        following = service.get(f"{address(path)}?limit=1").json()["next"]
        cursors[path] = following.rpartition("cursor=")[2]
    for path in LISTS:
        own = {"cursor": cursors[path], "limit": 2}
        assert len(service.get(address(path), params=own).json()["items"]) == 2
        wrong = [{"cursor": cursors[other]} for other in LISTS if other != path]
        for one in parameters[path]:
            name = one["name"]
            if one["in"] == "query" and name not in own:
                value = "withdrawn" if "pairings" in path else GIVEN[name]
                wrong.append(own | {name: GIVEN[name] if name != "state" else value})
        for query in wrong:
            answer = service.get(address(path), params=query)
            assert refusal(answer) == (422, "invalid-input", ["?cursor"]), (path, query)
            assert "another list or to other filters" in answer.json()["detail"]
    other = service.get("/rounds/other/audit", params={"cursor": cursors["/audit"]})
    assert refusal(other)[0] == 422


HOSTILE = ("\0", "\ud800", True, 2**31, 2**63, 1.5, [], {}, "2026-11-22", None)


def test_no_list_breaks_over_a_cursor_that_somebody_made_up(idle_service):
    service = idle_service
    with changing(service) as session:
        begin(session)
        for rows in LISTS.values():
            for place in range(2):
                rows.add(session, place)

    for path in LISTS:
        following = service.get(f"{address(path)}?limit=1").json()["next"]
        version, of, values = opened(following.rpartition("cursor=")[2])
        for one in HOSTILE:
            query = {"cursor": closed([version, of, [one] * len(values)])}
            answer = service.get(address(path), params=query)
            likely = all(type(one) is type(value) for value in values)
            assert answer.status_code in ((200, 422) if likely else (422,)), (path, one)
        for held in (
            [version, of, values[1:]],
            [version, of, [*values, values[0]]],
            [2, of, values],
            [version, [of], values],
            [version, of],
            values,
        ):
            answer = service.get(address(path), params={"cursor": closed(held)})
            assert answer.status_code == 422, (path, held)


PAGES = (
    "/audit",
    "/cities",
    "/cities/start/log",
    "/ledger",
    "/people",
    "/rounds",
    "/rounds/trial/log",
    "/rounds/trial/outbox",
    f"/webhooks/{IDS['webhook_id']}",
)


def test_pages_refuse_the_cursors_of_version_0_1(sqlite_service):
    with changing(sqlite_service) as session:
        begin(session)
    visitor = Visitor(sqlite_service).sign_in("organiser")

    for path in PAGES:
        visitor.open(f"{path}?cursor=bWVjaGVsZW4=")
        assert visitor.page.status_code == 422, path
        assert "This cursor is not ours" in visitor.page.text


def test_a_later_page_is_found_as_the_first_is(sqlite_service):
    """No later page sorts, or reads a table from its beginning, if the first does not.

    Only what has to be sorted anyway is sorted again.
    """
    service = sqlite_service
    with changing(service) as session:
        begin(session)
        for rows in LISTS.values():
            for place in range(3):
                rows.add(session, place)

    for path in LISTS:
        with plans(service) as first:
            following = service.get(f"{address(path)}?limit=1").json()["next"]
        with plans(service) as later:
            assert service.get(following.removeprefix("/api/v1")).status_code == 200
        assert costly(later) <= costly(first), path


@contextmanager
def plans(service):
    """Collect how SQLite finds the rows of every statement."""
    engine = service.client.app.state.database.engine
    found: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            own = connection.connection.cursor()
            own.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(row[-1] for row in own.fetchall())

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def costly(plan: list[str]) -> int:
    return sum("TEMP B-TREE" in line for line in plan)


# Any order of any columns.

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

    @settings(SOLID, max_examples=50)
    @given(st.lists(things, max_size=8), columns, st.integers(1, 3))
    def walk(rows, order, limit):
        terms = list(ordered(*order))
        with database.read() as session:
            for at, row in enumerate(rows):
                session.execute(insert(THINGS).values(row | {"id": at}))
            asked = select(THINGS.c.id)
            whole, end = fetch_page(session, asked, Cut(100), *terms)
            seen, cursor = fetch_page(session, asked, Cut(limit), *terms)
            while cursor is not None:
                assert len(cursor) <= LONGEST_CURSOR
                session.execute(THINGS.delete().where(THINGS.c.id == seen[-1]))
                page, cursor = fetch_page(session, asked, Cut(limit, cursor), *terms)
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
            name: fetch_page(session, select(THINGS.c.id), Cut(1), THINGS.c[name])[1]
            for name in THINGS.c.keys()  # noqa: SIM118
        }

    @settings(SOLID, max_examples=100)
    @given(st.sampled_from(sorted(found)), json_values | moments)
    def try_out(name, value):
        version, of, _ = opened(found[name])
        cut = Cut(5, closed([version, of, [value]]))
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
            fetch_rows(session, select(THINGS.c.id), Cut(1, text), THINGS.c.id)
