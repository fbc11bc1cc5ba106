"""Backups that have been taken apart, changed and packed again."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any


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
