"""Who a request counts for: a token or browser that is known, else a network."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import MemoryStorage
from sqlalchemy import event

from app.errors import TooMany
from app.services.accounts import accounts, sign_in
from app.services.accounts.callers import _MOST_KEPT, Callers, Credential, network
from app.services.accounts.sign_in import Throttle
from app.services.accounts.tokens import revoke_all
from app.services.runs.anonymous import AnonymousMatching
from app.settings import Settings
from tests.fixtures.service import Service, start

LIMIT = 4
PATHS = ("/version", "/", "/sign-in", "/nowhere", "/api/v1/cities", "/healthz2")


NOW = time.time()


@pytest.fixture(autouse=True)
def _this_minute_lasts(monkeypatch) -> None:
    """Let no test see the end of a minute, where some more requests are let in."""
    monkeypatch.setattr(time, "time", lambda: NOW)


@pytest.fixture(scope="module")
def shared(_copy_sqlite) -> Iterator[Service]:
    """Return an application to be called from networks of a test's own."""
    yield from start(
        _copy_sqlite(), fresh=True, runs_at_once=0, requests_per_minute=LIMIT
    )


@pytest.fixture
def site(_copy_sqlite) -> Iterator[Service]:
    yield from start(
        _copy_sqlite(), fresh=True, runs_at_once=0, requests_per_minute=LIMIT
    )


@contextmanager
def look_ups(site: Service) -> Iterator[list[str]]:
    """Collect the look-ups of tokens and browsers that are made only for counting."""
    found: list[str] = []
    engine = site.client.app.state.database.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        found.extend(
            table
            for table in ("token", "login")
            if statement.startswith(f"SELECT {table}.id, {table}.expires_at")
        )

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def looked_up(site) -> Iterator[list[str]]:
    with look_ups(site) as found:
        yield found


def at(site: Service, host: str) -> TestClient:
    return TestClient(site.client.app, client=(host, 50000), follow_redirects=False)


def made_up(number: int) -> list[dict[str, str]]:
    return [
        {"Authorization": f"Bearer cmp_{number}"},
        {"Authorization": f"bearer {number}", "Cookie": f"compaan={number}"},
        {"Authorization": f"Basic {number}"},
        {"Authorization": f"{number}"},
        {"Cookie": f"compaan={number}"},
        {"Cookie": f"__Host-compaan={number}; other={number}"},
        {"Cookie": f"other={number}"},
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", range(7))
def test_making_credentials_up_does_not_help_anywhere(shared, path, kind):
    client = at(shared, f"198.51.100.{10 * PATHS.index(path) + kind}")
    with look_ups(shared) as looked_up:
        found = [
            client.get(path, headers=made_up(number)[kind]).status_code == 429
            for number in range(LIMIT + 3)
        ]

    assert found == [False] * LIMIT + [True] * 3
    # Whoever has sent too much costs no look-up either.
    assert len(looked_up) <= 2 * LIMIT


def statuses(site: Service, *hosts: str) -> list[int]:
    return [at(site, host).get("/version").status_code for host in hosts]


def test_a_network_of_ipv6_is_one_caller(shared):
    hosts = [f"2001:db8:0:1::{number:x}" for number in range(LIMIT + 1)]

    assert statuses(shared, *hosts) == [200] * LIMIT + [429]
    assert statuses(shared, "2001:db8:0:2::", "192.0.2.1") == [200, 200]


def test_an_ipv4_address_is_one_caller_however_it_is_written(shared):
    hosts = [
        "203.0.113.1",
        "::ffff:203.0.113.1",
        "::ffff:cb00:7101",
        "2002:cb00:7101::7",
    ]

    assert statuses(shared, *hosts, *hosts) == [200] * LIMIT + [429] * 4
    assert statuses(shared, "::ffff:203.0.113.2") == [200]


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_a_network_are_the_same(address, other):
    beside = IPv6Address(int(address) >> 64 << 64 | other)
    if all(one.ipv4_mapped is None for one in (address, beside)):
        assert network(str(address)) == network(str(beside))


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_addresses_of_ipv4_are_told_apart(one, other):
    mapped = IPv6Address(0xFFFF << 32 | int(one))

    assert network(str(one)) == network(str(mapped)) == str(one)
    assert (network(str(one)) == network(str(other))) is (one == other)
    assert IPv4Address(network(str(one))) == one


def test_whoever_is_known_counts_for_themselves(site, looked_up):
    client = at(site, "192.0.2.1")
    with site.client.app.state.database.write() as session:
        account = accounts.by_address(session, "officer@example.org")
        visit = sign_in.Visit("Firefox")
        cookie = sign_in.let_in(session, account, "password", visit).cookie
    known = [
        site.bearer("organiser"),
        site.bearer("officer"),
        {"Cookie": f"compaan={cookie}"},
    ]
    found = [
        [client.get("/version", headers=one).status_code for _ in range(LIMIT + 1)]
        for one in [{}, *known]
    ]

    # Beside a network that has sent too much, what was not known before waits.
    assert found == [[200] * LIMIT + [429]] + [[429] * (LIMIT + 1)] * 3
    assert looked_up == []


def test_whoever_was_known_is_served_beside_a_flood(site, looked_up):
    client = at(site, "192.0.2.1")
    known = [site.bearer("organiser"), site.bearer("officer")]
    found = [client.get("/version", headers=one).status_code for one in known]
    for number in range(LIMIT + 1):
        client.get("/version", headers=made_up(number)[0])
    found += [client.get("/version", headers=one).status_code for one in known]
    left = client.get("/version", headers=known[0]).headers["ratelimit"]

    assert found == [200] * 4
    assert left.startswith(f'"minute";r={LIMIT - 3};')
    assert looked_up == ["token"] * (2 + LIMIT)


def test_a_known_credential_is_looked_up_once_a_minute(site, looked_up, monkeypatch):
    for _ in range(3):
        site.get("/cities")
    assert looked_up == ["token"]

    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    site.get("/cities")
    assert looked_up == ["token"] * 2


def test_a_revoked_token_is_refused_at_once_and_soon_counts_for_its_network(site):
    database, shown = site.client.app.state.database, site.bearer("officer")
    callers = Callers()
    credential = Credential("token", site.tokens["officer"])
    before = callers.look_up(database, credential)
    assert site.get("/cities", "officer").status_code == 200
    with database.write() as session:
        revoke_all(session, accounts.by_address(session, "officer@example.org"))

    assert site.client.get("/api/v1/cities", headers=shown).status_code == 401
    assert before is not None
    assert before.startswith("token ")
    assert callers.look_up(database, credential) is None


def test_what_is_remembered_is_bounded(site):
    callers, database = Callers(), site.client.app.state.database
    known = Credential("token", site.tokens["officer"])
    for number in range(50):
        assert callers.look_up(database, Credential("token", f"{number}")) is None
    assert callers._kept == {}  # noqa: SLF001 -- what is made up leaves nothing
    callers._kept.update({f"{at}": ("x", 0.0) for at in range(_MOST_KEPT)})  # noqa: SLF001

    assert callers.look_up(database, known)
    assert len(callers._kept) == _MOST_KEPT  # noqa: SLF001
    assert callers.remembered(known, also_old=False)


def counted(storage: MemoryStorage) -> int:
    """Return how many keys are stored, once old ones were removed."""
    storage.timer.join()
    return len(storage.storage) + len(storage.events) + len(storage.expirations)


def test_what_was_counted_long_ago_is_forgotten(monkeypatch):
    throttle, stateless = Throttle(), AnonymousMatching(Settings())
    limiters = [throttle._limiter, stateless._limiter]  # noqa: SLF001
    for number in range(40):
        throttle.mail(f"{number}@example.org", f"{number}")
        throttle.attempt(f"{number}@example.org", f"{number}")
        stateless.count(f"{number}")
    before = [counted(limiter.storage) for limiter in limiters]
    later = time.time() + 3 * 60 * 60
    monkeypatch.setattr(time, "time", lambda: later)
    throttle.knock("once more")
    stateless.count("once more")

    assert min(before) >= 80
    assert [counted(limiter.storage) for limiter in limiters] == [2, 2]


def test_matchings_are_counted_by_network():
    stateless = AnonymousMatching(Settings(match_per_minute=1))
    stateless.count(network("2001:db8::1"))

    with pytest.raises(TooMany):
        stateless.count(network("2001:db8::2"))
    stateless.count(network("2001:db8:0:1::1"))
