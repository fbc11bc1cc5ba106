"""The proof card of a pair: its figures, which add up, and its sentences."""

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
