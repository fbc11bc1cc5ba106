"""What a pair's contributions rest on, as codes, ids and numbers.

The service turns them into sentences in the reader's language.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from math import asin, cos, hypot, radians, sin
from typing import Any

from matching._scoring.criteria import EARTH_KM
from matching._scoring.features import practice_text
from schemas import City, Criterion

Facts = dict[str, Any]


class Profile:
    """A city, read once however many pairs it is explained in."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.needs = city.levels("need")
        self.strengths = city.levels("strength")

    @cached_property
    def practices(self) -> dict[str, list[str]]:
        """The titles of the practices behind each area."""
        titles: dict[str, list[str]] = {}
        for practice in self.city.practices:
            titles.setdefault(practice.area, []).append(practice.title)
        return titles


def _covered(helper: Profile, helped: Profile) -> list[str]:
    """Return the areas where strength meets need, most covered first, then by name."""
    strengths, needs = helper.strengths, helped.needs
    return sorted(
        needs.keys() & strengths.keys(),
        key=lambda area: (-min(needs[area], strengths[area]), -needs[area], area),
    )


def _needs_met(helper: Profile, helped: Profile) -> Facts:
    strengths, needs = helper.strengths, helped.needs
    covered = _covered(helper, helped)
    open_needs = sorted(needs.keys() - strengths.keys(), key=lambda a: (-needs[a], a))
    return {
        "asked": sum(needs.values()),
        "met": sum(min(needs[area], strengths[area]) for area in covered),
        "areas": [
            {"area": area, "need": needs[area], "strength": strengths.get(area, 0)}
            for area in (*covered, *open_needs)
        ],
    }


def _focus(mentor: Profile, learner: Profile) -> Facts:
    strengths, needs = mentor.strengths, learner.needs
    return {
        "areas": sorted(
            needs.keys() & strengths.keys(),
            key=lambda area: (-needs[area] * strengths[area], area),
        ),
        "strong_elsewhere": sorted(strengths.keys() - needs.keys()),
    }


def _evidence(mentor: Profile, learner: Profile) -> Facts:
    covered = _covered(mentor, learner)
    backed = [area for area in covered if area in mentor.practices]
    return {
        "covered": covered,
        "areas": backed,
        "practices": [title for area in backed for title in mentor.practices[area]],
    }


def _language(mentor: Profile, learner: Profile) -> Facts:
    return {"shared": sorted({*mentor.city.languages} & {*learner.city.languages})}


def _context(mentor: Profile, learner: Profile) -> Facts:
    sizes = [side.city.population for side in (mentor, learner)]
    shares = [side.city.migrant_share for side in (mentor, learner)]
    ratio = difference = definition = None
    if sizes[0] and sizes[1]:
        low, high = sorted(size.value for size in sizes if size)
        ratio = round(high / low, 3)
    if shares[0] and shares[1] and shares[0].definition == shares[1].definition:
        definition = shares[0].definition
        difference = round(abs(shares[0].value - shares[1].value), 6)
    return {
        "population_ratio": ratio,
        "share_difference": difference,
        "definition": definition,
    }


def _proximity(mentor: Profile, learner: Profile) -> Facts:
    one, other = mentor.city, learner.city
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        return {}
    north, east = (
        radians(getattr(one, axis) - getattr(other, axis)) / 2
        for axis in ("latitude", "longitude")
    )
    parallel = cos(radians(one.latitude)) * cos(radians(other.latitude))  # type: ignore[arg-type]
    chord = hypot(sin(north), parallel**0.5 * sin(east))
    return {"km": round(2 * EARTH_KM * asin(min(1.0, chord)), 1)}


def _practice_text(mentor: Profile, learner: Profile) -> Facts:
    return {
        "languages": [
            code
            for code in sorted(learner.city.languages)
            if practice_text(mentor.city, code)
        ]
    }


_FACTS: Mapping[Criterion, Callable[[Profile, Profile], Facts]] = {
    "needs_met": _needs_met,
    "focus": _focus,
    "evidence": _evidence,
    "language": _language,
    "context": _context,
    "proximity": _proximity,
    "give_back": lambda mentor, learner: _needs_met(helper=learner, helped=mentor),
    "practice_text": _practice_text,
}


def _missing(criterion: Criterion, mentor: Profile, learner: Profile) -> Facts:
    """Return which fields of which city would make the value known."""
    both = (mentor, learner)
    wanted: list[tuple[Profile, str, object]]
    match criterion:
        case "needs_met" | "focus":
            wanted = [(learner, "areas", learner.needs)]
        case "evidence":
            wanted = [
                (learner, "areas", learner.needs),
                (mentor, "areas", mentor.strengths),
            ]
        case "give_back":
            wanted = [(mentor, "areas", mentor.needs)]
        case "language":
            wanted = [(side, "languages", side.city.languages) for side in both]
        case "proximity":
            wanted = [
                (side, "latitude", side.city.latitude is not None) for side in both
            ]
        case "context":
            wanted = [
                (side, field, getattr(side.city, field))
                for field in ("population", "migrant_share")
                for side in both
            ]
        case "practice_text":
            wanted = [
                (learner, "needs_text", learner.city.needs_text),
                (learner, "languages", learner.city.languages),
                (mentor, "practices", _practice_text(mentor, learner)["languages"]),
            ]
    return {
        "missing": [
            {"city": side.city.id, "field": field}
            for side, field, given in wanted
            if not given
        ]
    }


def facts(
    criterion: Criterion, mentor: Profile, learner: Profile, *, known: bool
) -> Facts:
    """Return what the criterion saw in this pair, or what it would have to see."""
    if known:
        return _FACTS[criterion](mentor, learner)
    return _missing(criterion, mentor, learner)
