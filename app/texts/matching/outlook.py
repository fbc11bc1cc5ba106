"""What may still change, to whoever reads: firmness, prices, what would help."""

from collections.abc import Mapping, Sequence

from app.texts.catalogue import Words, forms, here, message, within
from app.texts.matching.policy import capped
from schemas import Alternate, DropOut, Policy, Relaxation, Shortage

_FIRM, _FAIRLY_FIRM = 0.9, 0.6
_POINTS = forms("{number} point", "{number} points")
Names = Mapping[str, str]


def firm_word(share: float) -> str:
    """Return in a word how often a pairing stays."""
    if share >= _FIRM:
        return here().say("firm")
    if is_toss_up(share):
        return here().say("not firm")
    return here().say("fairly firm")


def is_toss_up(share: float | None) -> bool:
    """Tell whether a pairing stays so seldom that another one is nearly as good."""
    return share is not None and share < _FAIRLY_FIRM


def how_firm(share: float) -> str:
    """Return in words and in figures how often a pairing stays."""
    told = here()
    if share >= _FIRM:
        says = message("Firm: it stays in {share} of the trials.")
    elif is_toss_up(share):
        says = message("Not firm: it stays in {share} of the trials.")
    else:
        says = message("Fairly firm: it stays in {share} of the trials.")
    return told.say(says, share=told.percent(share))


def instead(other: Alternate, name: str) -> str:
    """Return what choosing another mentor would cost.

    Args:
        other: The other mentor, with its price.
        name: What it is called.

    """
    told = here()
    known = {"name": name, "points": told.count(*_POINTS, other.score, 1)}
    if other.price is None:
        return told.say("{name} ({points}).", **known)
    price = round(other.price, 1)
    if price == 0:
        return told.say(
            "{name} ({points}): choosing it instead costs the round nothing.", **known
        )
    if price > 0:
        return told.count(
            "{name} ({points}): choosing it instead costs the round {number} point.",
            "{name} ({points}): choosing it instead costs the round {number} points.",
            price,
            1,
            **known,
        )
    return told.count(
        "{name} ({points}): choosing it instead brings {number} point, against the "
        "goal.",
        "{name} ({points}): choosing it instead brings {number} points, against the "
        "goal.",
        -price,
        1,
        **known,
    )


def relaxed(found: Relaxation, policy: Policy, names: Names) -> str:
    """Return what could be relaxed, and what that would bring."""
    told = here()
    served = told.count(
        "{number} more learner gets a mentor",
        "{number} more learners get a mentor",
        found.learners_gained,
    )
    points = round(found.points, 1)
    if points > 0:
        change = told.count("{number} point more", "{number} points more", points, 1)
    elif points < 0:
        change = told.count("{number} point fewer", "{number} points fewer", -points, 1)
    else:
        change = told.say("as many points")
    return told.say(
        "{what}: {served}, {change}.",
        what=_what(found, policy, names, told),
        served=served,
        change=change,
    )


def _what(found: Relaxation, policy: Policy, names: Names, told: Words) -> str:
    rule, _, position = found.rule.partition("/")
    if position:
        return _decision(rule, int(position), found.to, policy, names, told)
    if found.to is not None:
        return told.say(_LIMITS[rule], limit=told.limit(found.to))
    return told.say(_SWITCHED_OFF[rule])


def _decision(  # noqa: PLR0913 -- what a relaxation is told by
    kind: str, at: int, to: float | None, policy: Policy, names: Names, told: Words
) -> str:
    if kind == "pins":
        pin = policy.pins[at]
        return told.say(
            "Give up the pin {mentor} – {learner}",
            mentor=names[pin.mentor],
            learner=names[pin.learner],
        )
    if kind == "bans":
        # By number: the pages are shown in committees, where a pair that is banned is
        # told like a veto.
        return told.say(
            "Take back ban no. {rank} of the policy", rank=told.number(at + 1)
        )
    cap = policy.caps[at]
    limit = capped(cap, cap.max if to is None else round(to), told)
    if to is None:
        return told.say("Drop the limit “{limit}”", limit=limit)
    return told.say("Change the limit: “{limit}”", limit=limit)


_LIMITS = {
    "max_distance_km": message("Allow up to {limit} km"),
    "max_size_ratio": message("Allow one city to be {limit} times the other"),
    "min_score": message("Accept pairs from {limit} points"),
    "min_load": message("Lower the minimum load of mentors to {limit}"),
}
_SWITCHED_OFF = {
    "different_country": message("Allow two cities of one country"),
    "shared_language": message("Allow pairs without a shared language"),
    "max_distance_km": message("Drop the limit on distance"),
    "max_size_ratio": message("Drop the limit on size"),
    "min_score": message("Drop the lowest score"),
    "no_repeat": message("Allow partners of earlier rounds again"),
    "min_load": message("Drop the minimum load of mentors"),
}


def short(found: Shortage, names: Names) -> str:
    """Return which learners and places cannot add up."""
    told = here()
    learners = told.count("{number} learner", "{number} learners", len(found.learners))
    these = told.say(
        "These learners: {names}.", names=_named(found.learners, names, told)
    )
    if not found.mentors:
        none = told.say("{learners} can go to no mentor at all.", learners=learners)
        return f"{none} {these}"
    shared = told.say(
        "{learners} share {mentors} with {places} ({names}): {short} must stay without "
        "a mentor.",
        learners=learners,
        mentors=told.count("{number} mentor", "{number} mentors", len(found.mentors)),
        places=told.count("{number} place", "{number} places", found.places),
        names=_named(found.mentors, names, told),
        short=told.number(found.short),
    )
    return f"{shared} {these}"


def _named(ids: Sequence[str], names: Names, told: Words) -> str:
    return told.listed([names[one] for one in ids])


def if_it_left(found: DropOut, names: Names, areas: Names) -> str:
    """Return in words how bad it is if the city leaves."""
    told = here()
    why = []
    if not found.keeps_policy:
        why.append(told.say("nothing keeps the limits of the round"))
    if found.unserved:
        why.append(
            told.count(
                "{cities} stays without a mentor",
                "{cities} stay without a mentor",
                len(found.unserved),
                cities=_named(found.unserved, names, told),
            )
        )
    if found.areas:
        lost = told.shortened([within(areas[area]) for area in found.areas])
        why.append(told.say("no mentor is left who is strong in {areas}", areas=lost))
    if why:
        return told.say("Fragile: {reasons}.", reasons=told.joined(why))
    if not found.added:
        return told.say("Nobody else loses a mentor.")
    return told.count(
        "It can be mended with {number} new pairing.",
        "It can be mended with {number} new pairings.",
        len(found.added),
    )
