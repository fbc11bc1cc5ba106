"""Writing cities as files for a spreadsheet or a map, and empty files to fill in."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.db import tables
from app.services.cities import profiles
from app.services.shared.csv_cells import table
from app.services.spreadsheets import workbook
from app.services.spreadsheets.cell_values import Cell
from app.services.spreadsheets.city_sheet import HELP_MARK
from app.services.spreadsheets.columns import COLUMNS
from schemas import City


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
    lines = [_names(), *_city_rows(rows)]
    return table(lines, delimiter, decimal_comma=delimiter == ";")


def export_workbook(rows: Iterable[tables.City]) -> bytes:
    """Return the cities as a workbook that can be imported again."""
    return _workbook(_city_rows(rows))


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
    properties = {
        key: value for key, value in city.to_dict().items() if key not in elsewhere
    }
    return {
        "type": "Feature",
        "id": city.id,
        "geometry": place if known else None,
        "properties": properties,
    }


def _names() -> list[Cell]:
    return [column.name for column in COLUMNS]


def _city_rows(rows: Iterable[tables.City]) -> Iterator[list[Cell]]:
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
