"""What the criteria look at: cities turned into arrays by stateless transformers.

Every transformer looks at one city at a time and learns nothing, so a city's row is
the same whatever other cities are in the round.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import cos, log, radians, sin
from operator import attrgetter
from string import ascii_lowercase
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.preprocessing import FunctionTransformer

from schemas import AREA_IDS, City
from schemas.city import ShareDefinition

Cities = Sequence[City]
Floats = NDArray[np.float32] | NDArray[np.float64]

_COLUMN = {area: column for column, area in enumerate(AREA_IDS)}
_LEVELS = np.arange(1, 5)


def _levels(cities: Cities, kind: str) -> NDArray[np.float32]:
    """Return (cities, 17) levels from 0 to 4."""
    level = attrgetter(kind)
    table = np.zeros((len(cities), len(AREA_IDS)), np.float32)
    for row, city in enumerate(cities):
        for area, levels in city.areas.items():
            table[row, _COLUMN[area]] = level(levels)
    return table


def _steps(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (cities, 68) steps climbed; a dot product of two rows is Σ min(a, b)."""
    climbed = levels[:, :, np.newaxis] >= _LEVELS
    return climbed.reshape(len(levels), -1).astype(np.float32)


def _proven(cities: Cities) -> NDArray[np.float32]:
    """Return (cities, 17): 1 where a practice stands behind the area."""
    table = np.zeros((len(cities), len(AREA_IDS)), np.float32)
    for row, city in enumerate(cities):
        for practice in city.practices:
            table[row, _COLUMN[practice.area]] = 1
    return table


def _numbers(
    cities: Cities, read: Callable[[City], Sequence[float | None]]
) -> NDArray[np.float64]:
    """Return (cities, k) numbers, NaN where one is not known."""
    return np.array([read(city) for city in cities], dtype=np.float64)


def _log_population(city: City) -> Sequence[float | None]:
    return (None if city.population is None else log(city.population.value),)


def _share(city: City) -> Sequence[float | None]:
    return (None if city.migrant_share is None else city.migrant_share.value,)


def _definition(city: City) -> Sequence[float | None]:
    share = city.migrant_share
    return (None if share is None else _DEFINITIONS.index(share.definition),)


def _sphere(city: City) -> Sequence[float | None]:
    """Return the city's point on the unit sphere."""
    if city.latitude is None or city.longitude is None:
        return (None, None, None)
    north, east = radians(city.latitude), radians(city.longitude)
    return (cos(north) * cos(east), cos(north) * sin(east), sin(north))


_DEFINITIONS = get_args(ShareDefinition)


def _table(read: Callable[[City], Sequence[float | None]]) -> FunctionTransformer:
    return FunctionTransformer(_numbers, kw_args={"read": read})


def needs_text(city: City) -> str:
    """Return the text in which the city tells what it needs; empty if there is none."""
    return city.needs_text or ""


def practice_text(city: City, language: str) -> str:
    """Return all texts of the city's practices in one language; empty without any."""
    return " ".join(
        text
        for practice in city.practices
        if practice.language == language
        for text in (
            practice.title,
            practice.summary,
            practice.result,
            practice.what_went_wrong,
        )
        if text
    )


ENCODERS: Mapping[str, Any] = {
    "need": FunctionTransformer(_levels, kw_args={"kind": "need"}),
    "strength": FunctionTransformer(_levels, kw_args={"kind": "strength"}),
    "proven": FunctionTransformer(_proven),
    "languages": CountVectorizer(
        analyzer=attrgetter("languages"),
        vocabulary=[a + b for a, b in product(ascii_lowercase, repeat=2)],
        dtype=np.float32,
    ),
    "log_population": _table(_log_population),
    "share": _table(_share),
    "definition": _table(_definition),
    "sphere": _table(_sphere),
}
"""A stateless transformer for each thing that a criterion looks at."""

STEPS = FunctionTransformer(_steps)
WORDS = HashingVectorizer(norm=None, alternate_sign=False, strip_accents="unicode")


class Features:
    """The rows of some cities, each block made when a criterion first asks for it.

    Args:
        cities: The cities, one row each.

    """

    def __init__(self, cities: Cities) -> None:
        self.cities = cities
        self._blocks: dict[str, Any] = {}

    def changed(self, blocks: Mapping[str, Any]) -> "Features":
        """Return the same cities with some blocks given instead of made."""
        other = Features(self.cities)
        made = self._blocks.items()
        other._blocks = {
            name: block
            for name, block in made
            if name.removesuffix("_steps") not in blocks
        }
        other._blocks |= blocks
        return other

    def __getitem__(self, block: str) -> Any:  # noqa: ANN401 -- dense or sparse
        """Return the named block, (cities, columns)."""
        if block not in self._blocks:
            if block.endswith("_steps"):
                made = STEPS.transform(self[block.removesuffix("_steps")])
            else:
                made = ENCODERS[block].transform(self.cities)
            self._blocks[block] = made
        return self._blocks[block]
