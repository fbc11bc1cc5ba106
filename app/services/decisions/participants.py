"""Who takes part in a round, and how."""

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import Forbidden, InvalidInput, NotFound, WrongPhase, invalid
from app.permissions import (
    Actor,
    may_enter_city,
    may_know_wishes,
    may_leave_round,
    may_nominate,
)
from app.services.cities import profiles
from app.services.log import audit
from app.services.mail import letters
from app.services.pairings import endings, pairings
from app.services.rounds import policies, rounds
from app.services.shared import versions
from app.services.shared.changes import changed_fields
from app.services.shared.paging import PageRequest, fetch_page
from app.texts.ended import LEFT
from schemas import (
    City,
    EndedBy,
    InputError,
    Participant,
    ParticipationWrite,
    PartnerWish,
)


def as_participant(row: tables.Participant, actor: Actor) -> Participant:
    """Return the participant as this actor may see it."""
    shows_wishes = may_know_wishes(actor, row.city_id)
    return Participant(
        city=row.city_id,
        roles=tuple(row.roles.split(",")) if row.roles else (),
        mentor_capacity=row.mentor_capacity,
        learner_demand=row.learner_demand,
        wishes=tuple(PartnerWish(**wish) for wish in row.wishes)
        if shows_wishes
        else None,
        vetoes=tuple(row.vetoes) if shows_wishes else None,
    )


def search(
    session: Session, round_id: str, page: PageRequest
) -> tuple[Sequence[tables.Participant], str | None]:
    """Return a page of the round's participants by city."""
    table = tables.Participant
    query = select(table).where(table.round_id == round_id)
    return fetch_page(session, query, page, table.city_id)


def find(session: Session, round_id: str, city_id: str) -> tables.Participant | None:
    """Return the participant, or None."""
    return session.get(tables.Participant, (round_id, city_id))


def get(session: Session, round_id: str, city_id: str) -> tables.Participant:
    """Return the participant, or raise `NotFound`."""
    row = find(session, round_id, city_id)
    if row is None:
        raise NotFound(f"{city_id} takes no part in {round_id}.")
    return row


def put(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    city_id: str,
    new: ParticipationWrite,
) -> tables.Participant:
    """Enter the city, or change how it takes part.

    Args:
        session: In a write transaction.
        actor: Who does it.
        round_row: Locked.
        city_id: Which city.
        new: What is left out is as the city's profile says now.

    The association of a city may enter it, once, and not say whom it wishes for.
    In a released round an organiser may let a late city in, for a repair to use, and
    change the places of one that takes part, but not below its pairings.

    Raises:
        NotFound: If there is no such city.
        Forbidden: If the actor may not do it now.
        WrongPhase: If nobody may any more.
        InvalidInput: If it contradicts itself, or names an unknown city.
        NoPlaces: If the city has more pairings than it would have places.

    """
    row = find(session, round_row.id, city_id)
    is_new = row is None
    nominates = is_new and _nominates(session, actor, round_row, city_id)
    if not nominates:
        _may_enter(actor, round_row, city_id)
    elif new.wishes or new.vetoes:
        raise Forbidden("Wishes and vetoes are the city's own: leave them out.")
    city = profiles.as_city(profiles.get(session, city_id))
    written = _complete(city, new)
    _refuse_unknown(session, city_id, new)
    before = {} if row is None else as_participant(row, actor).to_dict()
    if row is None:
        row = tables.Participant(round_id=round_row.id, city_id=city_id)
        session.add(row)
    row.roles = ",".join(written.roles)
    row.mentor_capacity = written.mentor_capacity
    row.learner_demand = written.learner_demand
    row.wishes = [wish.to_dict() for wish in new.wishes]
    row.vetoes = list(new.vetoes)
    session.flush()
    if is_new:
        versions.begin(session, versions.of_round(round_row.id), row)
    live = pairings.of_round(session, round_row.id)
    pairings.check_places(session, round_row.id, map(pairings.cities_of, live))
    fields = changed_fields(before, as_participant(row, actor).to_dict())
    if fields:
        # Which fields, not what they say: wishes and vetoes are not everybody's.
        action = "participant.changed" if before else "participant.joined"
        audit.record(
            session, actor, action, round_id=round_row.id, city=city_id, fields=fields
        )
    return row


def remove(
    session: Session, actor: Actor, round_row: tables.Round, row: tables.Participant
) -> None:
    """Take the city out of the round, with the pins and bans that name it.

    Its staged pairings are dismissed. What was offered or confirmed is withdrawn, and
    the other city and the organisers are told.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is archived.

    """
    if not may_leave_round(actor, row.city_id, round_row.phase):
        if round_row.phase == "archived":
            raise WrongPhase("An archived round stays as it is.")
        raise Forbidden(f"You may not take {row.city_id} out of the round.")
    versions.retire(session, versions.of_round(round_row.id), row.version)
    session.delete(row)
    session.flush()
    _end_pairings(session, actor, round_row, row.city_id)
    dropped = policies.drop_decisions(session, round_row.id, row.city_id)
    audit.record(
        session,
        actor,
        "participant.left",
        round_id=round_row.id,
        city=row.city_id,
        decisions_dropped=dropped,
    )


def _end_pairings(
    session: Session, actor: Actor, round_row: tables.Round, city_id: str
) -> None:
    for one in pairings.of_round(session, round_row.id):
        if city_id not in pairings.cities_of(one):
            continue
        side: EndedBy = "mentor" if city_id == one.mentor_id else "learner"
        why = LEFT.format(city=city_id)
        if one.state == "staged":
            endings.dismiss(session, actor, round_row, one, why, side)
        else:
            endings.withdraw(session, actor, round_row, one, why, side)
            letters.notify_organisers(session, round_row, one, "withdrawn")
    if round_row.phase == "staged":
        letters.rewrite_held(session, round_row)


def _nominates(
    session: Session, actor: Actor, round_row: tables.Round, city_id: str
) -> bool:
    """Tell whether the actor is the association that may enter the city now."""
    query = select(tables.City.association).where(tables.City.id == city_id)
    return may_nominate(actor, session.scalar(query), round_row.phase)


def _may_enter(actor: Actor, round_row: tables.Round, city_id: str) -> None:
    if not may_enter_city(actor, city_id, round_row.phase):
        raise Forbidden(
            f"You may not decide how {city_id} takes part while the round is "
            f"{round_row.phase}."
        )
    if round_row.phase != "released":
        rounds.must_be_changeable(round_row)


def _complete(city: City, new: ParticipationWrite) -> City:
    """Return the city as it takes part: what was left out is the city's own."""
    fields = city.to_dict()
    if new.roles is not None:
        fields["roles"] = list(new.roles)
        # A role that the city's profile does not name has the usual one place.
        for field, role in (
            ("mentor_capacity", "mentor"),
            ("learner_demand", "learner"),
        ):
            if (role in new.roles) != (role in city.roles):
                fields.pop(field)
    for field in ("mentor_capacity", "learner_demand"):
        if getattr(new, field) is not None:
            fields[field] = getattr(new, field)
    try:
        return City(**fields)
    except ValidationError as error:
        raise invalid(error) from None


def _refuse_unknown(session: Session, city_id: str, new: ParticipationWrite) -> None:
    named = [
        (f"/wishes/{at}/partners/{rank}", partner)
        for at, wish in enumerate(new.wishes)
        for rank, partner in enumerate(wish.partners)
    ] + [(f"/vetoes/{at}", partner) for at, partner in enumerate(new.vetoes)]
    known = set(
        session.scalars(
            select(tables.City.id).where(
                tables.City.id.in_({partner for _, partner in named})
            )
        )
    )
    errors = [
        InputError(
            pointer=place, code="itself", message="A city is never its own partner."
        )
        if partner == city_id
        else InputError(
            pointer=place,
            code="unknown_city",
            message=f"No city has the id `{partner}`.",
        )
        for place, partner in named
        if partner == city_id or partner not in known
    ]
    if errors:
        raise InvalidInput(f"{errors[0].pointer}: {errors[0].message}", errors)
