"""Tables for spreadsheets; safe to open, whatever a city is called."""

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from defusedcsv import csv

# What `defusedcsv` marks with an apostrophe, and what stands marked already: one more
# apostrophe keeps the two apart, so that reading takes exactly one away again. A tab or
# a line break before it does not help either (OWASP, CSV injection).
_MARKED = re.compile(r"'+(?:[@+\-=|%\t\r\n]|\\\|)|[\t\r\n]")


def safe(value: Any) -> Any:  # noqa: ANN401 -- a cell
    """Return a cell that no spreadsheet runs as a formula; see `unsafe`."""
    if isinstance(value, str) and _MARKED.match(value):
        return f"'{value}"
    return value


def unsafe(cell: str) -> str:
    """Return what a cell said before it was made safe.

    >>> unsafe("'=SUM(A1)"), unsafe("'s-Hertogenbosch")
    ('=SUM(A1)', "'s-Hertogenbosch")

    """
    if not (cell.startswith("'") and _MARKED.match(cell)):
        return cell
    cell = cell[1:]
    # `defusedcsv` also puts a backslash before each bar, but only where it marks.
    return cell.replace("\\|", "|") if cell[:1] in "@+-=|%\\" else cell


def table(
    rows: Iterable[Sequence[Any]], delimiter: str = ",", *, decimal_comma: bool = False
) -> str:
    """Return the rows as CSV: RFC 4180, every cell safe to open."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    for row in rows:
        cells = [safe(cell) for cell in row]
        if decimal_comma:
            cells = [
                f"{cell!r}".replace(".", ",") if isinstance(cell, float) else cell
                for cell in cells
            ]
        writer.writerow(cells)
    return text.getvalue()
