"""Who is in a round by name, and for whom it waits."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.db import tables
from app.permissions import Actor, may_organise, may_oversee
from app.services.cities import directory
from app.services.shared.names import search_key, slug
from schemas import City

Lack = Literal["invited", "nobody", "profile"]
"""Why a round waits for a city: whoever was invited has not come in yet; nobody of it
has an account; its profile does not say what it needs, or what it is strong in."""
_ALIKE = 6
"""Most cities that are named when several may be meant."""


@dataclass(frozen=True)
class Awaited:
    """A city that the round waits for.

    Attributes:
        city: Its id.
        name: What it is called; the id, if it is not registered yet.
        lack: Why.
        takes_part: Whether it is in the round already.

    """

    city: str
    name: str
    lack: Lack
    takes_part: bool


def names(session: Session, round_id: str) -> dict[str, str]:
    """Return the names of the cities in the round, by their ids."""
    city, table = tables.City, tables.Participant
    query = (
        select(city.id, city.name)
        .join(table, table.city_id == city.id)
        .where(table.round_id == round_id)
    )
    return {row.id: row.name for row in session.execute(query)}


def counts(session: Session, rounds: Collection[str]) -> dict[str, int]:
    """Return how many cities are in each of these rounds."""
    table = tables.Participant
    query = (
        select(table.round_id, func.count())
        .where(table.round_id.in_(rounds))
        .group_by(table.round_id)
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    return {one: found.get(one, 0) for one in rounds}


def awaited(
    session: Session, actor: Actor, round_id: str, inside: Sequence[City]
) -> list[Awaited]:
    """Return the cities that the round waits for, by name; none if not for the actor.

    Args:
        session: Where to look.
        actor: Who is looking.
        round_id: Which round.
        inside: The cities in it, as they take part.

    """
    if not may_oversee(actor):
        return []
    come = _have_come(session, round_id)
    found = []
    for city in inside:
        if city.id not in come:
            found.append(Awaited(city.id, city.name, "nobody", takes_part=True))
        elif not come[city.id]:
            found.append(Awaited(city.id, city.name, "invited", takes_part=True))
        elif is_unfinished(city):
            found.append(Awaited(city.id, city.name, "profile", takes_part=True))
    outside = come.keys() - {city.id for city in inside}
    called = _names_of(session, outside)
    found += (
        Awaited(city, called.get(city, city), "invited", takes_part=False)
        for city in outside
    )
    return sorted(found, key=lambda one: (one.name.casefold(), one.city))


def is_unfinished(city: City) -> bool:
    """Tell whether a city lacks the needs or strengths that its roles call for."""
    return (bool(city.learner_demand) and not city.levels("need")) or (
        bool(city.mentor_capacity) and not city.levels("strength")
    )


def _have_come(session: Session, round_id: str) -> dict[str, bool]:
    """Return for each city whether one of its officers has ever signed in.

    Of cities with an officer that are in the round, or whose officers have all been
    invited only.
    """
    account, table = tables.Account, tables.Participant
    inside = select(table.city_id).where(table.round_id == round_id)
    is_here = account.city_id.in_(inside)
    query = (
        select(account.city_id, func.count(account.joined_at))
        .where(account.role == "officer", or_(is_here, account.joined_at.is_(None)))
        .group_by(account.city_id)
    )
    return {str(city): number > 0 for city, number in session.execute(query)}


def _names_of(session: Session, ids: Iterable[str]) -> dict[str, str]:
    city = tables.City
    query = select(city.id, city.name).where(city.id.in_(list(ids)))
    return {row.id: row.name for row in session.execute(query)}


class Outside(NamedTuple):
    """A city that is not in the round."""

    id: str
    name: str
    country: str


def to_take_in(
    session: Session, actor: Actor, round_id: str, typed: str, most: int
) -> list[Outside]:
    """Return cities outside the round whose name or id matches what was typed.

    Args:
        session: Where they are.
        actor: An organiser, or an association, which sees its own cities.
        round_id: Which round.
        typed: A part of a name; blank: any.
        most: Most cities.

    """
    city, table = tables.City, tables.Participant
    inside = select(table.city_id).where(table.round_id == round_id)
    query = select(city.id, city.name, city.country).where(city.id.not_in(inside))
    if typed:
        part = city.name_key.contains(search_key(typed), autoescape=True)
        query = query.where(or_(part, city.id == typed))
    if not may_organise(actor):
        query = query.where(city.association == actor.association)
    rows = session.execute(query.order_by(city.name_key, city.id).limit(most))
    return [Outside(*row) for row in rows]


def resolve_city(session: Session, typed: str) -> tuple[str | None, list[str]]:
    """Return the id of the city that was typed; of a new one, the id it would get.

    None if it cannot be told, with the names of those that may be meant.
    """
    found = directory.find_by_name(session, typed, _ALIKE) if typed else ()
    if len(found) == 1:
        return found[0].id, []
    return (None if found else slug(typed) or None), [row.name for row in found]
