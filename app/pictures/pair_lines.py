"""Small pictures of pairings: mentors left, learners right, a line for each pair."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

Pair = tuple[str, str]
"""Mentor and learner, by id."""
Kind = Literal["kept", "removed", "added"]

WIDTH = 380.0
_LEFT, _RIGHT = 142.0, 238.0
"""Where the dots of the two columns stand; names stand outside of them."""
_ROW, _TOP = 26.0, 18.0
_LETTERS = 17
"""Most letters of a name; the whole name is in its title and in the table."""
_WHOLE = 12
"""Most pairs of a round that is drawn as a whole."""


@dataclass(frozen=True)
class Dot:
    """A city in one of the columns.

    Attributes:
        city: Its id.
        name: What it is called.
        label: As much of that as there is room for.
        x: Of the dot.
        y: Of the dot and its label.
        alone: Whether no pair of the picture stands for it.

    """

    city: str
    name: str
    label: str
    x: float
    y: float
    alone: bool


@dataclass(frozen=True)
class Line:
    """A pair.

    Attributes:
        mentor: Where it begins.
        learner: Where it ends.
        kind: Whether it stays, is taken away, or is new.
        at: Where on it its mark stands, (x, y).

    """

    mentor: Dot
    learner: Dot
    kind: Kind
    at: tuple[float, float]


@dataclass(frozen=True)
class Small:
    """A picture: its size in units, cities and lines, those that stay first."""

    width: float
    height: float
    mentors: tuple[Dot, ...]
    learners: tuple[Dot, ...]
    lines: tuple[Line, ...]

    def of_kind(self, kind: Kind) -> tuple[Line, ...]:
        """Return the lines of one kind."""
        return tuple(line for line in self.lines if line.kind == kind)


@dataclass(frozen=True)
class Turn:
    """The same cities before and after, each in the same place.

    Attributes:
        before: What stays, and what is taken away.
        after: What stays, and what is new.
        hidden: How many pairs stay as they are and are not drawn.

    """

    before: Small
    after: Small
    hidden: int


def turn(
    kept: Collection[Pair],
    removed: Collection[Pair],
    added: Collection[Pair],
    names: Mapping[str, str],
    waiting: Collection[str] = (),
) -> Turn:
    """Return the two pictures of a change.

    A round of many pairs is drawn only where it changes.

    Args:
        kept: Pairs that stay.
        removed: Pairs that end.
        added: Pairs that begin.
        names: Of the cities, by id.
        waiting: Learners that have no mentor after it: they are drawn, too.

    """
    touched = {city for pair in (*removed, *added) for city in pair}.union(waiting)
    shown = list(kept)
    if len(kept) + len(removed) + len(added) > _WHOLE:
        shown = [pair for pair in kept if touched.intersection(pair)]
    columns = _columns((*shown, *removed, *added), waiting, names)
    return Turn(
        before=_drawn(columns, names, {"kept": shown, "removed": removed}),
        after=_drawn(columns, names, {"kept": shown, "added": added}),
        hidden=len(kept) - len(shown),
    )


def pairs_picture(pairs: Collection[Pair], names: Mapping[str, str]) -> Small:
    """Return the picture of pairs that simply are."""
    return _drawn(_columns(pairs, (), names), names, {"kept": pairs})


Columns = tuple[list[str], list[str]]


def _columns(
    pairs: Iterable[Pair], waiting: Collection[str], names: Mapping[str, str]
) -> Columns:
    """Return mentors by name, and learners near their mentors: few lines cross."""
    pairs = list(pairs)
    mentors = sorted({pair[0] for pair in pairs}, key=lambda one: (names[one], one))
    rows = {city: at for at, city in enumerate(mentors)}
    own: dict[str, list[int]] = {city: [] for city in waiting}
    for mentor, learner in pairs:
        own.setdefault(learner, []).append(rows[mentor])
    last = len(mentors)
    learners = sorted(own, key=lambda one: (fmean(own[one] or [last]), names[one], one))
    return mentors, learners


def _drawn(
    columns: Columns,
    names: Mapping[str, str],
    pairs: Mapping[Kind, Collection[Pair]],
) -> Small:
    stands = {
        city
        for kind, some in pairs.items()
        if kind != "removed"
        for pair in some
        for city in pair
    }
    mentors, learners = (
        {
            city: Dot(
                city=city,
                name=names[city],
                label=shortened(names[city]),
                x=x,
                y=_TOP + _ROW * row,
                alone=city not in stands,
            )
            for row, city in enumerate(column)
        }
        for x, column in zip((_LEFT, _RIGHT), columns, strict=True)
    )
    lines = []
    for kind, some in pairs.items():
        for at, (mentor, learner) in enumerate(some, 1):
            start, end = mentors[mentor], learners[learner]
            lines.append(Line(start, end, kind, _on(start, end, at / (len(some) + 1))))
    rows = max(len(mentors), len(learners), 1)
    return Small(
        width=WIDTH,
        height=2 * _TOP + _ROW * (rows - 1),
        mentors=tuple(mentors.values()),
        learners=tuple(learners.values()),
        lines=tuple(lines),
    )


def _on(start: Dot, end: Dot, share: float) -> tuple[float, float]:
    """Return the place of a mark: of several lines none hides another's."""
    share = 0.15 + 0.7 * share
    return (
        round(start.x + share * (end.x - start.x), 1),
        round(start.y + share * (end.y - start.y), 1),
    )


def shortened(name: str) -> str:
    """Return as much of a name as there is room for.

    >>> shortened("Mechelen"), shortened("Llanfairpwllgwyngyllgogery")
    ('Mechelen', 'Llanfairpwllgwyn…')

    """
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1].rstrip() + "…"
