"""Readiness as lights with words: what stands in the way, and where it is mended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from app.texts.catalogue import here
from app.texts.matching import outlook
from schemas import Finding, Policy, Readiness, Relaxation

Level = Literal["stop", "care"]
Names = Mapping[str, str]
_SHOWN = 8
"""Most cities that are named, each with a way to mend it."""
_AREAS = 3
"""Most areas with too few places: the picture beside shows all of them."""


@dataclass(frozen=True)
class Fix:
    """Where something is mended."""

    says: str
    path: str


@dataclass(frozen=True)
class Light:
    """One thing that stands in the way of a good result.

    Attributes:
        level: `stop`: nothing good comes of it; `care`: worth a look.
        says: What it is, in a sentence.
        helps: How many cities it helps to mend it; 0: not known.
        fixes: Where it is mended.

    """

    level: Level
    says: str
    helps: int
    fixes: tuple[Fix, ...]


def lights(
    found: Readiness, policy: Policy, names: Names, round_id: str
) -> tuple[Light, ...]:
    """Return what stands in the way of matching a round, the worst first.

    Args:
        found: What the engine says.
        policy: Of the round.
        names: Of its cities.
        round_id: Which round.

    """
    at = f"/rounds/{round_id}"
    every = [
        *_decisions(found.findings, at),
        *_sides(found, at),
        *_short(found, names, at),
        *_relaxed(found.relaxations, policy, names, at),
        *_areas(found),
        *_cities(found.findings, names, at),
    ]
    return tuple(sorted(every, key=lambda one: one.level != "stop"))


def _decisions(findings: Sequence[Finding], at: str) -> Iterator[Light]:
    told = here()
    for one in findings:
        if one.code in {"clash", "conflict"}:
            fix = Fix(
                told.say("Look at what was decided by hand"), f"{at}/rules#decisions"
            )
            yield Light("stop", one.message, 0, (fix,))


def _sides(found: Readiness, at: str) -> Iterator[Light]:
    told = here()
    take_in = Fix(told.say("Take in more cities"), f"{at}#take-in")
    if not found.mentors:
        says = told.say("No city takes part as a mentor with a place.")
        yield Light("stop", says, found.learners, (take_in,))
    if not found.learners:
        says = told.say("No city takes part as a learner.")
        yield Light("stop", says, found.mentors, (take_in,))
    lacking = found.learner_places - found.mentor_places
    if found.mentors and lacking > 0:
        ask = Fix(told.say("Ask mentors for more places"), f"{at}?role=mentor#who")
        says = told.say(
            "Learners want {wanted} places, mentors offer {offered}.",
            wanted=told.number(found.learner_places),
            offered=told.number(found.mentor_places),
        )
        yield Light("care", says, lacking, (ask, take_in))


def _short(found: Readiness, names: Names, at: str) -> Iterator[Light]:
    if found.shortage is not None:
        fix = Fix(here().say("Take in more cities"), f"{at}#take-in")
        says = outlook.short(found.shortage, names)
        yield Light("stop", says, found.shortage.short, (fix,))


def _relaxed(
    relaxations: Sequence[Relaxation], policy: Policy, names: Names, at: str
) -> Iterator[Light]:
    """Yield what could be relaxed, each with the desk where it is tried."""
    told = here()
    for one in relaxations:
        says = outlook.relaxed(one, policy, names)
        if one.rule.startswith(("pins/", "bans/")):
            fix = Fix(
                told.say("Look at what was decided by hand"), f"{at}/rules#decisions"
            )
        else:
            asked = {"relax": one.rule} | ({} if one.to is None else {"to": one.to})
            fix = Fix(
                told.say("Try it at the rules desk"), f"{at}/rules?{urlencode(asked)}"
            )
        yield Light("care", says, one.learners_gained, (fix,))


def _areas(found: Readiness) -> Iterator[Light]:
    told = here()
    names = told.area_names()
    thin = [one for one in found.areas if one.learners > one.places]
    thin.sort(key=lambda one: (one.places - one.learners, one.area))
    for one in thin[:_AREAS]:
        says = told.say(
            "{area}: {needs}, {room}.",
            area=names[one.area],
            needs=told.count(
                "{number} city needs help", "{number} cities need help", one.learners
            ),
            room=told.count(
                "there is room for {number}", "there is room for {number}", one.places
            ),
        )
        query = urlencode({"role": "mentor", "area": one.area})
        fix = Fix(told.say("Find cities that are strong in it"), f"/cities?{query}")
        yield Light("care", says, one.learners - one.places, (fix,))


def _cities(findings: Sequence[Finding], names: Names, at: str) -> Iterator[Light]:
    """Yield what single cities lack, all that lack the same in one light."""
    told = here()
    alone = _of(findings, "learner_without_mentor")
    if alone:
        says = told.count(
            "{number} learner can go to no mentor: rules and decisions leave none.",
            "{number} learners can go to no mentor: rules and decisions leave none.",
            len(alone),
        )
        fixes = [Fix(told.say("Look what each rule costs"), f"{at}/rules")]
        fixes += [Fix(names[city], f"/cities/{city}") for city in alone[:_SHOWN]]
        yield Light("stop", says, len(alone), tuple(fixes))
    blank = _of(findings, "learner_without_need")
    if blank:
        says = told.count(
            "{number} learner has not said what it needs: its pairing brings few "
            "points.",
            "{number} learners have not said what they need: their pairings bring few "
            "points.",
            len(blank),
        )
        fixes = [
            Fix(
                told.say("Complete the profile: {city}", city=names[city]),
                f"/cities/{city}/edit",
            )
            for city in blank[:_SHOWN]
        ]
        yield Light("care", says, len(blank), tuple(fixes))


def _of(findings: Sequence[Finding], code: str) -> list[str]:
    return [one.city for one in findings if one.code == code and one.city]
