"""Maps of pairings and of cities: what is drawn and named, and that none is lost."""

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from app.pictures.city_map import MOST_MARKS, city_map
from app.pictures.europe import europe
from app.pictures.pairing_map import TOSS_UP, Tie, apart, pairing_map
from app.pictures.profile import profile
from app.templates.environment import environment
from schemas import AREA_IDS, AreaLevels, City

HOSTILE = '<img src=x onerror=alert(1)> "é" \u202e😀 ' + "x" * 470

ROLES = (("mentor",), ("learner",), ("mentor", "learner"), ())


@dataclass(frozen=True)
class Spot:
    id: str
    name: str
    latitude: float | None = 50.0
    longitude: float | None = 10.0
    country: str = "DE"
    roles: tuple[str, ...] = ()


def spots(many: int, seed: int = 1) -> list[Spot]:
    chance = np.random.default_rng(seed)
    return [
        Spot(
            f"c{at}",
            f"City no. {at}",
            float(chance.uniform(37, 62)),
            float(chance.uniform(-8, 28)),
            ("DE", "FR", "PL")[chance.integers(3)],
            ROLES[chance.integers(4)],
        )
        for at in range(many)
    ]


def ties(cities: list[Spot], seed: int = 2) -> list[Tie]:
    chance = np.random.default_rng(seed)
    half = len(cities) // 2
    return [
        Tie(
            one.id,
            other.id,
            float(chance.uniform(0, 100)),
            float(chance.random()),
            f"/why/{at}",
        )
        for at, (one, other) in enumerate(
            zip(cities[:half], cities[half : 2 * half], strict=True)
        )
    ]


@pytest.mark.parametrize("many", [2, 8, 60, 300])
@pytest.mark.parametrize("is_half", [True, False])
def test_every_city_is_marked_and_every_pairing_is_an_arc_between_marks(many, is_half):
    cities = spots(many)
    pairs = ties(cities)

    found = pairing_map(cities, pairs, is_half=is_half)

    marks = {mark.id: mark for mark in found.marks}
    assert list(marks) == [city.id for city in cities]
    assert [arc.tie for arc in found.arcs] == pairs
    assert [row.tie for row in found.rows] == pairs
    assert found.unplaced == ()
    for mark in found.marks:
        assert 0 <= mark.x <= found.part.width
        assert 0 <= mark.y <= found.part.height
    for arc in found.arcs:
        begins = re.match(r"M([\d.]+) ([\d.]+)Q", arc.path)
        ends = re.search(r" ([\d.]+) ([\d.]+)$", arc.path)
        mentor, learner = marks[arc.tie.mentor], marks[arc.tie.learner]
        assert tuple(map(float, begins.groups())) == (mentor.x, mentor.y)
        assert tuple(map(float, ends.groups())) == (learner.x, learner.y)


def boxes(found, field: str, size: float):
    for mark in found.marks:
        label = getattr(mark, field)
        if label is not None:
            wide = size * 0.58 * len(label.text)
            left = label.x - wide * {"start": 0, "middle": 0.5, "end": 1}[label.anchor]
            yield left, label.y - 0.8 * size, left + wide, label.y + 0.1 * size


@pytest.mark.parametrize("many", [8, 60, 300])
def test_names_cover_neither_each_other_nor_the_edge(many):
    cities = spots(many, seed=5)

    found = pairing_map(cities, ties(cities))

    for field, size in (("label", 14), ("narrow", 34)):
        named = list(boxes(found, field, size))
        assert named
        for left, top, right, bottom in named:
            assert left >= 0
            assert top >= 0
            assert right <= 1000
            assert bottom <= found.part.height
        for one, other in combinations(named, 2):
            apart_ = (
                one[2] <= other[0]
                or other[2] <= one[0]
                or one[3] <= other[1]
                or other[3] <= one[1]
            )
            assert apart_, (one, other)
    if many == 8:
        assert all(mark.label for mark in found.marks)


def test_neighbours_are_pushed_apart_and_others_stay():
    part = europe().part([(400.0, 300.0), (500.0, 400.0)])
    places = {"a": (500.0, 300.0), "b": (500.0, 300.0), "c": (503.0, 304.0)}
    far = {"d": (20.0, 20.0)}

    found = apart(places | far, part)

    assert found["d"] == (20.0, 20.0)
    for one, other in combinations("abc", 2):
        (ax, ay), (bx, by) = found[one], found[other]
        assert ((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 > 13
    assert apart(places | far, part) == found


def test_marks_tell_who_is_what_and_who_is_left():
    cities = [
        Spot("a", "A", 50, 4, roles=("mentor",)),
        Spot("b", "B", 52, 8, roles=("learner",)),
        Spot("c", "C", 46, 12, roles=("mentor", "learner")),
        Spot("d", "D", 41, 2, roles=("learner",)),
        Spot("e", "E", 56, 20),
        Spot("f", "F", 44, 26, roles=("learner",)),
    ]
    pairs = [Tie("a", "b", 50.0), Tie("c", "a", 4.0)]

    found = pairing_map(cities, pairs, {"d"}, {"f"})

    assert {mark.id: mark.side for mark in found.marks} == {
        "a": "both",  # what it is in the round, not what it offered
        "b": "learner",
        "c": "mentor",
        "d": "learner",
        "e": "none",
        "f": "learner",
    }
    assert [mark.id for mark in found.marks if mark.unmatched] == ["d"]
    assert [mark.id for mark in found.marks if mark.gone] == ["f"]
    assert [arc.width for arc in found.arcs] == [4.0, 0.8]
    assert found.best is not None
    assert found.best.tie == pairs[0]
    assert (found.is_tried, found.toss_ups, found.leads) == (False, 0, False)


def test_toss_ups_are_those_that_stay_in_few_trials():
    cities = spots(8)
    shares = (TOSS_UP, TOSS_UP - 0.01, None, 0.0)
    pairs = [
        Tie(f"c{at}", f"c{at + 4}", 50, share, f"/{at}")
        for at, share in enumerate(shares)
    ]

    found = pairing_map(cities, pairs)

    assert [arc.tie.is_toss_up for arc in found.arcs] == [False, True, False, True]
    assert (found.is_tried, found.toss_ups, found.leads) == (True, 2, True)
    shown = drawn(found)
    assert shown.count('class="arc arc-toss-up"') == 2 + 1  # one explains the others
    assert re.findall(r'<a class="arc-link" href="([^"]+)"', shown) == [
        "/0",
        "/1",
        "/2",
        "/3",
    ]


def drawn(picture, macro: str = "pairing_map", tongue: str = "en") -> str:
    text = (
        f'{{% from "shared/map.html" import {macro} %}}{{{{ {macro}(it, title="T") }}}}'
    )
    return environment(tongue).from_string(text).render(it=picture)


def test_a_city_without_a_place_is_named_and_its_pairing_stands_in_the_table():
    cities = [
        Spot("a", "Here", 50, 4),
        Spot("b", "Nowhere", None, None),
        Spot("c", "Nouméa", -22.3, 166.4, "NC"),
        Spot("d", "Half known", 50, None),
    ]
    pairs = [Tie("a", "b", 10.0), Tie("c", "d", 20.0)]

    found = pairing_map(cities, pairs, {"c"})
    shown = drawn(found)

    assert found.arcs == ()
    assert [mark.id for mark in found.marks] == ["a"]
    assert [city.id for city in found.unplaced] == ["b", "c", "d"]
    assert [row.tie for row in found.rows] == pairs
    assert "<bdi>Nowhere</bdi> (Germany); <bdi>Nouméa</bdi> (New Caledonia)" in shown
    assert shown.count('<tr><th scope="row">') == 2
    assert "Without a partner: <bdi>Nouméa</bdi>" in shown
    with pytest.raises(KeyError):
        pairing_map(cities[:1], pairs)


def test_names_are_text_and_short_on_the_map():
    cities = [Spot("a", HOSTILE, 50, 4), Spot("b", "東京都" * 30, 45, 10)]

    found = pairing_map(cities, [Tie("a", "b", 10.0, 0.2, '/"><script>')], {"a"}, {"b"})
    shown = drawn(found)

    assert "<img" not in shown
    assert "<script" not in shown
    assert all(len(mark.label.text) <= 26 for mark in found.marks if mark.label)


def test_the_takeaway_is_made_of_the_pairings():
    cities = spots(4)
    pairs = [Tie("c0", "c2", 12.34, 0.9), Tie("c1", "c3", 71.26, 0.1)]

    shown = drawn(pairing_map(cities, pairs))

    assert (
        "2 pairings, 1 toss-up; the highest score: <bdi>City no. 1</bdi> → "
        "<bdi>City no. 3</bdi>, 71.3 points." in shown
    )
    assert "There is no pairing." in drawn(pairing_map(cities, []))
    french = drawn(pairing_map(cities, pairs), tongue="fr")
    assert "2 binômes, dont 1 incertain\u202f; le score le plus élevé" in french


@pytest.mark.parametrize("many", [1, 60, MOST_MARKS])
def test_few_cities_have_a_mark_each(many):
    cities = [*spots(many), Spot("x", "Unplaced", None, None, "MT", ("mentor",))]

    found = city_map(cities)

    assert [mark.id for mark in found.marks] == [city.id for city in cities[:-1]]
    assert found.circles == ()
    assert (found.total, found.unplaced) == (many + 1, 1)
    shown = drawn(found, "city_map")
    assert re.findall(r'data-mark="(\w+)"', shown) == [one.id for one in cities[:-1]]


def test_many_cities_are_counted_in_circles_and_by_country():
    cities = spots(5000)

    found = city_map(cities)

    assert found.marks == ()
    assert sum(circle.count for circle in found.circles) == 5000
    assert len(found.circles) <= 260
    assert max(circle.radius for circle in found.circles) == 24
    for circle in found.circles:
        assert 0 <= circle.x <= 1000
        assert 0 <= circle.y <= found.part.height
    counted = {
        code: sum(city.country == code for city in cities)
        for code in ("DE", "FR", "PL")
    }
    assert dict(found.countries) == counted
    assert [number for _, number in found.countries] == sorted(
        counted.values(), reverse=True
    )
    shown = drawn(found, "city_map")
    assert len(shown) < 130_000
    assert f'<td class="number">{counted["FR"]:,}</td>' in shown


def test_a_profile_has_a_column_for_each_level_above_none():
    city = City(
        id="a",
        name="A",
        country="BE",
        roles=("mentor",),
        areas={
            AREA_IDS[0]: AreaLevels(need=0, strength=4),
            AREA_IDS[2]: AreaLevels(need=3, strength=1),
        },
    )

    shape = profile(city, AREA_IDS[2])

    assert shape.strengths == "M1 16h6v-16h-6zM17 16h6v-4h-6z"
    assert shape.needs == "M17 16h6v12h-6z"
    assert (shape.chosen, shape.width, shape.half) == (16, 136, 16)
    assert profile(city).chosen is None
