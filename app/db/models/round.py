"""Rounds: who takes part, and under which policy."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.models.base import Base, Code, Slug, now
from app.db.models.city import City


class Round(Base):
    """One matching exercise of the network."""

    __tablename__ = "round"

    id: Mapped[str] = mapped_column(Slug, primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    phase: Mapped[str] = mapped_column(Code, default="draft")
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
