"""The map of Europe: where places are on it, and which part of it is shown."""

import re

import numpy as np
import pytest

from app.data import base_map
from app.pictures.europe import Part, arc, europe

CAPITALS = {
    "BE": (50.85, 4.35),
    "GR": (37.98, 23.73),
    "LV": (56.95, 24.11),
    "ES": (40.42, -3.70),
    "IS": (64.14, -21.90),
    "CY": (35.17, 33.36),
    "UA": (44.95, 34.10),  # Simferopol
    "XK": (42.66, 21.17),
    "RU": (55.75, 37.62),
}


def rings(path: str) -> list[list[tuple[float, float]]]:
    """Return the rings of a path of absolute starts and relative lines."""
    found = []
    for ring in path.replace("z", "").split("M")[1:]:
        steps = [float(one) for one in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", ring)]
        x = y = 0.0
        points = []
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        found.append(points)
    return found


def holders(point: tuple[float, float]) -> set[str]:
    """Return the countries whose outline holds the point."""
    return {
        shape.country
        for shape in europe().shapes
        if sum(base_map.inside(point, ring) for ring in rings(shape.path)) % 2
    }


@pytest.mark.parametrize("country", CAPITALS)
def test_a_capital_lies_in_its_country(country):
    at = europe().place(*CAPITALS[country])

    assert at is not None
    assert holders(at) == {country}


def test_the_centre_of_the_projection_is_where_it_is_said_to_be():
    assert europe().place(52, 10) == (408.7, 391.3)


def test_places_are_where_the_outlines_were_drawn():
    chance = np.random.default_rng(7)
    for _ in range(200):
        latitude, longitude = chance.uniform((36, -12), (66, 30)).tolist()
        x, y = base_map.project(longitude, latitude)

        at = europe().place(latitude, longitude)

        inside = 0 <= x <= europe().width and 0 <= y <= europe().height
        assert at == ((round(x, 1), round(y, 1)) if inside else None)


@pytest.mark.parametrize(
    "place", [(35.7, 139.7), (-33.9, 151.2), (-52, -170), (25, 10), (90, 0), (78, 15)]
)
def test_what_is_outside_has_no_place(place):
    assert europe().place(*place) is None


def test_the_box_around_a_country_is_that_of_its_path():
    for shape in europe().shapes:
        xs, ys = zip(
            *[point for ring in rings(shape.path) for point in ring], strict=True
        )
        assert shape.bounds == (min(xs), min(ys), max(xs), max(ys)), shape.country


def test_a_part_shows_all_its_points_with_space_around():
    chance = np.random.default_rng(3)
    for many in (1, 2, 8, 60):
        for _ in range(50):
            points = [
                (x, y)
                for x, y in chance.uniform((0, 0), (1000, 765), (many, 2)).tolist()
            ]

            part = europe().part(points)

            right = part.left + part.width / part.zoom
            bottom = part.top + part.height / part.zoom
            assert part.left >= 0
            assert part.top >= 0
            assert right <= europe().width + 0.2
            assert bottom <= europe().height + 0.9
            assert part.width / part.zoom >= 219
            for point in points:
                x, y = part.at(point)
                assert -0.2 <= x <= part.width + 0.2
                assert -0.9 <= y <= part.height + 0.9


def test_one_place_is_shown_with_its_surroundings():
    part = europe().part([(500.0, 400.0)])

    assert (part.left, part.top, part.zoom, part.height) == (390, 334, 4.5455, 600)
    assert part.at((500.0, 400.0)) == (500.0, 300.0)


def test_without_places_all_of_europe_is_shown():
    part = europe().part([])

    assert (part.left, part.top, part.zoom, part.height) == (0, 0, 1.0, 765)
    assert europe().within(part) == europe().shapes


def test_only_land_that_is_seen_is_drawn():
    around_brussels = europe().part([europe().place(50.85, 4.35)])

    seen = {shape.country for shape in europe().within(around_brussels)}

    assert {"BE", "FR", "DE", "NL", "LU", "GB"} <= seen
    assert seen.isdisjoint({"ES", "GR", "FI", "TR", "IS", "PL", "IE"})


def test_what_is_drawn_is_brought_to_where_places_are():
    part = Part(left=40, top=254.5, zoom=1.25, height=600)

    assert part.transform == "scale(1.25) translate(-40 -254.5)"
    assert part.at((140.0, 304.5)) == (125.0, 62.5)
    assert part.view_box == "0 0 1000 600"


def test_an_arc_leans_to_the_left_and_never_vanishes():
    assert arc((0, 0), (100, 0)) == "M0 0Q50.0 -20.0 100 0"
    assert arc((100, 0), (0, 0)) == "M100 0Q50.0 20.0 0 0"
    assert arc((5, 5), (5, 5)) == "M5 5l0 0"
