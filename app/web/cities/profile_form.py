"""The fields of a city's profile: as they are shown, as they are read, what is wrong.

A field shows what is stored as people of the reader's language write it. What is sent
as it was shown changes nothing; all else is read as a cell of a spreadsheet would be.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from babel.numbers import format_decimal
from starlette.datastructures import FormData

from app.services.cities import profiles
from app.services.cities.completeness import NOTHING_TOLD, Task, told_areas
from app.services.shared.rows import CityRow
from app.services.spreadsheets import city_row
from app.services.spreadsheets.cell_values import WrongCell
from app.services.spreadsheets.columns import COLUMNS
from app.texts.catalogue import here, message
from app.web.forms import field_text
from schemas import AREA_IDS, CellError, City, Place

LANGUAGES = (
    *("en", "fr", "nl", "de", "es", "it", "pt", "pl", "ro", "el", "cs", "hu", "sv"),
    *("bg", "da", "fi", "sk", "hr", "sl", "lt", "lv", "et", "mt", "ga", "uk", "ar"),
)
"""Languages to tick; others are written."""
AREA_COLUMNS = tuple(
    f"{kind}_{area}" for area in AREA_IDS for kind in ("need", "strength")
)
_FIRST = tuple(
    f"{kind}_{area}" for area in NOTHING_TOLD for kind in ("need", "strength")
)
"""The columns that say that nothing has been told yet."""
FIELDS: Mapping[Task, tuple[str, ...]] = {
    "place": (
        *("name", "country", "association", "latitude", "longitude"),
        *("population", "population_year", "population_source", "migrant_share"),
        *("migrant_share_definition", "migrant_share_year", "migrant_share_source"),
    ),
    "languages": ("languages",),
    "role": ("roles", "mentor_capacity", "learner_demand"),
    "areas": AREA_COLUMNS,
    "words": ("needs_text",),
}
"""The columns of the sheet that each form fills in."""
LABELS: Mapping[str, str] = {
    "name": message("Name"),
    "country": message("Country"),
    "association": message("Association"),
    "latitude": message("Degrees north"),
    "longitude": message("Degrees east"),
    "population": message("Inhabitants"),
    "population_year": message("Year of the figure"),
    "population_source": message("Source of the figure"),
    "migrant_share": message("Share of migrants, in percent"),
    "migrant_share_definition": message("Who is counted"),
    "migrant_share_year": message("Year of the share"),
    "migrant_share_source": message("Source of the share"),
    "languages": message("Working languages"),
    "roles": message("My city wants to be"),
    "mentor_capacity": message("Most learners it takes"),
    "learner_demand": message("Mentors it wants"),
    "needs_text": message("In your own words"),
}
_WRONG: Mapping[str, str] = {
    "name": message("Name: write what the city is called, in at most 200 letters."),
    "country": message("Country: choose one from the list."),
    "association": message("Association: at most 200 letters, on one line."),
    "latitude": message("Degrees north: a number from −90 to 90, like {degrees}."),
    "longitude": message("Degrees east: a number from −180 to 180, like {degrees}."),
    "population": message("Inhabitants: a whole number, like {people}."),
    "population_year": message("Year of the figure: four digits, like 2024."),
    "population_source": message("Source of the figure: at most 5,000 letters."),
    "migrant_share": message("Share of migrants: from 0 to 100, like {share}."),
    "migrant_share_definition": message(
        "Who is counted: choose one. Shares are compared only where the same people "
        "are counted."
    ),
    "migrant_share_year": message("Year of the share: four digits, like 2024."),
    "migrant_share_source": message("Source of the share: at most 5,000 letters."),
    "roles": message("Role: tick mentor, learner or both."),
    "mentor_capacity": message("Most learners it takes: a number from 0 to 10,000."),
    "learner_demand": message("Mentors it wants: a number from 0 to 10,000."),
    "needs_text": message("In your own words: at most 5,000 letters."),
}
_HALF = {
    "latitude": message("Degrees north: fill in both numbers, or none."),
    "longitude": message("Degrees east: fill in both numbers, or none."),
}
_NO_ROLE = ","
"""How a list of nothing is written: a city without a role, not one that says none."""
_BY_NAME = {column.name: column for column in COLUMNS}


@dataclass(frozen=True)
class Filled:
    """A form as it is shown.

    Attributes:
        cells: What stands in its fields, by column.
        wrong: What is to be mended, by column.
        differs: What others have changed meanwhile, by column: as it stands there now.
        seen: Which state of the city's fields the form was filled in from.

    """

    cells: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, str] = field(default_factory=dict)
    seen: str = ""


def decimal(value: float) -> str:
    """Return the number as it is written in a field: no digit less, no grouping."""
    return str(format_decimal(value, "0.##############", locale=here().locale))


def shown(city: City) -> dict[str, str]:
    """Return what stands in the fields of a stored city, by column."""
    cells = city_row.cells_of(city)
    if city.population:
        cells["population"] = here().number(city.population.value)
    if city.migrant_share:
        cells["migrant_share"] = decimal(city.migrant_share.value * 100)
    for name in ("latitude", "longitude"):
        value = getattr(city, name)
        cells[name] = "" if value is None else decimal(value)
    for places, role in profiles.PLACES:
        if role not in city.roles:
            cells[places] = ""
    if not told_areas(city):
        cells |= dict.fromkeys(AREA_COLUMNS, "")
    return cells


def suggested(place: Place, name: str) -> dict[str, str]:
    """Return what a place of GeoNames puts into the fields.

    Args:
        place: What was chosen.
        name: What the city is to be called.

    """
    people = place.population
    return {
        "name": name,
        "country": place.country,
        "latitude": decimal(place.latitude),
        "longitude": decimal(place.longitude),
        "population": here().number(people.value) if people else "",
        "population_source": people.source or "" if people else "",
    }


def typed(form: FormData, columns: Collection[str]) -> dict[str, str]:
    """Return what stands in the fields of a form, by column."""
    cells = {name: field_text(form, name) for name in columns}
    if "languages" in cells:
        cells["languages"] = _languages(form)
    if "roles" in cells:
        cells["roles"] = ", ".join(str(one) for one in form.getlist("roles"))
        for places, role in profiles.PLACES:
            if role not in cells["roles"]:
                cells[places] = ""
    for area in AREA_IDS:
        pair = (f"need_{area}", f"strength_{area}")
        is_told = any(cells.get(one, "") not in {"", "0"} for one in pair)
        if pair[0] in cells and field_text(form, f"none_{area}") and not is_told:
            cells |= dict.fromkeys(pair, "0")
    return cells


def _languages(form: FormData) -> str:
    """Return the languages that are ticked and those that are written, each once."""
    ticked = [str(one) for one in form.getlist("languages")]
    written = field_text(form, "other_languages")
    try:
        more = _BY_NAME["languages"].read(written) if written else []
    except WrongCell:
        more = [written]  # it is told what is wrong when all is read
    return ", ".join(dict.fromkeys([*ticked, *more]))


def read(
    cells: Mapping[str, str], row: CityRow | None, city_id: str
) -> tuple[City | None, dict[str, str]]:
    """Return the city that the fields describe, or what is wrong, by column.

    Args:
        cells: What stands in the fields; what has no field stays as it is stored.
        row: The stored city, if there is one.
        city_id: Its id.

    """
    there = profiles.as_city(row) if row else None
    before = shown(there) if there else {}
    meant = {
        name: _meant(name, cell, before)
        for name, cell in cells.items()
        if name not in before or cell != before[name]
    }
    if "roles" in meant:  # a role that comes or goes brings its places, or takes them
        meant |= {name: cells.get(name, "") for name, _ in profiles.PLACES}
    if row is None:
        meant = {"roles": _NO_ROLE} | meant
    levels = {name: cells.get(name, before.get(name, "")) for name in AREA_COLUMNS}
    if not any(levels.values()):
        meant |= dict.fromkeys(_FIRST, "0")
    elif there and not told_areas(there):
        meant |= {name: cells.get(name, "") for name in _FIRST}
    city, errors = city_row.filled(meant, row, city_id)
    if errors:  # what can be read may be wrong too: all is told at once
        unread = {error.column for error in errors}
        readable = {k: v for k, v in meant.items() if k not in unread}
        more = city_row.filled(readable, row, city_id)[1]
        errors += [one for one in more if one.column not in unread]
    return city, {_field(one): _told(one) for one in reversed(errors)}


def _meant(name: str, cell: str, before: Mapping[str, str]) -> str:
    """Return what was typed as a cell of the sheet."""
    if name == "migrant_share" and cell and not cell.endswith("%"):
        return f"{cell}%"
    if name == "roles" and not cell:
        return _NO_ROLE
    if name in {"languages", "roles"}:  # as they were, then the new ones
        known = before.get(name, "").split(", ")
        order = {code: at for at, code in enumerate(known)}
        codes = cell.split(", ")
        return ", ".join(sorted(codes, key=lambda one: order.get(one, len(order))))
    return cell


def _field(error: CellError) -> str:
    return "name" if error.column == "id" else error.column


def _told(error: CellError) -> str:
    """Return what to do about a wrong field."""
    if error.column == "languages":
        return _told_of_languages(error)
    if error.column in AREA_COLUMNS:
        return here().say("Needs and strengths: choose one of the levels.")
    if error.code == "half_a_place":
        return here().say(_HALF[error.column])
    text = _WRONG.get(_field(error))
    return here().say(text, **_examples()) if text else error.message


def _told_of_languages(error: CellError) -> str:
    if error.suggestion is None:
        text = "Working languages: write their names, with commas between."
        return here().say(text)
    return here().say(
        "Working languages: there is one that we do not know. Did you mean {name}?",
        name=here().language(error.suggestion),
    )


def _examples() -> dict[str, str]:
    return {
        "people": here().number(87_000),
        "share": here().number(33.5, 1),
        "degrees": here().number(51.03, 2),
    }


def seen(row: CityRow | None, columns: Sequence[str]) -> str:
    """Return a mark of what is stored in these columns: another one, other contents."""
    if row is None:
        return ""
    cells = city_row.cells_of(profiles.as_city(row))
    told = repr([cells[name] for name in columns])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def differences(cells: Mapping[str, str], row: CityRow) -> dict[str, str]:
    """Return what is stored otherwise than it was typed, by column, for people."""
    now = shown(profiles.as_city(row))
    return {
        name: spelt(name, now[name])
        for name, cell in cells.items()
        if cell != now[name]
    }


def spelt(name: str, cell: str) -> str:
    """Return what stands in a column in words."""
    if not cell:
        return here().say("nothing")
    if name == "country":
        return here().country(cell)
    if name == "languages":
        return here().languages(cell.split(", "))
    return cell


def label(name: str) -> str:
    """Return what a field is called."""
    if name in LABELS:
        return here().say(LABELS[name])
    kind, _, area = name.partition("_")
    area_name = here().area_names()[area]
    if kind == "need":
        return here().say("{area}: we need help", area=area_name)
    return here().say("{area}: we can help", area=area_name)
