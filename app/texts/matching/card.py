"""What the proof card of a pair says beside its sentences, and what it leaves out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.texts.catalogue import Words, message
from app.texts.matching.pair import FIELDS, gaps
from schemas import Alternate, City, Contribution, Practice

_FIRM, _FAIRLY_FIRM = 0.9, 0.6
"""From which share of trials on a pairing is called so."""
_ADD: dict[str, str] = {
    "needs": message("Say where you need help"),
    "areas": message("Say where you need help and where you are strong"),
    "languages": message("Add working languages"),
    "latitude": message("Add the place on the map"),
    "population": message("Add the number of inhabitants"),
    "migrant_share": message("Add the share of migrants"),
    "needs_text": message("Tell what you need in your own words"),
    "practices": message("Tell a practice in a language that both read"),
}
"""What whoever may edit the city can do about a gap."""


@dataclass(frozen=True)
class Gap:
    """Something that a city does not tell, and that costs the pair points.

    Attributes:
        city: The id of the city.
        field: As `pair.FIELDS` calls it.
        says: What is missing.
        add: What to do about it.

    """

    city: str
    field: str
    says: str
    add: str


def missing(contributions: Sequence[Contribution], told: Words) -> list[Gap]:
    """Return what is not known of a pair, each thing once, by city."""
    found = {
        (city, field): Gap(city, field, told.say(FIELDS[field]), told.say(_ADD[field]))
        for part in contributions
        if part.weight and not part.known
        for field, city in gaps(part)
    }
    for city, field in list(found):
        if field == "areas":  # of which needs are half
            found.pop((city, "needs"), None)
    return [found[key] for key in sorted(found)]


@dataclass(frozen=True)
class Fitting:
    """The practice of a mentor that helps a learner most.

    Attributes:
        practice: The practice.
        need: How much help the learner needs in its area, 1 to 4.

    """

    practice: Practice
    need: int


def fitting(mentor: City, learner: City) -> Fitting | None:
    """Return the practice in the area that the learner needs most, or None.

    Of areas that it needs alike, the one in which the mentor is stronger; of practices
    in one area, one that tells what went wrong; then the mentor's own order.
    """
    needs, strengths = learner.levels("need"), mentor.levels("strength")
    found = [one for one in mentor.practices if one.area in needs]
    if not found:
        return None
    best = max(
        found,
        key=lambda one: (
            needs[one.area],
            strengths.get(one.area, 0),
            bool(one.what_went_wrong),
        ),
    )
    return Fitting(best, needs[best.area])


def why_it_fits(found: Fitting | None, mentor: str, learner: str, told: Words) -> str:
    """Return in a sentence why this practice is shown, or that there is none."""
    if found is None:
        return told.say(
            "{mentor} has told no practice yet in what {learner} needs. Ask about it "
            "at the first meeting.",
            mentor=mentor,
            learner=learner,
        )
    (area,) = told.areas([found.practice.area])
    return told.say(_NEEDS[found.need], learner=learner, area=area)


_NEEDS: dict[int, str] = {
    1: message("{learner} needs a little help in this area: {area}."),
    2: message("{learner} needs some help in this area: {area}."),
    3: message("{learner} needs much help in this area: {area}."),
    4: message("{learner} needs very much help in this area: {area}."),
}


def returned(mentor: City, learner: City) -> list[str]:
    """Return the ids of areas in which the learner can help the mentor, best first."""
    needs, strengths = mentor.levels("need"), learner.levels("strength")
    both = [area for area in needs if area in strengths]
    return sorted(both, key=lambda area: (-needs[area], -strengths[area], area))


def in_return(mentor: City, learner: City, told: Words) -> str:
    """Return in a sentence what the mentor may learn; honest where it is nothing."""
    areas = returned(mentor, learner)
    if areas:
        return told.say(
            "{learner} is strong where {mentor} needs help: {areas}.",
            learner=learner.name,
            mentor=mentor.name,
            areas=told.shortened(told.areas(areas)),
        )
    if not mentor.levels("need"):
        return told.say(
            "{mentor} says of no area that it needs help. So we cannot tell what it "
            "may learn; many mentors say that they learn by explaining.",
            mentor=mentor.name,
        )
    return told.say(
        "Nothing that we know of: {learner} is not strong where {mentor} needs help.",
        learner=learner.name,
        mentor=mentor.name,
    )


def firm(share: float, instead: str | None, told: Words) -> str:
    """Return how often a pairing stays when answers and weights change a little.

    Args:
        share: Of the trials, in which it stays.
        instead: The name of the mentor that the learner might get as well, if known.
        told: The language.

    """
    say, number = told.say, told.number(round(100 * share))
    if share >= _FIRM:
        return say("Firm: it stays in {number} of 100 trials.", number=number)
    if share >= _FAIRLY_FIRM:
        return say("Fairly firm: it stays in {number} of 100 trials.", number=number)
    if instead is None:
        return say("Toss-up: it stays in {number} of 100 trials.", number=number)
    return say(
        "Toss-up with {new}: the pairing stays in {number} of 100 trials.",
        new=instead,
        number=number,
    )


def rival(alternates: Sequence[Alternate]) -> str | None:
    """Return the other mentor that would cost the round least, or None."""
    priced = [one for one in alternates if one.price is not None]
    return min(priced, key=lambda one: one.price or 0).mentor if priced else None


def facts(contributions: Sequence[Contribution], told: Words) -> Iterator[str]:
    """Yield what the two share at a glance: a language, and how far they are apart."""
    for part in contributions:
        if not part.known:
            continue
        if part.criterion == "language":
            shared = told.languages(part.facts["shared"])
            if shared:
                yield told.say("Shared language: {languages}", languages=shared)
            else:
                yield told.say("No shared working language")
        elif part.criterion == "proximity":
            yield told.say("{km} km apart", km=told.number(part.facts["km"]))


def takeaway(best: str | None, score: float, known: float, told: Words) -> str:
    """Return in a sentence what the picture of a score shows.

    Args:
        best: The name of the criterion that brings most; None if none brings any.
        score: The points.
        known: How many of the 100 points could be known.
        told: The language.

    """
    first = told.count(
        "{number} point of the {known} that can be known.",
        "{number} points of the {known} that can be known.",
        score,
        1,
        known=told.number(known, 1),
    )
    if best is None:
        return first
    most = told.say("What brings most: {name}.", name=best)
    return f"{first} {most}"
