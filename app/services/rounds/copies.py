"""A new round from an old one: who took part, and how it was matched."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import tables
from app.errors import NotFound
from app.permissions import Actor
from app.services.log import audit
from app.services.rounds import policies, rounds
from app.services.shared import versions
from schemas import RoundNew, RoundWrite


def add(session: Session, actor: Actor, new: RoundNew) -> tables.Round:
    """Open a draft round with the participants and the policy of another.

    Participants come with their roles, places, wishes and vetoes; the policy without
    its pins, which were decisions about that round's pairings.

    Raises:
        NotFound: If there is no round to copy.
        Forbidden, AlreadyThere: As `rounds.add`.

    """
    rounds.must_organise(actor)
    old = rounds.find(session, actor, new.copy_of) if new.copy_of else None
    if new.copy_of and old is None:
        raise NotFound(f"There is no round with the id {new.copy_of} to copy.")
    alone = {field: getattr(new, field) for field in RoundWrite.model_fields}
    row = rounds.add(session, actor, RoundWrite(**alone))
    if old is not None:
        row.copy_of = old.id
        _copy(session, actor, old, row)
        audit.record(session, actor, "round.copied", round_id=row.id, copy_of=old.id)
    return row


def _copy(session: Session, actor: Actor, old: tables.Round, row: tables.Round) -> None:
    table = tables.Participant
    taking_part = [
        table(
            round_id=row.id,
            city_id=one.city_id,
            roles=one.roles,
            mentor_capacity=one.mentor_capacity,
            learner_demand=one.learner_demand,
            wishes=one.wishes,
            vetoes=one.vetoes,
        )
        for one in session.scalars(select(table).where(table.round_id == old.id))
    ]
    session.add_all(taking_part)
    session.flush()
    versions.begin(session, versions.of_round(row.id), *taking_part)
    policy = policies.as_policy(policies.get(session, actor, old))
    new = policy.model_copy(update={"pins": ()})
    policy_row = policies.get(session, actor, row, lock=True)
    policy_row.body = new.to_dict()
    session.flush()
