"""What a cell of a spreadsheet says: countries, languages, roles, numbers, levels."""

import difflib
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import get_args

from babel import Locale

from app import data
from app.services.shared.names import search_key
from schemas import AREA_IDS, Role
from schemas.city import ShareDefinition

Cell = str | int | float
_MOST_QUOTED = 100
"""Letters of a cell that a message repeats."""
_AROUND_NAMES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + ":="
"""What stands between the name of a policy area, its level and the next one."""
_LOCALES = (
    *("en", "fr", "nl", "bg", "cs", "da", "de", "el", "es", "et", "fi", "ga", "hr"),
    *("hu", "it", "lt", "lv", "mt", "pl", "pt", "ro", "sk", "sl", "sv"),
)
"""The EU's languages: countries and languages may be written in any of them."""


class WrongCell(ValueError):
    """A cell cannot be read: code, what to do, and what was probably meant."""

    def __init__(self, code: str, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.suggestion = suggestion


def _closest(typed: str, known: Mapping[str, str]) -> str | None:
    """Return the value whose name is closest to what was typed, accents aside."""
    plain = {search_key(name): value for name, value in known.items()}
    found = difflib.get_close_matches(search_key(typed), plain, n=1, cutoff=0.7)
    return plain[found[0]] if found else None


def _quoted(cell: str) -> str:
    """Return a cell as a message repeats it: in quotation marks, and not all of it."""
    return repr(cell if len(cell) <= _MOST_QUOTED else f"{cell[:_MOST_QUOTED]}…")


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _hint(suggestion: str | None) -> str:
    return f" Did you mean {suggestion}?" if suggestion else ""


_NO_COUNTRY = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}
"""Two letters that do not stand for a country."""


def _translated(locale: str, what: str) -> dict[str, str]:
    """Return what each code is called in a language, from Unicode's CLDR."""
    known = getattr(Locale(locale), what)
    return {str(code): str(name) for code, name in known.items()}


def _by_name(what: str, is_case: Callable[[str], bool]) -> dict[str, str]:
    """Return the code of each thing by its code and its names, in small letters."""
    codes = {
        code
        for code in _translated("en", what)
        if len(code) == len("EU") and code.isalpha() and is_case(code)
        if code not in _NO_COUNTRY
    }
    names = {_key(code): code for code in sorted(codes)}
    for locale in reversed(_LOCALES):  # where two languages differ, the first one holds
        names |= {
            _key(name): code
            for code, name in _translated(locale, what).items()
            if code in codes
        }
    return names


@cache
def _countries() -> dict[str, str]:
    # The last two are Eurostat's own codes.
    return _by_name("territories", str.isupper) | {"el": "GR", "uk": "GB"}


@cache
def _languages() -> dict[str, str]:
    return _by_name("languages", str.islower)


def _reader_of(known: dict[str, str], code: str, what: str) -> Callable[[str], str]:
    """Return what reads a name of `known`, and raises `WrongCell` with the code."""

    def read(cell: str) -> str:
        found = known.get(_key(cell))
        if found is None:
            near = _closest(cell, known)
            raise WrongCell(
                code, f"{_quoted(cell)} is no {what} that we know.{_hint(near)}", near
            )
        return found

    return read


def read_country(cell: str) -> str:
    """Return the code of the country that a cell names in any language of the EU."""
    found = _countries().get(_key(cell))
    if found is None:
        near = _closest(cell, _countries())
        shown = f"{_translated('en', 'territories')[near]} ({near})" if near else None
        raise WrongCell(
            "unknown_country",
            f"{_quoted(cell)} is no country: write its code or its name.{_hint(shown)}",
            near,
        )
    return found


def _parts(cell: str) -> list[str]:
    return [part for part in re.split(r"[,;/|+]|\s{2,}|\n", cell) if part.strip()]


def read_language_codes(cell: str) -> list[str]:
    """Return the codes of the languages that a cell names, e.g. `nl fr`."""
    parts = _parts(cell)
    if len(parts) == 1 and all(re.fullmatch("[A-Za-z]{2}", p) for p in cell.split()):
        parts = cell.split()  # `nl fr`
    read = _reader_of(_languages(), "unknown_language", "language")
    return [read(part.strip()) for part in parts]


_ROLES: dict[str, list[str]] = {
    **{role: [role] for role in get_args(Role)},
    "both": ["mentor", "learner"],
    "": [],
}


def read_roles(cell: str) -> list[str]:
    """Return the roles that a cell names; `both` is two."""
    roles: list[str] = []
    for part in _parts(cell.replace(" and ", ",").replace("&", ",")):
        typed = search_key(part)
        if typed not in _ROLES:
            near = _closest(part, {role: role for role in _ROLES if role})
            raise WrongCell(
                "unknown_role",
                f"{_quoted(part.strip())} is no role: mentor, learner or both."
                f"{_hint(near)}",
                near,
            )
        roles += _ROLES[typed]
    return roles


def read_share_definition(cell: str) -> str:
    """Return which definition of a migrant the cell names."""
    known: dict[str, str] = {
        search_key(name.replace("_", " ")): name for name in get_args(ShareDefinition)
    }
    typed = search_key(cell.replace("_", " "))
    if typed not in known:
        near = _closest(cell.replace("_", " "), known)
        names = ", ".join(get_args(ShareDefinition))
        raise WrongCell(
            "unknown_definition",
            f"{_quoted(cell)} is none of: {names}.{_hint(near)}",
            near,
        )
    return known[typed]


_SPACES = re.compile(r"[\s'’]")
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(?:\1\d{3})*")


_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)([eE]-?[0-9]{1,2})?")


def read_whole_number(cell: str) -> int:
    """Return a whole number, with or without marks between its thousands."""
    plain = _SPACES.sub("", cell)
    if _GROUPED.fullmatch(plain):  # 87.000 and 87,000 are eighty-seven thousand
        plain = re.sub(r"[.,]", "", plain)
    plain = re.sub(r"[.,]0+$", "", plain)
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", plain):
        raise WrongCell("whole_number", f"{_quoted(cell)} is no whole number.")
    return int(plain)


def read_year(cell: str) -> int:
    """Read a year; of a day, as spreadsheets like to make of one, the year counts."""
    day = re.fullmatch(r"([0-9]{4})-[0-9]{2}-[0-9]{2}", cell)
    return read_whole_number(day[1] if day else cell)


def read_number(cell: str) -> float:
    """Return a number, with a decimal point or comma."""
    plain = _SPACES.sub("", cell).replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise WrongCell("number", f"{_quoted(cell)} is no number.")
    return float(plain)


def read_share(cell: str) -> float:
    """Return a share between 0 and 1, of a fraction or a percentage."""
    if cell.rstrip().endswith("%"):
        return round(read_number(cell.rstrip().removesuffix("%")) / 100, 12)
    found = read_number(cell)
    if 1 < found <= 100:  # noqa: PLR2004 -- per cent
        raise WrongCell(
            "share",
            f"{_quoted(cell)} is more than all: write a share between 0 and 1, or "
            "add %.",
            f"{cell}%",
        )
    return found


def read_text(cell: str) -> str:
    """Return the text as it stands."""
    return cell


def read_area_levels(cell: str) -> dict[str, int]:
    """Read `housing 3; education` (a name without a level is 3, strong)."""
    levels: dict[str, int] = {}
    for part in map(str.strip, re.split(r"[;,|\n]", cell)):
        if not part:
            continue
        has_level = part[-1] in "0123456789" and len(part) > 1
        name = (part[:-1] if has_level else part).strip(_AROUND_NAMES)
        level = int(part[-1]) if has_level else 3
        area = _areas().get(search_key(name))
        if area is None:
            near = _closest(name, _areas())
            raise WrongCell(
                "unknown_area", f"{_quoted(name)} is no policy area.{_hint(near)}", near
            )
        if level > 4:  # noqa: PLR2004 -- levels are 0 to 4
            message = f"{_quoted(part)}: a level is between 0 and 4."
            raise WrongCell("level", message)
        levels[area] = level
    return levels


@cache
def _areas() -> Mapping[str, str]:
    """Return the id of every policy area by id and by name, in plain letters."""
    names: dict[str, str] = {
        search_key(label): area.id
        for area in data.policy_areas().items
        for label in (area.labels.nl, area.labels.fr, area.labels.en)
    }
    return names | {area: area for area in AREA_IDS}
