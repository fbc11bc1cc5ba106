"""Tables for spreadsheets; safe to open, whatever a city is called."""

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from defusedcsv import csv

from app.services.runs import Outcome
from schemas import Criterion

# What `defusedcsv` marks with an apostrophe, and what stands marked already: one more
# apostrophe keeps the two apart, so that reading takes exactly one away again. A tab or
# a line break before it does not help either (OWASP, CSV injection).
_MARKED = re.compile(r"'+[@+\-=|%\t\r\n]|[\t\r\n]")


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
    if re.match(r"'+[@+\-=|%\t\r\n]", cell):
        cell = cell[1:]
        return cell.replace("\\|", "|") if cell[:1] in "@+-=|%" else cell
    return cell


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


_CRITERIA: tuple[str, ...] = get_args(Criterion)
_HEAD = (
    "learner_id",
    "learner",
    "mentor_id",
    "mentor",
    "score",
    "known_weight",
    "pinned",
    *(f"points_{criterion}" for criterion in _CRITERIA),
    "unmatched_role",
    "missing_places",
    "reasons",
)


def solution_csv(found: Outcome) -> str:
    """Return a row for each pairing, then one for each city that is left out."""
    names = {city.id: city.name for city in found.problem.cities}
    rows: list[Sequence[Any]] = [_HEAD]
    for pair in found.solution.pairings:
        points = {part.criterion: part.points for part in pair.contributions}
        rows.append(
            (
                pair.learner,
                names[pair.learner],
                pair.mentor,
                names[pair.mentor],
                pair.score,
                pair.known_weight,
                "yes" if pair.pinned else "no",
                *(points.get(criterion, "") for criterion in _CRITERIA),  # type: ignore[call-overload]
                "",
                "",
                "",
            )
        )
    for left in found.solution.unmatched:
        city = (left.city, names[left.city])
        sides = (*city, "", "") if left.role == "learner" else ("", "", *city)
        reasons = "; ".join(f"{why.code} ({why.partners})" for why in left.reasons)
        blank = [""] * (3 + len(_CRITERIA))
        rows.append((*sides, *blank, left.role, left.missing, reasons))
    return table(rows)
