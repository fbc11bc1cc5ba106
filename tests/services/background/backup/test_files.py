"""The file of a backup: who may read it, what it replaces, and the commands."""

import os
import stat
import zipfile

import pytest

from app.errors import AlreadyThere, NotFound
from app.services.background import backup
from tests.services.background.backup.full_database import everything, opened
from tests.test_migrations import compaan, ended, fill, start

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
    content = path.read_text()
    backup.save(database, path, force=True)

    assert content == "precious"
    assert zipfile.is_zipfile(path)


def test_a_backup_that_fails_leaves_no_file(target, tmp_path):
    (tmp_path / "out").mkdir()

    with pytest.raises(NotFound, match="has no tables"):
        backup.save(target, tmp_path / "out/backup.zip")

    assert list((tmp_path / "out").iterdir()) == []


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
