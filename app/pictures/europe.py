"""The map of Europe that pictures are drawn on."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import cos, hypot, radians, sin, sqrt
from typing import Any

Point = tuple[float, float]
_RATIO = 0.6
"""Height of a part of the map as a share of its width, unless it must be higher."""
_NARROWEST = 220.0
"""Units of the map that a part has at least, so that a neighbourhood has a coast."""
_PADDING = 0.09
"""Space around the places, as a share of what they take."""
_LEAST_PADDING = 24.0
_STEP = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


@dataclass(frozen=True)
class Shape:
    """The outline of a country.

    Attributes:
        country: ISO 3166-1 alpha-2; empty for land that is only drawn.
        path: The data of an SVG path.
        bounds: Left, top, right and bottom of what the path encloses.

    """

    country: str
    path: str
    bounds: tuple[float, float, float, float] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Part:
    """A part of the map, drawn 1,000 units wide.

    Letters and marks keep their size however small the part is: they are drawn in its
    units, the land alone is made larger.

    Attributes:
        left: Where it begins, in units of the map.
        top: Where it begins.
        zoom: Its units per unit of the map.
        height: Of the picture, in its own units.

    """

    left: float
    top: float
    zoom: float
    height: float
    width: float = 1000.0
    letters: float = 14.0
    """Size of the letters on a wide screen; `explorer.css` knows 14, and 23."""
    letters_on_phones: float = 34.0

    def at(self, point: Point) -> Point:
        """Return where a point of the map is in the picture."""
        x, y = point
        return (
            round((x - self.left) * self.zoom, 1),
            round((y - self.top) * self.zoom, 1),
        )

    def inside(self, x: float, y: float) -> Point:
        """Return the nearest place that is in the picture."""
        return (
            round(_within(x, self.width), 1),
            round(_within(y, self.height), 1),
        )

    @property
    def view_box(self) -> str:
        """Return the `viewBox` of the picture."""
        return f"0 0 {self.width:g} {self.height:g}"

    @property
    def transform(self) -> str:
        """Return what brings the land to its place."""
        return f"scale({self.zoom:g}) translate({-self.left:g} {-self.top:g})"


@dataclass(frozen=True)
class Europe:
    """Land in picture units, and where on it places are.

    Attributes:
        width: Of the picture.
        height: Of the picture; y runs down.
        source: Where the outlines come from, to be told with the picture.
        shapes: What is drawn.
        projection: Centre in degrees, radius and corner in km, units a km.

    """

    width: float
    height: float
    source: str
    shapes: tuple[Shape, ...]
    projection: Mapping[str, float]

    def place(self, latitude: float, longitude: float) -> Point | None:
        """Return (x, y) of a place, or None if it is outside of the picture.

        Lambert's azimuthal equal-area projection: Snyder, Map Projections, A Working
        Manual (USGS 1395, 1987), equations 24-2 to 24-4.
        """
        at = self.projection
        phi0, phi = radians(at["lat0"]), radians(latitude)
        lam = radians(longitude - at["lon0"])
        toward = 1 + sin(phi0) * sin(phi) + cos(phi0) * cos(phi) * cos(lam)
        if toward < 1:  # more than a quarter of the globe away
            return None
        k = at["radius_km"] * sqrt(2 / toward)
        east = k * cos(phi) * sin(lam)
        north = k * (cos(phi0) * sin(phi) - sin(phi0) * cos(phi) * cos(lam))
        x = (east - at["west"]) * at["scale"]
        y = (at["north"] - north) * at["scale"]
        if 0 <= x <= self.width and 0 <= y <= self.height:
            return round(x, 1), round(y, 1)
        return None

    def part(self, points: Sequence[Point], letters: float = 14.0) -> Part:
        """Return the part of the map that shows all these points with some space.

        Without any point that is the whole map.

        Args:
            points: What must be seen, in units of the map.
            letters: Their size in units of the picture.

        """
        if not points:
            zoom = 1000 / self.width
            return Part(0, 0, zoom, round(self.height * zoom), letters=letters)
        xs, ys = zip(*points, strict=True)
        wide = _padded(max(xs) - min(xs))
        high = _padded(max(ys) - min(ys))
        width = min(max(wide, high / _RATIO, _NARROWEST), self.width)
        height = min(max(high, width * _RATIO), self.height)
        left = _within((min(xs) + max(xs) - width) / 2, self.width - width)
        top = _within((min(ys) + max(ys) - height) / 2, self.height - height)
        zoom = 1000 / width
        return Part(
            round(left, 1),
            round(top, 1),
            round(zoom, 4),
            round(height * zoom),
            letters=letters,
        )

    def within(self, part: Part) -> tuple[Shape, ...]:
        """Return the outlines that can be seen in this part of the map."""
        right = part.left + part.width / part.zoom
        bottom = part.top + part.height / part.zoom
        return tuple(
            shape
            for shape in self.shapes
            if shape.bounds[0] < right
            and shape.bounds[2] > part.left
            and shape.bounds[1] < bottom
            and shape.bounds[3] > part.top
        )


def _padded(length: float) -> float:
    return length + 2 * max(_LEAST_PADDING, _PADDING * length)


def _within(start: float, most: float) -> float:
    return min(max(start, 0.0), most)


def _bounds(path: str) -> tuple[float, float, float, float]:
    """Return the box around a path of absolute starts and relative lines."""
    xs: list[float] = []
    ys: list[float] = []
    for ring in path.split("M")[1:]:
        for x, y in _points(ring):
            xs.append(x)
            ys.append(y)
    return min(xs), min(ys), max(xs), max(ys)


def _points(ring: str) -> Iterator[Point]:
    steps = [float(one) for one in _STEP.findall(ring)]
    x = y = 0.0
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        yield x, y


@cache
def europe() -> Europe:
    """Return the map that ships with the service."""
    found: dict[str, Any] = json.loads(
        files("app.data").joinpath("base_map.json").read_text("utf-8")
    )
    shapes = (
        Shape(one.get("country") or "", one["path"], _bounds(one["path"]))
        for one in found["shapes"]
    )
    return Europe(
        width=found["width"],
        height=found["height"],
        source=found["source"],
        shapes=tuple(shapes),
        projection=found["projection"],
    )


def arc(start: Point, end: Point) -> str:
    """Return the data of an SVG path that leaves a straight line by a fifth.

    Arcs all lean to the left of where they go, so two that go to and fro stay apart.
    """
    (x1, y1), (x2, y2) = start, end
    bend = 0.2
    x = (x1 + x2) / 2 + (y2 - y1) * bend
    y = (y1 + y2) / 2 - (x2 - x1) * bend
    if hypot(x2 - x1, y2 - y1) < 1:
        return f"M{x1} {y1}l0 0"
    return f"M{x1} {y1}Q{x:.1f} {y:.1f} {x2} {y2}"
