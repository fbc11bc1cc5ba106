"""Deciding about a pair before anything is staged, and proposing anew.

What is decided stands in the round's policy from then on: every later proposal keeps
it. What is staged already is decided about by `app.services.decisions.overrides`.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

import matching
from app.db import tables
from app.permissions import Actor
from app.services.decisions import overrides
from app.services.decisions.overrides import OverrideBasis
from app.services.rounds import policies, problem_builder, rounds
from app.services.runs import runs
from schemas import Objective, OverrideWrite, Policy, RunWrite

OBJECTIVES: tuple[Objective, ...] = ("total", "served", "fair")
"""What proposals that are laid side by side are the best at."""
_USELESS = ("failed", "cancelled")


def basis(
    session: Session, actor: Actor, round_row: tables.Round, run: tables.Run
) -> OverrideBasis:
    """Return what a decision about a run starts from; its version is the policy's.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is not open or closed.

    """
    rounds.must_organise(actor)
    runs.must_be_matchable(round_row)
    frozen = runs.frozen(run)
    policy_row = policies.get(session, actor, round_row)
    return OverrideBasis(
        problem=frozen.problem,
        policy=frozen.policy,
        run=run.id,
        version=policy_row.version,
    )


def decide(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    run: tables.Run,
    new: OverrideWrite,
) -> tables.Run:
    """Put what is decided into the round's policy, and start a run that keeps it.

    The run has the weights, the rules and the objective of the one that was looked at,
    and the round as it is now.

    Args:
        session: In a write transaction.
        actor: An organiser.
        round_row: The round, locked.
        run: The run that was looked at.
        new: What is decided, and why.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is not open or closed.
        InvalidPolicy: If a city of the pair takes no part any more.

    """
    start = basis(session, actor, round_row, run)
    policy_row = policies.get(session, actor, round_row, lock=True)
    decided = overrides.with_decision(policies.as_policy(policy_row), new)
    policies.change(session, actor, round_row, policy_row, decided)
    present = {
        city.id for city in problem_builder.problem_of(session, round_row.id).cities
    }
    policy = policies.keeping(
        overrides.with_decision(start.policy, new), present.issuperset
    )
    again = RunWrite(label=run.label, policy=policy)
    return runs.start(session, actor, round_row, again)


def propose_each(
    session: Session,
    actor: Actor,
    round_row: tables.Round,
    labels: Sequence[tuple[Objective, str]],
) -> list[tables.Run]:
    """Return one run of the round as it is now for each objective.

    Runs that are there already are not computed again.

    Args:
        session: In a write transaction.
        actor: An organiser.
        round_row: The round, locked.
        labels: The objectives, and what their runs are called.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is not open or closed.
        InvalidPolicy: If no run could be made with the policy.

    """
    rounds.must_organise(actor)
    runs.must_be_matchable(round_row)
    own = policies.as_policy(policies.get(session, actor, round_row))
    problem = matching.problem_hash(problem_builder.problem_of(session, round_row.id))
    found = []
    for objective, label in labels:
        policy = own.model_copy(update={"objective": objective})
        existing = _existing_run(session, round_row.id, problem, policy)
        new = RunWrite(label=label, policy=policy)
        found.append(existing or runs.start(session, actor, round_row, new))
    return found


def _existing_run(
    session: Session, round_id: str, problem: str, policy: Policy
) -> tables.Run | None:
    """Return the newest usable run of this problem and policy, if there is one."""
    table = tables.Run
    return session.scalar(
        select(table)
        .where(
            table.round_id == round_id,
            table.problem_hash == problem,
            table.policy_hash == matching.policy_hash(policy),
            table.state.not_in(_USELESS),
        )
        .order_by(table.created_at.desc())
        .limit(1)
    )
