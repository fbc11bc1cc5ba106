"""Who may be paired with whom: rules, vetoes, bans, and what pins may not break."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from matching._arrays import Bools
from matching._errors import Finding, Infeasible, InvalidPolicy, refuse
from matching._rules import Sides, removes, switched_on
from matching._scoring.wishes import ROLES
from schemas import City, Decision, Policy, Problem, Warning  # noqa: A004 -- the word of the contract

Removed = Mapping[str, Bools]
"""What each rule or decision removes: its name, and a mask (mentors, learners)."""

_FACTS: Mapping[str, Callable[[City], Any]] = {
    "shared_language": lambda city: city.languages,
    "max_distance_km": lambda city: city.latitude is not None,
    "max_size_ratio": lambda city: city.population,
}
"""What a city must tell for a rule to be checked."""


def check(problem: Problem, policy: Policy) -> None:
    """Refuse what the policy names that is not there.

    Raises:
        InvalidPolicy: For unknown ids, a city paired with itself, a decision made
            twice, or a limit that the objective does not know.

    """
    found: Iterable[Finding] = ()
    if policy.objective == "stable":
        limits = {"/caps": policy.caps, "/min_load": policy.min_load.mentor}
        message = (
            "No stable assignment is defined under it: remove it, or choose another "
            "objective."
        )
        found = [(at, "not_with_stable", message) for at, on in limits.items() if on]
    known = {city.id for city in problem.cities}
    for kind, decisions in (("pins", policy.pins), ("bans", policy.bans)):
        found = chain(found, _wrong_decisions(kind, decisions, known))
    refuse(InvalidPolicy, found)


def _wrong_decisions(
    kind: str, decisions: Sequence[Decision], known: set[str]
) -> Iterator[Finding]:
    seen = set[tuple[str, str]]()
    for at, pair in enumerate(_pairs(decisions)):
        for role, city in zip(ROLES, pair, strict=True):
            if city not in known:
                message = f"No city has the id `{city}`."
                yield f"/{kind}/{at}/{role}", "unknown_city", message
        if pair[0] == pair[1]:
            message = "A city is never its own partner."
            yield f"/{kind}/{at}/learner", "itself", message
        if pair in seen:
            message = "This pair stands higher up already: remove one of the two."
            yield f"/{kind}/{at}", "duplicate", message
        seen.add(pair)


def removed(sides: Sides, policy: Policy) -> Removed:
    """Return what every rule that is on, the vetoes and the bans remove.

    Args:
        sides: Mentors and learners.
        policy: For its rules and its bans.

    """
    masks = {
        rule: removes(sides, rule, limit)
        for rule, limit in switched_on(policy.rules).items()
    }
    if sides.problem.vetoes:
        vetoed = ((veto.city, veto.partner) for veto in sides.problem.vetoes)
        masks["veto"] = sides.mask(
            pair for veto in vetoed for pair in (veto, veto[::-1])
        )
    if policy.bans:
        masks["ban"] = sides.mask(_pairs(policy.bans))
    return masks


def _pairs(decisions: Iterable[Decision]) -> Iterable[tuple[str, str]]:
    return ((decision.mentor, decision.learner) for decision in decisions)


def pin(sides: Sides, policy: Policy, masks: Removed) -> Bools:
    """Return the pinned pairs, (mentors, learners).

    A pin overrides `min_score` and nothing else.

    Raises:
        Infeasible: If pins break a rule, a veto, a ban, or need more places than a
            city has; each finding names both sides of the clash.

    """
    row = {city.id: at for at, city in enumerate(sides.mentors)}
    column = {city.id: at for at, city in enumerate(sides.learners)}
    clashes: list[Finding] = []
    for at, (mentor, learner) in enumerate(_pairs(policy.pins)):
        place, says = f"/pins/{at}", f"The pin {mentor} – {learner} clashes with"
        if mentor not in row:
            message = f"{says} the roles: {mentor} has no place as a mentor."
            clashes.append((f"{place}/mentor", "role", message))
        if learner not in column:
            message = f"{says} the roles: {learner} has no place as a learner."
            clashes.append((f"{place}/learner", "role", message))
        if mentor in row and learner in column:
            clashes += [
                (place, name, f"{says} {_TITLES.get(name, f'the rule `{name}`')}.")
                for name, mask in masks.items()
                if name != "min_score" and mask[row[mentor], column[learner]]
            ]
    for role, side, code in zip(
        ROLES, (sides.mentors, sides.learners), ("capacity", "demand"), strict=True
    ):
        load = Counter(getattr(decision, role) for decision in policy.pins)
        for city in side:
            if load[city.id] > city.places(role):
                message = (
                    f"{load[city.id]} pins clash with the places of {city.id}: "
                    f"as a {role} it has {city.places(role)}."
                )
                clashes.append(("/pins", code, message))
    if clashes:
        raise Infeasible(clashes)
    return sides.mask(_pairs(policy.pins))


_TITLES = {"veto": "a veto between the two", "ban": "a ban of the same pair"}


def warnings(cities: Sequence[City], policy: Policy) -> tuple[Warning, ...]:
    """Return a warning for each rule or cap and each city that it cannot check.

    Args:
        cities: Those with places.
        policy: Whose rules are looked at.

    """
    unknown = [
        (rule, city)
        for rule, facts in _FACTS.items()
        if getattr(policy.rules, rule)
        for city in cities
        if not facts(city)
    ] + [
        (f"caps/{at}", city)
        for at, cap in enumerate(policy.caps)
        for city in cities
        if city.places(cap.side) and getattr(city, cap.by) is None
    ]
    return tuple(
        Warning(code="rule_not_checkable", rule=rule, city=city.id)
        for rule, city in unknown
    )
