"""Needs and strengths of a city as a small picture: a column for each policy area."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas import AREA_IDS, AreaId, City

_STEP, _WIDTH, _LEVEL = 8, 6, 4
"""Units from column to column, of a column, and of a level."""


@dataclass(frozen=True)
class Profile:
    """Strengths upwards and needs downwards from one line, in the order of the areas.

    Attributes:
        strengths: The data of an SVG path.
        needs: The same.
        chosen: Where the column of the area that is asked for begins, if any is.

    """

    strengths: str
    needs: str
    chosen: int | None = None
    width: int = _STEP * len(AREA_IDS)
    half: int = 4 * _LEVEL


def profile(city: City, chosen: AreaId | None = None) -> Profile:
    """Return the picture of a city; the column of an area may be chosen."""
    levels = [city.areas.get(area) for area in AREA_IDS]
    return Profile(
        strengths=_columns([one.strength if one else 0 for one in levels], -1),
        needs=_columns([one.need if one else 0 for one in levels], 1),
        chosen=AREA_IDS.index(chosen) * _STEP if chosen else None,
    )


def _columns(levels: Sequence[int], down: int) -> str:
    return "".join(
        f"M{at * _STEP + 1} {4 * _LEVEL}h{_WIDTH}v{down * level * _LEVEL}h-{_WIDTH}z"
        for at, level in enumerate(levels)
        if level
    )
