"""Builds problems for the engine from rows, and turns its refusals into ours."""

import re
from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

import matching
from app.compute.engine import Refused
from app.db import tables
from app.errors import Infeasible, InvalidPolicy, InvalidProblem, Refusal
from app.services.cities.directory import Filter, every
from app.services.cities.profiles import as_city
from app.services.rounds import ledger
from schemas import (
    City,
    Explanation,
    InputError,
    Policy,
    Problem,
    Role,
    Veto,
    Wish,
)


def problem_of(session: Session, round_id: str) -> Problem:
    """Return the problem of the round as it is now: profiles, participation, history.

    Wishes, vetoes and what was before are left out where they name a city that takes no
    part.
    """
    rows = _participants(session, round_id)
    present = {row.city_id for row in rows}
    wishes = (
        Wish(
            city=row.city_id,
            role=wish["role"],
            partners=tuple(one for one in wish["partners"] if one in present),
        )
        for row in rows
        for wish in row.wishes
    )
    return Problem(
        cities=tuple(_as_it_takes_part(row) for row in rows),
        wishes=tuple(wish for wish in wishes if wish.partners),
        vetoes=tuple(
            Veto(city=row.city_id, partner=partner)
            for row in rows
            for partner in row.vetoes
            if partner in present
        ),
        history=tuple(
            past
            for past in ledger.history(session, round_id)
            if past.mentor in present and past.learner in present
        ),
        left_out=tuple(
            left for left in ledger.left_out(session, round_id) if left.city in present
        ),
    )


def _participants(session: Session, round_id: str) -> Sequence[tables.Participant]:
    city = joinedload(tables.Participant.city)
    return session.scalars(
        select(tables.Participant)
        .where(tables.Participant.round_id == round_id)
        .order_by(tables.Participant.city_id)
        .options(
            city.options(
                selectinload(tables.City.areas), selectinload(tables.City.practices)
            )
        )
    ).all()


def _as_it_takes_part(row: tables.Participant) -> City:
    return as_city(row.city).model_copy(
        update={
            "roles": tuple(row.roles.split(",")) if row.roles else (),
            "mentor_capacity": row.mentor_capacity,
            "learner_demand": row.learner_demand,
        }
    )


def check(session: Session, round_id: str, policy: Policy, within: str = "") -> None:
    """Refuse a policy with which this round could not be matched.

    Args:
        session: Where the round is.
        round_id: Which round.
        policy: What to look at.
        within: Where in the caller's body it stands.

    Raises:
        InvalidPolicy: For unknown cities, and for what this version does not have.

    """
    if policy.pins or policy.bans:
        problem = problem_of(session, round_id)
    else:  # nothing that a city could be missing from
        problem = Problem(cities=())
    try:
        matching.check(problem, policy)
    except matching.InvalidPolicy as error:
        raise refusal(error, within) from error


def suggestions(
    session: Session, city: City, role: Role, limit: int
) -> list[Explanation]:
    """Return the best partners of a city among all cities with this role."""
    others = (
        as_city(row) for row in every(session, Filter(role=role)) if row.id != city.id
    )
    problem = Problem(cities=(city, *others))
    return matching.suggest(problem, city.id, role, limit)


_KINDS: dict[type[ValueError], type[Refusal]] = {
    matching.InvalidProblem: InvalidProblem,
    matching.InvalidPolicy: InvalidPolicy,
    matching.Infeasible: Infeasible,
}


_PARAMETERS = {"mentor", "learner", "gone", "declined"}


def refusal(error: Refused, within: str = "") -> Refusal:
    """Return a refusal of the engine as one of ours.

    Args:
        error: What the engine raised.
        within: Where in the caller's body the policy stands.

    """
    prefix = "" if isinstance(error, matching.InvalidProblem) else within
    return _refusal_of(error, lambda pointer: f"{prefix}{pointer}")


def refusal_in_query(error: Refused) -> Refusal:
    """Return a refusal of the engine as one of ours, about query parameters.

    What the engine finds at `/declined/0` is in the parameter `?declined`.
    """

    def placed(pointer: str) -> str:
        name = pointer[1:].partition("/")[0]
        return f"?{name}" if name in _PARAMETERS else pointer

    return _refusal_of(error, placed)


_DECISION = re.compile(r"/(pins|bans)(?:/(\d++)(.*))?")


def refusal_of_override(pins: int, bans: int) -> Callable[[Refused], Refusal]:
    """Return a function that turns a refusal of the engine into one about an override.

    Args:
        pins: How many pins of the policy stand before the pairs it forces.
        bans: How many bans stand before those that it bans.

    """
    fields = {"pins": ("force", pins), "bans": ("ban", bans)}

    def placed(pointer: str) -> str:
        found = _DECISION.fullmatch(pointer)
        if found is None:
            return pointer
        field, before = fields[found[1]]
        if found[2] is None:
            return f"/{field}"
        at = int(found[2]) - before
        return f"/{field}/{at}{found[3]}" if at >= 0 else pointer

    return lambda error: _refusal_of(error, placed)


def _refusal_of(error: Refused, placed: Callable[[str], str]) -> Refusal:
    return _KINDS[type(error)](
        error.errors[0][2],
        [
            InputError(pointer=placed(pointer), code=code, message=message)
            for pointer, code, message in error.errors
        ],
    )
