"""The map of cities to look through: a mark for each, or counts where they are many."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.pictures.europe import Part, Point, Shape, europe
from app.pictures.pairing_map import Mark, Placed, Side, labelled

MOST_MARKS = 300
"""More cities than these are counted in circles: pages stay small."""
_CELL = 50.0
"""Width of the square that one circle counts, in units of the picture."""
_SMALLEST, _LARGEST = 7.0, 24.0


@dataclass(frozen=True)
class Circle:
    """Cities that are near each other: how many, around which place."""

    x: float
    y: float
    radius: float
    count: int


@dataclass(frozen=True)
class CityMap:
    """All that the template draws and tells.

    Attributes:
        part: The part of Europe that is shown; coordinates are already in its units.
        land: The outlines that can be seen there.
        marks: One for each city, or none where circles count them.
        circles: How many cities are where, or none where each has a mark.
        countries: How many cities each country has, by code, most first.
        unplaced: How many cities have no coordinates, or are too far away.
        total: How many cities there are, placed or not.

    """

    part: Part
    land: tuple[Shape, ...]
    marks: tuple[Mark, ...]
    circles: tuple[Circle, ...]
    countries: tuple[tuple[str, int], ...]
    unplaced: int
    total: int

    @property
    def sides(self) -> frozenset[Side]:
        """Return which marks there are."""
        return frozenset(mark.side for mark in self.marks)


_SIDES: dict[tuple[bool, bool], Side] = {
    (True, True): "both",
    (True, False): "mentor",
    (False, True): "learner",
    (False, False): "none",
}


def city_map(cities: Iterable[Placed]) -> CityMap:
    """Return the map of these cities."""
    known = list(cities)
    ground = europe()
    placed = [
        (city, at)
        for city in known
        if city.latitude is not None
        and city.longitude is not None
        and (at := ground.place(city.latitude, city.longitude)) is not None
    ]
    part = ground.part([at for _, at in placed])
    is_many = len(placed) > MOST_MARKS
    points = [part.at(at) for _, at in placed]
    marks = [
        Mark(
            id=city.id,
            name=city.name,
            country=city.country,
            x=x,
            y=y,
            side=_SIDES["mentor" in city.roles, "learner" in city.roles],
        )
        for (city, _), (x, y) in zip(placed, points, strict=True)
        if not is_many
    ]
    counted = Counter(city.country for city in known)
    return CityMap(
        part=part,
        land=ground.within(part),
        marks=tuple(labelled(marks, part)),
        circles=tuple(_circles(points)) if is_many else (),
        countries=tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))),
        unplaced=len(known) - len(placed),
        total=len(known),
    )


def _circles(points: Sequence[Point]) -> Iterator[Circle]:
    """Yield a circle per square of the grid, in the middle of its cities.

    The areas of the circles are as the counts, within what can be seen.
    """
    cells: dict[tuple[int, int], list[Point]] = defaultdict(list)
    for x, y in points:
        cells[int(x // _CELL), int(y // _CELL)].append((x, y))
    fullest = max(map(len, cells.values()), default=1)
    for _, inside in sorted(cells.items()):
        count = len(inside)
        yield Circle(
            x=round(sum(x for x, _ in inside) / count, 1),
            y=round(sum(y for _, y in inside) / count, 1),
            radius=round(max(_SMALLEST, _LARGEST * (count / fullest) ** 0.5), 1),
            count=count,
        )
