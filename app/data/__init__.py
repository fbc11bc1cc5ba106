"""Facts that ship with the service: the policy areas, and the IncluCities round."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from schemas import (
    AreaLevels,
    City,
    MatchRequest,
    MigrantShare,
    Policy,
    PolicyAreas,
    Population,
    Practice,
    Rules,
)

Fact = Mapping[str, Any]


def _read(name: str) -> Any:  # noqa: ANN401 -- whatever the file holds
    return json.loads(files(__package__).joinpath(name).read_text("utf-8"))


@cache
def policy_areas() -> PolicyAreas:
    """Return the 17 policy areas with their names in three languages."""
    return PolicyAreas(items=_read("policy_areas.json"))


@cache
def inclucities() -> MatchRequest:
    """Return the IncluCities round: its eight cities, never two of one country.

    The levels are coded by the rule that stands in `inclucities.json`.
    """
    cities = [
        fact for fact in _read("inclucities.json")["cities"] if not withdrew(fact)
    ]
    return MatchRequest(
        cities=tuple(_city(fact) for fact in cities),
        policy=Policy(rules=Rules(different_country=True)),
    )


@cache
def withdrawn() -> tuple[City, ...]:
    """Return the cities that left the round before it was matched."""
    cities = _read("inclucities.json")["cities"]
    return tuple(_city(fact) for fact in cities if withdrew(fact))


@cache
def real_pairs() -> tuple[tuple[str, str], ...]:
    """Return the pairs, (mentor, learner), that the project made, to compare with."""
    pairs = _read("inclucities.json")["pairs"]
    return tuple((pair["mentor"], pair["learner"]) for pair in pairs)


def withdrew(fact: Fact) -> bool:
    """Tell whether the city left the round."""
    return "withdrawn" in fact


def levels(entries: Iterable[Fact]) -> dict[str, int]:
    """Return the level of each area that these entries name: once is 3, more is 4."""
    named = Counter(
        area
        for entry in entries
        if "after_pairing" not in entry
        for area in entry["areas"]
    )
    return {area: 3 if times == 1 else 4 for area, times in named.items()}


def _city(fact: Fact) -> City:
    needs = levels(fact["needs"])
    strengths = levels([*fact["strengths"], *fact["practices"]])
    population, share = fact["population"], fact.get("migrant_share")
    return City(
        id=fact["id"],
        name=fact["name"],
        country=fact["country"],
        association=fact["association"],
        population=Population(value=population["value"], source=fact["source"])
        if population["of"] == "municipality"
        else None,
        migrant_share=MigrantShare(
            value=share["value"],
            definition=share["definition"],
            year=share.get("year"),
            source=fact["source"],
        )
        if share
        else None,
        latitude=fact["place"]["latitude"],
        longitude=fact["place"]["longitude"],
        languages=fact["languages"]["codes"],
        roles=(fact["role"],),
        areas={
            area: AreaLevels(need=needs.get(area, 0), strength=strengths.get(area, 0))
            for area in sorted(needs.keys() | strengths.keys())
        },
        practices=tuple(
            Practice(area=area, title=practice["words"], url=fact["source"])
            for practice in fact["practices"]
            if "after_pairing" not in practice
            for area in practice["areas"]
        ),
    )
