"""The picture at the head of the README: the IncluCities round, as it is matched.

Mentors and learners with a line for each pairing, and beside them the bar of the proof
card: the points of each criterion, which add up exactly to the score.
"""

from collections.abc import Iterator
from pathlib import Path

from markupsafe import escape

from app.pictures.card import Card, card
from app.pictures.card_picture import STYLE
from app.services.runs.example import Example, example

FILE = Path("docs/inclucities.svg")
_WIDTH = 860
_TOP, _STEP = 84, 44
_LEFT, _RIGHT = 186, 318
"""Where the lines between the cities begin and end."""
_BARS, _PER_POINT = 530, 2.5
"""Where the bars begin, and how wide a point is: a bar has room for 100."""
_OWN = """
.line { fill: none; stroke: #2a7f62; stroke-linecap: round; }
.next { fill: none; stroke: #56615a; stroke-width: 1.2; stroke-dasharray: 3 4;
  opacity: .6; }
.end { text-anchor: end; }
@media (prefers-color-scheme: dark) {
  .line { stroke: #4fb3a0; }
  .next { stroke: #a3b0a8; }
}
"""


def picture() -> str:
    """Return the picture as SVG, in the colours that the reader prefers."""
    found = example()
    height = _TOP + _STEP * len(found.solution.pairings) + 48
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        f'width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title says">',
        '<title id="title">Which city mentors which, and why</title>',
        f'<desc id="says">{escape(" ".join(_sentences(found)))}</desc>',
        f"<style>{STYLE}{_OWN}</style>",
        '<rect class="page" x=".5" y=".5" rx="12"',
        f'width="{_WIDTH - 1}" height="{height - 1}"/>',
        *_drawn(found, height),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _sentences(found: Example) -> Iterator[str]:
    names = {city.id: city.name for city in found.problem.cities}
    for one in found.solution.pairings:
        mentor, learner = names[one.mentor], names[one.learner]
        yield f"{mentor} mentors {learner}: {one.score:.1f} points of 100."


def _drawn(found: Example, height: int) -> Iterator[str]:
    cities = {city.id: city for city in found.problem.cities}
    pairings = found.solution.pairings
    middle = {one.learner: _TOP + _STEP * at for at, one in enumerate(pairings)}
    start = {one.mentor: middle[one.learner] for one in pairings}
    yield _text(28, 36, "IncluCities: which city mentors which, and why", "title")
    yield _text(_LEFT - 12, 62, "mentor", "quiet small end")
    yield _text(_RIGHT + 12, 62, "learner", "quiet small")
    yield _text(_BARS, 62, "points, by what they are for", "quiet small")
    for one in pairings:
        if one.alternates and one.alternates[0].mentor in start:
            path = _curve(start[one.alternates[0].mentor], middle[one.learner])
            yield f'<path class="next" d="{path}"/>'
    cards = []
    for one in pairings:
        y = middle[one.learner]
        mentor, learner = cities[one.mentor], cities[one.learner]
        shown = card(one, mentor, learner, "en")
        cards.append(shown)
        yield (
            f'<path class="line" d="{_curve(start[one.mentor], y)}"'
            f' stroke-width="{one.score / 12:.1f}"/>'
        )
        yield _text(_LEFT - 12, y + 5, mentor.name, "end")
        yield _text(_RIGHT + 12, y + 5, learner.name)
        yield from _bar(shown, y)
    yield from _legend(cards, height - 46)
    measures = found.solution.measures
    says = (
        f"{measures.total:.1f} points in all: no other assignment of these cities has"
        " more. Dotted: the next best mentor of a learner."
    )
    yield _text(28, height - 18, says, "quiet small")


def _curve(start: float, end: float) -> str:
    middle = (_LEFT + _RIGHT) // 2
    return f"M{_LEFT} {start}C{middle} {start} {middle} {end} {_RIGHT} {end}"


def _bar(shown: Card, y: float) -> Iterator[str]:
    width = round(100 * _PER_POINT)
    yield f'<rect class="rest" x="{_BARS}" y="{y - 10}" width="{width}" height="20"/>'
    for one in shown.bars:
        if one.points:
            yield (
                f'<rect class="{one.criterion}" x="{_BARS + one.x * _PER_POINT:.1f}"'
                f' y="{y - 10}" width="{one.points * _PER_POINT:.1f}" height="20"/>'
            )
    yield _text(_WIDTH - 24, y + 5, f"{shown.score:.1f}", "head end")


def _legend(cards: list[Card], y: float) -> Iterator[str]:
    """Yield the criteria that bring points, each with its colour."""
    names = {one.criterion: one.name for shown in cards for one in shown.bars}
    used = {one.criterion for shown in cards for one in shown.bars if one.points}
    x = 28.0
    for criterion, name in names.items():
        if criterion in used:
            yield (
                f'<rect class="{criterion}" x="{x:g}" y="{y - 11}" width="12"'
                ' height="12"/>'
            )
            yield _text(x + 18, y, name, "small")
            x += 44 + 6.6 * len(name)


def _text(x: float, y: float, says: str, look: str = "") -> str:
    kind = f' class="{look}"' if look else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}>{escape(says)}</text>'
