"""A round's policy: weights, rules, pins, bans and the objective."""

from collections.abc import Callable, Iterable

from sqlalchemy.orm import Session

from app.db import tables
from app.errors import Forbidden, NotFound
from app.permissions import Actor, may_organise, may_oversee
from app.services.log import audit
from app.services.rounds import problem_builder, rounds
from app.services.shared.changes import changed_fields
from schemas import Decision, Pair, Policy

_DECISIONS = ("pins", "bans")


def get(
    session: Session, actor: Actor, round_row: tables.Round, *, lock: bool = False
) -> tables.RoundPolicy:
    """Return the round's policy, or raise `NotFound` if it is not the actor's to see.

    Pins and bans stand in it with their reasons: officers are not shown them.
    """
    if not may_oversee(actor):
        raise NotFound(f"There is no policy of {round_row.id} for you.")
    return session.get_one(tables.RoundPolicy, round_row.id, with_for_update=lock)


def as_policy(row: tables.RoundPolicy) -> Policy:
    """Return the policy as the API shows it."""
    return Policy.model_validate(row.body)


def change(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    row: tables.RoundPolicy,
    new: Policy,
) -> None:
    """Replace the stored policy by the given one.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is past being matched.
        InvalidPolicy: If it names a city that takes no part, or asks for something
            that this version does not have.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may change the policy.")
    rounds.must_be_changeable(round_row)
    problem_builder.check(session, round_row.id, new)
    fields = changed_fields(as_policy(row).to_dict(), new.to_dict())
    if fields:
        row.body = new.to_dict()
        session.flush()
        audit.record(
            session, actor, "policy.changed", round_id=round_row.id, fields=fields
        )


def drop_decisions(session: Session, round_id: str, city_id: str) -> int:
    """Remove the pins and bans that name the city; tell how many there were."""
    row = session.get_one(tables.RoundPolicy, round_id, with_for_update=True)
    policy = as_policy(row)
    remaining = keeping(policy, lambda pair: city_id not in pair)
    dropped = sum(
        len(getattr(policy, kind)) - len(getattr(remaining, kind))
        for kind in _DECISIONS
    )
    if dropped:
        row.body = remaining.to_dict()
        session.flush()
    return dropped


def pair_of(one: Pair | Decision) -> tuple[str, str]:
    """Return mentor and learner."""
    return one.mentor, one.learner


def keeping(policy: Policy, wanted: Callable[[tuple[str, str]], bool]) -> Policy:
    """Return the policy with the pins and bans of those pairs that are wanted."""
    return policy.model_copy(
        update={
            kind: tuple(one for one in getattr(policy, kind) if wanted(pair_of(one)))
            for kind in _DECISIONS
        }
    )


def deciding(
    policy: Policy, pins: Iterable[Decision] = (), bans: Iterable[Decision] = ()
) -> Policy:
    """Return the policy with more decisions; older ones about these pairs give way."""
    pins, bans = tuple(pins), tuple(bans)
    anew = {pair_of(one) for one in (*pins, *bans)}
    remaining = keeping(policy, lambda pair: pair not in anew)
    return remaining.model_copy(
        update={"pins": (*remaining.pins, *pins), "bans": (*remaining.bans, *bans)}
    )
