"""Workbooks (.xlsx, ISO/IEC 29500), in and out: cells as text, and text as cells."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from xml.sax import ContentHandler, SAXParseException

import defusedxml.sax
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from app.errors import InvalidFile
from app.services.spreadsheets.cell_values import Cell, WrongCell
from app.storable import UNSTORABLE, is_storable

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_BYTES = 10 * 2**20
_MOST_UNPACKED = 64 * 2**20
_MOST_PARTS = 1000
_MOST_ROWS = 2**20
"""As many as a sheet of Excel has."""
_MOST_CELLS = 10_000_000
"""Empty ones included, as far as the last one of each row."""
MOST_COLUMNS = 256
_MOST_SHALLOW = 1_000_000
_MOST_DEEP = 20_000
_MOST_AT_ONCE = 200_000
_STREAMED = {"worksheet", "sst"}
"""Roots of the parts that openpyxl reads bit by bit; it holds the others whole."""
_ROW_DEPTH = 3
_MEASURED = 200
"""Rows that decide how wide a column is."""
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_RUNS_AS_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Line:
    """A row that is not empty."""

    number: int
    """As the spreadsheet counts."""
    cells: list[str]
    wrong: Mapping[int, WrongCell]
    """By position: what is wrong with cells that hold no value, e.g. a formula."""


def is_workbook(content: bytes) -> bool:
    """Tell whether the file is a workbook, or something packed like one."""
    return content.startswith((_ZIP, _OLE))


def visible_sheets(content: bytes) -> Iterator[Iterator[Line]]:
    """Yield the sheets that are not hidden, each as its rows that hold something.

    Raises:
        InvalidFile: If the file is no workbook, is damaged, or would take much memory.

    """
    if content.startswith(_OLE):
        raise InvalidFile(
            "The workbook is of an old kind (.xls) or has a password: save it as .xlsx "
            "without one."
        )
    if _OPEN_DOCUMENT in content[:200]:
        raise InvalidFile("The file is an OpenDocument sheet: save it as .xlsx.")
    with _refused_if_damaged():
        _check_size(content)
        opened = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheets = [one for one in opened.worksheets if one.sheet_state == "visible"]
    for sheet in sheets:
        yield _lines(sheet)


@contextmanager
def _refused_if_damaged() -> Iterator[None]:
    """Raise `InvalidFile` for whatever goes wrong within the block."""
    try:
        yield
    except InvalidFile:
        raise
    # openpyxl promises nothing about what it raises on a damaged file.
    except Exception as error:
        raise InvalidFile(
            "The file is no workbook that can be read: save it as .xlsx or CSV again."
        ) from error


def _check_size(content: bytes) -> None:
    """Refuse a workbook that would grow on being read, before it does."""
    if len(content) > MOST_BYTES:
        raise InvalidFile(f"The file has more than {MOST_BYTES} bytes: send less.")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        unpacked = sum(part.file_size for part in parts)
        if len(parts) > _MOST_PARTS or unpacked > _MOST_UNPACKED:
            raise InvalidFile(
                f"The workbook has {len(parts)} parts with {unpacked} bytes unpacked: "
                f"{_MOST_PARTS} and {_MOST_UNPACKED} are the most. Save it as CSV."
            )
        for part in parts:
            with packed.open(part) as stream:
                try:
                    defusedxml.sax.parse(stream, _ElementCounter(), forbid_dtd=True)
                except SAXParseException:
                    continue  # a picture, say; it is read no further than to here


class _ElementCounter(ContentHandler):
    """Counts the elements that stand in memory at one time while a part is read."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._shallow = self._deep = 0
        self._streamed = False

    def startElement(self, name: str, attrs: Mapping[str, str]) -> None:  # type: ignore[override]  # noqa: N802 -- its stub has a type of its own
        """Count it, and what it carries."""
        self._depth += 1
        if self._depth == 1:
            self._streamed = name.rpartition(":")[2] in _STREAMED
        if self._streamed and self._depth <= _ROW_DEPTH:
            self._shallow += 1
            self._deep = 0
        else:
            self._deep += 1 + len(attrs)
        most = _MOST_DEEP if self._streamed else _MOST_AT_ONCE
        if self._deep > most or self._shallow > _MOST_SHALLOW:
            raise InvalidFile("The workbook holds too much: save its sheet as CSV.")

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 -- as SAX calls it
        """Step out of it."""
        self._depth -= 1


def _lines(sheet: Any) -> Iterator[Line]:  # noqa: ANN401 -- openpyxl names no type
    with _refused_if_damaged():
        sheet.reset_dimensions()  # what a sheet says of its own size may be wrong
        cells_read = 0
        rows = sheet.iter_rows(max_row=_MOST_ROWS)
        for number, row in enumerate(rows, start=1):
            cells_read += len(row)
            if cells_read > _MOST_CELLS:
                raise InvalidFile(
                    "The sheet is too large: delete its empty rows and columns."
                )
            line = _line(number, row)
            if any(cell.strip() for cell in line.cells):
                yield line


def too_wide(number: int) -> InvalidFile:
    """Return the refusal of a row with more columns than are read."""
    return InvalidFile(
        f"Row {number} goes on after {MOST_COLUMNS} columns: delete what is there."
    )


def _line(number: int, row: Sequence[Any]) -> Line:
    cells: list[str] = []
    wrong: dict[int, WrongCell] = {}
    for at, cell in enumerate(row):
        if cell.value is None:
            continue
        if at >= MOST_COLUMNS:
            raise too_wide(number)
        cells += [""] * (at - len(cells))
        cells.append(_text(cell.value))
        if not is_storable(cells[-1]):
            cells[-1] = cells[-1].replace("\0", "\ufffd")
            wrong[at] = WrongCell("unstorable_text", UNSTORABLE)
        if cell.data_type in _UNREAD:
            wrong[at] = WrongCell(*_UNREAD[cell.data_type])
    return Line(number, cells, wrong)


_UNREAD = {
    "f": (
        "formula",
        "The cell holds a formula: copy it, and paste its value (Paste special).",
    ),
    "e": ("error_value", "The cell holds an error of the spreadsheet: mend it."),
}
"""Kinds of cells, in openpyxl's words, whose text nobody wrote."""


def _text(value: Any) -> str:  # noqa: ANN401 -- whatever a cell holds
    match value:
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 -- what a double holds exactly
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case str():
            return _unescaped(value)
        case _:
            return str(getattr(value, "text", value))  # an array formula has a text


def _unescaped(text: str) -> str:
    r"""Return a text without the marks that stand for what XML cannot hold.

    >>> _unescaped("a_x000D_b_x005F_x000D_")
    'a\rb_x000D_'

    """
    found = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)
    # Half a pair of surrogates is no text.
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write(sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> bytes:
    """Return a workbook of these sheets; the first row of each stays in sight.

    Texts are texts, also those that look like a formula.
    """
    book = Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        head, *rest = rows
        for at in range(len(head)):
            width = max(len(str(row[at])) for row in (head, *rest[:_MEASURED]))
            sheet.column_dimensions[get_column_letter(at + 1)].width = (
                min(width, 60) + 2
            )
        sheet.append([_cell(sheet, name, font=Font(bold=True)) for name in head])
        for row in rest:
            sheet.append([_cell(sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, value: Cell, font: Font | None = None) -> SheetCell | None:  # noqa: ANN401
    if value == "":
        return None
    if not isinstance(value, str):
        return WriteOnlyCell(sheet, value)
    cell = WriteOnlyCell(sheet, _ESCAPED.sub(r"_x005F_x\1_", value))
    cell.data_type = "s"  # openpyxl takes what begins with = for a formula
    if value.startswith(_RUNS_AS_FORMULA):
        cell.quotePrefix = True  # or Excel does, as soon as somebody edits the cell
    if font is not None:
        cell.font = font
    return cell
