"""Cities that are like one city, and have solved what it needs help in."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

import matching
from app.services.cities.directory import Filter, every
from app.services.cities.profiles import as_city
from schemas import (
    AreaId,
    AreaLevels,
    City,
    Explanation,
    Policy,
    Practice,
    Problem,
    Weights,
)

_SOLVED = 3
"""Least strength of a city that has solved it: “strong”."""
_NOTHING = dict.fromkeys(
    ("needs_met", "focus", "evidence", "give_back", "practice_text"), 0.0
)
_LIKE = Policy(weights=Weights(context=60, language=25, proximity=15, **_NOTHING))
"""The engine's own criteria, but only those that say how alike two cities are."""


@dataclass(frozen=True)
class Like:
    """A city that is like another one.

    Attributes:
        city: The city.
        strength: Its level in the area, 3 or 4.
        why: How alike they are: context, language and nearness, 100 points in all.
        practices: What it can show in the area.

    """

    city: City
    strength: int
    why: Explanation
    practices: tuple[Practice, ...]


def like(session: Session, city: City, area: AreaId, limit: int) -> list[Like]:
    """Return the cities that are strong in the area, those most alike first.

    Whoever is strong is looked at, whatever its role: one may ask without a round.

    Args:
        session: Where the cities are.
        city: Who asks.
        area: What it needs help in.
        limit: Most cities.

    """
    strong = [
        other
        for row in every(session, Filter(area=area, side="strength"))
        if (other := as_city(row)).id != city.id
        and other.areas[area].strength >= _SOLVED
    ]
    learner = city.model_copy(
        update={"roles": ("learner",), "mentor_capacity": 0, "learner_demand": 1}
    )
    # Nobody is asked to mentor here: a role and a place for the question's sake.
    place = {"roles": ("mentor",), "mentor_capacity": 1, "learner_demand": 0}
    mentors = [one.model_copy(update=place) for one in strong]
    problem = Problem(cities=(learner, *mentors))
    found = matching.suggest(problem, city.id, "mentor", limit, _LIKE)
    by_id = {one.id: one for one in strong}
    return [
        Like(
            city=(other := by_id[why.mentor]),
            strength=other.areas[area].strength,
            why=why,
            practices=tuple(one for one in other.practices if one.area == area),
        )
        for why in found
    ]


def needs(city: City) -> list[tuple[AreaId, AreaLevels]]:
    """Return where the city needs help, most first."""
    wanted = [(area, levels) for area, levels in city.areas.items() if levels.need]
    return sorted(wanted, key=lambda item: (-item[1].need, item[0]))
