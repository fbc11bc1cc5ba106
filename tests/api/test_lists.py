"""Every list keeps its place, whatever comes and goes while somebody reads it."""

from contextlib import contextmanager

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.api.lists import (
    IDS,
    LISTS,
    WHOLE,
    address,
    begin,
    closed,
    in_document,
    opened,
)
from tests.fixtures.cities import changing, refusal
from tests.web.visitor import Visitor

FEW = settings(
    derandomize=True,
    deadline=None,
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
)


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

    @FEW
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


def neighbours(path: str) -> list[str]:
    at = list(LISTS).index(path)
    return [list(LISTS)[at - 1], list(LISTS)[at - 2]]


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
        wrong = [{"cursor": cursors[other]} for other in neighbours(path)]
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


HOSTILE = ("\0", "\ud800", 2**63, [], "2026-11-22")


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
        for held in [2, of, values], [version, of, values[1:]], [version, of], values:
            answer = service.get(address(path), params={"cursor": closed(held)})
            assert answer.status_code == 422, (path, held)


PAGES = (
    "/audit",
    "/cities",
    "/cities/z/log",
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
