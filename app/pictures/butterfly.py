"""Supply and demand per policy area as a butterfly: who needs help, who has room."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.texts.catalogue import here, unaccented
from schemas import AreaBalance

_WIDTH = 100.0
"""Of a wing that has as many as the largest."""


@dataclass(frozen=True)
class Row:
    """One policy area.

    Attributes:
        found: Its figures.
        name: What it is called.
        gap: Learners for whom there is no room; 0: there is room for all.
        demand: Width of the left wing, 0 to 100: learners that need help here.
        supply: Width of the right wing: places with mentors who are strong here.

    """

    found: AreaBalance
    name: str
    gap: int
    demand: float
    supply: float


@dataclass(frozen=True)
class Butterfly:
    """The areas, those with the largest gap first.

    Attributes:
        rows: One for each area that somebody needs or offers.
        says: What to take from it, in one sentence.

    """

    rows: tuple[Row, ...]
    says: str


def butterfly(areas: Sequence[AreaBalance]) -> Butterfly:
    """Return the picture of these areas."""
    most = max((max(one.learners, one.places) for one in areas), default=0)
    names = here().area_names()
    rows = [
        Row(
            found=one,
            name=names[one.area],
            gap=max(one.learners - one.places, 0),
            demand=round(_WIDTH * one.learners / most, 2) if most else 0.0,
            supply=round(_WIDTH * one.places / most, 2) if most else 0.0,
        )
        for one in areas
    ]
    rows.sort(key=lambda row: (-row.gap, -row.found.learners, unaccented(row.name)))
    return Butterfly(tuple(rows), _says(rows))


def _says(rows: Sequence[Row]) -> str:
    words = here()
    if not rows:
        return words.say("No city has said yet what it needs or what it is strong in.")
    worst = rows[0]
    if not worst.gap:
        return words.say("There is room for everybody who needs help, in every area.")
    return words.say(
        "{area}: {needs}, {room}.",
        area=worst.name,
        needs=words.count(
            "{number} city needs help",
            "{number} cities need help",
            worst.found.learners,
        ),
        room=words.count(
            "there is room for {number}",
            "there is room for {number}",
            worst.found.places,
        ),
    )
