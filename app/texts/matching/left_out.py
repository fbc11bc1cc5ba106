"""Why a city has no partner, in sentences."""

from collections import Counter
from collections.abc import Iterable, Mapping

from app.texts.catalogue import Language, Words, forms, words
from schemas import Reason, Role, Unmatched

_NOT_AVAILABLE = forms("{number} is not available", "{number} are not available")
SECRET = ("veto", "ban")
"""Told alike: who vetoed whom is not everybody's to know."""
_WHY: Mapping[str, tuple[str, str]] = {
    "different_country": forms(
        "{number} is in the same country", "{number} are in the same country"
    ),
    "shared_language": forms(
        "{number} shares no working language", "{number} share no working language"
    ),
    "max_distance_km": forms("{number} is too far away", "{number} are too far away"),
    "max_size_ratio": forms(
        "{number} differs too much in size", "{number} differ too much in size"
    ),
    "min_score": forms(
        "{number} would score below the floor", "{number} would score below the floor"
    ),
    "no_repeat": forms(
        "{number} was a partner before", "{number} were partners before"
    ),
    "veto": _NOT_AVAILABLE,
    "ban": _NOT_AVAILABLE,
    "role": forms(
        "{number} does not take part in the other role",
        "{number} do not take part in the other role",
    ),
    "all_places_taken": forms(
        "{number} has given all its places to others",
        "{number} have given all their places to others",
    ),
    "caps": forms(
        "{number} is in a group that has reached its limit",
        "{number} are in a group that has reached its limit",
    ),
    "min_load": forms(
        "{number} cannot be used without breaking the minimum load",
        "{number} cannot be used without breaking the minimum load",
    ),
    "no_partner": forms(
        "{number} would bring no points", "{number} would bring no points"
    ),
}


def left_out(unmatched: Unmatched, name: str, language: Language) -> list[str]:
    """Return why the city has no partner, or fewer than it wanted.

    Args:
        unmatched: What the engine says; who vetoed or banned whom is never told.
        name: What the city is called.
        language: In which language.

    """
    told = words(language)
    if not unmatched.partners_considered:
        return [_nobody(unmatched.role, told)]
    found = [reason for reason in unmatched.reasons if reason.partners]
    sentences = [_considered(unmatched, name, told)]
    if found:
        sentences.append(told.say("Of these: {reasons}.", reasons=whys(found, told)))
    if sum(reason.partners for reason in found) > unmatched.partners_considered:
        sentences.append(told.say("One city may count under several reasons."))
    return sentences


def why_left(reason: Reason, language: Language) -> str:
    """Return why so many partners are out of reach, as a part of a sentence."""
    return words(language).count(*_WHY[reason.code], reason.partners)


def whys(reasons: Iterable[Reason], told: Words) -> str:
    """Return why partners are out of reach; what reads alike is added up."""
    partners = Counter[tuple[str, str]]()
    for reason in reasons:
        partners[_WHY[reason.code]] += reason.partners
    return told.joined([told.count(*why, count) for why, count in partners.items()])


def _nobody(role: Role, told: Words) -> str:
    if role == "learner":
        return told.say("No other city takes part as a mentor.")
    return told.say("No other city takes part as a learner.")


def _considered(unmatched: Unmatched, name: str, told: Words) -> str:
    if unmatched.role == "learner":
        return told.count(
            "{number} city was considered as a mentor for {city}.",
            "{number} cities were considered as mentors for {city}.",
            unmatched.partners_considered,
            city=name,
        )
    return told.count(
        "{number} city was considered as a learner for {city}.",
        "{number} cities were considered as learners for {city}.",
        unmatched.partners_considered,
        city=name,
    )
