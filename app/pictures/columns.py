"""Mentors and learners in two columns, with a line for each pairing.

Cities that hang together by pairings stand together, so lines of different groups never
cross; within a group the order is found by barycentres. All is deterministic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from app.pictures.pairing_map import TOSS_UP
from app.texts.catalogue import unaccented
from schemas import City, Pairing, Role

WIDTH = 720.0
_LEFT, _RIGHT = 268.0, 452.0
"""Where the lines begin and end."""
_STEP = 28.0
"""From one row to the next."""
_GAP = 8.0
"""Between two groups."""
_TOP = 34.0
_PITCH = 9.0
"""From one dot to the next."""
_ROOM = 56.0
"""What the dots of a city may fill; more of them stand closer."""
MOST_DOTS = 12
"""Cities with more places have them told in figures."""
_FIGURES = 5
"""How many dots would be as wide as the figures."""
_BESIDE = 15.0
MOST_ALTERNATES = 16
"""Up to so many learners what else is near is drawn."""
_LONGEST = 24
_THINNEST, _BOLDEST = 1.2, 7.0
_SWEEPS = 6
Edge = tuple[str, str]


@dataclass(frozen=True)
class Dot:
    """A place of a city; it is filled if somebody has it."""

    x: float
    filled: bool


@dataclass(frozen=True)
class Row:
    """A city in one of the columns.

    Attributes:
        id: Of the city.
        name: As much of its name as there is room for.
        full: Its whole name.
        country: ISO 3166-1 alpha-2.
        y: The middle of the row.
        places: How many partners it has room for, or wants.
        used: How many it has.
        dots: One for each place; none where there are more than `MOST_DOTS`.
        radius: Of the dots.

    """

    id: str
    name: str
    full: str
    country: str
    y: float
    places: int
    used: int
    dots: tuple[Dot, ...]
    radius: float

    @property
    def is_unmatched(self) -> bool:
        """Tell whether it has nobody."""
        return self.used == 0


@dataclass(frozen=True)
class Line:
    """A pairing: where it runs, and how wide."""

    pairing: Pairing
    path: str
    width: float

    @property
    def is_toss_up(self) -> bool:
        """Tell whether little decides it."""
        firmness = self.pairing.firmness
        return firmness is not None and firmness < TOSS_UP


@dataclass(frozen=True)
class Faint:
    """What is next best for a learner, and is not proposed."""

    mentor: str
    learner: str
    path: str


@dataclass(frozen=True)
class Columns:
    """All that the template draws.

    Attributes:
        width: Of the picture.
        height: Of the picture.
        left: Where the lines begin.
        right: Where they end.
        inset: From there to the names: the dots are in between.
        mentors: From the top down.
        learners: The same.
        lines: One for each pairing.
        alternates: What is next best, where the picture has room for it.

    """

    width: float
    height: float
    left: float
    right: float
    inset: float
    mentors: tuple[Row, ...]
    learners: tuple[Row, ...]
    lines: tuple[Line, ...]
    alternates: tuple[Faint, ...]


def columns(cities: Iterable[City], pairings: Sequence[Pairing]) -> Columns:
    """Return the picture of these pairings.

    Args:
        cities: All of the round; those without places are not drawn.
        pairings: The proposal.

    Raises:
        KeyError: If a pairing has a city that has no place.

    """
    sides: dict[Role, dict[str, City]] = {
        role: {
            city.id: city
            for city in sorted(
                cities, key=lambda city: (unaccented(city.name), city.id)
            )
            if city.places(role)
        }
        for role in ("mentor", "learner")
    }
    edges = [(one.mentor, one.learner) for one in pairings]
    most = max(
        (
            city.places(role) if city.places(role) <= MOST_DOTS else _FIGURES
            for role, side in sides.items()
            for city in side.values()
        ),
        default=0,
    )
    at, height = _placed(list(sides["mentor"]), list(sides["learner"]), edges)
    return Columns(
        width=WIDTH,
        height=height,
        left=_LEFT,
        right=_RIGHT,
        inset=round(min(_ROOM, _PITCH * most) + _BESIDE, 1),
        mentors=tuple(_rows(sides["mentor"], "mentor", at["mentor"], edges)),
        learners=tuple(_rows(sides["learner"], "learner", at["learner"], edges)),
        lines=tuple(
            Line(
                pairing=one,
                path=_path(at["mentor"][one.mentor], at["learner"][one.learner]),
                width=round(max(_THINNEST, _BOLDEST * one.score / 100), 1),
            )
            for one in pairings
        ),
        alternates=tuple(_alternates(pairings, at)),
    )


def _rows(
    side: Mapping[str, City], role: Role, at: Mapping[str, float], edges: Sequence[Edge]
) -> Iterable[Row]:
    own = 0 if role == "mentor" else 1
    for one in sorted(at, key=lambda one: at[one]):
        city = side[one]
        places, used = city.places(role), sum(edge[own] == one for edge in edges)
        pitch = min(_PITCH, _ROOM / places)
        inward = -1 if role == "mentor" else 1
        start = (_LEFT if role == "mentor" else _RIGHT) + inward * _PITCH
        shown = places if places <= MOST_DOTS else 0
        yield Row(
            id=one,
            name=shortened(city.name),
            full=city.name,
            country=city.country,
            y=at[one],
            places=places,
            used=used,
            # Those that are filled are next to the lines.
            dots=tuple(
                Dot(round(start + inward * pitch * nth, 1), nth < used)
                for nth in range(shown)
            ),
            radius=round(min(3.4, pitch * 0.4), 1),
        )


def shortened(name: str) -> str:
    """Return as much of the name as there is room for; wide letters count double."""
    room, kept = _LONGEST, ""
    for letter in name:
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{kept[:-1].rstrip()}…"
        kept += letter
    return kept


def _path(y1: float, y2: float) -> str:
    middle = (_LEFT + _RIGHT) / 2
    return f"M{_LEFT:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {_RIGHT:g} {y2:g}"


def _alternates(
    pairings: Sequence[Pairing], at: Mapping[Role, Mapping[str, float]]
) -> Iterable[Faint]:
    if len(at["learner"]) > MOST_ALTERNATES:
        return
    seen = set[str]()
    for one in pairings:
        if one.learner in seen or not one.alternates:
            continue
        seen.add(one.learner)
        mentor = one.alternates[0].mentor
        path = _path(at["mentor"][mentor], at["learner"][one.learner])
        yield Faint(mentor, one.learner, path)


def _placed(
    mentors: Sequence[str], learners: Sequence[str], edges: Sequence[Edge]
) -> tuple[dict[Role, dict[str, float]], float]:
    """Return where each city stands, and how high the picture is.

    Args:
        mentors: Ids in the order of their names.
        learners: The same.
        edges: (mentor, learner) of each pairing.

    """
    at: dict[Role, dict[str, float]] = {"mentor": {}, "learner": {}}
    y = _TOP
    for givers, takers in _groups(mentors, learners, edges):
        height = max(len(givers), len(takers)) * _STEP
        for role, ids in (("mentor", givers), ("learner", takers)):
            start = y + (height - len(ids) * _STEP) / 2 + _STEP / 2
            for nth, one in enumerate(ids):
                at[role][one] = round(start + nth * _STEP, 1)  # type: ignore[index]
        y += height + _GAP
    return at, round(y + _GAP, 1)


def _groups(
    mentors: Sequence[str], learners: Sequence[str], edges: Sequence[Edge]
) -> Iterable[tuple[list[str], list[str]]]:
    """Yield the mentors and learners that hang together, then those left over."""
    partners: dict[str, list[str]] = {one: [] for one in mentors}
    helpers: dict[str, list[str]] = {one: [] for one in learners}
    for mentor, learner in edges:
        partners[mentor].append(learner)
        helpers[learner].append(mentor)
    seen = set[str]()
    for first in mentors:
        if first in seen or not partners[first]:
            continue
        givers, takers = {first}, set[str]()
        ahead = [first]
        while ahead:
            for learner in partners[ahead.pop()]:
                takers.add(learner)
                new = set(helpers[learner]) - givers
                givers |= new
                ahead += new
        seen |= givers
        yield uncrossed(
            [one for one in mentors if one in givers],
            [one for one in learners if one in takers],
            [edge for edge in edges if edge[0] in givers],
        )
    yield (
        [one for one in mentors if not partners[one]],
        [one for one in learners if not helpers[one]],
    )


def uncrossed(
    left: list[str], right: list[str], edges: Sequence[Edge]
) -> tuple[list[str], list[str]]:
    """Return both sides in an order in which few lines cross, never more than before.

    By barycentres: each city goes to the middle of its partners, in turns.
    """
    best, fewest = (left, right), crossings(left, right, edges)
    for _ in range(_SWEEPS):
        if not fewest:
            break
        right = _by_barycentre(right, left, [(to, by) for by, to in edges])
        left = _by_barycentre(left, right, edges)
        found = crossings(left, right, edges)
        if found < fewest:
            best, fewest = (left, right), found
    return best


def _by_barycentre(
    moved: Sequence[str], fixed: Sequence[str], edges: Sequence[Edge]
) -> list[str]:
    rank = {one: at for at, one in enumerate(fixed)}
    near = {one: [rank[other] for own, other in edges if own == one] for one in moved}
    return sorted(moved, key=lambda one: sum(near[one]) / len(near[one]))


def crossings(left: Sequence[str], right: Sequence[str], edges: Sequence[Edge]) -> int:
    """Return how many pairs of lines cross."""
    row = {one: at for at, one in enumerate(left)}
    column = {one: at for at, one in enumerate(right)}
    placed = sorted((row[mentor], column[learner]) for mentor, learner in edges)
    return sum(
        one[0] < other[0] and one[1] > other[1]
        for at, one in enumerate(placed)
        for other in placed[at + 1 :]
    )
