"""Deciding otherwise than a staged proposal, at a price that is told and kept."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

import matching
from app.compute import solving
from app.compute.engine import Overridden
from app.db import tables
from app.db.tables.base import now
from app.errors import Stale, WrongPhase
from app.permissions import Actor
from app.services.decisions import phases
from app.services.pairings import pairings
from app.services.rounds import policies, rounds
from app.services.runs import runs
from app.services.runs.runs import Frozen
from schemas import Decision, Override, OverrideWrite, Pair, Policy


@dataclass(frozen=True)
class OverrideBasis(Frozen):
    """The staged round before an override.

    Attributes:
        run: The run that is staged.
        policy: The run's own, with what was dismissed as bans.

    """

    run: str
    version: int
    """Of the round: what is changed by hand meanwhile is not thrown away."""


def basis(session: Session, actor: Actor, row: tables.Round) -> OverrideBasis:
    """Return the staged round as an override starts from it.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is not staged.

    """
    rounds.must_organise(actor)
    if row.phase != "staged" or row.staged_run is None:
        raise WrongPhase(f"The round is {row.phase}; an override needs a staged one.")
    run = session.get_one(tables.Run, row.staged_run)
    dismissed = {
        pairings.cities_of(one): one.reason
        for one in pairings.of_round(session, row.id, ("dismissed",))
        if one.ended_by != "repair"
    }
    problem = runs.as_it_stands(session, actor, row).problem
    present = {city.id for city in problem.cities}
    policy = policies.deciding(
        runs.frozen(run).policy,
        bans=(
            Decision(mentor=mentor, learner=learner, reason=reason)
            for (mentor, learner), reason in dismissed.items()
        ),
    )
    return OverrideBasis(
        problem=problem,
        policy=policies.keeping(policy, present.issuperset),
        run=run.id,
        version=row.version,
    )


def with_decision(policy: Policy, new: OverrideWrite) -> Policy:
    """Return the policy with the override's pins and bans.

    What was pinned or banned of these pairs before is decided anew.
    """
    return policies.deciding(
        policy, _decisions(new.force, new), _decisions(new.ban, new)
    )


def _decisions(pairs: tuple[Pair, ...], new: OverrideWrite) -> tuple[Decision, ...]:
    return tuple(
        Decision(mentor=one.mentor, learner=one.learner, reason=new.reason)
        for one in dict.fromkeys(pairs)
    )


def as_override(found: Overridden, run: str | None) -> Override:
    """Return what an override changes, as the API shows it."""
    return Override(run=run, price=_price(found), difference=found.difference)


def _price(found: Overridden) -> float:
    """Return the points that the round loses; -0 becomes 0."""
    return -found.difference.points or 0.0


def store(  # noqa: PLR0913 -- what was computed, from what
    session: Session,
    actor: Actor,
    row: tables.Round,
    start: OverrideBasis,
    new: OverrideWrite,
    found: Overridden,
) -> tables.Run:
    """Stage the outcome of an override as a run of its own; return the run.

    It can be computed again like every run, so the sealed decision can be, too. The
    round's policy takes the pins and bans on: they survive when it is matched again.

    Args:
        session: In a write transaction.
        actor: An organiser.
        row: The round, locked.
        start: What it was computed from.
        new: What was decided.
        found: What came of it.

    Raises:
        Stale: If the round has changed since.

    """
    if basis(session, actor, row) != start:
        raise Stale(
            "Somebody changed what is staged while this was computed; look again."
        )
    policy = with_decision(start.policy, new)
    run = tables.Run(
        round_id=row.id,
        label="Override",
        state="succeeded",
        problem=start.problem.model_dump_json(),
        policy=policy.model_dump_json(),
        problem_hash=matching.problem_hash(start.problem),
        policy_hash=matching.policy_hash(policy),
        started_at=now(),
        finished_at=now(),
    )
    session.add(run)
    session.flush()
    session.add(tables.Solution(run_id=run.id, body=solving.written(found.solution)))
    policy_row = policies.get(session, actor, row, lock=True)
    own = with_decision(policies.as_policy(policy_row), new)
    policy_row.body = own.to_dict()
    session.flush()
    phases.restage(session, actor, row, run, found.solution, new, _price(found))
    return run
