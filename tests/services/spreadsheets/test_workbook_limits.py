"""Workbooks that are too large, malformed or none at all are refused."""

import io
import random
import zipfile
from datetime import date

import psutil
import pytest

from app.errors import InvalidFile
from app.services.spreadsheets import city_sheet
from tests.fixtures.cities import refusal
from tests.services.spreadsheets.workbook_files import (
    GHENT,
    HEAD,
    book_of,
    repacked,
    upload,
)

NS = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def sheet_of(data: bytes) -> bytes:
    return NS + b"<sheetData>" + data + b"</sheetData></worksheet>"


TOO_MUCH = {
    "cells": ("sheet1.xml", lambda: sheet_of(b"<row>" + b"<c/>" * 16_000_000)),
    "rows": ("sheet1.xml", lambda: sheet_of(b"<row/>" * 10_000_000)),
    "width": ("sheet1.xml", lambda: sheet_of(b'<row><c r="XFD1"/></row>' * 20_000)),
    "columns": ("sheet1.xml", lambda: sheet_of(b'<row><c r="IW1"><v>1</v></c></row>')),
    "styles": ("styles.xml", lambda: b"<styleSheet>" + b"<font/>" * 8_000_000),
    "bytes": ("styles.xml", lambda: b" " * 2**26),
    "entities": ("styles.xml", lambda: b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "nesting": ("workbook.xml", lambda: b"<a>" * 1_000_000),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_workbook_that_would_grow_is_refused_before_it_does(what):
    ending, make = TOO_MUCH[what]
    content = repacked(
        book_of(HEAD, GHENT), lambda name, old: make() if name.endswith(ending) else old
    )
    before = psutil.Process().memory_info().rss

    with pytest.raises(InvalidFile):
        city_sheet.read(content)

    assert psutil.Process().memory_info().rss - before < 100_000_000


def test_too_many_parts_or_bytes_or_rows_are_refused(sqlite_service):
    file = io.BytesIO(book_of(HEAD, GHENT))
    with zipfile.ZipFile(file, "a") as book:
        for number in range(1001):
            book.writestr(f"xl/media/{number}.png", b"")
    rows = sheet_of(
        b'<row><c t="inlineStr"><is><t>name</t></is></c></row>'
        + b"<row><c><v>1</v></c></row>" * 20_001
    )
    long = repacked(
        book_of(HEAD),
        lambda name, old: rows if name.endswith("sheet1.xml") else old,
    )

    for content in (file.getvalue(), b"PK\x03\x04" + bytes(10 * 2**20), long):
        with pytest.raises(InvalidFile, match=r"1010 parts|bytes|20000 rows"):
            city_sheet.read(content)
    assert refusal(upload(sqlite_service, long))[:2] == (422, "invalid-file")


def test_what_is_no_workbook_is_told_apart():
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")

    for content, told in (
        (old, "old kind"),
        (other.getvalue(), "OpenDocument"),
        (b"PK\x03\x04", "no workbook that can be read"),
        (book_of(), "empty"),
        (book_of(["x", "y"], [1, 2]), "must hold the names of the columns"),
        (book_of(["name", "need_houzing"]), "Did you mean need_housing"),
    ):
        with pytest.raises(InvalidFile, match=told):
            city_sheet.read(content)


CHANCE = random.Random(2026)  # noqa: S311 -- the same files each time


def flipped(content: bytes) -> bytes:
    """Return the bytes with a few of them changed, removed or added."""
    broken = bytearray(content)
    for _ in range(CHANCE.randint(1, 4)):
        at = CHANCE.randrange(len(broken))
        match CHANCE.randrange(4):
            case 0:
                broken[at] ^= 1 << CHANCE.randrange(8)
            case 1 if len(broken) > 60:
                del broken[at : at + CHANCE.randint(1, 30)]
            case 2:
                broken[at:at] = CHANCE.randbytes(4)
            case _:
                broken[at:at] = CHANCE.choice([b"<", b"&#0;", b'"', b"1e999", b"-"])
    return bytes(broken)


def malformed(good: bytes, parts: dict[str, bytes]) -> bytes:
    """Return a workbook with errors in its bytes, or only inside its parts."""
    match CHANCE.randrange(10):
        case 0:
            return good[: CHANCE.randrange(4, len(good))]
        case 1:
            one, other = CHANCE.sample(sorted(parts), 2)
            wrong = parts | {one: parts[other], other: parts[one]}
        case 2:
            one = CHANCE.choice(sorted(parts))
            wrong = parts | {one: flipped(parts[one])}
        case _:
            return good[:4] + flipped(good[4:])
    return repacked(good, lambda name, _old: wrong[name])


@pytest.mark.filterwarnings("default:.*:UserWarning:openpyxl")
def test_five_thousand_malformed_workbooks_are_read_or_refused():
    good = book_of([*HEAD, "population_year"], [*GHENT, date(2020, 1, 2)])
    with zipfile.ZipFile(io.BytesIO(good)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    process = psutil.Process()
    refused, peaks = 0, []
    for at in range(5_000):
        try:
            city_sheet.read(malformed(good, parts))
        except InvalidFile:
            refused += 1
        if at % 1000 == 999:
            peaks.append(process.memory_info().rss)

    assert 3_000 < refused < 5_000
    assert peaks[-1] - peaks[0] < 30_000_000
