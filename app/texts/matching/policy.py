"""A policy in sentences: what is looked for, what counts, what is not allowed."""

from collections.abc import Iterator, Mapping

from app.texts.catalogue import Language, Words, message, within, words
from app.texts.matching.pair import CRITERIA
from schemas import Cap, Criterion, Objective, Policy, Warning  # noqa: A004 -- the word of the contract

_AIMS: Mapping[Objective, str] = {
    "total": message("the most points in all"),
    "served": message("the most learners with a mentor, then the most points"),
    "fair": message("the best result for the learner who is worst off, then the next"),
    "stable": message("no two cities that would both rather have each other"),
}
_CAPS: Mapping[tuple[str, str, str], str] = {
    ("mentor", "country", "round"): message(
        "Pairings with mentors of one country: at most {most}"
    ),
    ("mentor", "association", "round"): message(
        "Pairings with mentors of one association: at most {most}"
    ),
    ("learner", "country", "round"): message(
        "Pairings with learners of one country: at most {most}"
    ),
    ("learner", "association", "round"): message(
        "Pairings with learners of one association: at most {most}"
    ),
    ("mentor", "country", "partner"): message(
        "Mentors of one country for each learner: at most {most}"
    ),
    ("mentor", "association", "partner"): message(
        "Mentors of one association for each learner: at most {most}"
    ),
    ("learner", "country", "partner"): message(
        "Learners of one country for each mentor: at most {most}"
    ),
    ("learner", "association", "partner"): message(
        "Learners of one association for each mentor: at most {most}"
    ),
}
_CHECKED: Mapping[str, str] = {
    "shared_language": message("shared working language"),
    "max_distance_km": message("largest distance"),
    "max_size_ratio": message("largest difference in size"),
}
"""Rules that need to know something of a city."""


def policy_in_words(policy: Policy, language: Language) -> list[str]:
    """Return in sentences how a round is matched; a ban is counted, never named."""
    told = words(language)
    return [
        aim(policy, told),
        *_weighed(policy, told),
        *credit(policy, told),
        *limits(policy, told),
        *decisions(policy, told),
    ]


def aim(policy: Policy, told: Words) -> str:
    """Return what is looked for."""
    return told.say("Looked for: {aim}.", aim=told.say(_AIMS[policy.objective]))


def _weighed(policy: Policy, told: Words) -> Iterator[str]:
    listed = [
        f"{within(told.say(CRITERIA[criterion]))} {points}"
        for criterion, points in shares(policy, told).items()
    ]
    if listed:
        yield told.say("Points out of 100: {criteria}.", criteria=told.joined(listed))


def shares(policy: Policy, told: Words) -> dict[Criterion, str]:
    """Return how many of the 100 points each criterion has; most first, none with 0."""
    weights = {name: getattr(policy.weights, name) for name in CRITERIA}
    whole = sum(weights.values())
    return {
        name: told.limit(round(100 * weight / whole, 1))
        for name, weight in sorted(weights.items(), key=lambda item: -item[1])
        if weight
    }


def credit(policy: Policy, told: Words) -> Iterator[str]:
    """Yield what having been left out of earlier rounds counts, if it does."""
    if policy.left_out_credit:
        yield told.say(
            "Points beside the score for each earlier round without a partner, two "
            "rounds at most: {points}.",
            points=told.limit(policy.left_out_credit),
        )


def limits(policy: Policy, told: Words) -> Iterator[str]:
    """Yield the hard rules, the caps and the minimum load."""
    rules, say = policy.rules, told.say
    if rules.different_country:
        yield say("Never two cities of one country.")
    if rules.shared_language:
        yield say("Only cities that share a working language.")
    if rules.max_distance_km is not None:
        yield say("At most {km} km apart.", km=told.limit(rules.max_distance_km))
    if rules.max_size_ratio is not None:
        ratio = told.limit(rules.max_size_ratio)
        yield say("No city more than {ratio} times the other.", ratio=ratio)
    if rules.min_score is not None:
        points = told.limit(rules.min_score)
        yield say("No pairing below {points} points.", points=points)
    if rules.no_repeat:
        yield say("Nobody gets the same partner again.")
    for cap in policy.caps:
        yield f"{capped(cap, cap.max, told)}."
    least = told.number(policy.min_load.mentor)
    if policy.min_load.mentor and policy.min_load.only_if_used:
        yield say(
            "Learners of each mentor that gets any: at least {least}.", least=least
        )
    elif policy.min_load.mentor:
        yield say("Learners of each mentor: at least {least}.", least=least)


def capped(cap: Cap, most: int, told: Words) -> str:
    """Return what a cap says when it lets so many through, without a full stop."""
    says = _CAPS[cap.side, cap.by, cap.per]
    return told.say(says, most=told.number(most))


def decisions(policy: Policy, told: Words) -> Iterator[str]:
    """Yield how many pairs the organisers have decided about."""
    if policy.pins:
        number = told.number(len(policy.pins))
        yield told.say("Pinned by the organiser: {number}.", number=number)
    if policy.bans:
        number = told.number(len(policy.bans))
        yield told.say("Banned by the organiser: {number}.", number=number)


def warned(
    warning: Warning, policy: Policy, names: Mapping[str, str], language: Language
) -> str:
    """Return in one sentence what could not be checked."""
    told = words(language)
    if warning.city is None:
        return told.say(
            "Not everything that could help those left out was tried: that would have "
            "taken too long."
        )
    city = names[warning.city]
    rule, _, position = warning.rule.partition("/")
    if position:
        cap = policy.caps[int(position)]
        return told.say(
            "{city} does not tell what the limit “{limit}” needs: not applied.",
            city=city,
            limit=capped(cap, cap.max, told),
        )
    return told.say(
        "{city} does not tell what the rule “{rule}” needs: not applied.",
        city=city,
        rule=told.say(_CHECKED[rule]),
    )
