"""The proof card of a pair: figures that add up, and where each stands in a picture."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import floor

from app.texts.catalogue import Language, Words, words
from app.texts.matching import card as told_of
from app.texts.matching import pair
from schemas import (
    Alternate,
    City,
    Contribution,
    Criterion,
    Explanation,
    Pairing,
    WhyNot,
)

Why = Explanation | Pairing | WhyNot
"""A pair with its contributions, whoever found them."""


def shares(
    parts: Sequence[float], total: int, most: Sequence[int] | None = None
) -> list[int]:
    """Return the parts in whole tenths that add up to the total.

    Each part is rounded down; what is left over goes to those that lost most by it
    (largest remainders, Hamilton's method).

    Args:
        parts: 0 or more each; about `total` tenths together.
        total: What the tenths add up to.
        most: What no part may exceed, in tenths; together at least `total`.

    """
    exact = [Decimal(str(part)) * 10 for part in parts]
    limits = most or [total] * len(exact)
    found = [min(floor(part), limit) for part, limit in zip(exact, limits, strict=True)]
    left = total - sum(found)
    order = sorted(range(len(exact)), key=lambda at: found[at] - exact[at])
    for step in (1, -1):
        way = order if step > 0 else order[::-1]
        while left * step > 0:
            before = left
            for at in way:
                if left * step > 0 and 0 <= found[at] + step <= limits[at]:
                    found[at] += step
                    left -= step
            if left == before:  # there is no room: the parts are not of this total
                break
    return found


def tenths(value: float) -> int:
    """Return the value in whole tenths, as pages round it."""
    return int((Decimal(str(value)) * 10).to_integral_value(ROUND_HALF_EVEN))


@dataclass(frozen=True)
class Bar:
    """One criterion: what it brings of what it could bring.

    Attributes:
        criterion: Its code.
        name: What it is called.
        points: What it brings, to a tenth; all of them add up to the score.
        most: What it could bring, to a tenth; all of them add up to 100.
        known: Whether it could be known.
        says: One sentence.
        x: Where it begins in the bar of all criteria, which is 100 long.
        rest_x: Where what it does not bring begins in it.

    """

    criterion: Criterion
    name: str
    points: float
    most: float
    known: bool
    says: str
    x: float
    rest_x: float


@dataclass(frozen=True)
class Beside:
    """Points beside the score, and what they are for."""

    points: float
    says: str


@dataclass(frozen=True)
class Card:
    """Everything that a proof card shows, in the language of its reader.

    Attributes:
        mentor: The mentor.
        learner: The learner.
        score: The points, to a tenth.
        known: How many of the 100 points could be known, to a tenth.
        bars: The criteria that count, those that are not known last.
        beside: Points beside the score.
        sentences: Why, the strongest reason first.
        takeaway: What the picture shows, in a sentence.
        facts: What the two share at a glance.
        firm: How firm the pairing is, where that is known and may be told.
        gaps: What is not known.
        fitting: The practice that fits; None: there is none.
        why_it_fits: Why, or that there is none.
        in_return: What the mentor may learn.

    """

    mentor: City
    learner: City
    score: float
    known: float
    bars: tuple[Bar, ...]
    beside: tuple[Beside, ...]
    sentences: tuple[str, ...]
    takeaway: str
    facts: tuple[str, ...]
    firm: str | None
    gaps: tuple[told_of.Gap, ...]
    fitting: told_of.Fitting | None
    why_it_fits: str
    in_return: str

    @property
    def scale(self) -> float:
        """How many units a point is in the rows, of which the longest is 100 long."""
        return 100 / (max((bar.most for bar in self.bars), default=0) or 100)


@dataclass(frozen=True)
class Firmness:
    """How firm a pairing is, and which mentors might take its place.

    Attributes:
        share: Of the trials, in which it stays.
        alternates: The other mentors of the learner.
        names: What cities are called.

    """

    share: float
    alternates: Sequence[Alternate]
    names: dict[str, str]

    def says(self, told: Words) -> str:
        """Return it in a sentence."""
        rival = told_of.rival(self.alternates)
        instead = self.names.get(rival) if rival else None
        return told_of.firm(self.share, instead, told)


def card(
    why: Why,
    mentor: City,
    learner: City,
    language: Language,
    firmness: Firmness | None = None,
) -> Card:
    """Return the proof card of a pair.

    Args:
        why: The pair with its contributions, and those adjustments alone that the
            reader may know of.
        mentor: The mentor, with its practices as they are to be shown.
        learner: The learner, likewise.
        language: In which language.
        firmness: Where it may be told.

    """
    told = words(language)
    names = {mentor.id: mentor.name, learner.id: learner.name}
    pair_of = mentor.name, learner.name
    bars = tuple(_bars(why, pair_of, language))
    score, known = tenths(why.score) / 10, tenths(why.known_weight) / 10
    best = max(bars, key=lambda bar: bar.points, default=None)
    return Card(
        mentor=mentor,
        learner=learner,
        score=score,
        known=known,
        bars=bars,
        beside=tuple(
            Beside(one.points, pair.beside(one, names[one.city], language))
            for one in why.adjustments
        ),
        sentences=tuple(pair.explained(why, *pair_of, language)),
        takeaway=told_of.takeaway(
            best.name if best and best.points else None, score, known, told
        ),
        facts=tuple(told_of.facts(why.contributions, told)),
        firm=firmness.says(told) if firmness else None,
        gaps=tuple(told_of.missing(why.contributions, told)),
        fitting=(found := told_of.fitting(mentor, learner)),
        why_it_fits=told_of.why_it_fits(found, *pair_of, told),
        in_return=told_of.in_return(mentor, learner, told),
    )


def _bars(why: Why, names: tuple[str, str], language: Language) -> Iterator[Bar]:
    """Yield the criteria that count, in tenths that add up; the unknown ones last."""
    counting = [part for part in why.contributions if part.weight]
    known = [part for part in counting if part.known]
    unknown = [part for part in counting if not part.known]
    could = tenths(why.known_weight)
    most = shares([part.weight for part in known], could)
    brought = shares([part.points for part in known], tenths(why.score), most)
    never = shares([part.weight for part in unknown], 1000 - could)
    x, rest = 0, sum(brought)
    for part, points, limit in zip(known, brought, most, strict=True):
        yield _bar(part, names, language, (points, limit), (x, rest))
        x += points
        rest += limit - points
    for part, limit in zip(unknown, never, strict=True):
        yield _bar(part, names, language, (0, limit), (rest, rest))
        rest += limit


def _bar(
    part: Contribution,
    names: tuple[str, str],
    language: Language,
    figures: tuple[int, int],
    place: tuple[int, int],
) -> Bar:
    return Bar(
        criterion=part.criterion,
        name=words(language).say(pair.CRITERIA[part.criterion]),
        points=figures[0] / 10,
        most=figures[1] / 10,
        known=part.known,
        says=pair.sentence(part, *names, language),
        x=place[0] / 10,
        rest_x=place[1] / 10,
    )


# The card as a picture of its own: text that is wrapped by hand.

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
    said = plain(text)
    return said if len(said) <= most else said[: most - 1].rstrip() + "…"


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


def drawing(shown: Card, told: Words) -> Drawing:
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
            told.say(
                "{number} of {most}",
                number=told.number(bar.points, 1),
                most=told.number(bar.most, 1),
            )
            if bar.known
            else told.say("not known")
        )
        texts.append(Text(_MARGIN, y, cut(bar.name, 22)))
        texts.append(Text(WIDTH - _MARGIN, y, figure, "figure"))
        y += 26
    total = told.say(
        "Score: {number} of {most}",
        number=told.number(shown.score, 1),
        most=told.number(shown.known, 1),
    )
    texts.append(Text(WIDTH - _MARGIN, y + 2, total, "figure head"))
    y += 34
    for head, lines in _parts(shown, told):
        texts.append(Text(_MARGIN, y, head, "head"))
        y += _LINE + 2
        for said in lines:
            for line in wrapped(said, _LONGEST):
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


def _parts(shown: Card, told: Words) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the headings of the picture with what stands below them."""
    yield told.say("Why these two"), [f"– {one}" for one in shown.sentences]
    practice = [shown.why_it_fits]
    if shown.fitting:
        practice.append(f"“{cut(shown.fitting.practice.title, 160)}”")
    yield told.say("The practice that fits"), practice
    yield told.say("What the mentor may learn"), [shown.in_return]
    if shown.firm:
        yield told.say("How firm"), [shown.firm]
