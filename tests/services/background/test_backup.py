"""Everything in one file, and back, on both kinds of database."""

import hashlib
import io
import json
import os
import re
import signal
import stat
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
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
    insert,
    inspect,
    select,
    text,
)

from app.db import Database, schema, tables
from app.db.tables import Base
from app.db.tables.base import Moment
from app.errors import AlreadyThere, Conflict, NotFound
from app.main import create_app
from app.permissions import TERMINAL
from app.services.background import backup
from app.services.cities import profiles
from app.services.log import audit
from app.settings import Settings
from schemas import City
from tests.fixtures.cities import city, compute, inclucities_round
from tests.test_migrations import (
    REVISIONS,
    compaan,
    ended,
    fill,
    move,
    new_database,
    next_version,
    plain,
    start,
    until,
)

KINDS = ("sqlite", "postgres")
TABLES = Base.metadata.sorted_tables
WORDS = "Žďár 🏙 \\ \" ' \u2028\r\n\tالدار \x7f"


@pytest.fixture
def blank(request) -> Callable[[str], str]:
    """Return what makes a database of a kind, without tables, and tells its URL."""
    return partial(new_database, request)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture(params=KINDS)
def source(request, blank) -> Iterator[Database]:
    """Return a database in which every table has rows."""
    with opened(blank(request.param)) as database:
        schema.migrate(database)
        fill(database)
        with database.write() as session:
            for table in TABLES:
                for number in (1, 2):
                    session.execute(insert(table), extreme(table, number))
        yield database


@pytest.fixture(params=KINDS)
def target(request, blank) -> Iterator[Database]:
    """Return a database without tables."""
    with opened(blank(request.param)) as database:
        yield database


def extreme(table: Table, number: int) -> dict[str, Any]:
    """Return a row of what is hard to keep; every other one has no value if it may."""
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
    """Return all rows of all tables, by primary key, as exactly as can be told."""
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


def test_everything_survives(source, target, tmp_path):
    path = tmp_path / "backup.zip"

    saved = backup.save(source, path)
    restored = backup.restore(target, path)

    before = everything(source)
    assert [name for name, rows in before.items() if len(rows) < 2] == []
    assert everything(target) == before
    assert restored == saved
    assert {name: part.rows for name, part in saved.tables.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert saved.revision == REVISIONS[0]
    assert schema.is_current(target)


def test_a_backup_of_the_restored_is_the_same(source, target, tmp_path):
    first = backup.save(source, tmp_path / "first.zip")
    backup.restore(target, tmp_path / "first.zip")

    second = backup.save(target, tmp_path / "second.zip")

    assert second.tables == first.tables


def test_new_rows_are_numbered_after_the_restored_ones(target, tmp_path):
    with opened(f"sqlite:///{tmp_path}/source.db") as source:
        schema.migrate(source)
        with source.write() as session:
            session.execute(
                insert(tables.Audit),
                [{"id": at, "action": "a", "details": {}} for at in (3, 2**40)],
            )
        backup.save(source, tmp_path / "backup.zip")
    backup.restore(target, tmp_path / "backup.zip")

    with target.write() as session:
        audit.record(session, TERMINAL, "b")

    with target.read() as session:
        assert session.scalars(select(tables.Audit.id).order_by("id")).all() == [
            3,
            2**40,
            2**40 + 1,
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_service_goes_on_with_what_was_restored(
    idle_service, blank, kind, tmp_path
):
    service = idle_service
    run = compute(service, inclucities_round(service))
    paths = ("/rounds/inclucities", f"/runs/{run}/solution", "/cities", f"/runs/{run}")
    paths = tuple(path.replace("inclucities", round_of(service)) for path in paths)
    before = [service.get(path) for path in paths]
    with opened(service.url) as database:
        backup.save(database, tmp_path / "backup.zip")
    url = blank(kind)
    with opened(url) as database:
        backup.restore(database, tmp_path / "backup.zip")

    with TestClient(create_app(Settings(database_url=url))) as client:
        headers = service.bearer("organiser")
        after = [client.get(f"/api/v1{path}", headers=headers) for path in paths]
        nobody = client.get(f"/api/v1{paths[0]}", headers={"Authorization": "Bearer x"})
        new = client.post("/api/v1/cities", headers=headers, json=city("new"))

    assert [answer.status_code for answer in before] == [200] * 4
    assert [answer.content for answer in after] == [one.content for one in before]
    assert nobody.status_code == 401
    assert new.status_code == 201


def round_of(service) -> str:
    (found,) = service.get("/rounds").json()["items"]
    return found["id"]


@pytest.mark.parametrize("has_tables", [False, True])
def test_rows_of_an_older_version_are_migrated(source, target, has_tables, tmp_path):
    move(source, REVISIONS[-1])
    if has_tables:
        schema.migrate(target)

    saved = backup.save(source, tmp_path / "backup.zip")
    backup.restore(target, tmp_path / "backup.zip")
    move(source, "head")

    assert saved.revision == REVISIONS[-1]
    assert len(saved.tables) < len(TABLES)
    assert schema.is_current(target)
    assert everything(target) == everything(source)


@pytest.mark.parametrize("kind", ["postgres"])
def test_no_migration_is_left_out(written, blank, kind, tmp_path):
    """Also if the empty tables are of the later version already."""
    later = next_version(tmp_path / "next")
    url, path = blank(kind), tmp_path / "backup.zip"
    path.write_bytes(written)
    compaan(url, "migrate", environment=later)

    code, _, _ = compaan(url, "restore", path, environment=later)

    assert code == 0
    with opened(url) as database, database.read() as session:
        assert session.scalars(text("SELECT note FROM round")).all() == ["older"]


@pytest.mark.parametrize("revision", [REVISIONS[-1], "base", "head"])
@pytest.mark.parametrize("kind", KINDS)
def test_tables_without_rows_may_be_of_any_version(blank, kind, revision, tmp_path):
    with opened(blank(kind)) as database:
        schema.migrate(database)
        fill(database)
        before = everything(database)
        backup.save(database, tmp_path / "backup.zip")
    with opened(blank(kind)) as empty:
        schema.migrate(empty)
        if revision != "head":
            move(empty, revision)

        backup.restore(empty, tmp_path / "backup.zip")

        assert everything(empty) == before


def test_a_database_with_rows_is_left_alone(database, tmp_path):
    fill(database)
    backup.save(database, tmp_path / "backup.zip")
    before = everything(database)

    with pytest.raises(Conflict, match=r"There are rows in \w+, and .* Make a new"):
        backup.restore(database, tmp_path / "backup.zip")

    assert everything(database) == before


# Files that are no backup, or no longer.


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> bytes:
    """Return a backup."""
    folder = tmp_path_factory.mktemp("written")
    with opened(f"sqlite:///{folder}/source.db") as source:
        schema.migrate(source)
        fill(source)
        backup.save(source, folder / "backup.zip")
    return (folder / "backup.zip").read_bytes()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def with_manifest(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    parts = parts_of(content)
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    return packed({**parts, "manifest.json": json.dumps(manifest).encode()})


def with_part(content: bytes, table: str, part: bytes, count: int = 1) -> bytes:
    """Return a backup with other rows of a table, and a manifest that agrees."""

    def agree(manifest):
        manifest["tables"][table] = {
            "rows": count,
            "bytes": len(part),
            "sha256": hashlib.sha256(part).hexdigest(),
        }

    changed = packed({**parts_of(content), f"{table}.jsonl": part})
    return with_manifest(changed, agree)


def with_cell(content: bytes, table: str, column: str, value: Any) -> bytes:
    (line, *_) = parts_of(content)[f"{table}.jsonl"].splitlines()
    row = {**json.loads(line), column: value}
    return with_part(content, table, json.dumps(row).encode() + b"\n")


def without(content: bytes, name: str) -> bytes:
    parts = parts_of(content)
    del parts[name]
    return packed(parts)


def refused(content: bytes, target: Database, tmp_path: Path) -> str:
    """Return what is said of a spoilt file; it must leave nothing behind."""
    path = tmp_path / "spoilt.zip"
    path.write_bytes(content)
    with pytest.raises(backup.Broken) as caught:
        backup.restore(target, path)
    assert is_empty(target)
    return str(caught.value)


def test_every_flipped_byte_of_a_part_is_noticed(written, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        entries = [one for one in archive.infolist() if one.compress_size > 10]

    assert len(entries) > 10
    with opened(f"sqlite:///{tmp_path}/target.db") as target:
        for entry in entries:
            # After the 30 bytes of the header, the name, and maybe 20 bytes for sizes.
            begin = entry.header_offset + 30 + len(entry.filename) + 20
            for at in (begin, begin + entry.compress_size // 2):
                spoilt = bytearray(written)
                spoilt[at] ^= 0x10
                said = refused(bytes(spoilt), target, tmp_path)
                assert re.search(
                    "no ZIP file|was changed|bytes that it should|is not JSON|not of",
                    said,
                ), said


@pytest.mark.parametrize("kept", [0, 1, 0.1, 0.5, 0.9, -1])
def test_a_file_that_ends_too_early_is_refused(written, kept, target, tmp_path):
    end = round(kept * len(written)) if isinstance(kept, float) else kept

    said = refused(written[:end], target, tmp_path)

    assert said == "It is no ZIP file that can be read."


SPOILT = {
    "no zip": (lambda _: b"SELECT 1;\n" * 99, "It is no ZIP file"),
    "another zip": (lambda _: packed({"a": b"b"}), "There is no manifest.json"),
    "no part": (lambda c: without(c, "audit.jsonl"), "does not hold the files"),
    "one more": (lambda c: packed({**parts_of(c), "x": b""}), "does not hold the f"),
    "no manifest": (lambda c: without(c, "manifest.json"), "There is no manifest"),
    "manifest that is no JSON": (
        lambda c: packed({**parts_of(c), "manifest.json": b"{"}),
        "manifest.json is not JSON",
    ),
    "manifest that is deep": (
        lambda c: packed({**parts_of(c), "manifest.json": b"[" * 10**5}),
        "manifest.json is not JSON",
    ),
    "manifest that is long": (
        lambda c: packed({**parts_of(c), "manifest.json": b" " * 2**21}),
        "manifest.json is too long",
    ),
    "another format": (
        lambda c: with_manifest(c, lambda m: m.update(format=2)),
        "manifest.json is not of format 1",
    ),
    "manifest with a gap": (
        lambda c: with_manifest(c, lambda m: m.pop("made_at")),
        "manifest.json is not complete",
    ),
    "other rows": (
        lambda c: packed({**parts_of(c), "audit.jsonl": b""}),
        "audit.jsonl does not have the",
    ),
    "another count": (
        lambda c: with_manifest(c, lambda m: m["tables"]["city"].update(rows=7)),
        "city.jsonl was changed",
    ),
    "another digest": (
        lambda c: with_manifest(
            c, lambda m: m["tables"]["city"].update(sha256="0" * 64)
        ),
        "city.jsonl was changed",
    ),
    "tables of another revision": (
        lambda c: with_manifest(c, lambda m: m.update(revision=REVISIONS[-1])),
        "Its tables are not those of revision",
    ),
    "a row that is no JSON": (lambda c: with_part(c, "city", b"{\n"), "not JSON"),
    "a row that is deep": (
        lambda c: with_part(c, "city", b"[" * 10**5 + b"\n"),
        "not JSON",
    ),
    "a row that is a list": (lambda c: with_part(c, "city", b"[]\n"), "the table's"),
    "a row with a gap": (
        lambda c: with_part(c, "city", b'{"id": "gent"}\n'),
        "city.jsonl has a line without the table's columns",
    ),
    "a row twice": (
        lambda c: with_part(c, "city", parts_of(c)["city.jsonl"] * 2, 2),
        "The database does not take it: city",
    ),
    "a row without an id": (
        lambda c: with_cell(c, "account", "email", None),
        "The database does not take it: account",
    ),
    "a time that is none": (
        lambda c: with_cell(c, "city", "created_at", "yesterday"),
        "The database does not take it: city",
    ),
    "a number as a time": (
        lambda c: with_cell(c, "city", "created_at", 7),
        "The database does not take it: city",
    ),
    "a list as a text": (
        lambda c: with_cell(c, "city", "name", ["Gent"]),
        "The database does not take it: city",
    ),
    "a number beyond all": (
        lambda c: with_cell(c, "city", "population", 2**80),
        "The database does not take it: city",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_no_backup_is_refused(written, what, target, tmp_path):
    spoil, reason = SPOILT[what]

    said = refused(spoil(written), target, tmp_path)

    assert reason in said


def test_a_row_that_refers_to_none_is_refused(written, target, tmp_path):
    path = tmp_path / "spoilt.zip"
    path.write_bytes(with_cell(written, "token", "account_id", "nobody"))

    with pytest.raises((backup.Broken, Conflict)) as caught:
        backup.restore(target, path)

    assert "token" in str(caught.value)
    assert is_empty(target)


def test_a_claim_of_terabytes_is_refused_unread(written, target, tmp_path):
    """The directory at the end of the file says how long a part is, unpacked."""
    spoilt = bytearray(written)
    at = spoilt.rindex(b"audit.jsonl") - 46
    assert spoilt[at : at + 4] == b"PK\1\2"
    spoilt[at + 24 : at + 28] = (2**32 - 2).to_bytes(4, "little")

    said = refused(bytes(spoilt), target, tmp_path)

    assert said.startswith("audit.jsonl does not have the")


def test_a_line_without_end_is_refused_in_little_memory(written, tmp_path):
    path = tmp_path / "bomb.zip"
    parts = parts_of(written)
    manifest = json.loads(parts.pop("manifest.json"))
    piece, times = b" " * 2**20, 2**8 + 1
    digest = hashlib.sha256()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            if name != "audit.jsonl":
                archive.writestr(name, part)
        with archive.open("audit.jsonl", "w") as long:
            for _ in range(times):
                long.write(piece)
                digest.update(piece)
        manifest["tables"]["audit"] = {
            "rows": 0,
            "bytes": len(piece) * times,
            "sha256": digest.hexdigest(),
        }
        archive.writestr("manifest.json", json.dumps(manifest))

    with opened(f"sqlite:///{tmp_path}/target.db") as target:
        tracemalloc.start()
        with pytest.raises(backup.Broken, match=r"audit\.jsonl has a line that is too"):
            backup.restore(target, path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert path.stat().st_size < 2**20
    assert most < 20 * 2**20


def test_a_backup_of_a_later_version_is_refused(written, target, tmp_path):
    path = tmp_path / "later.zip"
    path.write_bytes(with_manifest(written, lambda m: m.update(revision="ffff")))

    with pytest.raises(Conflict, match=r"newer than this program.*or a later one"):
        backup.restore(target, path)

    assert is_empty(target)


# Files.


def test_only_its_owner_may_read_the_file(database, tmp_path):
    fill(database)
    before = os.umask(0)
    try:
        backup.save(database, tmp_path / "backup.zip")
    finally:
        os.umask(before)

    assert [path.name for path in tmp_path.glob("*.zip*")] == ["backup.zip"]
    assert list(tmp_path.glob(".*")) == []
    assert stat.S_IMODE((tmp_path / "backup.zip").stat().st_mode) == 0o600


def test_no_file_is_replaced_unless_told(database, tmp_path):
    path = tmp_path / "backup.zip"
    path.write_text("precious")

    with pytest.raises(AlreadyThere, match="another name, or add --force"):
        backup.save(database, path)
    kept = path.read_text()
    backup.save(database, path, force=True)

    assert kept == "precious"
    assert zipfile.is_zipfile(path)


def test_a_backup_that_fails_leaves_no_file(target, tmp_path):
    (tmp_path / "out").mkdir()

    with pytest.raises(NotFound, match="has no tables"):
        backup.save(target, tmp_path / "out/backup.zip")

    assert list((tmp_path / "out").iterdir()) == []


# While others work.


def test_a_backup_is_of_one_moment(database, target, tmp_path):
    """Everybody who writes adds a city and an entry of the log at once."""
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
    until(lambda: len(written) > 3)
    began = time.monotonic()
    backup.save(database, tmp_path / "backup.zip")
    ended_at = time.monotonic()
    until(lambda: written[-1] > ended_at)
    stop.set()
    for one in writers:
        one.join()
    backup.restore(target, tmp_path / "backup.zip")

    with target.read() as session:
        there = set(session.scalars(select(tables.City.id)))
        told = set(
            session.scalars(
                select(tables.Audit.city_id).where(tables.Audit.action != "old")
            )
        )
    assert there == told
    assert 3 < len(there) < len(written)
    assert len([at for at in written if began < at < ended_at]) > 3


def many(database: Database, count: int, size: int) -> None:
    """Write many entries of the log."""
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
    until(lambda: process.poll() is not None or is_loading(url))
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
    """Tell whether rows are being stored, by somebody who has not committed yet."""
    if url.startswith("sqlite"):
        log = Path(url.removeprefix("sqlite:///") + "-wal")
        return log.exists() and log.stat().st_size > 2**20
    with psycopg.connect(plain(url)) as connection:
        return connection.execute(
            "SELECT count(*) > 0 FROM pg_stat_activity"
            " WHERE query LIKE 'COPY \"audit\"%' AND datname = current_database()"
        ).fetchone()[0]


# The commands.


def test_backup_and_restore_by_command(source, blank, tmp_path):
    path = tmp_path / "backup.zip"
    url = str(source.engine.url.render_as_string(hide_password=False))
    other = blank("postgres" if source.is_sqlite else "sqlite")

    saved = compaan(url, "backup", path)
    restored = compaan(other, "restore", path)
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(path.read_bytes()[:-9])
    twice, again, nowhere, missing, broken = [
        ended(one)
        for one in [
            start(url, "backup", path),
            start(other, "restore", path),
            start(other, "backup", tmp_path / "no/where.zip"),
            start(other, "restore", tmp_path / "missing.zip"),
            start(other, "restore", spoilt),
        ]
    ]

    rows = everything(source)
    lines = [
        f"{len(rows[table]):>9,} {table}"
        for table in zipfile.ZipFile(path).namelist()
        for table in [table.removesuffix(".jsonl")]
        if table in rows
    ]
    assert len(lines) == len(rows)
    assert saved[:2] == restored[:2] == (0, "")
    assert saved[2].splitlines()[:-1] == restored[2].splitlines()[:-1] == lines
    total = sum(map(len, rows.values()))
    assert saved[2].splitlines()[-1].startswith(f"{total:>9,} rows backed up, of 2")
    assert restored[2].splitlines()[-1].startswith(f"{total:>9,} rows restored, of 2")
    assert twice[:2] == again[:2] == nowhere[:2] == missing[:2] == broken[:2] == (2, "")
    assert "add --force" in twice[2]
    assert "an empty database only. Make a new database" in again[2]
    assert nowhere[2] == f"{tmp_path}/no/where.zip: No such file or directory\n"
    assert missing[2] == f"{tmp_path}/missing.zip: No such file or directory\n"
    assert broken[2] == f"{spoilt}: It is no ZIP file that can be read.\n"
    with opened(other) as database:
        assert everything(database) == rows


@pytest.mark.parametrize("kind", ["postgres"])
def test_tables_that_refer_to_themselves_are_restored(blank, kind, tmp_path):
    """A later version has one, with a name that must be quoted and its own numbers."""
    later = next_version(tmp_path / "next")
    url, other = blank(kind), blank(kind)
    compaan(url, "migrate", environment=later)
    with opened(url) as database, database.write() as session:
        session.execute(text('INSERT INTO "order" VALUES (9, NULL), (2, 9), (1, 2)'))

    saved = compaan(url, "backup", tmp_path / "backup.zip", environment=later)
    restored = compaan(other, "restore", tmp_path / "backup.zip", environment=later)

    assert (saved[0], restored[0]) == (0, 0)
    with opened(other) as database, database.write() as session:
        session.execute(text('INSERT INTO "order" (parent) VALUES (1)'))
        rows = session.execute(text('SELECT id, parent FROM "order" ORDER BY id'))
        assert [tuple(row) for row in rows] == [(1, 2), (2, 9), (9, None), (10, 1)]


_TELLS_PEAK = """
import atexit, pathlib, re, sys

@atexit.register
def tell():
    status = pathlib.Path("/proc/self/status").read_text()
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1], file=sys.stderr)
"""


def peak(url: str, *arguments: object) -> tuple[int, float]:
    """Return the exit code of `compaan`, and the most MB that it held."""
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
