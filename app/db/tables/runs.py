"""Runs: a frozen problem and policy in, a solution out."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Code, Slug, new_id, now


class Run(Base):
    """One computation. `attempt` fences off a worker that was thought to be dead."""

    __tablename__ = "run"
    __table_args__ = (Index(None, "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    round_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("round.id", ondelete="CASCADE"), index=True
    )
    label: Mapped[str | None]
    state: Mapped[str] = mapped_column(Code, default="queued")
    step: Mapped[str | None] = mapped_column(Code)
    done: Mapped[int] = mapped_column(default=0)
    of: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)
    """How many workers died over it."""
    lease_until: Mapped[float | None]
    """Until when the worker is believed alive: seconds of the database's clock."""
    worker: Mapped[str | None]
    """Who computes it, or did last: `host:pid`."""
    heard_at: Mapped[float | None]
    """When the worker was last heard of: seconds of the database's clock."""
    problem: Mapped[str]
    """The frozen `schemas.Problem`, as JSON."""
    policy: Mapped[str]
    """The frozen `schemas.Policy`, as JSON."""
    problem_hash: Mapped[str] = mapped_column(String(80))
    policy_hash: Mapped[str] = mapped_column(String(80))
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Why there is no solution, as problem details."""


class Solution(Base):
    """What a run found."""

    __tablename__ = "solution"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[str]
    """The `schemas.Solution`, as JSON."""
