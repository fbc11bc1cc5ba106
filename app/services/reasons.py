"""Reasons in words: a contribution's codes and facts made into one plain sentence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app import data
from schemas import Cap, Contribution, Criterion, Policy, Reason, Warning  # noqa: A004 -- the word of the contract

AREA_NAMES: dict[str, str] = {
    area.id: area.labels.en for area in data.policy_areas().items
}
Names = Mapping[Any, str]
_SHOWN = 3
"""Most areas or titles in one sentence."""


def strongest(contributions: Sequence[Contribution], most: int) -> list[Contribution]:
    """Return the contributions that bring most points; none that brings nothing."""
    bringing = [part for part in contributions if part.points > 0]
    return sorted(bringing, key=lambda part: -part.points)[:most]


def sentence(part: Contribution, mentor: str, learner: str, areas: Names) -> str:
    """Return one English sentence that says why the pair gets these points.

    Args:
        part: What the criterion found.
        mentor: The mentor's name.
        learner: The learner's name.
        areas: What each policy area is called.

    """
    if not part.known:
        fields = sorted({f"{gap['field']}" for gap in part.facts["missing"]})
        return f"Not known: {listed(fields) or 'the two have no area in common'}."
    return _SENTENCES[part.criterion](part.facts, mentor, learner, areas)


def listed(words: Sequence[str]) -> str:
    """Return the words as a list in a sentence, the last ones counted."""
    shown = list(words[:_SHOWN])
    if len(words) > _SHOWN:
        shown.append(f"{len(words) - _SHOWN} more")
    # Names of areas hold "and" themselves.
    return "; ".join(shown)


def _called(ids: Sequence[str], areas: Names) -> str:
    return listed([areas[area].lower() for area in ids])


def _needs(facts: Mapping[str, Any], helper: str, helped: str, areas: Names) -> str:
    asked = facts["areas"]
    met = [row["area"] for row in asked if row["strength"]]
    if not met:
        return f"{helper} is not strong where {helped} needs help."
    what = _called(met, areas)
    if len(met) == len(asked):
        return f"{helper} is strong in all that {helped} needs: {what}."
    count = f"{len(met)} of the {len(asked)} areas"
    return f"{helper} is strong in {count} that {helped} needs: {what}."


def _focus(facts: Mapping[str, Any], mentor: str, learner: str, areas: Names) -> str:
    if not facts["areas"]:
        return f"What {mentor} is good at is not what {learner} asks for."
    what = _called(facts["areas"], areas)
    return f"What {mentor} is good at looks like what {learner} asks for: {what}."


def _evidence(facts: Mapping[str, Any], mentor: str, learner: str, areas: Names) -> str:
    if not facts["areas"]:
        return f"{mentor} names no practice for what {learner} needs."
    titles = list(dict.fromkeys(facts["practices"]))
    what = _called(facts["areas"], areas)
    return f"{mentor} can show what it does in {what}: {listed(titles)}."


def _language(facts: Mapping[str, Any], _m: str, _l: str, _areas: Names) -> str:
    shared = [code.upper() for code in facts["shared"]]
    if not shared:
        return "The two teams share no working language."
    return f"Both teams work in {listed(shared)}."


def _context(facts: Mapping[str, Any], _m: str, _l: str, _areas: Names) -> str:
    said = []
    if facts["population_ratio"] is not None:
        said.append(f"one city is {facts['population_ratio']:.1f} times the other")
    if facts["share_difference"] is not None:
        points = facts["share_difference"] * 100
        said.append(f"their shares of migrants differ by {points:.0f} points")
    return f"In size and people: {', '.join(said)}."


def _proximity(facts: Mapping[str, Any], _m: str, _l: str, _areas: Names) -> str:
    return f"They are {facts['km']:,.0f} km apart."


def _practice_text(
    _facts: Mapping[str, Any], mentor: str, learner: str, _a: Names
) -> str:
    return (
        f"The practices of {mentor} use the words in which {learner} tells its needs."
    )


_SENTENCES: Mapping[Criterion, Callable[[Mapping[str, Any], str, str, Names], str]] = {
    "needs_met": _needs,
    "focus": _focus,
    "evidence": _evidence,
    "language": _language,
    "context": _context,
    "proximity": _proximity,
    "give_back": lambda facts, mentor, learner, areas: (
        f"In return: {_needs(facts, learner, mentor, areas)}"
    ),
    "practice_text": _practice_text,
}


_WHY: Mapping[str, str] = {
    "different_country": "are in the same country",
    "shared_language": "share no working language",
    "max_distance_km": "are too far away",
    "max_size_ratio": "differ too much in size",
    "min_score": "would score below the floor",
    "no_repeat": "were partners before",
    "veto": "are not available",
    "ban": "are not available",
    "role": "do not take part in the other role",
    "all_places_taken": "have given all their places to others",
    "caps": "are in a group that has reached its limit",
    "min_load": "cannot be used without breaking the minimum load",
    "no_partner": "would bring no points",
}


def why_left(reason: Reason) -> str:
    """Return why partners are out of reach, as the end of a sentence.

    Vetoes and bans are told as one: who vetoed whom is not everybody's to know.
    """
    return f"{reason.partners} {_WHY[reason.code]}"


def warned(warning: Warning, policy: Policy, names: Names) -> str:
    """Return in one sentence what could not be checked."""
    if warning.city is None:
        return (
            "Not everything that could help those left out was tried: that would have "
            "taken too long."
        )
    rule, _, position = warning.rule.partition("/")
    if position:
        cap = policy.caps[int(position)]
        says = f"limit “{capped(cap, cap.max)}”"
    else:
        says = f"rule “{rule.replace('_', ' ')}”"
    return f"{names[warning.city]} does not tell what the {says} needs: not applied."


def capped(cap: Cap, most: int) -> str:
    """Return what a cap says when it lets so many through, without a full stop."""
    whom = f"{cap.side}s of one {cap.by}"
    if cap.per == "round":
        return f"Pairings with {whom}: at most {most}"
    other = "learner" if cap.side == "mentor" else "mentor"
    return f"{whom.capitalize()} for each {other}: at most {most}"


_OBJECTIVES: Mapping[str, str] = {
    "total": "the most points in all",
    "served": "the most learners with a mentor, then the most points",
    "fair": "the best result for the learner who is worst off, then the next",
    "stable": "no two cities that would both rather have each other",
}


def how(policy: Policy) -> list[str]:
    """Return in sentences how the round was matched."""
    rules = policy.rules
    said = [f"Looked for: {_OBJECTIVES[policy.objective]}."]
    if rules.different_country:
        said.append("Never two cities of one country.")
    if rules.shared_language:
        said.append("Only cities that share a working language.")
    if rules.max_distance_km is not None:
        said.append(f"At most {rules.max_distance_km:g} km apart.")
    if rules.max_size_ratio is not None:
        said.append(f"No city more than {rules.max_size_ratio:g} times the other.")
    if rules.min_score is not None:
        said.append(f"No pairing below {rules.min_score:g} points.")
    if rules.no_repeat:
        said.append("Nobody gets the same partner again.")
    said += [f"{capped(cap, cap.max)}." for cap in policy.caps]
    if policy.min_load.mentor:
        used = " that gets any" if policy.min_load.only_if_used else ""
        said.append(
            f"Learners of each mentor{used}: at least {policy.min_load.mentor}."
        )
    for kind, decisions in (("Pinned", policy.pins), ("Banned", policy.bans)):
        if decisions:
            said.append(f"{kind} by the organiser: {len(decisions)}.")
    return said
