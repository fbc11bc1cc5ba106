"""The map of pairings: cities as marks, pairings as arcs, on the Europe they need.

What pages take from here, and what they may rely on:

* `pairing_map(cities, pairs, unmatched=(), gone=(), is_half=False)` returns a
  `PairingMap`. `cities` are `schemas.City` or rows of cities; every city of `pairs`
  must be among them. `pairs` are `Tie`s, in the order of the table; `unmatched` are
  ids, and `gone` ids of cities that left before the round.
* The template: `{% from "shared/map.html" import pairing_map %}`, then
  `{{ pairing_map(picture, id="map", title=…, says=…, level=2) }}`: figure, legend,
  notes and table twin. `map_svg(picture, id)` draws the picture alone. `title` and
  `says` may be left out: the macro has sentences of its own made of the picture.
* The page loads `/static/cities/explorer.css`, beside what every page loads.

Nothing is lost: a city without coordinates, or outside of the map, is named in
`unplaced`, and the table has every pairing. All is deterministic, and needs no
database.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import hypot
from typing import Literal, Protocol

from app.pictures.europe import Europe, Part, Point, Shape, arc, europe

TOSS_UP = 0.6
"""Pairings that stay in fewer of the trials are drawn with dashes."""
_BOLDEST = 8.0
"""Width of an arc of 100 points, in pixels of the screen."""
_THINNEST = 0.8
_MOST_LABELS = 80
_LONGEST = 26
"""Letters of a name that is written on the map; its title has all of them."""
_LETTER = 0.58
"""Mean width of a letter as a part of its size; wide ones, as in Chinese, are one."""
_BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""How much of a text stands before the place it is anchored at."""
_LETTERS, _HALF_LETTERS = 14.0, 23.0
_MARK = 9.0
_SPACE = 17.0
"""Least distance of two marks, in units of the picture."""
_PUSHES = 6
_MOST_APART = 120
Side = Literal["mentor", "learner", "both", "none"]
Box = tuple[float, float, float, float]


class Placed(Protocol):
    """A city that may be drawn: `schemas.City`, or a row."""

    @property
    def id(self) -> str: ...  # noqa: D102 -- as its class says
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def country(self) -> str: ...  # noqa: D102
    @property
    def latitude(self) -> float | None: ...  # noqa: D102
    @property
    def longitude(self) -> float | None: ...  # noqa: D102
    @property
    def roles(self) -> Collection[str]: ...  # noqa: D102


@dataclass(frozen=True)
class Tie:
    """A pairing to be drawn.

    Attributes:
        mentor: Its id.
        learner: Its id.
        score: 0 to 100: the width of the arc.
        firmness: Share of trials that it stays in, or None if none was made.
        href: Where the arc leads, if anywhere.

    """

    mentor: str
    learner: str
    score: float
    firmness: float | None = None
    href: str | None = None

    @property
    def is_toss_up(self) -> bool:
        """Tell whether little decides it."""
        return self.firmness is not None and self.firmness < TOSS_UP


@dataclass(frozen=True)
class Label:
    """A name on the map; `anchor` is `start`, `middle` or `end`, as SVG has it."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True)
class Mark:
    """A city on the map.

    Attributes:
        id: Of the city.
        name: Of the city.
        country: ISO 3166-1 alpha-2.
        x: From the left, in units of the picture.
        y: From the top.
        side: Mentor (square), learner (circle), both (diamond), none (small dot).
        unmatched: Whether it wears a ring.
        gone: Whether it left before the round: a ring of dots.
        label: Its name, where there is room on a wide screen.
        narrow: The same on a phone, where letters are twice as large.

    """

    id: str
    name: str
    country: str
    x: float
    y: float
    side: Side
    unmatched: bool = False
    gone: bool = False
    label: Label | None = None
    narrow: Label | None = None


@dataclass(frozen=True)
class Arc:
    """A pairing on the map: where it runs, how wide in pixels of the screen."""

    tie: Tie
    mentor: str
    """Its name."""
    learner: str
    """Its name."""
    path: str
    width: float


@dataclass(frozen=True)
class Row:
    """A pairing in the table, drawn or not."""

    tie: Tie
    mentor: Placed
    learner: Placed


@dataclass(frozen=True)
class PairingMap:
    """All that the template draws and tells.

    Attributes:
        part: The part of Europe that is shown; coordinates are already in its units.
        land: The outlines that can be seen there.
        arcs: One for each pairing of which both cities have a place on the map.
        marks: One for each city that has a place on the map.
        rows: One for each pairing, in the order given.
        unmatched: The cities without a partner, placed or not.
        gone: The cities that left before the round, placed or not.
        unplaced: The cities that are not drawn: no coordinates, or too far away.

    """

    part: Part
    land: tuple[Shape, ...]
    arcs: tuple[Arc, ...]
    marks: tuple[Mark, ...]
    rows: tuple[Row, ...]
    unmatched: tuple[Placed, ...]
    gone: tuple[Placed, ...]
    unplaced: tuple[Placed, ...]

    @property
    def best(self) -> Row | None:
        """Return the pairing with the highest score; of equals the first."""
        return max(self.rows, key=lambda row: row.tie.score, default=None)

    @property
    def toss_ups(self) -> int:
        """Return how many pairings little decides."""
        return sum(row.tie.is_toss_up for row in self.rows)

    @property
    def sides(self) -> frozenset[Side]:
        """Return which marks there are."""
        return frozenset(mark.side for mark in self.marks)

    @property
    def is_half(self) -> bool:
        """Tell whether it is drawn for half of a wide page."""
        return self.part.letters > _LETTERS

    @property
    def is_tried(self) -> bool:
        """Tell whether it is known of any pairing how firm it is."""
        return any(row.tie.firmness is not None for row in self.rows)

    @property
    def leads(self) -> bool:
        """Tell whether any arc leads somewhere."""
        return any(arc.tie.href for arc in self.arcs)


def pairing_map(
    cities: Iterable[Placed],
    pairs: Sequence[Tie],
    unmatched: Collection[str] = (),
    gone: Collection[str] = (),
    *,
    is_half: bool = False,
) -> PairingMap:
    """Return the map of these pairings.

    Args:
        cities: All that are drawn or named.
        pairs: The pairings, in the order of the table.
        unmatched: Ids of the cities that have no partner.
        gone: Ids of the cities that left before the round.
        is_half: Whether the map takes half of a wide page: letters are larger then.

    Raises:
        KeyError: If a pairing has a city that is not among `cities`.

    """
    known = {city.id: city for city in cities}
    ground = europe()
    places = {city.id: _place(city, ground) for city in known.values()}
    part = ground.part(
        [at for at in places.values() if at is not None],
        _HALF_LETTERS if is_half else _LETTERS,
    )
    drawn = apart(
        {one: part.at(at) for one, at in places.items() if at is not None}, part
    )
    giving = {pair.mentor for pair in pairs}
    taking = {pair.learner for pair in pairs}
    marks = [
        Mark(
            id=one,
            name=known[one].name,
            country=known[one].country,
            x=x,
            y=y,
            side=_side(one in giving, one in taking, known[one].roles),
            unmatched=one in unmatched,
            gone=one in gone,
        )
        for one, (x, y) in drawn.items()
    ]
    return PairingMap(
        part=part,
        land=ground.within(part),
        arcs=tuple(_arcs(pairs, known, drawn)),
        marks=tuple(labelled(marks, part)),
        rows=tuple(Row(one, known[one.mentor], known[one.learner]) for one in pairs),
        unmatched=tuple(city for city in known.values() if city.id in unmatched),
        gone=tuple(city for city in known.values() if city.id in gone),
        unplaced=tuple(city for city in known.values() if city.id not in drawn),
    )


def apart(drawn: Mapping[str, Point], part: Part) -> dict[str, Point]:
    """Return the places, those that would cover each other pushed apart a little.

    Neighbours such as Brussels and Schaerbeek are one point on a map of Europe. Above
    some hundred places a map is a cloud, and nothing is moved.
    """
    places, space = dict(drawn), _SPACE * max(1, part.letters / 18)
    if len(places) > _MOST_APART:
        return places
    for _ in range(_PUSHES):
        for (one, (ax, ay)), (other, (bx, by)) in combinations(list(places.items()), 2):
            dx, dy = bx - ax, by - ay
            if abs(dx) < space and abs(dy) < space and hypot(dx, dy) < space:
                away = hypot(dx, dy)
                dx, dy = (dx / away, dy / away) if away else (1.0, 0.0)
                push = (space - away) / 2
                places[one] = part.inside(ax - dx * push, ay - dy * push)
                places[other] = part.inside(bx + dx * push, by + dy * push)
    return places


def _place(city: Placed, ground: Europe) -> Point | None:
    if city.latitude is None or city.longitude is None:
        return None
    return ground.place(city.latitude, city.longitude)


def _side(gives: bool, takes: bool, roles: Collection[str]) -> Side:  # noqa: FBT001
    """Return what a city is in the round; if it is not paired, what it would be."""
    if not (gives or takes):
        gives, takes = "mentor" in roles, "learner" in roles
    if gives:
        return "both" if takes else "mentor"
    return "learner" if takes else "none"


def _arcs(
    pairs: Sequence[Tie], known: dict[str, Placed], drawn: dict[str, Point]
) -> Iterator[Arc]:
    for pair in pairs:
        if pair.mentor in drawn and pair.learner in drawn:
            yield Arc(
                tie=pair,
                mentor=known[pair.mentor].name,
                learner=known[pair.learner].name,
                path=arc(drawn[pair.mentor], drawn[pair.learner]),
                width=round(max(_THINNEST, _BOLDEST * pair.score / 100), 2),
            )


def labelled(marks: Sequence[Mark], part: Part) -> list[Mark]:
    """Return the marks, named as far as there is room.

    Those without a partner are named first: they are what a committee looks for.
    """
    order = sorted(range(len(marks)), key=lambda at: not marks[at].unmatched)
    named = list(marks)
    for size, field, most in (
        (part.letters, "label", _MOST_LABELS),
        (part.letters_on_phones, "narrow", _MOST_LABELS // 4),
    ):
        reach = _MARK * size / _LETTERS
        taken = [_around(mark, reach) for mark in marks]
        for at in order[: 2 * most]:
            found = _label(marks[at], size, reach, taken, at, part)
            if found is not None:
                label, box = found
                taken.append(box)
                named[at] = _with(named[at], field, label)
    return named


def _with(mark: Mark, field: str, label: Label) -> Mark:
    return Mark(**(vars(mark) | {field: label}))


def _around(mark: Mark, reach: float) -> Box:
    return mark.x - reach, mark.y - reach, mark.x + reach, mark.y + reach


def _label(  # noqa: PLR0913 -- what decides where there is room
    mark: Mark, size: float, reach: float, taken: Sequence[Box], own: int, part: Part
) -> tuple[Label, Box] | None:
    """Return the name beside its mark with the box it fills, or None: no room."""
    text = shortened(mark.name)
    width = size * _LETTER * sum(1.7 if ord(one) > 0x2E80 else 1 for one in text)  # noqa: PLR2004 -- where wide letters begin
    x, y = mark.x, mark.y
    gap = reach + size * (0.4 if mark.unmatched or mark.gone else 0.15)
    aside, above, below = gap * 0.5, y - gap * 0.7, y + gap * 0.7 + size * 0.8
    tries = (
        (x + gap, y + size * 0.35, "start"),
        (x - gap, y + size * 0.35, "end"),
        (x, y - gap, "middle"),
        (x, y + gap + size * 0.8, "middle"),
        (x + aside, below, "start"),
        (x - aside, below, "end"),
        (x + aside, above, "start"),
        (x - aside, above, "end"),
    )
    for to_x, to_y, anchor in tries:
        left, top = to_x - width * _BEFORE[anchor], to_y - size * 0.85
        box = (left, top, left + width, top + size)
        right, bottom = box[2:]
        inside = min(left, top) >= 0 and right <= part.width and bottom <= part.height
        others = chain(taken[:own], taken[own + 1 :])
        if inside and not any(_meet(box, other) for other in others):
            return Label(round(to_x, 1), round(to_y, 1), anchor, text), box
    return None


def shortened(name: str) -> str:
    """Return as much of the name as stands on the map."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1].rstrip()}…"


def _meet(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2]
        and other[0] < one[2]
        and one[1] < other[3]
        and other[1] < one[3]
    )
