"""Backups while others write, restores that are killed, and memory."""

import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, insert, select

from app.db import Database, schema, tables
from app.permissions import TERMINAL
from app.services.background import backup
from app.services.cities import profiles
from schemas import City
from tests.fixtures.cities import city
from tests.fixtures.moments import wait_until
from tests.services.background.backup.full_database import (
    KINDS,
    everything,
    is_empty,
    opened,
)
from tests.test_migrations import compaan, ended, fill, plain, start


def test_a_backup_is_of_one_moment(database, target, tmp_path):
    """Every writer adds a city and an entry of the log in one transaction."""
    with database.write() as session:
        session.execute(
            insert(tables.Audit),
            [{"action": "old", "details": {"text": "x" * 900}}] * 4000,
        )
    stop = threading.Event()
    written: list[float] = []

    def write(name: str) -> None:
        while not stop.is_set():
            with database.write() as session:
                slug = f"{name}-{len(written)}"
                profiles.add(session, TERMINAL, City(**city(slug)))
            written.append(time.monotonic())

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for one in writers:
        one.start()
    wait_until(lambda: len(written) > 3)
    began = time.monotonic()
    backup.save(database, tmp_path / "backup.zip")
    ended_at = time.monotonic()
    wait_until(lambda: written[-1] > ended_at)
    stop.set()
    for one in writers:
        one.join()
    backup.restore(target, tmp_path / "backup.zip")

    with target.read() as session:
        cities = set(session.scalars(select(tables.City.id)))
        logged = set(
            session.scalars(
                select(tables.Audit.city_id).where(tables.Audit.action != "old")
            )
        )
    assert cities == logged
    assert 3 < len(cities) < len(written)
    assert len([at for at in written if began < at < ended_at]) > 3


def many(database: Database, count: int, size: int) -> None:
    """Write so many large entries of the log."""
    with database.write() as session:
        for _ in range(count // 1000):
            session.execute(
                insert(tables.Audit),
                [{"action": "old", "details": {"text": "x" * size}}] * 1000,
            )


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_is_killed_leaves_nothing(blank, kind, tmp_path):
    path = tmp_path / "backup.zip"
    with opened(f"sqlite:///{tmp_path}/source.db") as source:
        schema.migrate(source)
        fill(source)
        many(source, 60_000, 400)
        backup.save(source, path)
        before = everything(source)
    url = blank(kind)

    process = start(url, "restore", path)
    wait_until(lambda: process.poll() is not None or is_loading(url))
    process.send_signal(signal.SIGKILL)
    code, _, _ = ended(process)
    with opened(url) as database:
        left_nothing = is_empty(database)
    again = compaan(url, "restore", path)

    assert code == -signal.SIGKILL
    assert left_nothing
    assert again[0] == 0
    with opened(url) as database:
        assert everything(database) == before


def is_loading(url: str) -> bool:
    """Tell whether a transaction is storing rows and has not committed yet."""
    if url.startswith("sqlite"):
        log = Path(url.removeprefix("sqlite:///") + "-wal")
        return log.exists() and log.stat().st_size > 2**20
    with psycopg.connect(plain(url)) as connection:
        return connection.execute(
            "SELECT count(*) > 0 FROM pg_stat_activity"
            " WHERE query LIKE 'COPY \"audit\"%' AND datname = current_database()"
        ).fetchone()[0]


_TELLS_PEAK = """
import atexit, pathlib, re, sys

@atexit.register
def tell():
    status = pathlib.Path("/proc/self/status").read_text()
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1], file=sys.stderr)
"""


def peak(url: str, *arguments: object) -> tuple[int, float]:
    """Run `compaan`; return its exit code and its peak memory in MB."""
    code, _, err = compaan(url, *arguments, before=_TELLS_PEAK)
    return code, int(err.splitlines()[-1]) / 1024


@pytest.mark.parametrize("kind", ["postgres"])
def test_no_table_is_ever_in_memory(blank, kind, tmp_path):
    url, other, none = blank(kind), blank(kind), blank(kind)
    with opened(url) as database:
        schema.migrate(database)
        many(database, 10_000, 8000)
    with opened(none) as database:
        schema.migrate(database)

    least = peak(none, "backup", tmp_path / "none.zip")
    saved = peak(url, "backup", tmp_path / "backup.zip")
    restored = peak(other, "restore", tmp_path / "backup.zip")

    assert least[0] == saved[0] == restored[0] == 0
    with opened(other) as database, database.read() as session:
        assert session.scalar(select(func.count(tables.Audit.id))) == 10_000
    assert saved[1] - least[1] < 30  # of 80 MB
    assert restored[1] - least[1] < 30
