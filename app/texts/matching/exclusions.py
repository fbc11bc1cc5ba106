"""What forbids a pair, one sentence each."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.texts.catalogue import Words
from schemas import Exclusion

Facts = Mapping[str, Any]
Names = Mapping[str, str]
_MOST_DECIMALS = 6
_FILLED = {"capacity": "mentor", "demand": "learner"}
"""Whose places are meant."""


def excluded(
    found: Exclusion, names: Names, words: Words, pair: Names
) -> Iterator[str]:
    """Yield why the pair cannot be.

    Args:
        found: What forbids it.
        names: What the cities are called.
        words: The language.
        pair: The names of the two, as `mentor` and `learner`.

    """
    if found.code == "role":
        for one in found.facts["cities"]:
            yield _no_role(names[one["city"]], one["role"], words)
    elif found.code in _FILLED:
        city = pair[_FILLED[found.code]]
        yield words.say(
            "Pairings that are pinned fill all places of {city}.", city=city
        )
    elif "pointer" in found.facts or found.code not in _SENTENCES:
        # Not the pair itself is forbidden: it clashes with other decisions.
        yield words.say("What is fixed already leaves no room for this pair.")
    else:
        yield _SENTENCES[found.code](found.facts, words, pair)


def _no_role(city: str, role: str, words: Words) -> str:
    if role == "mentor":
        return words.say("{city} has no place as a mentor.", city=city)
    return words.say("{city} has no place as a learner.", city=city)


def _same_country(facts: Facts, words: Words, _pair: Names) -> str:
    return words.say(
        "Both are in the same country ({country}); a pair must be of two countries.",
        country=words.country(facts["country"]),
    )


def _no_language(facts: Facts, words: Words, pair: Names) -> str:
    return words.say(
        "{mentor} works in {languages}, {learner} in {others}: they have no language "
        "in common.",
        languages=words.languages(facts["mentor"]),
        others=words.languages(facts["learner"]),
        **pair,
    )


def _too_far(facts: Facts, words: Words, _pair: Names) -> str:
    return words.say(
        "They are {km} km apart; at most {limit} km are allowed.",
        km=_beyond(words, facts["is"], facts["limit"], 0),
        limit=words.limit(facts["limit"]),
    )


def _too_different(facts: Facts, words: Words, _pair: Names) -> str:
    return words.say(
        "One city has {ratio} times as many inhabitants as the other; at most {limit} "
        "times are allowed.",
        ratio=_beyond(words, facts["is"], facts["limit"], 1),
        limit=words.limit(facts["limit"]),
    )


def _low_score(facts: Facts, words: Words, _pair: Names) -> str:
    return words.say(
        "Points of this pair: {score}. Every pair needs at least {limit}.",
        score=_beyond(words, facts["is"], facts["limit"], 1),
        limit=words.limit(facts["limit"]),
    )


def _again(_facts: Facts, words: Words, pair: Names) -> str:
    return words.say(
        "{mentor} was the mentor of {learner} before; nobody gets the same partner "
        "again.",
        **pair,
    )


def _not_available(_facts: Facts, words: Words, _pair: Names) -> str:
    return words.say("They are not available for each other.")


def _beyond(words: Words, value: float, limit: float, decimals: int) -> str:
    """Return the value with as many decimals as it takes to see what is wrong."""
    while round(value, decimals) == limit and decimals < _MOST_DECIMALS:
        decimals += 1
    return words.number(value, decimals)


_SENTENCES: Mapping[str, Callable[[Facts, Words, Names], str]] = {
    "different_country": _same_country,
    "shared_language": _no_language,
    "max_distance_km": _too_far,
    "max_size_ratio": _too_different,
    "min_score": _low_score,
    "no_repeat": _again,
    "veto": _not_available,
    "ban": _not_available,
}
