"""The directory of cities: which there are, found by a filter or by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.services.cities.profiles import WHOLE, split_words
from app.services.shared.names import search_key
from app.services.shared.paging import PageRequest, fetch_page
from schemas import (
    AreaId,
    Role,
)

Side = Literal["strength", "need"]


@dataclass(frozen=True)
class Filter:
    """Which cities are wanted; None: any.

    With a role, `area` means what the role does in it: a mentor is strong there, a
    learner needs help there. Without one, either. A `side` says which, whatever the
    role.

    Attributes:
        country: ISO 3166-1 alpha-2.
        area: Where the city has a strength or a need.
        role: What it offers to be.
        q: A part of its name, whatever the accents.
        updated_since: Changed then or later.
        side: Whether its strength or its need in the area counts.
        language: One that its team works in (ISO 639-1).
        size: The smallest number of inhabitants, and the first that is too large.

    """

    country: str | None = None
    area: AreaId | None = None
    role: Role | None = None
    q: str | None = None
    updated_since: datetime | None = None
    side: Side | None = None
    language: str | None = None
    size: tuple[int, int | None] | None = None


class MapPoint(NamedTuple):
    """What a map shows of a city."""

    id: str
    name: str
    country: str
    latitude: float | None
    longitude: float | None
    roles: str
    """Joined by commas, as it is stored."""


def search(
    session: Session, wanted: Filter, page: PageRequest
) -> tuple[Sequence[tables.City], str | None]:
    """Return a page of cities by id, and the cursor of the next one."""
    query = _query_of(wanted).options(*WHOLE)
    return fetch_page(session, query, page, tables.City.id)


def every(session: Session, wanted: Filter = Filter()) -> Iterable[tables.City]:
    """Yield all cities of the filter by id, a few hundred in memory at a time."""
    query = _query_of(wanted).options(*WHOLE).order_by(tables.City.id)
    return session.scalars(query.execution_options(yield_per=500))


def names(session: Session) -> dict[str, str]:
    """Return the name of every city by its id."""
    rows = session.execute(select(tables.City.id, tables.City.name))
    return {row.id: row.name for row in rows}


def map_points(session: Session, wanted: Filter) -> list[MapPoint]:
    """Return what a map shows of all cities of the filter, by id."""
    columns = [getattr(tables.City, field) for field in MapPoint._fields]
    query = _query_of(wanted).with_only_columns(*columns).order_by(tables.City.id)
    return [MapPoint(*row) for row in session.execute(query)]


def languages(session: Session) -> set[str]:
    """Return the codes of the languages that teams of cities work in."""
    joined = session.scalars(select(tables.City.languages).distinct())
    return {code for codes in joined for code in split_words(codes)}


def countries(session: Session) -> set[str]:
    """Return the codes of the countries that have cities."""
    return set(session.scalars(select(tables.City.country).distinct()))


def find_by_name(session: Session, typed: str, most: int) -> Sequence[tables.City]:
    """Return the cities that a typed text may name: by id, whole name, or part of it.

    Args:
        session: Where they are.
        typed: An id, a name, or a part of one, with or without accents.
        most: Most cities that are looked up.

    """
    key = search_key(typed)
    table = tables.City
    for fits in (
        table.id == typed,
        table.name_key == key,
        table.name_key.contains(key, autoescape=True),
    ):
        query = select(table).where(fits).options(*WHOLE).order_by(table.id)
        if found := session.scalars(query.limit(most)).all():
            return found
    return ()


def _query_of(wanted: Filter) -> Any:  # noqa: ANN401 -- a select of cities
    query = select(tables.City)
    if wanted.country is not None:
        query = query.where(tables.City.country == wanted.country)
    if wanted.role is not None:
        query = query.where(tables.City.roles.contains(wanted.role))
    if wanted.area is not None:
        entry = tables.CityArea
        levels = {"strength": entry.strength > 0, "need": entry.need > 0}
        side_of_role: dict[Role | None, Side] = {
            "mentor": "strength",
            "learner": "need",
        }
        side = wanted.side or side_of_role.get(wanted.role)
        inside = levels[side] if side else levels["strength"] | levels["need"]
        query = query.where(
            tables.City.id.in_(
                select(entry.city_id).where(entry.area == wanted.area, inside)
            )
        )
    if wanted.q is not None:
        key = search_key(wanted.q)
        query = query.where(tables.City.name_key.contains(key, autoescape=True))
    if wanted.language is not None:  # codes are of two letters, between commas
        query = query.where(tables.City.languages.contains(wanted.language))
    if wanted.size is not None:
        least, over = wanted.size
        query = query.where(tables.City.population >= least)
        if over is not None:
            query = query.where(tables.City.population < over)
    if wanted.updated_since is not None:
        query = query.where(tables.City.updated_at >= wanted.updated_since)
    return query
