"""Workbooks of cities: making them, changing what is inside, and uploading them."""

import io
import zipfile

from openpyxl import Workbook

from app.services.spreadsheets import workbook
from tests.services.spreadsheets.uploads import send

XLSX = workbook.MEDIA_TYPE
HEAD = ["name", "country", "roles", "need_housing"]
GHENT = ["Ghent", "BE", "learner", 3]


def saved(book) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def book_of(*rows) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book)


def upload(service, content, query=""):
    return send(service, content, query=query, kind=XLSX)


def repacked(content: bytes, change) -> bytes:
    """Return the workbook with each part replaced by `change(name, part)`."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return file.getvalue()
