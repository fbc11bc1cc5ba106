"""Pairings: who may see them, what the two cities answer, and how they end."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.db import Database, tables
from app.db.tables.base import now
from app.db.tables.pairings import LIVE
from app.errors import (
    Forbidden,
    InvalidInput,
    NoPlaces,
    NotFound,
    NotOffered,
    TooLate,
    WrongPhase,
)
from app.permissions import (
    ENDED_STATES,
    SHARED_STATES,
    TERMINAL,
    Actor,
    may_edit_city,
    may_know_reasons,
    may_know_wishes,
    may_oversee,
    may_see_pairing,
)
from app.services.log import audit
from app.services.mail import letters
from app.services.rounds import rounds
from app.services.shared.paging import PageRequest, fetch_page
from schemas import (
    AnswerWrite,
    EndedBy,
    Explanation,
    InputError,
    PairingState,
    Role,
    RoundPairing,
)

Pairs = Iterable[tuple[str, str]]
_SAID = {"accept": "accepted", "decline": "declined"}
_SHOWN_TO_OVERSEERS = ("reason", "reason_code", "mentor_text", "learner_text")


@dataclass(frozen=True)
class Filter:
    """Which pairings are wanted; None: whatever they are.

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
    """Return the same for this actor: a city's wishes are its own."""
    why = explanation(row)
    known = tuple(one for one in why.adjustments if may_know_wishes(actor, one.city))
    return why.model_copy(update={"adjustments": known})


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
    cut: PageRequest,
    wanted: Filter = _ALL,
) -> tuple[Sequence[tables.Pairing], str | None]:
    """Return a page of the round's pairings that the actor may see.

    They are in the order of learners, then mentors.
    """
    table = tables.Pairing
    asked = select(table).where(table.round_id == round_row.id, *_visible(actor))
    if wanted.state is not None:
        asked = asked.where(table.state == wanted.state)
    if wanted.updated_since is not None:
        asked = asked.where(table.updated_at >= wanted.updated_since)
    order = table.learner_id, table.mentor_id, table.id
    return fetch_page(session, asked, cut, *order)


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    """Return `permissions.may_see_pairing` as the database understands it."""
    if may_oversee(actor):
        return []
    table = tables.Pairing
    city = tables.City
    ours = city.id == actor.city
    if actor.association is not None:
        ours = city.association == actor.association
    cities = select(city.id).where(ours)
    own = table.mentor_id.in_(cities) | table.learner_id.in_(cities)
    return [table.state.in_(SHARED_STATES) | (table.state.in_(ENDED_STATES) & own)]


def _associations(
    session: Session, actor: Actor, row: tables.Pairing
) -> Collection[str | None]:
    """Return what the two cities name as their associations, if one is asking."""
    if actor.association is None:
        return ()
    city = tables.City
    asked = select(city.association).where(city.id.in_(cities_of(row)))
    return session.scalars(asked).all()


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
    seen = get(session, actor, pairing_id)
    round_row = rounds.get(session, actor, seen.round_id, lock=True)
    session.expire(seen)  # it may have been changed, or forgotten, meanwhile
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
            there = places.get(city, (0, 0))[side]
            if taken > there:
                raise NoPlaces(
                    f"{city} has {there} places as a {role}, and would need {taken}."
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


def answer(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    new: AnswerWrite,
) -> None:
    """Store what one side of an offered pairing says.

    The same answer again changes nothing. Whoever has accepted may still decline until
    the other side has accepted, too.

    Args:
        session: In a write transaction.
        actor: An officer of that side's city, or an organiser on its behalf.
        round_row: The pairing's round, locked.
        row: The pairing.
        new: The answer.

    Raises:
        Forbidden: If the actor may not answer for that city.
        NotOffered: If the pairing waits for no answer.
        TooLate: If the deadline is over.
        NoPlaces: If a city would have more confirmed pairings than places.

    """
    city = row.mentor_id if new.side == "mentor" else row.learner_id
    if not may_edit_city(actor, city):
        raise Forbidden(f"Only {city} itself and organisers answer as the {new.side}.")
    said = _SAID[new.answer]
    if getattr(row, f"{new.side}_answer") == said:
        return
    if row.state != "offered":
        raise NotOffered(f"The pairing is {row.state}: it waits for no answer.")
    at = now()
    if row.answer_by is not None and row.answer_by <= at:
        raise TooLate(f"The answer was due by {row.answer_by:%Y-%m-%d %H:%M} UTC.")
    setattr(row, f"{new.side}_answer", said)
    setattr(row, f"{new.side}_text", new.text)
    row.updated_at = at
    if said == "declined":
        row.reason_code = new.reason_code
        _end(row, "declined", new.side)
        session.flush()
        letters.notify(session, round_row, row, "declined", [_other(new.side)])
        letters.notify_organisers(session, round_row, row, "declined")
    elif row.mentor_answer == row.learner_answer == "accepted":
        _confirm(session, round_row, row, at)
    session.flush()
    # Which answer, not why: reasons are not everybody's.
    record(session, actor, row, "pairing.answered", side=new.side, answer=said)


def _other(side: Role) -> Role:
    return "learner" if side == "mentor" else "mentor"


def _confirm(
    session: Session, round_row: tables.Round, row: tables.Pairing, at: datetime
) -> None:
    there = of_round(session, round_row.id, ("confirmed",))
    check_places(session, round_row.id, map(cities_of, (*there, row)))
    row.state, row.confirmed_at = "confirmed", at
    session.flush()
    letters.notify(session, round_row, row, "confirmed", ("mentor", "learner"))


def _end(row: tables.Pairing, state: PairingState, by: EndedBy) -> None:
    row.state, row.ended_by = state, by
    row.ended_at = row.updated_at = now()


def record(
    session: Session,
    actor: Actor,
    row: tables.Pairing,
    action: str,
    **details: Any,  # noqa: ANN401 -- what JSON can hold
) -> None:
    """Write down what was done with a pairing."""
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


def dismiss(  # noqa: PLR0913 -- who ends what, and why
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    reason: str,
    by: EndedBy = "organiser",
) -> None:
    """Take a staged pairing out; nobody is told.

    Raises:
        Forbidden: If the actor may not.
        NotOffered: If it is not staged: after the release, `withdraw`.

    """
    _must_be_the_one(actor, row, by)
    if row.state != "staged":
        raise NotOffered(f"The pairing is {row.state}; only a staged one is dismissed.")
    row.reason = reason
    _end(row, "dismissed", by)
    rounds.touch(session, round_row)
    letters.rewrite_held(session, round_row)
    record(session, actor, row, "pairing.dismissed")


def withdraw(  # noqa: PLR0913 -- who ends what, and why
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    reason: str,
    by: EndedBy = "organiser",
) -> None:
    """Take back a pairing that was offered or confirmed, and tell its cities.

    Args:
        session: In a write transaction.
        actor: An organiser; an officer whose city leaves the round.
        round_row: The pairing's round, locked.
        row: The pairing.
        reason: Why; only organisers see it.
        by: What ends it; a side that leaves is not told.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is archived.
        NotOffered: If it is neither.

    """
    _must_be_the_one(actor, row, by)
    must_be_released(round_row)
    if row.state not in SHARED_STATES:
        raise NotOffered(f"The pairing is {row.state}: there is nothing to take back.")
    row.reason = reason
    _end(row, "withdrawn", by)
    rounds.touch(session, round_row)
    told: list[Role] = [side for side in ("mentor", "learner") if side != by]
    letters.notify(session, round_row, row, "withdrawn", told)
    record(session, actor, row, "pairing.withdrawn")


def _must_be_the_one(actor: Actor, row: tables.Pairing, by: EndedBy) -> None:
    """Raise `Forbidden` unless the actor ends pairings, or leaves with its own city."""
    leaving = {"mentor": row.mentor_id, "learner": row.learner_id}.get(by)
    if leaving is None or not may_edit_city(actor, leaving):
        rounds.must_organise(actor)


def must_be_released(round_row: tables.Round) -> None:
    """Raise `WrongPhase` unless the round is released, and not archived yet."""
    if round_row.phase != "released":
        raise WrongPhase(
            f"The round is {round_row.phase}: what was decided in it stays as it is."
        )


def set_deadline(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.Pairing,
    answer_by: datetime,
) -> None:
    """Give the cities until then to answer; an expired pairing is offered again.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is archived.
        InvalidInput: If that moment is over.
        NotOffered: If the pairing is neither offered nor expired.
        NoPlaces: If the places of an expired one have been given away.

    """
    rounds.must_organise(actor)
    must_be_released(round_row)
    if answer_by == row.answer_by:
        return
    if row.state not in {"offered", "expired"}:
        raise NotOffered(f"The pairing is {row.state}: it waits for no answer.")
    must_be_ahead(answer_by)
    again = row.state == "expired"
    row.answer_by, row.updated_at = answer_by, now()
    if again:
        pairs = map(cities_of, of_round(session, round_row.id))
        check_places(session, round_row.id, [*pairs, cities_of(row)])
        row.state, row.ended_at, row.ended_by = "offered", None, None
        session.flush()
        waiting: list[Role] = [
            side
            for side in ("mentor", "learner")
            if getattr(row, f"{side}_answer") == "pending"
        ]
        letters.notify(session, round_row, row, "offer", waiting)
    rounds.touch(session, round_row)
    record(session, actor, row, "pairing.deadline_set", offered_again=again)


def must_be_ahead(moment: datetime) -> None:
    """Raise `InvalidInput` unless the deadline is still to come."""
    if moment <= now():
        message = "The deadline must lie ahead."
        error = InputError(pointer="/answer_by", code="past", message=message)
        raise InvalidInput(message, [error])


def expire(database: Database) -> int:
    """End the offers whose deadline is over, and tell; return how many.

    A round after the other, each in a transaction of its own.
    """
    table = tables.Pairing

    def late() -> tuple[ColumnElement[bool], ...]:
        return table.state == "offered", table.answer_by <= now()

    with database.read() as session:
        found = session.scalars(select(table.round_id).where(*late()).distinct()).all()
    ended = 0
    for round_id in found:
        with database.write() as session:
            round_row = rounds.get(session, TERMINAL, round_id, lock=True)
            rows = session.scalars(
                select(table).where(table.round_id == round_id, *late())
            ).all()
            for row in rows:
                _end(row, "expired", "deadline")
                session.flush()
                letters.notify(
                    session, round_row, row, "expired", ("mentor", "learner")
                )
                letters.notify_organisers(session, round_row, row, "expired")
                record(session, TERMINAL, row, "pairing.expired")
            ended += len(rows)
    return ended
