"""A city as the cells of a row: read from them, and written as them."""

from collections.abc import Mapping
from math import isclose
from typing import Any

from pydantic import ValidationError

from app.db import tables
from app.services.cities import profiles
from app.services.shared.names import slug
from app.services.spreadsheets.cell_values import Cell, WrongCell
from app.services.spreadsheets.columns import BY_NAME, COLUMNS, Column, value_of
from schemas import CellError, City, CityWrite, input_errors

_DIGITS = 1e-14
"""How near numbers are that agree in the 15 digits that a spreadsheet keeps."""


def plain(cell: str) -> str:
    """Return the text of a cell or a form field as we keep it.

    Without what programs put around it, and with one kind of line break.
    """
    text = cell.replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def cell_error(  # noqa: PLR0913 -- what an error says
    row: int,
    column: str,
    value: str,
    code: str,
    message: str,
    suggestion: str | None = None,
) -> CellError:
    """Return what is wrong with a cell, as a report lists it."""
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
        stored: The city as it is stored; None: it is new.
        city_id: The city's id.
        row: Its number, for the errors.

    """
    stored_city = profiles.as_city(stored) if stored else None
    before = stored_city.to_dict() if stored_city else {}
    fields: dict[str, Any] = {
        **before,
        "id": city_id,
        "areas": {
            area: dict(levels) for area, levels in before.get("areas", {}).items()
        },
    }
    errors: list[CellError] = []
    for name, cell in cells.items():
        if stored_city and _is_as_exported(BY_NAME[name].write(stored_city), cell):
            continue  # it was exported, and nobody has changed it
        try:
            _put(fields, BY_NAME[name], cell)
        except WrongCell as error:
            errors.append(
                cell_error(row, name, cell, error.code, error.message, error.suggestion)
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
        for fault in input_errors(error.errors()):
            column = _column_at(fault.pointer, cells)
            value = cells.get(column, "")
            errors.append(cell_error(row, column, value, fault.code, fault.message))
        return None, errors
    return City(**city.to_dict()), []


def _is_as_exported(written: Cell, cell: str) -> bool:
    """Tell whether a cell holds what an export writes."""
    if isinstance(written, float):
        try:
            return isclose(float(cell.replace(",", ".")), written, rel_tol=_DIGITS)
        except ValueError:
            return False
    return plain(str(written)) == cell


def _put(fields: dict[str, Any], column: Column, cell: str) -> None:
    """Put the value of a cell into the fields; a blank cell removes what is there."""
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
    """Return the name of the column that a JSON pointer into a city leads to."""
    steps = [step for step in pointer.split("/") if step]
    if steps[:1] == ["areas"]:
        area, kind = [*steps[1:], "", ""][:2]
        return f"{kind}_{area}" if f"{kind}_{area}" in cells else "areas"
    for size in (2, 1):
        for column in COLUMNS:
            if list(column.place[:size]) == steps[:size] and len(column.place) <= 2:  # noqa: PLR2004 -- not an area
                return column.name
    return "/".join(steps)
