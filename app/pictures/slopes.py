"""Who gains and who loses from one proposal to the next: lines that rise and fall."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.pictures.columns import shortened
from app.texts.catalogue import unaccented

MOST = 24
"""Most learners that are drawn: those whose points change most."""
_TOP, _HEIGHT, _LETTER = 40.0, 320.0, 17.0
_MARGIN, _BETWEEN = 190.0, 220.0
_ALIKE = 0.05
"""Points that are no change."""


@dataclass(frozen=True)
class Rise:
    """A learner's points in every proposal, drawn as a line.

    Attributes:
        learner: Its id.
        name: As much of its name as there is room for.
        full: Its whole name.
        points: Its best pairing's score in each proposal; 0 if it has none.
        path: The data of an SVG path.
        dots: (x, y) of each proposal.
        label: (x, y) of its name on the left, moved so that no two names meet.
        way: `up`, `down` or `level`, from the first proposal to the last.

    """

    learner: str
    name: str
    full: str
    points: tuple[float, ...]
    path: str
    dots: tuple[tuple[float, float], ...]
    label: tuple[float, float]
    way: str

    @property
    def swing(self) -> float:
        """Return how many points lie between its best and its worst proposal."""
        return max(self.points) - min(self.points)


@dataclass(frozen=True)
class Slopes:
    """All that the template draws; `axes` are the x of the proposals."""

    width: float
    height: float
    top: float
    bottom: float
    axes: tuple[float, ...]
    rises: tuple[Rise, ...]
    hidden: int


def slopes(points: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> Slopes:
    """Return the picture.

    Args:
        points: For each learner that differs what it has in each proposal, 0 to 100.
        names: What the learners are called.

    """
    drawn = sorted(
        points,
        key=lambda one: (min(points[one]) - max(points[one]), unaccented(names[one])),
    )[:MOST]
    count = max((len(one) for one in points.values()), default=0)
    height = max(_HEIGHT, len(drawn) * _LETTER)
    axes = tuple(_MARGIN + _BETWEEN * at for at in range(count))
    first = sorted(drawn, key=lambda one: (-points[one][0], unaccented(names[one])))
    wanted = [_y(points[one][0], height) for one in first]
    labels = dict(zip(first, spread(wanted, _TOP, _TOP + height), strict=True))
    return Slopes(
        width=_MARGIN + _BETWEEN * max(0, count - 1) + 60,
        height=_TOP + height + 20,
        top=_TOP,
        bottom=_TOP + height,
        axes=axes,
        rises=tuple(
            _rise(one, points[one], names[one], axes, labels[one], height)
            for one in first
        ),
        hidden=len(points) - len(drawn),
    )


def _y(points: float, height: float) -> float:
    return round(_TOP + height * (1 - points / 100), 1)


def _rise(  # noqa: PLR0913 -- what a line is made of
    learner: str,
    points: Sequence[float],
    name: str,
    axes: Iterable[float],
    label: float,
    height: float,
) -> Rise:
    dots = tuple((x, _y(one, height)) for x, one in zip(axes, points, strict=True))
    change = points[-1] - points[0]
    level = "down" if change < -_ALIKE else "level"
    return Rise(
        learner=learner,
        name=shortened(name),
        full=name,
        points=tuple(points),
        path="M" + "L".join(f"{x:g} {y:g}" for x, y in dots),
        dots=dots,
        label=(_MARGIN - 22, label),
        way="up" if change > _ALIKE else level,
    )


def spread(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Return places near those wanted, in their order, a letter's height apart.

    Args:
        wanted: From the top down.
        top: No place is above it.
        bottom: Nor below it, as far as there is room.

    """
    placed: list[float] = []
    for one in wanted:
        placed.append(max(one, placed[-1] + _LETTER if placed else top))
    below = bottom
    for at in range(len(placed) - 1, -1, -1):
        placed[at] = max(min(placed[at], below), top)
        below = placed[at] - _LETTER
    return [round(one, 1) for one in placed]
