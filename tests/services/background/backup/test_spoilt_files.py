"""Files that are no backup, or no longer, are refused and leave nothing behind."""

import hashlib
import io
import json
import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from app.db import Database
from app.errors import Conflict
from app.services.background import backup
from tests.services.background.backup.full_database import is_empty, opened
from tests.services.background.backup.spoilt_files import (
    packed,
    parts_of,
    with_cell,
    with_manifest,
    with_part,
    without,
)
from tests.test_migrations import REVISIONS


def refused(content: bytes, target: Database, tmp_path: Path) -> str:
    """Restore a spoilt file; return the refusal, and check that nothing was stored."""
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
                message = refused(bytes(spoilt), target, tmp_path)
                assert re.search(
                    "no ZIP file|was changed|bytes that it should|is not JSON|not of",
                    message,
                ), message


@pytest.mark.parametrize("kept", [0, 1, 0.1, 0.5, 0.9, -1])
def test_a_file_that_ends_too_early_is_refused(written, kept, target, tmp_path):
    end = round(kept * len(written)) if isinstance(kept, float) else kept

    message = refused(written[:end], target, tmp_path)

    assert message == "It is no ZIP file that can be read."


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

    message = refused(spoil(written), target, tmp_path)

    assert reason in message


def test_a_row_that_refers_to_none_is_refused(written, target, tmp_path):
    path = tmp_path / "spoilt.zip"
    path.write_bytes(with_cell(written, "token", "account_id", "nobody"))

    with pytest.raises((backup.Broken, Conflict)) as caught:
        backup.restore(target, path)

    assert "token" in str(caught.value)
    assert is_empty(target)


def test_a_claim_of_terabytes_is_refused_unread(written, target, tmp_path):
    """A file is refused by the unpacked sizes that its directory claims."""
    spoilt = bytearray(written)
    at = spoilt.rindex(b"audit.jsonl") - 46
    assert spoilt[at : at + 4] == b"PK\1\2"
    spoilt[at + 24 : at + 28] = (2**32 - 2).to_bytes(4, "little")

    message = refused(bytes(spoilt), target, tmp_path)

    assert message.startswith("audit.jsonl does not have the")


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
