"""What the rounds of the network have brought to each city.

It keeps pairs from being repeated (`no_repeat`), and gives a small credit to whoever
was left out before, where a policy asks for it (`left_out_credit`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import NotFound
from app.permissions import Actor, may_oversee
from app.services.shared.paging import PageRequest, fetch_rows
from schemas import LedgerEntry, LeftOut, PastPairing, Role

_SIDES: tuple[Role, Role] = ("mentor", "learner")


def history(session: Session, round_id: str) -> Iterator[PastPairing]:
    """Yield the pairings that were confirmed in other rounds, the same order always."""
    table = tables.Pairing
    rows = session.execute(
        select(table.mentor_id, table.learner_id, table.round_id)
        .where(table.state == "confirmed", table.round_id != round_id)
        .order_by(table.round_id, table.learner_id, table.mentor_id)
    )
    for mentor, learner, other in rows:
        yield PastPairing(mentor=mentor, learner=learner, round=other)


def left_out(session: Session, round_id: str) -> Iterator[LeftOut]:
    """Yield who was left out of other rounds that were released, and in which role.

    That is whoever offered or asked for a place and has no pairing that is confirmed or
    may still be; but not who declined, let a deadline pass or left.
    """
    table = tables.Participant
    taking = session.execute(
        select(
            table.round_id, table.city_id, table.mentor_capacity, table.learner_demand
        )
        .join(tables.Round, tables.Round.id == table.round_id)
        .where(tables.Round.released_at.is_not(None), table.round_id != round_id)
        .order_by(table.round_id, table.city_id)
    ).all()
    if not taking:
        return
    served, refused = _outcomes(session, {row.round_id for row in taking})
    for other, city, *places in taking:
        for role, place in zip(_SIDES, places, strict=True):
            key = other, role, city
            if place and key not in served and key not in refused:
                yield LeftOut(city=city, role=role, round=other)


Key = tuple[str, str, str]
"""Round, role and city."""


def _outcomes(session: Session, rounds: set[str]) -> tuple[set[Key], set[Key]]:
    """Return which cities have or may get a partner, and which have declined one."""
    served, refused = set[Key](), set[Key]()
    table = tables.Pairing
    for row in session.execute(
        select(
            table.round_id,
            table.mentor_id,
            table.learner_id,
            table.state,
            table.ended_by,
            table.mentor_answer,
            table.learner_answer,
        ).where(table.round_id.in_(rounds))
    ):
        for role in _SIDES:
            key = row.round_id, role, getattr(row, f"{role}_id")
            pending = getattr(row, f"{role}_answer") == "pending"
            if row.state in {"offered", "confirmed"}:
                served.add(key)
            elif row.ended_by == role or (row.ended_by == "deadline" and pending):
                refused.add(key)
    return served, refused


def search(
    session: Session, actor: Actor, page: PageRequest
) -> tuple[Sequence[LedgerEntry], str | None]:
    """Return a page of what each city has had, by id.

    Raises:
        NotFound: If the ledger is not the actor's to know of.

    """
    if not may_oversee(actor):
        raise NotFound("There is no ledger for you.")
    table = tables.Participant
    query = (
        select(table.city_id, func.count())
        .join(tables.Round, tables.Round.id == table.round_id)
        .where(tables.Round.released_at.is_not(None))
        .group_by(table.city_id)
    )
    rows, following = fetch_rows(session, query, page, table.city_id)
    confirmed = {role: _confirmed(session, role) for role in _SIDES}
    without: dict[tuple[str, str], list[str]] = defaultdict(list)
    for left in left_out(session, ""):
        without[left.city, left.role].append(left.round or "")
    entries = [
        LedgerEntry(
            city=city,
            rounds=rounds,
            mentored=confirmed["mentor"].get(city, 0),
            learned=confirmed["learner"].get(city, 0),
            left_out_as_mentor=tuple(without[city, "mentor"]),
            left_out_as_learner=tuple(without[city, "learner"]),
        )
        for city, rounds, _ in rows
    ]
    return entries, following


def _confirmed(session: Session, role: Role) -> dict[str, int]:
    """Return how many confirmed pairings each city has in the role."""
    column = getattr(tables.Pairing, f"{role}_id")
    query = select(column, func.count()).where(tables.Pairing.state == "confirmed")
    return dict(session.execute(query.group_by(column)).all())
