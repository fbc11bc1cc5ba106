"""Contact persons of cities: whom a partner writes to, and who may know of them."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import Conflict, Forbidden, NotFound
from app.permissions import Actor, may_edit_city, may_see_contacts
from app.services.cities import profiles
from app.services.log import audit
from app.services.shared import erasure
from app.services.shared.changes import changed_fields
from schemas import Contact, ContactWrite

_MOST = 20


def as_contact(row: tables.Contact) -> Contact:
    """Return the contact person as the API shows it."""
    return Contact(
        id=row.id,
        city=row.city_id,
        name=row.name,
        function=row.function,
        email=row.email,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def as_written(row: tables.Contact) -> ContactWrite:
    """Return the fields of the contact person that a caller may write."""
    return ContactWrite(name=row.name, function=row.function, email=row.email)


def may_see(session: Session, actor: Actor, row: tables.City) -> bool:
    """Tell whether the actor may know the contact persons of the city."""
    partners = _partners(session, row.id) if actor.city else set()
    return may_see_contacts(actor, row.id, row.association, partners)


def _partners(session: Session, city_id: str) -> set[str]:
    """Return the cities that this one is paired with, until the round is cleared."""
    pairing, table = tables.Pairing, tables.Round
    query = (
        select(pairing.mentor_id, pairing.learner_id)
        .join(table, table.id == pairing.round_id)
        .where(
            or_(pairing.mentor_id == city_id, pairing.learner_id == city_id),
            pairing.state == "confirmed",
            table.cleared_at.is_(None),
        )
    )
    return {city for pair in session.execute(query) for city in pair} - {city_id}


def of_city(session: Session, actor: Actor, city_id: str) -> Sequence[tables.Contact]:
    """Return the city's contact persons, the oldest first.

    Raises:
        NotFound: If there is no such city, or they are not the actor's to see.

    """
    _visible_city(session, actor, city_id)
    return _all_of(session, city_id)


def _visible_city(
    session: Session, actor: Actor, city_id: str, *, lock: bool = False
) -> tables.City:
    """Return the city, or raise `NotFound` if its contacts are not the actor's."""
    row = profiles.find(session, city_id, lock=lock)
    if row is None or not may_see(session, actor, row):
        raise NotFound(f"There are no contact persons of {city_id} for you.")
    return row


def _all_of(session: Session, city_id: str) -> Sequence[tables.Contact]:
    table = tables.Contact
    return session.scalars(
        select(table)
        .where(table.city_id == city_id)
        .order_by(table.created_at, table.id)
    ).all()


def get(
    session: Session, actor: Actor, city_id: str, contact_id: str, *, lock: bool = False
) -> tables.Contact:
    """Return the contact person, or raise `NotFound` if there is none for the actor."""
    _visible_city(session, actor, city_id)
    row = session.get(tables.Contact, contact_id, with_for_update=lock)
    if row is None or row.city_id != city_id:
        raise NotFound(f"{city_id} has no contact person with this id.")
    return row


def _must_edit(actor: Actor, city_id: str) -> None:
    if not may_edit_city(actor, city_id):
        raise Forbidden(f"You may not change the contact persons of {city_id}.")


def add(
    session: Session, actor: Actor, city_id: str, new: ContactWrite
) -> tables.Contact:
    """Add a contact person to the city.

    Raises:
        NotFound: If there is no such city, or its persons are not the actor's to see.
        Forbidden: If the actor may not.
        Conflict: If the city has as many as it may have.

    """
    _visible_city(session, actor, city_id, lock=True)
    _must_edit(actor, city_id)
    if len(_all_of(session, city_id)) >= _MOST:
        raise Conflict(f"A city may have {_MOST} contact persons: delete one.")
    at = now()
    row = tables.Contact(city_id=city_id, created_at=at, updated_at=at)
    row.name, row.function, row.email = new.name, new.function, new.email
    session.add(row)
    session.flush()
    audit.record(session, actor, "contact.added", city=city_id, contact=row.id)
    return row


def change(
    session: Session, actor: Actor, row: tables.Contact, new: ContactWrite
) -> None:
    """Replace the contact person; the same again confirms that it is still right.

    Raises:
        Forbidden: If the actor may not.

    """
    _must_edit(actor, row.city_id)
    before = as_written(row)
    fields = changed_fields(before.to_dict(), new.to_dict())
    if {"name", "email"} & {*fields}:  # it may be somebody else now
        old_values = [one for one in (before.name, before.email) if one]
        erasure.forget_answers(session, old_values, [row.id])
    row.name, row.function, row.email = new.name, new.function, new.email
    row.updated_at = now()
    session.flush()
    audit.record(
        session,
        actor,
        "contact.changed",
        city=row.city_id,
        contact=row.id,
        fields=fields,
    )


def remove(session: Session, actor: Actor, row: tables.Contact) -> None:
    """Erase the contact person, also where texts name it, or raise `Forbidden`."""
    _must_edit(actor, row.city_id)
    erasure.scrub(session, row.email, row.name, [row.id])
    session.delete(row)
    session.flush()
    audit.record(session, actor, "contact.erased", city=row.city_id, contact=row.id)
