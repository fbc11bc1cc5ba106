"""Two cities side by side: what they share, and what each could do for the other."""

from dataclasses import dataclass

import matching
from schemas import AreaId, City, Explanation, Policy, Practice, Problem


@dataclass(frozen=True)
class Help:
    """An area in which one city is strong and the other needs help."""

    area: AreaId
    strength: int
    need: int
    practices: tuple[Practice, ...]
    """What the stronger city can show in it."""


@dataclass(frozen=True)
class Way:
    """One city as the mentor of the other, by the default weights."""

    mentor: City
    learner: City
    why: Explanation
    helps: tuple[Help, ...]


@dataclass(frozen=True)
class Beside:
    """What comparing two cities has found.

    Attributes:
        ways: The first as the mentor of the second, and the other way round.
        shared: Codes of the languages that both work in.
        km: How far apart they are, or None: a place is not known.
        practised: The areas in which both can show a practice.

    """

    ways: tuple[Way, Way]
    shared: tuple[str, ...]
    km: float | None
    practised: tuple[AreaId, ...]


def compare(one: City, other: City) -> Beside:
    """Compare two cities by what the engine's explanations say of them."""
    ways = _way(one, other), _way(other, one)
    facts = {
        part.criterion: part.facts for part in ways[0].why.contributions if part.known
    }
    both = {practice.area for practice in one.practices} & {
        practice.area for practice in other.practices
    }
    return Beside(
        ways=ways,
        shared=tuple(facts.get("language", {}).get("shared", ())),
        km=facts.get("proximity", {}).get("km"),
        practised=tuple(sorted(both)),
    )


def _way(mentor: City, learner: City) -> Way:
    problem = Problem(cities=(mentor, learner))
    why = matching.explain(problem, Policy(), mentor=mentor.id, learner=learner.id)
    needs_met = next(one for one in why.contributions if one.criterion == "needs_met")
    return Way(
        mentor=mentor,
        learner=learner,
        why=why,
        helps=tuple(
            Help(
                area=row["area"],
                strength=row["strength"],
                need=row["need"],
                practices=tuple(
                    one for one in mentor.practices if one.area == row["area"]
                ),
            )
            for row in needs_met.facts.get("areas", ())
            if row["strength"]
        ),
    )
