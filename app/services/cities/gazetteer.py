"""Finding a city by its name: places of GeoNames, in a file beside the database.

They are the same for everybody and come with an installed package, so they are no part
of the network's database, and of no backup.
"""

import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import structlog

from app.compute import child
from app.errors import Busy
from app.outside import places
from schemas import Place, Population

SOURCE = "GeoNames"
_FEWEST_LETTERS = 2
"""Fewest letters that something is found by."""
_MOST_LETTERS = 200
_MOST_FOUND = 8
_WAIT = 20.0
_BUILD_SECONDS = 300.0
"""Most seconds that the file may take to be made; two, mostly."""
_DELAY = 20.0
_LAST = chr(0x10FFFF)
_BY_NAME = """
SELECT place.* FROM place JOIN (
    SELECT place_id, max(key = :key) AS exact FROM place_name
    WHERE key >= :key AND key < :end GROUP BY place_id
) AS found ON found.place_id = place.id
WHERE :country IS NULL OR country = :country
ORDER BY exact DESC, population DESC, place.id LIMIT :limit
"""
_BY_ID = "SELECT * FROM place WHERE id = ?"
_CALLED = "SELECT 1 FROM place_name WHERE key = ? AND place_id = ?"

log = structlog.get_logger()


class Gazetteer:
    """The file of places; it is made in the background when it is first wanted.

    Args:
        folder: Where it is, or is to be.
        wait: Longest that a question waits for it, in seconds.

    """

    def __init__(self, folder: str, wait: float = _WAIT) -> None:
        self._file = Path(folder).absolute() / places.file_name()
        self._wait = wait
        self._lock = threading.Lock()
        self._making: threading.Thread | None = None

    def prepare(self) -> threading.Thread | None:
        """Start making the file, unless it exists; return the thread that makes it."""
        if self._file.exists():
            return None
        with self._lock:
            if self._making is None or not self._making.is_alive():
                self._making = threading.Thread(target=self._make, daemon=True)
                self._making.start()
            return self._making

    def prepare_later(self) -> None:
        """Make the file a little later, when the process has started up."""
        later = threading.Timer(_DELAY, self.prepare)
        later.daemon = True
        later.start()

    def _make(self) -> None:
        """Make the file in a process of its own: it takes a hundred MB meanwhile."""
        try:
            child.run(partial(places.build, self._file), _BUILD_SECONDS)
        except (OSError, child.ChildDied, child.ChildTimeout) as error:
            log.warning("places-not-made", file=str(self._file), error=str(error))

    def search(
        self, name: str, country: str | None = None, limit: int = _MOST_FOUND
    ) -> tuple[Place, ...]:
        """Return the places with such a name, the likeliest first.

        A name is found from its beginning, in many languages, without its accents.

        Args:
            name: What was typed; of fewer than two letters, nothing is found.
            country: Only there.
            limit: Most places.

        Raises:
            Busy: If the file is still being made, or cannot be made.

        """
        typed_key = places.key(name[:_MOST_LETTERS])
        if len(typed_key) < _FEWEST_LETTERS:
            return ()
        parameters = {
            "key": typed_key,
            "end": typed_key + _LAST,
            "country": country,
            "limit": limit,
        }
        with closing(self._open()) as database:
            return tuple(map(_as_place, database.execute(_BY_NAME, parameters)))

    def get(self, geonames_id: int) -> Place | None:
        """Return the place with this id, or None; raises like `search`."""
        if not 0 < geonames_id < 1 << 63:
            return None
        with closing(self._open()) as database:
            row = database.execute(_BY_ID, (geonames_id,)).fetchone()
            return _as_place(row) if row else None

    def name_of(self, place: Place, typed: str) -> str:
        """Return the name to store for a place that was found by what was typed.

        That is the name that GeoNames has; but if it is another of its names that was
        typed, like Den Haag for The Hague, it is the typed one.
        """
        typed_key = places.key(typed[:_MOST_LETTERS])
        if typed_key == places.key(place.name):
            return place.name
        with closing(self._open()) as database:
            rows = database.execute(_CALLED, (typed_key, place.geonames_id))
            is_name = rows.fetchone() is not None
        return typed if is_name and typed != typed.lower() else place.name

    def _open(self) -> sqlite3.Connection:
        making = self.prepare()
        if making is not None:
            making.join(self._wait)
            if not self._file.exists():
                message = "The list of places is not ready yet: ask again soon."
                raise Busy(message, retry_after=5)
        # It is replaced as a whole, and never changed.
        return sqlite3.connect(f"{self._file.as_uri()}?immutable=1", uri=True)


def _as_place(row: tuple[int, str, str, float, float, int]) -> Place:
    number, name, country, latitude, longitude, people = row
    return Place(
        geonames_id=number,
        name=name,
        country=country,
        latitude=latitude,
        longitude=longitude,
        population=Population(value=people, source=SOURCE) if people else None,
    )
