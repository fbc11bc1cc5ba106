"""Importing and exporting cities as a table that people keep in a spreadsheet."""

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import Forbidden, InvalidFile, InvalidInput, InvalidRows
from app.permissions import Actor, may_organise
from app.services.cities import profiles
from app.services.shared.changes import changed_fields
from app.services.shared.csv_cells import table, unsafe
from app.services.shared.names import slug
from app.services.spreadsheets import workbook
from app.services.spreadsheets.columns import (
    COLUMNS,
    SHORT,
    Cell,
    Column,
    WrongCell,
    value_of,
)
from schemas import (
    CellError,
    City,
    CityWrite,
    ImportCounts,
    ImportedRow,
    ImportReport,
    InputError,
    input_errors,
)

_KNOWN = {column.name: column for column in (*COLUMNS, *SHORT)}
_OWN = ("error",)
"""Columns that we add ourselves to wrong rows."""
_DELIMITERS = (",", ";", "\t")
_MOST_ROWS = 20_000
_MOST_LISTED = 100
_AT_ONCE = 500
_DIGITS = 1e-14
"""How near numbers are that agree in the 15 digits that a spreadsheet keeps."""
_MORE_CELLS = (
    (
        "The row has more cells than the first one: is a comma in a cell that is not "
        "in quotation marks?"
    ),
    "This stands in a column without a name: name the column, or delete the cell.",
)
"""Of a CSV, and of a workbook."""
HELP_MARK = "#"
"""Rows whose first cell begins so are not read: the template explains itself there."""


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


@dataclass
class Planned:
    """What is to become of one row."""

    row: int
    cells: list[str]
    city: City | None = None
    stored: tables.City | None = None
    changes: list[str] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`new`, `changed`, `same` or `wrong`."""
        if self.errors:
            return "wrong"
        if self.stored is None:
            return "new"
        return "changed" if self.changes else "same"


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


def _cut(text: str, delimiter: str) -> Iterator[list[str]]:
    yield from csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True
    )


def _column_name(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", cell.strip().lower())


def _delimiter(text: str) -> str:
    """Return what parts the header into most columns that we know."""

    def known(delimiter: str) -> int:
        try:
            header = next(_cut(text, delimiter), [])
        except csv.Error:
            return 0
        return sum(_column_name(cell) in _KNOWN for cell in header)

    return max(_DELIMITERS, key=known)  # the first of equals


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
        if {"id", "name"} & {_column_name(cell) for cell in header.cells}:
            return _sheet("xlsx", ",", header, lines)
    if not headers:
        raise _refuse("The workbook is empty.")
    return _sheet("xlsx", ",", headers[0], iter(()))


def _sheet(
    encoding: str,
    delimiter: str,
    header: workbook.Line,
    lines: Iterator[workbook.Line],
) -> Sheet:
    columns, ignored = _columns(header)
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
    said = re.match(r'"?sep=(.)"?\r?\n', text)  # a line that Excel understands
    if said:
        text, skipped = text[said.end() :], 1
    delimiter = said[1] if said else _delimiter(text)
    if delimiter not in _DELIMITERS:
        raise _refuse("Columns are parted by a comma, a semicolon or a tab.")
    try:
        lines = list(_cut(text, delimiter))
    except csv.Error as error:
        raise _refuse(
            f"The file is no CSV: {error}. Is a quotation mark left open?"
        ) from error
    numbered = (
        workbook.Line(number, [unsafe(cell) for cell in cells], {})
        for number, cells in enumerate(lines, start=skipped + 1)
        if number == skipped + 1 or any(cell.strip() for cell in cells)
    )
    return _sheet(encoding, delimiter, next(numbered), numbered)


def _columns(header: workbook.Line) -> tuple[dict[int, Column], list[str]]:
    """Return which column is where, and those that mean nothing to us.

    Raises:
        InvalidFile: If a column stands twice, is misspelt, or if those that every
            city needs are missing.

    """
    found: dict[int, Column] = {}
    ignored: list[str] = []
    errors: list[InputError] = []
    for at, cell in enumerate(header.cells):
        name = _column_name(cell)
        if name and at >= workbook.MOST_COLUMNS:
            raise workbook.too_wide(header.number)
        pointer = f"/{header.number}/{name}"
        if name in _KNOWN and _KNOWN[name] in found.values():
            message = f"The column {name} stands twice: keep one."
            errors.append(
                InputError(pointer=pointer, code="duplicate", message=message)
            )
        elif name in _KNOWN:
            found[at] = _KNOWN[name]
        elif not name:
            continue
        elif near := difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.8):
            message = f"There is no column {cell.strip()}. Did you mean {near[0]}?"
            errors.append(
                InputError(pointer=pointer, code="unknown_column", message=message)
            )
        elif name not in _OWN:
            ignored.append(cell.strip())
    names = {column.name for column in found.values()}
    if not errors and not names & {"id", "name"}:
        message = (
            "The first row must hold the names of the columns, `name` among them, as "
            "in the template: GET /api/v1/cities/import."
        )
        pointer = f"/{header.number}/name"
        errors.append(InputError(pointer=pointer, code="missing", message=message))
    if errors:
        raise _refuse(errors[0].message, errors[:_MOST_LISTED])
    return found, ignored


def plan(session: Session, sheet: Sheet, *, lock: bool = False) -> list[Planned]:
    """Return what is to become of each row; nothing is changed.

    Args:
        session: Where the cities are.
        sheet: The file.
        lock: Whether the cities that it names are to stay as they are meanwhile.

    """
    given = [_cells(sheet, line) for line in sheet.rows]
    ids = [id_of(cells) for cells in given]
    stored = _stored(session, ids, lock=lock)
    seen: dict[str, int] = {}
    found = []
    for line, cells, city_id in zip(sheet.rows, given, ids, strict=True):
        number = line.number
        row = Planned(number, line.cells, stored=stored.get(city_id))
        if len(line.cells) > len(sheet.header):
            message = _MORE_CELLS[sheet.encoding == "xlsx"]
            more = line.cells[len(sheet.header)]
            row.errors.append(_wrong(number, "", more, "too_many_cells", message))
        elif city_id in seen:
            message = f"Row {seen[city_id]} is the same city: keep one of the two."
            row.errors.append(_wrong(number, "id", city_id, "duplicate", message))
        else:
            unread = _unread(sheet, line)
            row.city, errors = filled(cells, row.stored, city_id, number)
            told = {error.column for error in unread}
            row.errors = unread + [one for one in errors if one.column not in told]
            if row.city and row.stored and not row.errors:
                before = profiles.as_city(row.stored).to_dict()
                row.changes = changed_fields(before, row.city.to_dict())
        if city_id:
            seen.setdefault(city_id, number)
        found.append(row)
    return found


def _cells(sheet: Sheet, line: workbook.Line) -> dict[str, str]:
    """Return the cells by column, without what a spreadsheet puts around them."""
    return {
        column.name: plain(line.cells[at])
        for at, column in sheet.columns.items()
        if at < len(line.cells) and at not in line.wrong
    }


def _unread(sheet: Sheet, line: workbook.Line) -> list[CellError]:
    """Return the errors of cells that hold no value."""
    return [
        _wrong(
            line.number,
            sheet.columns[at].name,
            line.cells[at],
            error.code,
            error.message,
        )
        for at, error in line.wrong.items()
        if at in sheet.columns
    ]


def plain(cell: str) -> str:
    """Return the text of a cell or a form field as we keep it.

    Without what programs put around it, and with one kind of line break.
    """
    text = cell.replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def _stored(
    session: Session, ids: Iterable[str], *, lock: bool
) -> dict[str, tables.City]:
    wanted = sorted(set(ids))  # locked in one order, or two imports wait for each other
    found: dict[str, tables.City] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        asked = (
            select(tables.City)
            .where(tables.City.id.in_(wanted[at : at + _AT_ONCE]))
            .order_by(tables.City.id)
            .options(*profiles.WHOLE)
        )
        rows = session.scalars(asked.with_for_update() if lock else asked)
        found |= {row.id: row for row in rows}
    return found


def _wrong(  # noqa: PLR0913 -- what an error says
    row: int,
    column: str,
    value: str,
    code: str,
    message: str,
    suggestion: str | None = None,
) -> CellError:
    return CellError(
        row=row,
        column=column,
        value=value[:200],
        code=code,
        message=message,
        suggestion=suggestion,
    )


def id_of(cells: Mapping[str, str]) -> str:
    """Return the id that a row has, or the one that is made of its name."""
    return cells.get("id") or slug(cells.get("name", ""))


def cells_of(city: City) -> dict[str, str]:
    """Return the city as the cells of a row."""
    return {column.name: str(column.write(city)) for column in COLUMNS}


def filled(
    cells: Mapping[str, str], stored: tables.City | None, city_id: str, row: int = 0
) -> tuple[City | None, list[CellError]]:
    """Return the city that a row describes, or what is wrong with it.

    Args:
        cells: By column; one that is missing leaves what is stored, a blank one
            takes it away.
        stored: What there is to begin with.
        city_id: The city's id.
        row: Its number, for the errors.

    """
    there = profiles.as_city(stored) if stored else None
    before = there.to_dict() if there else {}
    fields: dict[str, Any] = {
        **before,
        "id": city_id,
        "areas": {
            area: dict(levels) for area, levels in before.get("areas", {}).items()
        },
    }
    errors: list[CellError] = []
    for name, cell in cells.items():
        if there and _as_written(_KNOWN[name].write(there), cell):
            continue  # what came out of an export and went through no hands
        try:
            _put(fields, _KNOWN[name], cell)
        except WrongCell as error:
            errors.append(
                _wrong(row, name, cell, error.code, error.message, error.suggestion)
            )
    if errors:
        return None, errors
    fields["areas"] = {
        area: levels for area, levels in fields["areas"].items() if levels
    }
    for whole in ("population", "migrant_share"):
        if not any((fields.get(whole) or {}).values()):
            fields[whole] = None
    try:
        city = CityWrite.model_validate(fields)
    except ValidationError as error:
        for found in input_errors(error.errors()):
            column = _column_at(found.pointer, cells)
            value = cells.get(column, "")
            errors.append(_wrong(row, column, value, found.code, found.message))
        return None, errors
    return City(**city.to_dict()), []


def _as_written(written: Cell, cell: str) -> bool:
    """Tell whether a cell says what an export writes."""
    if isinstance(written, float):
        try:
            return isclose(float(cell.replace(",", ".")), written, rel_tol=_DIGITS)
        except ValueError:
            return False
    return plain(str(written)) == cell


def _put(fields: dict[str, Any], column: Column, cell: str) -> None:
    """Put what the cell says where it belongs; a blank cell takes away."""
    if column.name == "id":
        return
    value = value_of(column, cell) if cell else None
    match column.place:
        case ("areas", "", kind):
            for area, level in (value or {}).items():
                fields["areas"].setdefault(area, {})[kind] = level
        case ("areas", area, kind):
            levels = fields["areas"].setdefault(area, {})
            if value is None:
                levels.pop(kind, None)
            else:
                levels[kind] = value
        case (whole, part):
            fields[whole] = {**(fields.get(whole) or {}), part: value}
        case (name,):
            if value is None and name in {"languages", "roles", "name", "country"}:
                fields.pop(name, None)
            else:
                fields[name] = value


def _column_at(pointer: str, cells: Mapping[str, str]) -> str:
    """Return the column that a pointer into a city leads to."""
    steps = [step for step in pointer.split("/") if step]
    if steps[:1] == ["areas"]:
        area, kind = [*steps[1:], "", ""][:2]
        return f"{kind}_{area}" if f"{kind}_{area}" in cells else "areas"
    for size in (2, 1):
        for column in COLUMNS:
            if list(column.place[:size]) == steps[:size] and len(column.place) <= 2:  # noqa: PLR2004 -- not an area
                return column.name
    return "/".join(steps)


def bring_in(
    session: Session,
    actor: Actor,
    content: bytes,
    *,
    dry_run: bool = False,
    all_or_nothing: bool = False,
) -> ImportReport:
    """Register and change cities as the file says.

    Args:
        session: In a write transaction, unless it is a dry run.
        actor: Who does it.
        content: The file.
        dry_run: Tell what would happen, and change nothing.
        all_or_nothing: Store nothing if a row is wrong; else the good rows are stored.

    Raises:
        Forbidden: If the actor may not.
        InvalidFile: If the file is no table of cities.
        InvalidRows: If rows are wrong, and nothing is to be stored because of them, or
            no row is right.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may import cities.")
    sheet = read(content)
    rows = plan(session, sheet, lock=not dry_run)
    errors = [error for row in rows for error in row.errors]
    wrong = sum(row.state == "wrong" for row in rows)
    if not dry_run:
        if errors and (all_or_nothing or wrong == len(rows)):
            raise _refuse_rows(errors, wrong, len(rows))
        for row in rows:
            if row.city is None or row.errors:
                continue
            if row.stored is None:
                profiles.add(session, actor, row.city)
            else:
                profiles.change(session, actor, row.stored, row.city)
    states = [row.state for row in rows]
    return ImportReport(
        dry_run=dry_run,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        counts=ImportCounts(
            **{name: states.count(name) for name in ImportCounts.model_fields}
        ),
        rows=tuple(
            ImportedRow(
                row=row.row,
                id=row.city.id if row.city else row.stored.id if row.stored else None,
                state=row.state,
                changes=tuple(row.changes),
            )
            for row in rows
        ),
        errors=tuple(errors),
        ignored_columns=tuple(sheet.ignored),
        wrong_rows=_wrong_rows(sheet, rows) if wrong else None,
    )


def _refuse_rows(errors: Sequence[CellError], wrong: int, of: int) -> InvalidInput:
    detail = f"{wrong} of {of} rows are wrong; nothing was stored. {_told(errors[0])}"
    if len(errors) > _MOST_LISTED:
        detail += f" There are {len(errors)} errors; {_MOST_LISTED} are listed."
    return InvalidRows(
        detail,
        [
            InputError(
                pointer=f"/{error.row}/{error.column}",
                code=error.code,
                message=error.message,
            )
            for error in errors[:_MOST_LISTED]
        ],
    )


def _told(error: CellError) -> str:
    return f"Row {error.row}, {error.column or 'at its end'}: {error.message}"


def _wrong_rows(sheet: Sheet, rows: Sequence[Planned]) -> str:
    """Return the wrong rows as they came, with one more column that says why."""
    keep = [
        at for at, name in enumerate(sheet.header) if _column_name(name) not in _OWN
    ]
    lines: list[list[str]] = [[*(sheet.header[at] for at in keep), "error"]]
    for row in rows:
        if row.errors:
            why = " ".join(
                f"{error.column}: {error.message}" if error.column else error.message
                for error in row.errors
            )
            cells = [row.cells[at] if at < len(row.cells) else "" for at in keep]
            lines.append([*cells, why])
    return table(lines, sheet.delimiter)


def template(delimiter: str = ",") -> str:
    """Return an empty table: the names of the columns, and a line of help for each.

    The line of help begins with `#` and is not read: rows may be written below it.
    """
    helps = [column.help for column in COLUMNS]
    helps[0] = f"{HELP_MARK} {helps[0]}"
    return table([_names(), helps], delimiter)


def template_workbook() -> bytes:
    """Return a workbook with the names of the columns, explained on a second sheet."""
    return _workbook([])


def export_table(rows: Iterable[tables.City], delimiter: str = ",") -> str:
    """Return the cities as a table that can be imported again.

    With a semicolon, numbers have a decimal comma, as spreadsheets that part columns
    by semicolons expect.
    """
    lines = [_names(), *_written(rows)]
    return table(lines, delimiter, decimal_comma=delimiter == ";")


def export_workbook(rows: Iterable[tables.City]) -> bytes:
    """Return the cities as a workbook that can be imported again."""
    return _workbook(_written(rows))


def export_places(rows: Iterable[tables.City]) -> dict[str, Any]:
    """Return the cities as a GeoJSON FeatureCollection (RFC 7946).

    A city whose place is not known has no geometry: null.
    """
    return {
        "type": "FeatureCollection",
        "features": [_feature(profiles.as_city(row)) for row in rows],
    }


def _feature(city: City) -> dict[str, Any]:
    known = city.longitude is not None
    place = {"type": "Point", "coordinates": [city.longitude, city.latitude]}
    elsewhere = ("id", "latitude", "longitude")
    said = {key: value for key, value in city.to_dict().items() if key not in elsewhere}
    return {
        "type": "Feature",
        "id": city.id,
        "geometry": place if known else None,
        "properties": said,
    }


def _names() -> list[Cell]:
    return [column.name for column in COLUMNS]


def _written(rows: Iterable[tables.City]) -> Iterator[list[Cell]]:
    for row in rows:
        city = profiles.as_city(row)
        yield [column.write(city) for column in COLUMNS]


def _workbook(rows: Iterable[list[Cell]]) -> bytes:
    helps: list[list[Cell]] = [[column.name, column.help] for column in COLUMNS]
    return workbook.write(
        {
            "Cities": [_names(), *rows],
            "Columns": [["Column", "What to write"], *helps],
        }
    )
