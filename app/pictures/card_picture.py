"""The proof card as a picture of its own: its style, and where everything stands."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.pictures.card import Bar, Card
from app.texts.catalogue import Words

STYLE = """
text { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  fill: #1c2420; }
.page { fill: #fff; stroke: #d9ddd6; }
.title { font-size: 24px; font-weight: 700; }
.head { font-size: 17px; font-weight: 700; }
.quiet { fill: #56615a; }
.small { font-size: 13px; }
.figure { text-anchor: end; font-variant-numeric: tabular-nums; }
.rest { fill: #e8f0ea; }
.unknown { fill: url(#hatch); stroke: #56615a; stroke-width: .6; }
.hatch { stroke: #56615a; stroke-width: 1.6; }
.needs_met { fill: #14532d; } .focus { fill: #2a7f62; } .evidence { fill: #b45309; }
.language { fill: #1d4ed8; } .context { fill: #7c3aed; } .proximity { fill: #0e7490; }
.give_back { fill: #be185d; } .practice_text { fill: #57534e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e8ede9; }
  .page { fill: #1b221e; stroke: #36423b; }
  .quiet { fill: #a3b0a8; }
  .rest { fill: #22302a; }
  .unknown { stroke: #a3b0a8; }
  .hatch { stroke: #a3b0a8; }
  .needs_met { fill: #7fd6a4; } .focus { fill: #4fb3a0; } .evidence { fill: #f0a95a; }
  .language { fill: #7ea6ff; } .context { fill: #b79bff; } .proximity { fill: #5cc4dc; }
  .give_back { fill: #f28bb8; } .practice_text { fill: #b5aea6; }
}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
DRAWN = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"
"""What the picture may load: its own style and nothing else."""
WIDTH = 800
_MARGIN = 32
_LINE = 21
_NAME = 26
"""Most characters of a name in the heading; all of it stands in the title."""
_HIDDEN = {"Cc", "Cf", "Cs"}
_JOINING = "\u200c\u200d"
_NO_XML = "\ufffe\uffff"
_BLANKS = re.compile(r"[^\S\xa0\u202f]+")
"""Where a line may end; French has blanks of its own before its marks."""
_WIDE = {"W", "F"}


def plain(text: str) -> str:
    """Return the text as one line that any XML parser takes, and that runs one way.

    Characters that steer (controls, marks that turn the direction) are left out; those
    that only join others stay.
    """
    return "".join(filter(_is_plain, _BLANKS.sub(" ", text).strip()))


def _is_plain(letter: str) -> bool:
    if letter in _JOINING:
        return True
    return letter not in _NO_XML and unicodedata.category(letter) not in _HIDDEN


def cut(text: str, most: int = _NAME) -> str:
    """Return the text, its end left out where it is too long."""
    line = plain(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def wrapped(text: str, most: int) -> list[str]:
    """Return the text in lines of at most so many letters of common width.

    Letters of East Asia count as two; a word that is longer than a line is divided.
    """
    lines, line, taken = [], "", 0
    for word in filter(None, plain(text).split(" ")):
        rest = word
        while rest:
            gap = 1 if line else 0
            wide = _wide(rest)
            if taken + gap + wide <= most:
                line, taken = f"{line}{' ' * gap}{rest}", taken + gap + wide
                rest = ""
            elif line:
                lines.append(line)
                line, taken = "", 0
            else:
                at = max(1, _fits(rest, most))
                lines.append(rest[:at])
                rest = rest[at:]
    return [*lines, line] if line else lines


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in _WIDE else 1 for one in text)


def _fits(text: str, most: int) -> int:
    taken = 0
    for at, letter in enumerate(text):
        taken += _wide(letter)
        if taken > most:
            return at
    return len(text)


@dataclass(frozen=True)
class Text:
    """One line of the picture, and the class that tells how it looks."""

    x: float
    y: float
    says: str
    look: str = ""


@dataclass(frozen=True)
class Row:
    """A criterion in the picture: where its line is, and how long its bars are."""

    bar: Bar
    y: float
    long: float
    filled: float


@dataclass(frozen=True)
class Drawing:
    """Where everything of a card stands in a picture of its own.

    Attributes:
        height: Of the picture, which is `WIDTH` wide.
        title: The two names in full.
        says: What the picture shows, for those who do not see it.
        texts: Every line of text.
        rows: The criteria.
        across: How many units a point is in the bar of all criteria.

    """

    height: float
    title: str
    says: str
    texts: tuple[Text, ...]
    rows: tuple[Row, ...]
    across: float
    bar_y: float
    bar_x: float = _MARGIN


_BAR_X, _BAR_LONG = 200.0, 430.0
_LONGEST = 92
"""Letters in a line."""


def drawing(shown: Card, words: Words) -> Drawing:
    """Return where everything of the card stands."""
    mentor, learner = cut(shown.mentor.name), cut(shown.learner.name)
    texts = [Text(_MARGIN, 50, f"{mentor} → {learner}", "title")]
    y = 50.0
    for line in wrapped(shown.takeaway, _LONGEST):
        y += 24
        texts.append(Text(_MARGIN, y, line, "quiet"))
    bar_y = y + 16
    y = bar_y + 52
    rows = []
    longest = max((bar.most for bar in shown.bars), default=1) or 1
    for bar in shown.bars:
        long = _BAR_LONG * bar.most / longest
        filled = long * (bar.points / bar.most) if bar.most else 0
        rows.append(Row(bar, y - 12, round(long, 1), round(filled, 1)))
        figure = (
            words.say(
                "{number} of {most}",
                number=words.number(bar.points, 1),
                most=words.number(bar.most, 1),
            )
            if bar.known
            else words.say("not known")
        )
        texts.append(Text(_MARGIN, y, cut(bar.name, 22)))
        texts.append(Text(WIDTH - _MARGIN, y, figure, "figure"))
        y += 26
    total = words.say(
        "Score: {number} of {most}",
        number=words.number(shown.score, 1),
        most=words.number(shown.known, 1),
    )
    texts.append(Text(WIDTH - _MARGIN, y + 2, total, "figure head"))
    y += 34
    for head, lines in _parts(shown, words):
        texts.append(Text(_MARGIN, y, head, "head"))
        y += _LINE + 2
        for paragraph in lines:
            for line in wrapped(paragraph, _LONGEST):
                texts.append(Text(_MARGIN, y, line))
                y += _LINE
        y += 14
    return Drawing(
        height=round(y),
        title=plain(f"{shown.mentor.name} → {shown.learner.name}"),
        says=plain(" ".join((shown.takeaway, *shown.sentences))),
        texts=tuple(texts),
        rows=tuple(rows),
        across=(WIDTH - 2 * _MARGIN) / 100,
        bar_y=bar_y,
    )


def _parts(shown: Card, words: Words) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the headings of the picture with what stands below them."""
    yield words.say("Why these two"), [f"– {one}" for one in shown.sentences]
    practice = [shown.why_it_fits]
    if shown.fitting:
        practice.append(f"“{cut(shown.fitting.practice.title, 160)}”")
    yield words.say("The practice that fits"), practice
    yield words.say("What the mentor may learn"), [shown.in_return]
    if shown.firm:
        yield words.say("How firm"), [shown.firm]
