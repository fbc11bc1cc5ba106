"""Why two cities are paired, in sentences: what brings points, what is not known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from app.texts.catalogue import Language, Words, message, words
from schemas import (
    Adjustment,
    Contribution,
    Criterion,
    Explanation,
    Pairing,
    WhyNot,
)

_MOST = 4
"""Most contributions that are told of one pair."""
Facts = Mapping[str, Any]
CRITERIA: Mapping[Criterion, str] = {
    "needs_met": message("Needs met"),
    "focus": message("Focus"),
    "evidence": message("Evidence"),
    "language": message("Language"),
    "context": message("Context"),
    "proximity": message("Proximity"),
    "give_back": message("Give back"),
    "practice_text": message("Texts"),
}
"""What each criterion is called."""
FIELDS: Mapping[str, str] = {
    "needs": message("needs"),
    "areas": message("needs and strengths"),
    "languages": message("working languages"),
    "latitude": message("place on the map"),
    "population": message("number of inhabitants"),
    "migrant_share": message("share of migrants"),
    "needs_text": message("needs in its own words"),
    "practices": message("practices told in the same language"),
}
"""What a city may leave out, by the field of its profile; `needs` is half a field."""


def explained(
    pairing: Pairing | Explanation | WhyNot,
    mentor: str,
    learner: str,
    language: Language,
) -> list[str]:
    """Return why the two are a pair, the strongest reason first.

    Args:
        pairing: The pair with its contributions, and those adjustments alone that the
            reader may know of: wishes are private.
        mentor: The mentor's name.
        learner: The learner's name.
        language: In which language.

    """
    told = words(language)
    names = {pairing.mentor: mentor, pairing.learner: learner}
    return [
        *(
            sentence(part, mentor, learner, language)
            for part in strongest(pairing.contributions, _MOST)
        ),
        *(beside(one, names[one.city], language) for one in pairing.adjustments),
        *_unknown(pairing, names, told),
    ]


def strongest(contributions: Sequence[Contribution], most: int) -> list[Contribution]:
    """Return the contributions that bring most points; none that brings nothing."""
    bringing = [part for part in contributions if part.points > 0]
    return sorted(bringing, key=lambda part: -part.points)[:most]


def sentence(part: Contribution, mentor: str, learner: str, language: Language) -> str:
    """Return one sentence that says why the pair gets these points.

    Args:
        part: What the criterion found.
        mentor: The mentor's name.
        learner: The learner's name.
        language: In which language.

    """
    told = words(language)
    if part.known:
        return _SENTENCES[part.criterion](part.facts, mentor, learner, told)
    fields = {field for field, _ in gaps(part)}
    named = [told.say(text) for field, text in FIELDS.items() if field in fields]
    return told.say("Not known: {fields}.", fields=told.joined(named or [_apart(told)]))


def gaps(part: Contribution) -> list[tuple[str, str]]:
    """Return what is not known, each with the id of the city that leaves it out."""
    narrow = {"areas": "needs"} if part.criterion != "evidence" else {}
    return [
        (narrow.get(gap["field"], gap["field"]), gap["city"])
        for gap in part.facts["missing"]
    ]


def beside(one: Adjustment, city: str, language: Language) -> str:
    """Return why the pair gets points beside its score.

    Args:
        one: The points, with what they are for.
        city: The name of the city that they are for.
        language: In which language.

    """
    told = words(language)
    if one.code == "wish":
        return told.count(
            "Wish no. {rank} of {city} is fulfilled: +{number} point beside the score.",
            "Wish no. {rank} of {city} is fulfilled: +{number} points beside the "
            "score.",
            one.points,
            1,
            rank=f"{one.rank}",
            city=city,
        )
    if not one.rounds:
        return told.count(
            "{city} had no partner before: +{number} point beside the score.",
            "{city} had no partner before: +{number} points beside the score.",
            one.points,
            1,
            city=city,
        )
    return told.count(
        "{city} had no partner in an earlier round ({rounds}): +{number} point beside "
        "the score.",
        "{city} had no partner in an earlier round ({rounds}): +{number} points beside "
        "the score.",
        one.points,
        1,
        city=city,
        rounds=told.listed(one.rounds),
    )


def _unknown(
    pairing: Pairing | Explanation | WhyNot, names: Mapping[str, str], told: Words
) -> Iterator[str]:
    """Yield how many points could not be known, and what would make them known."""
    lost = round(100 - pairing.known_weight, 1)
    if lost <= 0:
        return
    found = [
        gaps(part) for part in pairing.contributions if part.weight and not part.known
    ]
    cities: dict[str, dict[str, None]] = {}
    for field, city in chain(*found):
        cities.setdefault(field, {})[names[city]] = None
    said = [
        f"{told.say(text)} ({told.listed([*cities[field]])})"
        for field, text in FIELDS.items()
        if field in cities
    ]
    if not all(found):
        said.append(_apart(told))
    yield told.say(
        "{number} of the 100 points could not be known: {gaps}.",
        number=told.limit(lost),
        gaps=told.joined(said),
    )


def _apart(told: Words) -> str:
    return told.say("the two have no area in common")


def _needs(facts: Facts, helper: str, helped: str, told: Words) -> str:
    asked = facts["areas"]
    met = [row["area"] for row in asked if row["strength"]]
    if not met:
        return told.say(
            "{helper} is not strong where {helped} needs help.",
            helper=helper,
            helped=helped,
        )
    what = told.shortened(told.areas(met))
    if len(met) == len(asked):
        return told.say(
            "{helper} is strong in all that {helped} needs: {areas}.",
            helper=helper,
            helped=helped,
            areas=what,
        )
    return told.say(
        "{helper} is strong in {met} of the {asked} areas that {helped} needs: "
        "{areas}.",
        helper=helper,
        helped=helped,
        met=f"{len(met)}",
        asked=f"{len(asked)}",
        areas=what,
    )


def _focus(facts: Facts, mentor: str, learner: str, told: Words) -> str:
    if not facts["areas"]:
        return told.say(
            "What {mentor} is good at is not what {learner} asks for.",
            mentor=mentor,
            learner=learner,
        )
    return told.say(
        "What {mentor} is good at looks like what {learner} asks for: {areas}.",
        mentor=mentor,
        learner=learner,
        areas=told.shortened(told.areas(facts["areas"])),
    )


def _evidence(facts: Facts, mentor: str, learner: str, told: Words) -> str:
    if not facts["areas"]:
        return told.say(
            "{mentor} names no practice for what {learner} needs.",
            mentor=mentor,
            learner=learner,
        )
    return told.say(
        "{mentor} can show what it does in {areas}: {titles}.",
        mentor=mentor,
        areas=told.shortened(told.areas(facts["areas"])),
        titles=told.shortened(list(dict.fromkeys(facts["practices"]))),
    )


def _language(facts: Facts, _mentor: str, _learner: str, told: Words) -> str:
    if not facts["shared"]:
        return told.say("The two teams share no working language.")
    return told.say(
        "Both teams work in {languages}.", languages=told.languages(facts["shared"])
    )


def _context(facts: Facts, _mentor: str, _learner: str, told: Words) -> str:
    said = []
    if facts["population_ratio"] is not None:
        ratio = told.number(facts["population_ratio"], 1)
        said.append(told.say("one city is {ratio} times the other", ratio=ratio))
    if facts["share_difference"] is not None:
        said.append(
            told.count(
                "their shares of migrants differ by {number} point",
                "their shares of migrants differ by {number} points",
                facts["share_difference"] * 100,
            )
        )
    return told.say("In size and people: {facts}.", facts=", ".join(said))


def _proximity(facts: Facts, _mentor: str, _learner: str, told: Words) -> str:
    return told.say("They are {km} km apart.", km=told.number(facts["km"]))


def _give_back(facts: Facts, mentor: str, learner: str, told: Words) -> str:
    back = _needs(facts, helper=learner, helped=mentor, told=told)
    return told.say("In return: {sentence}", sentence=back)


def _practice_text(_facts: Facts, mentor: str, learner: str, told: Words) -> str:
    return told.say(
        "The practices of {mentor} use the words in which {learner} tells its needs.",
        mentor=mentor,
        learner=learner,
    )


_SENTENCES: Mapping[Criterion, Callable[[Facts, str, str, Words], str]] = {
    "needs_met": _needs,
    "focus": _focus,
    "evidence": _evidence,
    "language": _language,
    "context": _context,
    "proximity": _proximity,
    "give_back": _give_back,
    "practice_text": _practice_text,
}
