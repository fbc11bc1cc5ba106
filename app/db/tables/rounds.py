"""Rounds: who takes part, and under which policy."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.tables.base import Base, Code, Slug, now
from app.db.tables.cities import City


class Round(Base):
    """One matching exercise of the network."""

    __tablename__ = "round"

    id: Mapped[str] = mapped_column(Slug, primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    phase: Mapped[str] = mapped_column(Code, default="draft")
    answer_days: Mapped[int] = mapped_column(default=14, server_default="14")
    """Days for an answer to an offer, unless a release says otherwise."""
    public: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether anybody may read how the pairings were chosen."""
    copy_of: Mapped[str | None] = mapped_column(Slug)
    """The round that this one was copied from; it may be gone."""
    staged_run: Mapped[str | None] = mapped_column(String(32))
    """The run whose pairings are staged, or were released."""
    released_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    """The deadline that the release set."""
    retention_months: Mapped[int] = mapped_column(default=24, server_default="24")
    """Months from the archiving until letters, notes and texts are erased."""
    archived_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]
    """When that was done."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


class RoundPolicy(Base):
    """A round's policy, with a version of its own."""

    __tablename__ = "round_policy"

    round_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


class Participant(Base):
    """A city in a round; what stands here counts, not what the city says elsewhere."""

    __tablename__ = "participant"

    round_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    city_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("city.id"), primary_key=True, index=True
    )
    roles: Mapped[str] = mapped_column(String(20))
    mentor_capacity: Mapped[int]
    learner_demand: Mapped[int]
    wishes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    vetoes: Mapped[list[str]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)
    joined_at: Mapped[datetime] = mapped_column(default=now)

    city: Mapped[City] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


class Decision(Base):
    """What was released, sealed: it is written once and never changed."""

    __tablename__ = "decision"

    round_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the bundle, in hexadecimal digits."""
    bundle: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """A ZIP file: see `app.services.runs.bundle`."""
    at: Mapped[datetime] = mapped_column(default=now)
