"""Pairings: who may see them, and how many of them a city has places for."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.pairings import LIVE
from app.errors import (
    NoPlaces,
    NotFound,
    WrongPhase,
)
from app.permissions import (
    ENDED_STATES,
    SHARED_STATES,
    Actor,
    may_know_reasons,
    may_know_wishes,
    may_oversee,
    may_see_pairing,
)
from app.services.log import audit
from app.services.rounds import rounds
from app.services.shared.paging import PageRequest, fetch_page
from schemas import (
    Explanation,
    PairingState,
    RoundPairing,
)

Pairs = Iterable[tuple[str, str]]
_SHOWN_TO_OVERSEERS = ("reason", "reason_code", "mentor_text", "learner_text")


@dataclass(frozen=True)
class Filter:
    """Which pairings are wanted; None: any.

    Attributes:
        state: Their state.
        updated_since: When they were changed at the earliest.

    """

    state: PairingState | None = None
    updated_since: datetime | None = None


_ALL = Filter()


def as_pairing(row: tables.Pairing, actor: Actor) -> RoundPairing:
    """Return the pairing as this actor may see it."""
    why = explanation(row)
    fields = {
        field: getattr(row, field)
        for field in RoundPairing.model_fields
        if hasattr(row, field)
    }
    if not may_know_reasons(actor):
        fields |= dict.fromkeys(_SHOWN_TO_OVERSEERS)
    return RoundPairing(
        **fields,
        round=row.round_id,
        run=row.run_id,
        mentor=row.mentor_id,
        learner=row.learner_id,
        score=why.score,
        known_weight=why.known_weight,
    )


def explanation(row: tables.Pairing) -> Explanation:
    """Return where the pairing's score comes from."""
    return Explanation.model_validate_json(row.body)


def explained_to(actor: Actor, row: tables.Pairing) -> Explanation:
    """Return the explanation without the wishes that this actor may not know."""
    why = explanation(row)
    visible = tuple(one for one in why.adjustments if may_know_wishes(actor, one.city))
    return why.model_copy(update={"adjustments": visible})


def cities_of(row: tables.Pairing) -> tuple[str, str]:
    """Return mentor and learner."""
    return row.mentor_id, row.learner_id


def names_of(session: Session, row: tables.Pairing) -> tuple[str, str]:
    """Return the names of mentor and learner."""
    mentor, learner = (session.get_one(tables.City, city) for city in cities_of(row))
    return mentor.name, learner.name


def search(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    page: PageRequest,
    wanted: Filter = _ALL,
) -> tuple[Sequence[tables.Pairing], str | None]:
    """Return a page of the round's pairings that the actor may see.

    They are in the order of learners, then mentors.
    """
    table = tables.Pairing
    query = select(table).where(table.round_id == round_row.id, *_visible(actor))
    if wanted.state is not None:
        query = query.where(table.state == wanted.state)
    if wanted.updated_since is not None:
        query = query.where(table.updated_at >= wanted.updated_since)
    order = table.learner_id, table.mentor_id, table.id
    return fetch_page(session, query, page, *order)


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions in SQL for `permissions.may_see_pairing`."""
    if may_oversee(actor):
        return []
    table = tables.Pairing
    city = tables.City
    is_own = city.id == actor.city
    if actor.association is not None:
        is_own = city.association == actor.association
    cities = select(city.id).where(is_own)
    own = table.mentor_id.in_(cities) | table.learner_id.in_(cities)
    return [table.state.in_(SHARED_STATES) | (table.state.in_(ENDED_STATES) & own)]


def _associations(
    session: Session, actor: Actor, row: tables.Pairing
) -> Collection[str | None]:
    """Return the associations of the two cities, if the actor belongs to one."""
    if actor.association is None:
        return ()
    city = tables.City
    query = select(city.association).where(city.id.in_(cities_of(row)))
    return session.scalars(query).all()


def get(session: Session, actor: Actor, pairing_id: str) -> tables.Pairing:
    """Return the pairing, or raise `NotFound` if there is none for the actor."""
    row = session.get(tables.Pairing, pairing_id)
    if row is None or not may_see_pairing(
        actor, row.state, cities_of(row), _associations(session, actor, row)
    ):
        raise NotFound(f"There is no pairing with the id {pairing_id}.")
    return row


def get_locked(
    session: Session, actor: Actor, pairing_id: str
) -> tuple[tables.Round, tables.Pairing]:
    """Return the pairing and its round, both locked, or raise `NotFound`.

    Whoever changes a pairing locks its round first: such changes come one after the
    other, so two answers at the same moment cannot overfill a mentor.
    """
    row = get(session, actor, pairing_id)
    round_row = rounds.get(session, actor, row.round_id, lock=True)
    session.expire(row)  # it may have been changed, or forgotten, meanwhile
    return round_row, get(session, actor, pairing_id)


def of_round(
    session: Session, round_id: str, states: Collection[str] = LIVE
) -> Sequence[tables.Pairing]:
    """Return the round's pairings in these states, by learner, then mentor."""
    table = tables.Pairing
    return session.scalars(
        select(table)
        .where(table.round_id == round_id, table.state.in_(states))
        .order_by(table.learner_id, table.mentor_id, table.id)
    ).all()


def newest_of_run(
    session: Session, run_id: str, pair: tuple[str, str]
) -> tables.Pairing | None:
    """Return the newest pairing of this mentor and learner that the run proposed."""
    table = tables.Pairing
    mentor, learner = pair
    query = (
        select(table)
        .where(
            table.run_id == run_id,
            table.mentor_id == mentor,
            table.learner_id == learner,
        )
        .order_by(table.created_at.desc(), table.id)
    )
    return session.scalars(query).first()


def check_places(session: Session, round_id: str, pairs: Pairs) -> None:
    """Refuse pairs that do not fit into the round's places.

    Args:
        session: In a write transaction, the round locked.
        round_id: Which round.
        pairs: All (mentor, learner) that would take up places.

    Raises:
        NoPlaces: If one names a city that takes no part in that role, or more of them
            name a city than it has places.

    """
    pairs = list(pairs)
    places = _places(session, round_id)
    for side, role in enumerate(("mentor", "learner")):
        for city, taken in Counter(pair[side] for pair in pairs).items():
            limit = places.get(city, (0, 0))[side]
            if taken > limit:
                raise NoPlaces(
                    f"{city} has {limit} places as a {role}, and would need {taken}."
                )


def _places(session: Session, round_id: str) -> dict[str, tuple[int, int]]:
    """Return for each participant its places as mentor and as learner."""
    table = tables.Participant
    rows = session.execute(
        select(table.city_id, table.mentor_capacity, table.learner_demand).where(
            table.round_id == round_id
        )
    )
    return {city: (capacity, demand) for city, capacity, demand in rows}


def record(
    session: Session,
    actor: Actor,
    row: tables.Pairing,
    action: str,
    **details: Any,  # noqa: ANN401 -- what JSON can hold
) -> None:
    """Record in the audit log what was done with a pairing."""
    audit.record(
        session,
        actor,
        action,
        round_id=row.round_id,
        pairing=row.id,
        mentor=row.mentor_id,
        learner=row.learner_id,
        **details,
    )


def must_be_released(round_row: tables.Round) -> None:
    """Raise `WrongPhase` unless the round is released, and not archived yet."""
    if round_row.phase != "released":
        raise WrongPhase(
            f"The round is {round_row.phase}: what was decided in it stays as it is."
        )
