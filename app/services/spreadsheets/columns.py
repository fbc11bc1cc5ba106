"""The columns of a spreadsheet of cities: what each means, how it is read and written.

Practices have no columns: an import never touches them, and `format=json` exports them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from app import data
from app.services.spreadsheets.cell_values import (
    Cell,
    WrongCell,
    read_area_levels,
    read_country,
    read_language_codes,
    read_number,
    read_roles,
    read_share,
    read_share_definition,
    read_text,
    read_whole_number,
    read_year,
)
from schemas import AREA_IDS, City
from schemas.city import ShareDefinition

_MOST_LETTERS = 5000
"""Of a cell with something else than text: as many as the longest text has."""


@dataclass(frozen=True)
class Column:
    """One column of the sheet.

    Attributes:
        name: As it stands in the first row.
        help: One line for whoever fills it in.
        place: Where in a city its value goes.
        read: Turns a cell that is not blank into JSON, or raises `WrongCell`.
        write: Returns the city's cell; blank where it says nothing.

    """

    name: str
    help: str
    place: tuple[str, ...]
    read: Callable[[str], Any]
    write: Callable[[City], Cell]


def value_of(column: Column, cell: str) -> Any:  # noqa: ANN401 -- JSON
    """Return what a cell says that is not blank, or raise `WrongCell`.

    One that is too long is not looked at; how long a text may be, its field says.
    """
    if column.read is not read_text and len(cell) > _MOST_LETTERS:
        message = f"String should have at most {_MOST_LETTERS} characters"
        raise WrongCell("string_too_long", message)
    return column.read(cell)


def _text(value: object) -> Cell:
    if isinstance(value, int | float):
        return value
    return "" if value is None else str(value)


def _field(name: str) -> Callable[[City], Cell]:
    return lambda city: _text(getattr(city, name))


def _part(whole: str, name: str) -> Callable[[City], Cell]:
    def write(city: City) -> Cell:
        found = getattr(city, whole)
        return "" if found is None else _text(getattr(found, name))

    return write


def _joined(name: str) -> Callable[[City], Cell]:
    return lambda city: ", ".join(getattr(city, name))


def _level(area: str, kind: str) -> Callable[[City], Cell]:
    def write(city: City) -> Cell:
        levels = city.areas.get(area)  # type: ignore[call-overload]
        return "" if levels is None else int(getattr(levels, kind))

    return write


def _own_columns() -> tuple[Column, ...]:
    share = ", ".join(get_args(ShareDefinition))
    return (
        Column(
            "id",
            "Short name in web addresses: a-z 0-9 -. Blank: made of the name.",
            ("id",),
            read_text,
            _field("id"),
        ),
        Column(
            "name",
            "What the city is called. Required.",
            ("name",),
            read_text,
            _field("name"),
        ),
        Column(
            "country",
            "Two-letter code or name, e.g. BE or Belgium. Required.",
            ("country",),
            read_country,
            _field("country"),
        ),
        Column(
            "association",
            "The association of municipalities that supports the city.",
            ("association",),
            read_text,
            _field("association"),
        ),
        Column(
            "population",
            "Inhabitants, e.g. 87000.",
            ("population", "value"),
            read_whole_number,
            _part("population", "value"),
        ),
        Column(
            "population_year",
            "The year of that figure.",
            ("population", "year"),
            read_year,
            _part("population", "year"),
        ),
        Column(
            "population_source",
            "Where that figure comes from.",
            ("population", "source"),
            read_text,
            _part("population", "source"),
        ),
        Column(
            "migrant_share",
            "Share of migrants, e.g. 0.32 or 0,32 or 32%.",
            ("migrant_share", "value"),
            read_share,
            _part("migrant_share", "value"),
        ),
        Column(
            "migrant_share_definition",
            f"Who is counted: {share}.",
            ("migrant_share", "definition"),
            read_share_definition,
            _part("migrant_share", "definition"),
        ),
        Column(
            "migrant_share_year",
            "The year of that share.",
            ("migrant_share", "year"),
            read_year,
            _part("migrant_share", "year"),
        ),
        Column(
            "migrant_share_source",
            "Where that share comes from.",
            ("migrant_share", "source"),
            read_text,
            _part("migrant_share", "source"),
        ),
        Column(
            "latitude",
            "Degrees north, e.g. 51.026.",
            ("latitude",),
            read_number,
            _field("latitude"),
        ),
        Column(
            "longitude",
            "Degrees east, e.g. 4.478.",
            ("longitude",),
            read_number,
            _field("longitude"),
        ),
        Column(
            "languages",
            "Working languages of the team, e.g. nl, fr or Dutch, French.",
            ("languages",),
            read_language_codes,
            _joined("languages"),
        ),
        Column(
            "roles",
            "mentor, learner, or both. Required.",
            ("roles",),
            read_roles,
            _joined("roles"),
        ),
        Column(
            "mentor_capacity",
            "Most learners it takes. Blank: 1 for a mentor.",
            ("mentor_capacity",),
            read_whole_number,
            _field("mentor_capacity"),
        ),
        Column(
            "learner_demand",
            "Mentors it wants. Blank: 1 for a learner.",
            ("learner_demand",),
            read_whole_number,
            _field("learner_demand"),
        ),
        Column(
            "needs_text",
            "What it hopes to learn, in its own words.",
            ("needs_text",),
            read_text,
            _field("needs_text"),
        ),
    )


def _area_columns() -> tuple[Column, ...]:
    names = {area.id: area.labels.en for area in data.policy_areas().items}
    columns = []
    for area in AREA_IDS:
        for kind, help_text in (
            ("need", "Help needed in {}: 0 none to 4 very much."),
            ("strength", "Strength in {}: 0 none to 4 very strong."),
        ):
            columns.append(
                Column(
                    f"{kind}_{area}",
                    help_text.format(names[area].lower()),
                    ("areas", area, kind),
                    read_whole_number,
                    _level(area, kind),
                )
            )
    return tuple(columns)


COLUMNS: tuple[Column, ...] = (*_own_columns(), *_area_columns())
"""Every column of the template and of an export, in their order."""
SHORT: tuple[Column, ...] = tuple(
    Column(
        f"{kind}s",
        "Areas with levels in one cell, e.g. housing 3; education 4.",
        ("areas", "", kind),
        read_area_levels,
        lambda _city: "",
    )
    for kind in ("need", "strength")
)
"""Columns that are read but not written: all areas of one side in one cell."""
BY_NAME = {column.name: column for column in (*COLUMNS, *SHORT)}
"""Every column that is read."""
