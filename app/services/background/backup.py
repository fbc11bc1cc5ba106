"""A backup of everything in one file, and restoring it, on either kind of database.

The file is a ZIP with a JSON-lines file a table, a row a line (see `app.db.rows`), and
a manifest that has a digest of each. It holds addresses and digests of tokens: it is
for whoever runs the service, and only the owner of the file may read it.

A restored service goes on where the backup was made. Accounts and their tokens are the
same; a run that was being computed is begun anew, because nobody renews its lease; and
messages that were still to be sent are sent.
"""

import hashlib
import json
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    ValidationError,
)
from sqlalchemy import Connection, Table

from app.db import Database, rows, schema
from app.errors import AlreadyThere, Conflict, NotFound
from app.services.runs.zip_read import ZIP_ERRORS

FORMAT = 1
_MANIFEST = "manifest.json"
_SUFFIX = ".jsonl"
_MOST_MANIFEST = 2**20
"""Most bytes of a manifest."""
_MOST_LINE = 2**28
"""Most bytes of a row: a ZIP file may claim to hold anything."""
_PIECE = 2**16


class Broken(Exception):
    """The file is no backup, or was changed after it was made."""


class Part(BaseModel):
    """What the manifest says of the rows of a table."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    rows: NonNegativeInt
    bytes: NonNegativeInt
    """Unpacked."""
    sha256: str
    """Of the unpacked bytes, in hexadecimal digits."""


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    format: Literal[1]
    compaan: str
    """The version of the program that made it."""
    revision: str
    """Of the tables: the newest migration that they had."""
    made_at: AwareDatetime
    tables: dict[str, Part]


def save(database: Database, path: Path, *, force: bool = False) -> Manifest:
    """Write everything as it is at one moment to a file, while others go on writing.

    The file appears when it is complete. The tables may be of an older version.

    Args:
        database: What is backed up.
        path: The file.
        force: Put it in the place of a file that is there.

    Raises:
        AlreadyThere: If there is a file.
        Busy: If somebody migrates or restores the database, and does not end.
        Conflict: If the database is newer than this program.
        NotFound: If the database has no tables.
        OSError: If the file cannot be written.

    """
    _refuse_if_there(path, force=force)
    with schema.at_rest(database), rows.snapshot(database) as connection:
        revision = schema.revision_of(connection)
        if revision is None:
            raise NotFound("The database has no tables: there is nothing to back up.")
        with _appearing(path, force=force) as file:
            return _write(file, connection, revision)


def _refuse_if_there(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise AlreadyThere(
            f"There is a file {path}: choose another name, or add --force."
        )


@contextmanager
def _appearing(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """Open a file that has its name only when it is complete and on the disk."""
    # Only its owner may read or write it, whatever the umask.
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _refuse_if_there(path, force=force)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(file: IO[bytes], connection: Connection, revision: str) -> Manifest:
    made_at = datetime.now(UTC)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        tables = {
            table.name: _write_part(archive, table.name, rows.read(connection, table))
            for table in schema.tables_at(revision).sorted_tables
        }
        manifest = Manifest(
            format=FORMAT,
            compaan=version("compaan"),
            revision=revision,
            made_at=made_at,
            tables=tables,
        )
        archive.writestr(_entry(_MANIFEST), manifest.model_dump_json(indent=1) + "\n")
    return manifest


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    return entry


def _write_part(
    archive: zipfile.ZipFile, table: str, found: Iterable[Mapping[str, Any]]
) -> Part:
    digest, count, length = hashlib.sha256(), 0, 0
    with archive.open(_entry(table + _SUFFIX), "w", force_zip64=True) as part:
        for row in found:
            line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
            if len(line) > _MOST_LINE:
                raise Conflict(f"A row of {table} has more than {_MOST_LINE} bytes.")
            part.write(line)
            digest.update(line)
            count, length = count + 1, length + len(line)
    return Part(rows=count, bytes=length, sha256=digest.hexdigest())


def restore(database: Database, path: Path) -> Manifest:
    """Store everything that is in a backup: all of it, or nothing.

    A backup of an older version is restored into the tables that it was made of, which
    are then migrated.

    Args:
        database: One without rows, or a new one.
        path: The file.

    Raises:
        Broken: If the file is no backup, or not as it was made.
        Busy: If somebody else uses the database, and does not end.
        Conflict: If the database has rows, or if it or the backup is newer than this
            program.
        OSError: If the file cannot be read.

    """
    with path.open("rb") as file, _opened(file) as archive:
        with _readable():
            manifest = _checked(archive)

        def work(connection: Connection) -> None:
            _restore(connection, archive, manifest)

        try:
            schema.alone(database, work)
        except rows.NotTaken as error:
            raise Broken(f"The database does not take it: {error}") from error
    return manifest


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    with _readable():
        return zipfile.ZipFile(file)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except ZIP_ERRORS as error:
        raise Broken("It is no ZIP file that can be read.") from error


def _checked(archive: zipfile.ZipFile) -> Manifest:
    """Return the manifest, if everything else is as it says."""
    manifest = _manifest(archive)
    if not schema.is_known(manifest.revision):
        raise Conflict(
            f"The backup is newer than this program: its tables are of revision "
            f"{manifest.revision}, and Compaan {manifest.compaan} made it. Restore it "
            "with that version, or a later one."
        )
    wanted = {_MANIFEST, *(table + _SUFFIX for table in manifest.tables)}
    found = archive.namelist()
    if len(found) != len(set(found)) or set(found) != wanted:
        raise Broken("It does not hold the files that its manifest names.")
    if set(schema.tables_at(manifest.revision).tables) != set(manifest.tables):
        raise Broken(f"Its tables are not those of revision {manifest.revision}.")
    for table, part in manifest.tables.items():
        _check(archive, table + _SUFFIX, part)
    return manifest


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        entry = archive.getinfo(_MANIFEST)
    except KeyError:
        raise Broken(f"There is no {_MANIFEST} in it.") from None
    if entry.file_size > _MOST_MANIFEST:
        raise Broken(f"{_MANIFEST} is too long.")
    content = archive.read(entry)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Broken(f"{_MANIFEST} is not JSON.") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise Broken(f"{_MANIFEST} is not of format {FORMAT}.")
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise Broken(f"{_MANIFEST} is not complete: {error}") from error


def _check(archive: zipfile.ZipFile, name: str, expected: Part) -> None:
    """Read a file to its end, without keeping it, and compare with the manifest."""
    if archive.getinfo(name).file_size != expected.bytes:
        raise Broken(f"{name} does not have the {expected.bytes} bytes that it should.")
    digest, count, line = hashlib.sha256(), 0, 0
    with archive.open(name) as part:
        while piece := part.read(_PIECE):
            digest.update(piece)
            count += piece.count(b"\n")
            before = line if b"\n" not in piece else 0
            line = before + len(piece) - piece.rfind(b"\n") - 1
            if line > _MOST_LINE:
                raise Broken(f"{name} has a line that is too long.")
    if (digest.hexdigest(), count) != (expected.sha256, expected.rows):
        raise Broken(f"{name} was changed after the backup was made.")


def _restore(
    connection: Connection, archive: zipfile.ZipFile, manifest: Manifest
) -> None:
    _empty(connection, manifest.revision)
    tables = schema.tables_at(manifest.revision).sorted_tables
    for table in tables:
        rows.load(connection, table, _lines(archive, table))
    rows.count_on(connection, tables)
    schema.to_head(connection)


def _empty(connection: Connection, revision: str) -> None:
    """Give the database empty tables of the revision; refuse if there is a row."""
    present = schema.revision_of(connection)
    if present is not None:
        tables = schema.tables_at(present).sorted_tables
        rows.close_to_writers(connection, tables)
        for table in tables:
            if rows.has_rows(connection, table):
                raise Conflict(
                    f"There are rows in {table.name}, and a backup is restored into an "
                    "empty database only. Make a new database, and name it in "
                    "COMPAAN_DATABASE_URL."
                )
        if present != revision:
            schema.move(connection, "base")
    schema.move(connection, revision)


def _lines(archive: zipfile.ZipFile, table: Table) -> Iterator[rows.Row]:
    names = {column.name for column in table.columns}
    with _readable(), archive.open(table.name + _SUFFIX) as part:
        for line in part:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise Broken(f"{part.name} has a line that is not JSON.") from error
            if not isinstance(row, dict) or row.keys() != names:
                raise Broken(f"{part.name} has a line without the table's columns.")
            yield row
