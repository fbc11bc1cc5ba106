"""What may still change, in English: firmness, prices, relaxations, who may leave."""

from collections.abc import Mapping, Sequence

from app.services.words.catalogue import words
from app.services.words.policy import capped
from schemas import Alternate, DropOut, Policy, Relaxation, Shortage

_FIRM, _FAIRLY_FIRM = 0.9, 0.6
Names = Mapping[str, str]
_ENGLISH = words("en")
_count, _listed, _number = _ENGLISH.count, _ENGLISH.listed, _ENGLISH.number


def firm_word(share: float) -> str:
    """Return in a word how often a pairing stays."""
    if share >= _FIRM:
        return "firm"
    return "fairly firm" if share >= _FAIRLY_FIRM else "not firm"


def how_firm(share: float) -> str:
    """Return in words and in figures how often a pairing stays."""
    return f"{firm_word(share).capitalize()}: it stays in {share:.0%} of the trials."


def instead(other: Alternate, name: str) -> str:
    """Return what choosing another mentor would cost.

    Args:
        other: The other mentor, with its price.
        name: What it is called.

    """
    begins = f"{name} ({_number(other.score, 1)} points)"
    if other.price is None:
        return f"{begins}."
    price = round(other.price, 1)
    if price == 0:
        return f"{begins}: choosing it instead costs the round nothing."
    if price > 0:
        return f"{begins}: choosing it instead costs the round {_points(price)}."
    return f"{begins}: choosing it instead brings {_points(-price)}, against the goal."


def _points(value: float) -> str:
    return _count("{number} point", "{number} points", value, 1)


def relaxed(found: Relaxation, policy: Policy, names: Names) -> str:
    """Return what could be relaxed, and what that would bring."""
    served = _count(
        "{number} more learner gets a mentor",
        "{number} more learners get a mentor",
        found.learners_gained,
    )
    points = round(found.points, 1)
    if points > 0:
        change = f"{_points(points)} more"
    elif points < 0:
        change = f"{_points(-points)} fewer"
    else:
        change = "as many points"
    return f"{_what(found, policy, names)}: {served}, {change}."


def _what(found: Relaxation, policy: Policy, names: Names) -> str:
    rule, _, position = found.rule.partition("/")
    if position:
        return _decision(rule, int(position), found.to, policy, names)
    if found.to is not None:
        return _LIMITS[rule].format(_ENGLISH.limit(found.to))
    return _SWITCHED_OFF[rule]


def _decision(
    kind: str, at: int, to: float | None, policy: Policy, names: Names
) -> str:
    if kind == "pins":
        pin = policy.pins[at]
        return f"Give up the pin {names[pin.mentor]} – {names[pin.learner]}"
    if kind == "bans":
        # By number: the pages are shown in committees, where a pair that is banned is
        # told like a veto.
        return f"Take back ban no. {at + 1} of the policy"
    cap = policy.caps[at]
    says = capped(cap, cap.max if to is None else round(to), _ENGLISH)
    return f"Drop the limit “{says}”" if to is None else f"Change the limit: “{says}”"


_LIMITS = {
    "max_distance_km": "Allow up to {} km",
    "max_size_ratio": "Allow one city to be {} times the other",
    "min_score": "Accept pairs from {} points",
    "min_load": "Lower the minimum load of mentors to {}",
}
_SWITCHED_OFF = {
    "different_country": "Allow two cities of one country",
    "shared_language": "Allow pairs without a shared language",
    "max_distance_km": "Drop the limit on distance",
    "max_size_ratio": "Drop the limit on size",
    "min_score": "Drop the lowest score",
    "no_repeat": "Allow partners of earlier rounds again",
    "min_load": "Drop the minimum load of mentors",
}


def short(found: Shortage, names: Names) -> str:
    """Return which learners and places cannot add up."""
    learners = _count("{number} learner", "{number} learners", len(found.learners))
    these = f"These learners: {_named(found.learners, names)}."
    if not found.mentors:
        return f"{learners} can go to no mentor at all. {these}"
    mentors = _count("{number} mentor", "{number} mentors", len(found.mentors))
    places = _count("{number} place", "{number} places", found.places)
    shared = (
        f"{learners} share {mentors} with {places} ({_named(found.mentors, names)})"
    )
    return f"{shared}: {found.short} must stay without a mentor. {these}"


def _named(ids: Sequence[str], names: Names) -> str:
    return _listed([names[one] for one in ids])


def if_it_left(found: DropOut, names: Names, areas: Names) -> str:
    """Return in words how bad it is if the city leaves."""
    told = []
    if not found.keeps_policy:
        told.append("nothing keeps the limits of the round")
    if found.unserved:
        stays = "stays" if len(found.unserved) == 1 else "stay"
        told.append(f"{_named(found.unserved, names)} {stays} without a mentor")
    if found.areas:
        lost = _ENGLISH.shortened([areas[area].lower() for area in found.areas])
        told.append(f"no mentor is left who is strong in {lost}")
    if told:
        return f"Fragile: {'; '.join(told)}."
    if not found.added:
        return "Nobody else loses a mentor."
    new = _count("{number} new pairing", "{number} new pairings", len(found.added))
    return f"It can be mended with {new}."
