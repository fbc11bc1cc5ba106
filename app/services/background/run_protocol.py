"""How workers take runs, give signs of life, and store what came of them.

The attempt fences off a worker that was thought to be dead: every write of it is
refused once somebody else has the run. Whatever is compared or told by several
machines is a time of the database's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, load_only

from app.compute import solving
from app.db import Database, leases, tables
from app.services.log import announcements
from schemas import Policy, Problem, ProblemDetails, Progress, Solution

_LEASE = 15.0
_MOST_LOST = 3


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


def _write(session: Session, claimed: Claim, **values: object) -> bool:
    """Change the run if it is still this worker's; tell whether it is."""
    return leases.write(
        session, tables.Run, claimed.run, claimed.attempt, "running", **values
    )


def heartbeat(
    database: Database, claimed: Claim, progress: Progress, lease: float = _LEASE
) -> bool:
    """Renew the lease; tell whether the run is still this worker's."""
    with database.write() as session:
        seconds = database.seconds(session)
        return _write(
            session,
            claimed,
            lease_until=seconds + lease,
            heard_at=seconds,
            step=progress.step,
            done=progress.done,
            of=progress.of,
        )


def _end(
    database: Database, session: Session, claimed: Claim, state: str, **values: object
) -> bool:
    ended = _moment(database.seconds(session))
    is_ours = _write(
        session, claimed, state=state, finished_at=ended, lease_until=None, **values
    )
    if is_ours:
        announcements.run_finished(session, claimed.run)
    return is_ours


def store(database: Database, claimed: Claim, body: str) -> bool:
    """Store a solution as JSON, unless the run is not this worker's any more."""
    with database.write() as session:
        is_ours = _end(database, session, claimed, "succeeded")
        if is_ours:
            session.add(tables.Solution(run_id=claimed.run, body=body))
        return is_ours


def succeed(database: Database, claimed: Claim, found: Solution) -> bool:
    """Store the solution, unless the run is not this worker's any more."""
    return store(database, claimed, solving.written(found))


def fail(
    database: Database, claimed: Claim, why: ProblemDetails, state: str = "failed"
) -> bool:
    """Store why there is no solution."""
    with database.write() as session:
        return _end(database, session, claimed, state, refusal=why.to_dict())


def hand_back(database: Database, claimed: Claim) -> bool:
    """Queue the run again: this worker has been told to stop."""
    with database.write() as session:
        return _write(session, claimed, state="queued", lease_until=None, **_AFRESH)


def mark_lost(database: Database, claimed: Claim, why: ProblemDetails) -> bool:
    """Queue the run again, or let it fail if its computation has died too often."""
    table = tables.Run
    query = select(table).where(
        table.id == claimed.run,
        table.attempt == claimed.attempt,
        table.state == "running",
    )
    with database.write() as session:
        return bool(_count_lost(database, session, query, why))


def sweep(database: Database, why: ProblemDetails) -> int:
    """Queue the runs of dead workers again; one that was lost too often has failed."""
    table = tables.Run
    with database.write() as session:
        query = select(table).where(
            table.state == "running", table.lease_until < database.seconds(session)
        )
        dead = _count_lost(database, session, query, why)
    for row in dead:
        structlog.get_logger("compaan").warning(
            "run-lost", run=row.id, attempt=row.attempt, worker=row.worker
        )
    return len(dead)


def _count_lost(
    database: Database,
    session: Session,
    query: Select[tables.Run],
    why: ProblemDetails,
) -> Sequence[tables.Run]:
    """Queue these runs again, or let them fail; return them.

    What somebody else is changing at this moment is left to the next sweep.
    """
    table = tables.Run
    rows = session.scalars(
        query.options(
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
