"""Make `app/data/base_map.json`: outlines of Europe to draw places on.

    npm pack world-atlas@2.0.2 && tar xf world-atlas-2.0.2.tgz
    python app/data/base_map.py package/countries-50m.json app/data/base_map.json

Natural Earth 1:50m (public domain) comes as TopoJSON in the npm package world-atlas
(ISC). Borders that two countries share are simplified once, as arcs, so neighbours
still meet. `app.pictures.europe` reads the file and places cities on it.
"""

import json
import sys
from math import asin, cos, radians, sin, sqrt, tau
from pathlib import Path
from typing import Any

# Lambert azimuthal equal-area around 52° N 10° E (EPSG:3035 on a sphere), in km.
LAT0, LON0, RADIUS = radians(52), radians(10), 6371.007
# The picture in km around that centre: Iceland to the Caspian, North Cape to Crete.
WEST, EAST, SOUTH, NORTH = -2350, 3400, -2150, 2250
WIDTH = 1000  # of the picture, in its own units
SCALE = WIDTH / (EAST - WEST)
TOLERANCE = 0.35  # units² of a triangle that may be cut off (Visvalingam)
SPECK = 1.2  # units²: smaller islands are left out, but never a whole country
MARGIN = 3.0  # units that outlines go on beyond the picture, to hide their cut

# ISO 3166-1 alpha-2 and numeric codes of what is named; the rest is drawn unnamed.
_CODES = """
    AD020 AL008 AM051 AT040 AX248 AZ031 BA070 BE056 BG100 BY112 CH756 CY196 CZ203
    DE276 DK208 DZ012 EE233 EG818 ES724 FI246 FO234 FR250 GB826 GE268 GG831 GI292
    GR300 HR191 HU348 IE372 IL376 IM833 IQ368 IR364 IS352 IT380 JE832 JO400 KZ398
    LB422 LI438 LT440 LU442 LV428 LY434 MA504 MC492 MD498 ME499 MK807 MT470 NL528
    NO578 PL616 PS275 PT620 RO642 RS688 RU643 SA682 SE752 SI705 SK703 SM674 SY760
    TN788 TR792 UA804 VA336
"""
NUMERIC = {code[2:]: code[:2] for code in _CODES.split()}

# Natural Earth draws who holds a place, not what is recognised: rings of the first
# that hold the point go to the second, and the line between them vanishes.
MOVED = {("Russia", "Ukraine"): (34.4, 45.3), ("N. Cyprus", "Cyprus"): (33.6, 35.3)}
KOSOVO = "XK"  # has no ISO number

Point = tuple[float, float]
Polygon = list[list[int]]  # rings of arc numbers; ~i is arc i backwards


def project(longitude: float, latitude: float) -> Point:
    """Return (x, y) in picture units, y down, of a place in degrees."""
    lam, phi = radians(longitude) - LON0, radians(latitude)
    toward = 1 + sin(LAT0) * sin(phi) + cos(LAT0) * cos(phi) * cos(lam)
    k = RADIUS * sqrt(2 / max(toward, 1e-9))
    x = k * cos(phi) * sin(lam)
    y = k * (cos(LAT0) * sin(phi) - sin(LAT0) * cos(phi) * cos(lam))
    return (x - WEST) * SCALE, (NORTH - y) * SCALE


def decode(topology: dict[str, Any]) -> list[list[Point]]:
    """Return the arcs of a quantised TopoJSON topology as lists of degrees."""
    (sx, sy), (tx, ty) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    arcs = []
    for deltas in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in deltas:
            x, y = x + dx, y + dy
            arc.append((x * sx + tx, y * sy + ty))
        arcs.append(arc)
    return arcs


def ring(arcs: list[list[Point]], indexes: list[int]) -> list[Point]:
    """Join arcs (~i is arc i backwards) to one closed ring, its end not repeated."""
    points: list[Point] = []
    for i in indexes:
        points += (arcs[i] if i >= 0 else arcs[~i][::-1])[:-1]
    return points


def inside(point: Point, points: list[Point]) -> bool:
    """Tell whether the ring holds the point (even-odd rule)."""
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        crossings += (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax)
    return crossings % 2 == 1


def dissolve(polygons: list[Polygon], arcs: list[list[Point]]) -> list[Polygon]:
    """Merge polygons: arcs that two of them share are dropped, the rest joined."""
    all_arcs = [i for polygon in polygons for indexes in polygon for i in indexes]
    outer = [i for i in all_arcs if ~i not in all_arcs]
    starts = {arcs[i][0] if i >= 0 else arcs[~i][-1]: i for i in outer}
    rings = []
    while starts:
        _, i = starts.popitem()
        joined = [i]
        while (end := arcs[i][-1] if i >= 0 else arcs[~i][0]) in starts:
            i = starts.pop(end)
            joined.append(i)
        rings.append([joined])
    return rings


def move(countries: dict[str, list[Polygon]], arcs: list[list[Point]]) -> None:
    """Give the places in `MOVED` to the country that they belong to."""
    for (holder, owner), point in MOVED.items():
        held = [p for p in countries[holder] if inside(point, ring(arcs, p[0]))]
        if not held:
            sys.exit(f"No ring of {holder} holds {point}: has the source changed?")
        countries[holder] = [p for p in countries[holder] if p not in held]
        countries[owner] = dissolve(countries[owner] + held, arcs)


def area(points: list[Point]) -> float:
    """Return the signed area of a ring."""
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs) / 2


def simplify(arc: list[Point]) -> list[Point]:
    """Drop points whose triangle with their neighbours is small (Visvalingam 1993)."""
    arc = list(arc)
    size = [abs(area(arc[i - 1 : i + 2])) for i in range(1, len(arc) - 1)]
    while len(arc) > 3 and (least := min(size)) <= TOLERANCE:
        gone = size.index(least)
        del arc[gone + 1], size[gone]
        for i in (gone - 1, gone):
            if 0 <= i < len(size):
                size[i] = abs(area(arc[i : i + 3]))
    return arc


def clip(points: list[Point]) -> list[Point]:
    """Cut a ring off at the frame (Sutherland and Hodgman 1974)."""
    frame = (0, -MARGIN), (0, WIDTH + MARGIN), (1, -MARGIN), (1, height() + MARGIN)
    for side, (axis, limit) in enumerate(frame):
        sign = 1 if side % 2 == 0 else -1
        given, points = points, []
        for a, b in zip(given[-1:] + given[:-1], given, strict=True):
            da, db = sign * (a[axis] - limit), sign * (b[axis] - limit)
            if (da < 0) != (db < 0):
                t = da / (da - db)
                points.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
            if db >= 0:
                points.append(b)
    return points


def height() -> float:
    """Return the height of the picture in its own units."""
    return (NORTH - SOUTH) * SCALE


def path(rings: list[list[Point]]) -> str:
    """Write rings as relative SVG path data with one decimal, the shortest form."""
    parts = []
    for points in rings:
        tenths = [(round(x * 10), round(y * 10)) for x, y in points]
        px, py = tenths[0]
        parts.append(f"M{px / 10:g} {py / 10:g}l")
        steps = []
        for x, y in tenths[1:]:
            if (x, y) != (px, py):
                steps += [number(x - px), number(y - py)]
                px, py = x, y
        parts.append(
            "".join(f" {s}" if i and s[0] != "-" else s for i, s in enumerate(steps))
            + "z"
        )
    return "".join(parts)


def number(tenths: int) -> str:
    """Write tenths as a decimal without a needless zero."""
    text = f"{tenths / 10:g}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def far(longitude: float, latitude: float) -> bool:
    """Tell a place that is nowhere near the picture."""
    phi, lam = radians(latitude), radians(longitude) - LON0
    d = (
        asin(
            min(
                1,
                sqrt(
                    sin((phi - LAT0) / 2) ** 2
                    + cos(LAT0) * cos(phi) * sin(lam / 2) ** 2
                ),
            )
        )
        * 2
    )
    return d > tau / 5


def outline(
    indexes: list[int],
    arcs: list[list[Point]],
    degrees: list[list[Point]],
    near: list[bool],
) -> list[Point]:
    """Return the part of a ring that is in the picture."""
    if all(near[i if i >= 0 else ~i] for i in indexes):
        return clip(ring(arcs, indexes))
    # A country that reaches far away: only its near part can be projected.
    points = [project(*p) for p in ring(degrees, indexes) if not far(*p)]
    return clip(simplify(points)) if len(points) > 3 else []


def main(source: Path, target: Path) -> None:
    """Read the topology and write the map."""
    topology = json.loads(source.read_text())
    degrees = decode(topology)
    near = [not any(far(*p) for p in arc) for arc in degrees]
    arcs = [
        simplify([project(*p) for p in arc]) if ok else []
        for arc, ok in zip(degrees, near, strict=True)
    ]
    geometries = topology["objects"]["countries"]["geometries"]
    codes = {g["properties"]["name"]: NUMERIC.get(g.get("id", "")) for g in geometries}
    codes["Kosovo"] = KOSOVO
    countries: dict[str, list[Polygon]] = {}
    for g in geometries:
        polygons = [g["arcs"]] if g["type"] == "Polygon" else g["arcs"]
        countries[g["properties"]["name"]] = polygons
    move(countries, degrees)
    shapes: list[dict[str, Any]] = []
    for name, polygons in countries.items():
        rings = [
            outline(i, arcs, degrees, near) for polygon in polygons for i in polygon
        ]
        rings = sorted((r for r in rings if len(r) > 2), key=lambda r: -abs(area(r)))
        kept = rings[:1] + [r for r in rings[1:] if abs(area(r)) >= SPECK]
        if kept:
            shapes.append({"country": codes[name], "name": name, "path": path(kept)})
    shapes.sort(key=lambda s: s["name"])
    found = {
        "source": "Natural Earth 1:50m, public domain, by way of world-atlas 2.0.2",
        "projection": {
            "lat0": 52,
            "lon0": 10,
            "radius_km": RADIUS,
            "west": WEST,
            "north": NORTH,
            "scale": SCALE,
        },
        "width": WIDTH,
        "height": round(height(), 1),
        "shapes": shapes,
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    target.write_text(text.replace('{"country"', '\n{"country"') + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
