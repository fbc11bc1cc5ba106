"""The profile of a city with its practices: read, registered, changed, deleted."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.db import tables
from app.db.tables.base import new_id, now
from app.errors import (
    AlreadyThere,
    Conflict,
    Forbidden,
    InUse,
    InvalidInput,
    NotFound,
    invalid,
)
from app.permissions import Actor, may_edit_city, may_organise, may_register_city
from app.services.log import audit
from app.services.shared import erasure, versions
from app.services.shared.changes import changed_fields, merge
from app.services.shared.names import search_key, slug
from schemas import (
    AreaLevels,
    City,
    CityWrite,
    InputError,
    MigrantShare,
    Population,
    Practice,
    StoredPractice,
)
from schemas.bounds import ErrorCount

_MOST_PRACTICES = 200
WHOLE = (selectinload(tables.City.areas), selectinload(tables.City.practices))
PLACES = (("mentor_capacity", "mentor"), ("learner_demand", "learner"))


def as_city(row: tables.City) -> City:
    """Return the city as the API shows it."""
    return City(
        id=row.id,
        name=row.name,
        country=row.country,
        association=row.association,
        population=None
        if row.population is None
        else Population(
            value=row.population,
            year=row.population_year,
            source=row.population_source,
        ),
        migrant_share=None
        if row.migrant_share is None
        else MigrantShare(
            value=row.migrant_share,
            definition=row.migrant_share_definition,
            year=row.migrant_share_year,
            source=row.migrant_share_source,
        ),
        latitude=row.latitude,
        longitude=row.longitude,
        languages=split_words(row.languages),
        roles=split_words(row.roles),
        mentor_capacity=row.mentor_capacity,
        learner_demand=row.learner_demand,
        areas={
            entry.area: AreaLevels(need=entry.need, strength=entry.strength)
            for entry in row.areas
        },
        practices=tuple(_as_practice(entry) for entry in row.practices),
        needs_text=row.needs_text,
    )


def split_words(joined: str) -> tuple[str, ...]:
    """Return the words of a column that joins them by commas."""
    return tuple(joined.split(",")) if joined else ()


_PRACTICE_FIELDS = tuple(Practice.model_fields)


def _as_practice(row: tables.Practice) -> Practice:
    return Practice(**{field: getattr(row, field) for field in _PRACTICE_FIELDS})


def as_stored_practice(row: tables.Practice) -> StoredPractice:
    """Return the practice as the API shows it, with its id."""
    fields = {field: getattr(row, field) for field in _PRACTICE_FIELDS}
    return StoredPractice(id=row.id, **fields)


def find(session: Session, city_id: str, *, lock: bool = False) -> tables.City | None:
    """Return the city, or None; locked for the rest of the transaction if wanted."""
    query = select(tables.City).where(tables.City.id == city_id).options(*WHOLE)
    return session.scalar(query.with_for_update() if lock else query)


def get(session: Session, city_id: str, *, lock: bool = False) -> tables.City:
    """Return the city, or raise `NotFound`."""
    row = find(session, city_id, lock=lock)
    if row is None:
        raise NotFound(f"There is no city with the id {city_id}.")
    return row


def named(new: CityWrite, city_id: str | None = None) -> City:
    """Return the city with its id: the path's, its own, or one made of its name.

    Raises:
        InvalidInput: If path and body differ, or nothing can be made of the name.

    """
    if city_id is not None and new.id not in {None, city_id}:
        message = f"The path says `{city_id}`: write the same here, or leave it out."
        raise InvalidInput(
            message, [InputError(pointer="/id", code="differs", message=message)]
        )
    chosen = city_id or new.id or slug(new.name)
    # Once more through the validator: a made id obeys the same rules as a given one.
    return _checked(CityWrite, new.to_dict() | {"id": chosen})


def _checked(kind: type[City], fields: dict[str, Any]) -> City:
    try:
        return City(**kind.model_validate(fields, context=ErrorCount()).to_dict())
    except ValidationError as error:
        raise invalid(error) from None


def patched(row: tables.City, patch: dict[str, Any]) -> City:
    """Return the city with a merge patch (RFC 7396) applied.

    A role that comes or goes takes its places with it, unless the patch names them.

    Raises:
        InvalidInput: If what comes out is no city.

    """
    before = as_city(row)
    fields = merge(before.to_dict(), patch)
    for field, role in PLACES:
        roles = fields.get("roles")
        if isinstance(roles, list) and (role in roles) != (role in before.roles):
            fields[field] = patch.get(field)
    if patch.get("id", row.id) != row.id:
        message = "An id stays what it is: register the city anew under another one."
        error = InputError(pointer="/id", code="differs", message=message)
        raise InvalidInput(message, [error])
    return _checked(City, fields)


def add(session: Session, actor: Actor, city: City) -> tables.City:
    """Register the city.

    Raises:
        Forbidden: If the actor may not.
        AlreadyThere: If there is one with this id.

    """
    if not may_register_city(actor, city.id, city.association):
        raise Forbidden(f"You may not register the city {city.id}.")
    if session.get(tables.City, city.id) is not None:
        raise AlreadyThere(f"There is a city with the id {city.id} already.")
    row = tables.City(id=city.id, areas=[], practices=[])
    _write(row, city)
    session.add(row)
    session.flush()
    versions.begin(session, versions.of_city(row.id), row)
    audit.record(session, actor, "city.created", city=city.id)
    return row


def change(session: Session, actor: Actor, row: tables.City, city: City) -> None:
    """Replace the stored city by the given one; the same again changes nothing.

    Raises:
        Forbidden: If the actor may not.

    """
    if not may_edit_city(actor, row.id):
        raise Forbidden(f"You may not change the city {row.id}.")
    fields = changed_fields(as_city(row).to_dict(), city.to_dict())
    if not fields:
        return
    _write(row, city)
    _touch(session, row)
    audit.record(session, actor, "city.changed", city=row.id, fields=fields)


def remove(session: Session, actor: Actor, row: tables.City) -> None:
    """Delete the city, and erase its contact persons.

    Raises:
        Forbidden: If the actor may not.
        InUse: If it takes part in a round, or was paired in one.

    """
    if not may_organise(actor):
        raise Forbidden(f"You may not delete the city {row.id}.")
    taking = select(tables.Participant.round_id).where(
        tables.Participant.city_id == row.id
    )
    rounds = sorted(session.scalars(taking))
    if rounds:
        raise InUse(f"{row.id} takes part in: {', '.join(rounds)}. Take it out first.")
    pairing = tables.Pairing
    paired = select(pairing.round_id).where(
        (pairing.mentor_id == row.id) | (pairing.learner_id == row.id)
    )
    rounds = sorted(set(session.scalars(paired)))
    if rounds:
        raise InUse(
            f"{row.id} was paired in: {', '.join(rounds)}. That stays on record."
        )
    _forget_contacts(session, row.id)
    versions.retire(session, versions.of_city(row.id), row.version)
    session.delete(row)
    session.flush()
    audit.record(session, actor, "city.deleted", city=row.id)


def _forget_contacts(session: Session, city_id: str) -> None:
    table = tables.Contact
    for contact in session.scalars(select(table).where(table.city_id == city_id)):
        erasure.scrub(session, contact.email, contact.name, [contact.id])


def _write(row: tables.City, city: City) -> None:
    """Put every field of the city into the row."""
    population, share = city.population, city.migrant_share
    row.name, row.name_key = city.name, search_key(city.name)
    row.country, row.association = city.country, city.association
    row.population = population.value if population else None
    row.population_year = population.year if population else None
    row.population_source = population.source if population else None
    row.migrant_share = share.value if share else None
    row.migrant_share_definition = share.definition if share else None
    row.migrant_share_year = share.year if share else None
    row.migrant_share_source = share.source if share else None
    row.latitude, row.longitude = city.latitude, city.longitude
    row.languages, row.roles = ",".join(city.languages), ",".join(city.roles)
    row.mentor_capacity = city.mentor_capacity
    row.learner_demand = city.learner_demand
    row.needs_text = city.needs_text
    _write_areas(row, city)
    _write_practices(row, city.practices)


def _write_areas(row: tables.City, city: City) -> None:
    stored = {entry.area: entry for entry in row.areas}
    for area, levels in city.areas.items():
        entry = stored.pop(area, None)
        if entry is None:
            entry = tables.CityArea(area=area)
            row.areas.append(entry)
        entry.need, entry.strength = levels.need, levels.strength
    for entry in stored.values():
        row.areas.remove(entry)


def _write_practices(row: tables.City, practices: Sequence[Practice]) -> None:
    """Put the practices into the row; one of the same area and title keeps its id."""
    stored: dict[tuple[str, str], list[tables.Practice]] = {}
    for entry in reversed(row.practices):
        stored.setdefault((entry.area, entry.title), []).append(entry)
    entries = []
    for position, practice in enumerate(practices):
        same = stored.get((practice.area, practice.title))
        entry = same.pop() if same else tables.Practice(id=new_id())
        _write_practice(entry, practice, position)
        entries.append(entry)
    row.practices = entries


def _write_practice(entry: tables.Practice, practice: Practice, position: int) -> None:
    for field in _PRACTICE_FIELDS:
        setattr(entry, field, getattr(practice, field))
    entry.position = position


def _touch(session: Session, row: tables.City) -> None:
    """Give the city a new version: a change of its areas or practices counts."""
    row.updated_at = now()
    session.flush()


def practice(row: tables.City, practice_id: str) -> tables.Practice:
    """Return the city's practice, or raise `NotFound`."""
    for entry in row.practices:
        if entry.id == practice_id:
            return entry
    raise NotFound(f"{row.id} has no practice with this id.")


def _must_edit_practices(actor: Actor, row: tables.City) -> None:
    if not may_edit_city(actor, row.id):
        raise Forbidden(f"You may not change the practices of {row.id}.")


def add_practice(
    session: Session, actor: Actor, row: tables.City, new: Practice
) -> tables.Practice:
    """Add a practice at the end.

    Raises:
        Forbidden: If the actor may not.
        Conflict: If the city has as many as it may have.

    """
    _must_edit_practices(actor, row)
    if len(row.practices) >= _MOST_PRACTICES:
        raise Conflict(f"A city may have {_MOST_PRACTICES} practices: delete one.")
    entry = tables.Practice(id=new_id())
    last = row.practices[-1].position if row.practices else -1
    _write_practice(entry, new, last + 1)
    row.practices.append(entry)
    _touch(session, row)
    audit.record(session, actor, "practice.created", city=row.id, practice=entry.id)
    return entry


def change_practice(
    session: Session,
    actor: Actor,
    row: tables.City,
    entry: tables.Practice,
    new: Practice,
) -> None:
    """Replace the stored practice by the given one, or raise `Forbidden`."""
    _must_edit_practices(actor, row)
    if _as_practice(entry) == new:
        return
    _write_practice(entry, new, entry.position)
    _touch(session, row)
    audit.record(session, actor, "practice.changed", city=row.id, practice=entry.id)


def remove_practice(
    session: Session, actor: Actor, row: tables.City, entry: tables.Practice
) -> None:
    """Delete the practice, or raise `Forbidden`."""
    _must_edit_practices(actor, row)
    row.practices.remove(entry)
    _touch(session, row)
    audit.record(session, actor, "practice.deleted", city=row.id, practice=entry.id)
