"""Importing a table of cities: what became of each row."""

from typing import Literal

from schemas._wire import Wire


class CellError(Wire):
    """What is wrong with one cell."""

    row: int
    """As the spreadsheet counts: the row of column names is 1."""
    column: str
    value: str
    code: str
    message: str
    suggestion: str | None
    """What was probably meant."""


class ImportCounts(Wire):
    """How many rows became what."""

    new: int
    changed: int
    same: int
    wrong: int


class ImportedRow(Wire):
    """What became of a row, or would become of it."""

    row: int
    id: str | None
    """Null where the row does not say which city it is."""
    state: Literal["new", "changed", "same", "wrong"]
    changes: tuple[str, ...]
    """The fields that change."""


class ImportReport(Wire):
    """What an import did, or would do."""

    dry_run: bool
    encoding: str
    """Of the text, as Python calls it; `xlsx` for a workbook."""
    delimiter: str
    """What parts the columns, in `wrong_rows` too."""
    counts: ImportCounts
    rows: tuple[ImportedRow, ...]
    errors: tuple[CellError, ...]
    ignored_columns: tuple[str, ...]
    """Columns that no field of a city is called like; they were not read."""
    wrong_rows: str | None
    """The wrong rows as CSV, with one more column that says what is wrong."""
