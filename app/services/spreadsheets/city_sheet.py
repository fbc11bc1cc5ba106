"""A file, CSV or a workbook, read as a table whose columns are those of cities."""

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.errors import InvalidFile
from app.services.shared.csv_cells import unsafe
from app.services.spreadsheets import workbook
from app.services.spreadsheets.columns import BY_NAME, Column
from schemas import InputError

OWN_COLUMNS = ("error",)
"""Columns that we add ourselves to wrong rows."""
_DELIMITERS = (",", ";", "\t")
_MOST_ROWS = 20_000
MOST_LISTED = 100
HELP_MARK = "#"
"""Rows whose first cell begins with it are not read: the template has help there."""


@dataclass(frozen=True)
class Sheet:
    """A file as a table: decoded, cut into cells, its columns known."""

    encoding: str
    """`xlsx` for a workbook."""
    delimiter: str
    header: list[str]
    columns: dict[int, Column]
    ignored: list[str]
    rows: list[workbook.Line]


def _refuse(message: str, errors: Sequence[InputError] = ()) -> InvalidFile:
    return InvalidFile(message, errors)


def _decode(content: bytes) -> tuple[str, str]:
    """Return encoding and text; a byte order mark decides, else UTF-8, else Windows."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        order = ["utf-16"]
    else:
        order = ["utf-8-sig", "windows-1252"]
    for encoding in order:
        try:
            return encoding, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refuse("The file is no text in UTF-8 or Windows-1252: save it as CSV UTF-8.")


def _csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    yield from csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True
    )


def column_name(cell: str) -> str:
    """Return the name of the column that a cell of the first row means."""
    return re.sub(r"[\s_-]+", "_", cell.strip().lower())


def _delimiter(text: str) -> str:
    """Return the delimiter that makes most known columns of the first row."""

    def known_columns(delimiter: str) -> int:
        try:
            header = next(_csv_rows(text, delimiter), [])
        except csv.Error:
            return 0
        return sum(column_name(cell) in BY_NAME for cell in header)

    return max(_DELIMITERS, key=known_columns)  # the first of equals


def read(content: bytes) -> Sheet:
    """Return the file, CSV or a workbook, as a table.

    Raises:
        InvalidFile: If it is no table, or its columns are not those of cities.

    """
    if workbook.is_workbook(content):
        return _read_workbook(content)
    return _read_csv(content)


def _read_workbook(content: bytes) -> Sheet:
    """Return the first visible sheet whose first row names columns of cities."""
    headers: list[workbook.Line] = []
    for lines in workbook.visible_sheets(content):
        header = next(lines, None)
        if header is None:
            continue
        headers.append(header)
        if {"id", "name"} & {column_name(cell) for cell in header.cells}:
            return _make_sheet("xlsx", ",", header, lines)
    if not headers:
        raise _refuse("The workbook is empty.")
    return _make_sheet("xlsx", ",", headers[0], iter(()))


def _make_sheet(
    encoding: str,
    delimiter: str,
    header: workbook.Line,
    lines: Iterator[workbook.Line],
) -> Sheet:
    columns, ignored = _known_columns(header)
    rows = []
    for line in lines:
        if line.cells[0].lstrip().startswith(HELP_MARK):
            continue
        rows.append(line)
        if len(rows) > _MOST_ROWS:
            raise _refuse(
                f"The file has more than {_MOST_ROWS} rows: send it in parts."
            )
    return Sheet(encoding, delimiter, header.cells, columns, ignored, rows)


def _read_csv(content: bytes) -> Sheet:
    encoding, text = _decode(content)
    if not text.strip():
        raise _refuse("The file is empty.")
    if "\0" in text:
        raise _refuse("The file holds NUL characters: it is no CSV.")
    skipped = 0
    separator_line = re.match(
        r'"?sep=(.)"?\r?\n', text
    )  # a line that Excel understands
    if separator_line:
        text, skipped = text[separator_line.end() :], 1
    delimiter = separator_line[1] if separator_line else _delimiter(text)
    if delimiter not in _DELIMITERS:
        raise _refuse("Columns are parted by a comma, a semicolon or a tab.")
    try:
        lines = list(_csv_rows(text, delimiter))
    except csv.Error as error:
        raise _refuse(
            f"The file is no CSV: {error}. Is a quotation mark left open?"
        ) from error
    numbered = (
        workbook.Line(number, [unsafe(cell) for cell in cells], {})
        for number, cells in enumerate(lines, start=skipped + 1)
        if number == skipped + 1 or any(cell.strip() for cell in cells)
    )
    return _make_sheet(encoding, delimiter, next(numbered), numbered)


def _known_columns(header: workbook.Line) -> tuple[dict[int, Column], list[str]]:
    """Return the known columns by position, and the names of the unknown ones.

    Raises:
        InvalidFile: If a column stands twice, is misspelt, or if those that every
            city needs are missing.

    """
    columns: dict[int, Column] = {}
    ignored: list[str] = []
    errors: list[InputError] = []
    for at, cell in enumerate(header.cells):
        name = column_name(cell)
        if name and at >= workbook.MOST_COLUMNS:
            raise workbook.too_wide(header.number)
        pointer = f"/{header.number}/{name}"
        if name in BY_NAME and BY_NAME[name] in columns.values():
            message = f"The column {name} stands twice: keep one."
            errors.append(
                InputError(pointer=pointer, code="duplicate", message=message)
            )
        elif name in BY_NAME:
            columns[at] = BY_NAME[name]
        elif not name:
            continue
        elif near := difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.8):
            message = f"There is no column {cell.strip()}. Did you mean {near[0]}?"
            errors.append(
                InputError(pointer=pointer, code="unknown_column", message=message)
            )
        elif name not in OWN_COLUMNS:
            ignored.append(cell.strip())
    names = {column.name for column in columns.values()}
    if not errors and not names & {"id", "name"}:
        message = (
            "The first row must hold the names of the columns, `name` among them, as "
            "in the template: GET /api/v1/cities/import."
        )
        pointer = f"/{header.number}/name"
        errors.append(InputError(pointer=pointer, code="missing", message=message))
    if errors:
        raise _refuse(errors[0].message, errors[:MOST_LISTED])
    return columns, ignored
