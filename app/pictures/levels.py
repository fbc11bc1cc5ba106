"""Needs and strengths as diverging bars: where each bar of the picture is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 400
_MIDDLE = WIDTH / 2
_UNIT = 42
_NAME, _BAR, _GAP = 17, 12, 9
_MOST = 3
"""Most areas that a sentence names."""


@dataclass(frozen=True)
class Bar:
    """One policy area: its name above, its need to the left, its strength to the right.

    Attributes:
        area: Its id.
        need: From 0 to 4.
        strength: Likewise.
        baseline: Where its name stands, from the top.
        top: Where its bars begin.

    """

    area: str
    need: int
    strength: int
    baseline: float
    top: float

    @property
    def left(self) -> float:
        """Where the bar of the need begins, from the left."""
        return _MIDDLE - self.need * _UNIT

    @property
    def right(self) -> float:
        """Where the bar of the strength ends."""
        return _MIDDLE + self.strength * _UNIT


@dataclass(frozen=True)
class Bars:
    """The picture; lengths are in units of its view box."""

    items: Sequence[Bar]
    width: int = WIDTH
    middle: float = _MIDDLE
    unit: int = _UNIT
    thick: int = _BAR

    @property
    def height(self) -> int:
        """How high the picture is."""
        return len(self.items) * (_NAME + _BAR + _GAP)

    @property
    def strongest(self) -> list[str]:
        """The areas with the greatest strength, at most three."""
        return self._top("strength")

    @property
    def neediest(self) -> list[str]:
        """The areas with the greatest need, at most three."""
        return self._top("need")

    def _top(self, kind: str) -> list[str]:
        found = [one for one in self.items if getattr(one, kind)]
        found.sort(key=lambda one: -getattr(one, kind))
        return [one.area for one in found[:_MOST]]


def bars(levels: Mapping[str, tuple[int, int]]) -> Bars:
    """Return the picture of needs and strengths by area, in the order of the areas."""
    step = _NAME + _BAR + _GAP
    return Bars(
        [
            Bar(area, need, strength, step * at + _NAME - 5, step * at + _NAME)
            for at, (area, (need, strength)) in enumerate(levels.items())
        ]
    )
