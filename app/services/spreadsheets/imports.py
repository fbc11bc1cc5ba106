"""Importing cities from a table that people keep in a spreadsheet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import Forbidden, InvalidInput, InvalidRows
from app.permissions import Actor, may_organise
from app.services.cities import profiles
from app.services.shared.changes import changed_fields
from app.services.shared.csv_cells import table
from app.services.spreadsheets import workbook
from app.services.spreadsheets.city_row import cell_error, filled, id_of, plain
from app.services.spreadsheets.city_sheet import (
    MOST_LISTED,
    OWN_COLUMNS,
    Sheet,
    column_name,
    read,
)
from schemas import CellError, City, ImportCounts, ImportedRow, ImportReport, InputError

_AT_ONCE = 500
"""Cities that one query asks for."""
_TOO_MANY_CELLS = (
    (
        "The row has more cells than the first one: is a comma in a cell that is not "
        "in quotation marks?"
    ),
    "This stands in a column without a name: name the column, or delete the cell.",
)
"""What is wrong with the row of a CSV, and of a workbook."""


@dataclass
class Planned:
    """What the import will do with one row."""

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


def plan(session: Session, sheet: Sheet, *, lock: bool = False) -> list[Planned]:
    """Return what the import will do with each row; nothing is changed.

    Args:
        session: Where the cities are.
        sheet: The file.
        lock: Whether to lock the cities that it names for this transaction.

    """
    cells_by_row = [_cells(sheet, line) for line in sheet.rows]
    ids = [id_of(cells) for cells in cells_by_row]
    stored = _stored(session, ids, lock=lock)
    first_row_of: dict[str, int] = {}
    planned = []
    for line, cells, city_id in zip(sheet.rows, cells_by_row, ids, strict=True):
        number = line.number
        row = Planned(number, line.cells, stored=stored.get(city_id))
        if len(line.cells) > len(sheet.header):
            message = _TOO_MANY_CELLS[sheet.encoding == "xlsx"]
            more = line.cells[len(sheet.header)]
            row.errors.append(cell_error(number, "", more, "too_many_cells", message))
        elif city_id in first_row_of:
            message = (
                f"Row {first_row_of[city_id]} is the same city: keep one of the two."
            )
            row.errors.append(cell_error(number, "id", city_id, "duplicate", message))
        else:
            unread = _unread_cells(sheet, line)
            row.city, errors = filled(cells, row.stored, city_id, number)
            unread_columns = {error.column for error in unread}
            row.errors = unread + [
                one for one in errors if one.column not in unread_columns
            ]
            if row.city and row.stored and not row.errors:
                before = profiles.as_city(row.stored).to_dict()
                row.changes = changed_fields(before, row.city.to_dict())
        if city_id:
            first_row_of.setdefault(city_id, number)
        planned.append(row)
    return planned


def _cells(sheet: Sheet, line: workbook.Line) -> dict[str, str]:
    """Return the cells by column, without what a spreadsheet puts around them."""
    return {
        column.name: plain(line.cells[at])
        for at, column in sheet.columns.items()
        if at < len(line.cells) and at not in line.wrong
    }


def _unread_cells(sheet: Sheet, line: workbook.Line) -> list[CellError]:
    """Return the errors of cells that hold a formula or the like, and no value."""
    return [
        cell_error(
            line.number,
            sheet.columns[at].name,
            line.cells[at],
            error.code,
            error.message,
        )
        for at, error in line.wrong.items()
        if at in sheet.columns
    ]


def _stored(
    session: Session, ids: Iterable[str], *, lock: bool
) -> dict[str, tables.City]:
    """Return the stored cities with these ids, by id."""
    wanted = sorted(set(ids))  # locked in one order, or two imports wait for each other
    found: dict[str, tables.City] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        query = (
            select(tables.City)
            .where(tables.City.id.in_(wanted[at : at + _AT_ONCE]))
            .order_by(tables.City.id)
            .options(*profiles.WHOLE)
        )
        rows = session.scalars(query.with_for_update() if lock else query)
        found |= {row.id: row for row in rows}
    return found


def bring_in(
    session: Session,
    actor: Actor,
    content: bytes,
    *,
    dry_run: bool = False,
    all_or_nothing: bool = False,
) -> ImportReport:
    """Register and change the cities that the file describes.

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
            raise _rows_refusal(errors, wrong, len(rows))
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


def _rows_refusal(errors: Sequence[CellError], wrong: int, of: int) -> InvalidInput:
    """Return the refusal of a file because of its wrong rows."""
    detail = (
        f"{wrong} of {of} rows are wrong; nothing was stored. {_sentence(errors[0])}"
    )
    if len(errors) > MOST_LISTED:
        detail += f" There are {len(errors)} errors; {MOST_LISTED} are listed."
    return InvalidRows(
        detail,
        [
            InputError(
                pointer=f"/{error.row}/{error.column}",
                code=error.code,
                message=error.message,
            )
            for error in errors[:MOST_LISTED]
        ],
    )


def _sentence(error: CellError) -> str:
    return f"Row {error.row}, {error.column or 'at its end'}: {error.message}"


def _wrong_rows(sheet: Sheet, rows: Sequence[Planned]) -> str:
    """Return the wrong rows as they came, with one more column that says why."""
    kept_positions = [
        at
        for at, name in enumerate(sheet.header)
        if column_name(name) not in OWN_COLUMNS
    ]
    lines: list[list[str]] = [[*(sheet.header[at] for at in kept_positions), "error"]]
    for row in rows:
        if row.errors:
            why = " ".join(
                f"{error.column}: {error.message}" if error.column else error.message
                for error in row.errors
            )
            cells = [
                row.cells[at] if at < len(row.cells) else "" for at in kept_positions
            ]
            lines.append([*cells, why])
    return table(lines, sheet.delimiter)
