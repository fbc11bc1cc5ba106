"""Runs: started by an organiser, computed by whichever worker claims them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, defer, load_only

import matching
from app.compute import solving
from app.db import Database, leases, tables
from app.db.tables.base import now
from app.errors import Conflict, Forbidden, NotFinished, NotFound, WrongPhase
from app.permissions import Actor, may_organise, may_oversee
from app.services.log import announcements, audit
from app.services.rounds import policies, problem_builder
from app.services.shared.paging import PageRequest, fetch_page
from schemas import Policy, Problem, ProblemDetails, Progress, Run, RunWrite, Solution

_MATCHABLE = ("open", "closed")
_ENDED = ("succeeded", "infeasible", "failed", "cancelled")
_LEASE = 15.0
_MOST_LOST = 3
trials = solving.trials


def as_run(row: tables.Run) -> Run:
    """Return the run as it travels."""
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
    session: Session, actor: Actor, round_id: str, cut: PageRequest
) -> tuple[Sequence[tables.Run], str | None]:
    """Return a page of the round's runs, the newest first, or raise `NotFound`."""
    if not may_oversee(actor):
        raise NotFound(f"There are no runs of {round_id} for you.")
    table = tables.Run
    asked = (
        select(table)
        .where(table.round_id == round_id)
        .options(defer(table.problem), defer(table.policy))  # they may be megabytes
    )
    return fetch_page(session, asked, cut, table.created_at.desc(), table.id.desc())


def get(
    session: Session, actor: Actor, run_id: str, *, lock: bool = False
) -> tables.Run:
    """Return the run, or raise `NotFound` if there is none for the actor."""
    asked = select(tables.Run).where(tables.Run.id == run_id)
    row = session.scalar(asked.with_for_update() if lock else asked)
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
    """What the engine is given: values that nothing changes any more."""

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
    given = frozen(row)
    return Outcome(
        problem=given.problem,
        policy=given.policy,
        run=as_run(row),
        round_name=session.get_one(tables.Round, row.round_id).name,
        solution=found,
    )


# What workers do. The attempt fences off a worker that was thought to be dead: every
# write of it is refused once somebody else has the run. Whatever is compared or told
# by several machines is a time of the database's clock.


@dataclass(frozen=True)
class Claim:
    """A run that is this worker's to compute.

    Attributes:
        run: Its id.
        attempt: How often it has been claimed, this time included.
        problem_text: The frozen problem, as JSON.
        policy_text: The frozen policy, as JSON.

    """

    run: str
    attempt: int
    problem_text: str
    policy_text: str

    @property
    def problem(self) -> Problem:
        """What the engine is given."""
        return Problem.model_validate_json(self.problem_text)

    @property
    def policy(self) -> Policy:
        """By which rules and weights."""
        return Policy.model_validate_json(self.policy_text)


_AFRESH = {"step": None, "done": 0, "of": 0}
"""The progress of a run that nobody has begun to compute."""


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def claim(
    database: Database, lease: float = _LEASE, worker: str | None = None
) -> Claim | None:
    """Take the oldest queued run, or None if there is none.

    Args:
        database: Where the runs are.
        lease: Seconds for which the worker is believed alive without a heartbeat.
        worker: Who takes it, `host:pid`.

    """
    table = tables.Run
    oldest = (
        select(table.id)
        .where(table.state == "queued")
        .order_by(table.created_at, table.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with database.write() as session:
        seconds = database.seconds(session)
        found = session.execute(
            update(table)
            .where(table.id == oldest, table.state == "queued")
            .values(
                state="running",
                attempt=table.attempt + 1,
                started_at=_moment(seconds),
                lease_until=seconds + lease,
                heard_at=seconds,
                worker=worker,
                **_AFRESH,
            )
            .returning(table.id, table.attempt, table.problem, table.policy)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    return None if found is None else Claim(*found)


def _write(session: Session, mine: Claim, **values: object) -> bool:
    """Change the run if it is still this worker's; tell whether it is."""
    return leases.write(
        session, tables.Run, mine.run, mine.attempt, "running", **values
    )


def heartbeat(
    database: Database, mine: Claim, progress: Progress, lease: float = _LEASE
) -> bool:
    """Renew the lease; tell whether the run is still this worker's."""
    with database.write() as session:
        seconds = database.seconds(session)
        return _write(
            session,
            mine,
            lease_until=seconds + lease,
            heard_at=seconds,
            step=progress.step,
            done=progress.done,
            of=progress.of,
        )


def _end(
    database: Database, session: Session, mine: Claim, state: str, **values: object
) -> bool:
    ended = _moment(database.seconds(session))
    kept = _write(
        session, mine, state=state, finished_at=ended, lease_until=None, **values
    )
    if kept:
        announcements.run_finished(session, mine.run)
    return kept


def store(database: Database, mine: Claim, body: str) -> bool:
    """Store a solution that is written already, unless the run is not mine any more."""
    with database.write() as session:
        kept = _end(database, session, mine, "succeeded")
        if kept:
            session.add(tables.Solution(run_id=mine.run, body=body))
        return kept


def succeed(database: Database, mine: Claim, found: Solution) -> bool:
    """Store the solution, unless the run is not this worker's any more."""
    return store(database, mine, solving.written(found))


def fail(
    database: Database, mine: Claim, why: ProblemDetails, state: str = "failed"
) -> bool:
    """Store why there is no solution."""
    with database.write() as session:
        return _end(database, session, mine, state, refusal=why.to_dict())


def hand_back(database: Database, mine: Claim) -> bool:
    """Queue the run again: this worker has been told to stop."""
    with database.write() as session:
        return _write(session, mine, state="queued", lease_until=None, **_AFRESH)


def mark_lost(database: Database, mine: Claim, why: ProblemDetails) -> bool:
    """Queue the run again, or let it fail if its computation has died too often."""
    table = tables.Run
    asked = select(table).where(
        table.id == mine.run,
        table.attempt == mine.attempt,
        table.state == "running",
    )
    with database.write() as session:
        return bool(_count_lost(database, session, asked, why))


def sweep(database: Database, why: ProblemDetails) -> int:
    """Queue the runs of dead workers again; one that was lost too often has failed."""
    table = tables.Run
    with database.write() as session:
        asked = select(table).where(
            table.state == "running", table.lease_until < database.seconds(session)
        )
        dead = _count_lost(database, session, asked, why)
    for row in dead:
        structlog.get_logger("compaan").warning(
            "run-lost", run=row.id, attempt=row.attempt, worker=row.worker
        )
    return len(dead)


def _count_lost(
    database: Database,
    session: Session,
    asked: Select[tables.Run],
    why: ProblemDetails,
) -> Sequence[tables.Run]:
    """Queue these runs again, or let them fail; return them.

    What somebody else is changing at this moment is left to the next sweep.
    """
    table = tables.Run
    rows = session.scalars(
        asked.options(
            load_only(table.attempt, table.lost, table.worker)
        ).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.lost += 1
        row.lease_until = None
        if row.lost < _MOST_LOST:
            row.state = "queued"
            row.step, row.done, row.of = None, 0, 0
        else:
            row.state, row.refusal = "failed", why.to_dict()
            row.finished_at = _moment(database.seconds(session))
            announcements.run_finished(session, row.id)
    return rows


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
