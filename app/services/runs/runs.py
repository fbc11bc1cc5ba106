"""Runs: started by an organiser, looked at, cancelled, and what they have found."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

import matching
from app.compute import solving
from app.db import tables
from app.db.tables.base import now
from app.errors import Conflict, Forbidden, NotFinished, NotFound, WrongPhase
from app.permissions import Actor, may_organise, may_oversee
from app.services.log import audit
from app.services.rounds import policies, problem_builder
from app.services.shared.paging import PageRequest, fetch_page
from schemas import Policy, Problem, ProblemDetails, Progress, Run, RunWrite, Solution

_MATCHABLE = ("open", "closed")
_ENDED = ("succeeded", "infeasible", "failed", "cancelled")
trials = solving.trials


def as_run(row: tables.Run) -> Run:
    """Return the run as the API shows it."""
    return Run(
        id=row.id,
        round=row.round_id,
        label=row.label,
        state=row.state,
        progress=Progress(step=row.step, done=row.done, of=row.of),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempt=row.attempt,
        problem_hash=row.problem_hash,
        policy_hash=row.policy_hash,
        problem=ProblemDetails(**row.refusal) if row.refusal else None,
    )


def has_ended(row: tables.Run) -> bool:
    """Tell whether nothing more will happen to the run."""
    return row.state in _ENDED


def is_matchable(round_row: tables.Round) -> bool:
    """Tell whether the round is in a phase in which it is matched."""
    return round_row.phase in _MATCHABLE


def must_be_matchable(round_row: tables.Round) -> None:
    """Raise `WrongPhase` if the round is not open or closed."""
    if not is_matchable(round_row):
        raise WrongPhase(
            f"The round is {round_row.phase}; it is matched while open (a trial) or "
            "closed."
        )


def start(
    session: Session, actor: Actor, round_row: tables.Round, new: RunWrite
) -> tables.Run:
    """Queue a run over a frozen copy of the round.

    Raises:
        Forbidden: If the actor may not.
        WrongPhase: If the round is not open or closed.
        InvalidPolicy: If no run could be made with the policy.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may start a run.")
    must_be_matchable(round_row)
    policy = new.policy
    if policy is None:
        policy = policies.as_policy(policies.get(session, actor, round_row))
    else:
        problem_builder.check(session, round_row.id, policy, within="/policy")
    problem = problem_builder.problem_of(session, round_row.id)
    row = tables.Run(
        round_id=round_row.id,
        label=new.label,
        problem=problem.model_dump_json(),
        policy=policy.model_dump_json(),
        problem_hash=matching.problem_hash(problem),
        policy_hash=matching.policy_hash(policy),
    )
    session.add(row)
    session.flush()
    audit.record(session, actor, "run.started", round_id=round_row.id, run=row.id)
    return row


def search(
    session: Session, actor: Actor, round_id: str, page: PageRequest
) -> tuple[Sequence[tables.Run], str | None]:
    """Return a page of the round's runs, the newest first, or raise `NotFound`."""
    if not may_oversee(actor):
        raise NotFound(f"There are no runs of {round_id} for you.")
    table = tables.Run
    query = (
        select(table)
        .where(table.round_id == round_id)
        .options(defer(table.problem), defer(table.policy))  # they may be megabytes
    )
    return fetch_page(session, query, page, table.created_at.desc(), table.id.desc())


def get(
    session: Session, actor: Actor, run_id: str, *, lock: bool = False
) -> tables.Run:
    """Return the run, or raise `NotFound` if there is none for the actor."""
    query = select(tables.Run).where(tables.Run.id == run_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None or not may_oversee(actor):
        raise NotFound(f"There is no run with the id {run_id}.")
    return row


def of_round(session: Session, actor: Actor, round_id: str, run_id: str) -> tables.Run:
    """Return the run of this round, or raise `NotFound`."""
    row = get(session, actor, run_id)
    if row.round_id != round_id:
        raise NotFound(f"{round_id} has no run with the id {run_id}.")
    return row


def round_of(session: Session, row: tables.Run) -> tables.Round:
    """Return the round that the run belongs to."""
    return session.get_one(tables.Round, row.round_id)


def cancel(session: Session, actor: Actor, row: tables.Run) -> None:
    """End a run that has not ended; the worker notices at its next heartbeat.

    Raises:
        Forbidden: If the actor may not.
        Conflict: If it has ended in another way.

    """
    if not may_organise(actor):
        raise Forbidden("Only an organiser may cancel a run.")
    if row.state == "cancelled":
        return
    if has_ended(row):
        raise Conflict(f"The run has {row.state} already.")
    row.state, row.finished_at, row.lease_until = "cancelled", now(), None
    session.flush()
    audit.record(session, actor, "run.cancelled", round_id=row.round_id, run=row.id)


def solution_text(session: Session, row: tables.Run) -> str:
    """Return the solution as JSON, or raise `NotFinished`."""
    found = session.get(tables.Solution, row.id)
    if found is None:
        raise NotFinished(f"The run is {row.state}: it has no solution.")
    return found.body


def find_solution(session: Session, run_id: str) -> Solution | None:
    """Return the solution of the run with this id; None if there is none."""
    found = session.get(tables.Solution, run_id)
    return Solution.model_validate_json(found.body) if found else None


def solution(session: Session, row: tables.Run) -> Solution:
    """Return the solution, or raise `NotFinished`."""
    return Solution.model_validate_json(solution_text(session, row))


@dataclass(frozen=True)
class Frozen:
    """The problem and the policy of a run, which never change."""

    problem: Problem
    policy: Policy


def frozen(row: tables.Run) -> Frozen:
    """Return what the run is computed from."""
    return Frozen(
        problem=Problem.model_validate_json(row.problem),
        policy=Policy.model_validate_json(row.policy),
    )


def as_it_stands(session: Session, actor: Actor, round_row: tables.Round) -> Frozen:
    """Return what a run of the round would be computed from now.

    Raises:
        NotFound: If the policy is not the actor's to see.

    """
    policy = policies.as_policy(policies.get(session, actor, round_row))
    return Frozen(problem_builder.problem_of(session, round_row.id), policy)


@dataclass(frozen=True)
class Outcome(Frozen):
    """A solution with everything needed to show it."""

    run: Run
    round_name: str
    solution: Solution


def outcome(session: Session, row: tables.Run) -> Outcome:
    """Return the run's solution with its problem and policy, or raise `NotFinished`."""
    found = solution(session, row)
    inputs = frozen(row)
    return Outcome(
        problem=inputs.problem,
        policy=inputs.policy,
        run=as_run(row),
        round_name=session.get_one(tables.Round, row.round_id).name,
        solution=found,
    )


def look(session: Session, actor: Actor, run_id: str) -> tuple[Run, bool]:
    """Return how far the run is and whether it has ended, or raise `NotFound`.

    Cheap enough to ask twice a second: what it is computed from is not read.
    """
    table = tables.Run
    row = session.scalar(
        select(table)
        .where(table.id == run_id)
        .options(defer(table.problem), defer(table.policy))
    )
    if row is None or not may_oversee(actor):
        raise NotFound(f"There is no run with the id {run_id}.")
    return as_run(row), has_ended(row)
