"""Pairings of a round: proposed, offered, answered; and what is heard of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Code, Slug, new_id, now

LIVE = ("staged", "offered", "confirmed")
"""States in which a pairing takes up places."""
_IS_LIVE = text("state IN ('staged', 'offered', 'confirmed')")


class Pairing(Base):
    """One mentor, one learner; what was decided about it, and what the two said."""

    __tablename__ = "pairing"
    __table_args__ = (
        Index(
            "uq_pairing_live",
            "round_id",
            "mentor_id",
            "learner_id",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        Index(None, "round_id", "id"),
        Index(None, "state", "answer_by"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    round_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("round.id", ondelete="CASCADE")
    )
    run_id: Mapped[str] = mapped_column(String(32))
    """The run that proposed it, or on which the repair was made."""
    mentor_id: Mapped[str] = mapped_column(Slug, ForeignKey("city.id"), index=True)
    learner_id: Mapped[str] = mapped_column(Slug, ForeignKey("city.id"), index=True)
    state: Mapped[str] = mapped_column(Code, default="staged")
    origin: Mapped[str] = mapped_column(Code)
    """`proposal`, `override` or `repair`."""
    body: Mapped[str]
    """The frozen `schemas.Explanation`, as JSON."""
    firmness: Mapped[float | None]
    reason: Mapped[str | None]
    """Why an organiser overrode the proposal, dismissed or withdrew it."""
    price: Mapped[float | None]
    """Points that the round lost by the override."""
    mentor_answer: Mapped[str] = mapped_column(Code, default="pending")
    learner_answer: Mapped[str] = mapped_column(Code, default="pending")
    mentor_text: Mapped[str | None]
    learner_text: Mapped[str | None]
    reason_code: Mapped[str | None] = mapped_column(Code)
    """Why the side that declined did; for organisers only, as the texts are."""
    offered_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it was declined, withdrawn, dismissed, or expired."""
    ended_by: Mapped[str | None] = mapped_column(Code)
    """`mentor` or `learner` (it declined, or left the round), `organiser`, `repair`
    (which may propose the pair again), `deadline`."""
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


class CheckIn(Base):
    """What one side, or an organiser, has noted of a confirmed pairing."""

    __tablename__ = "check_in"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    pairing_id: Mapped[str] = mapped_column(
        ForeignKey("pairing.id", ondelete="CASCADE"), index=True
    )
    by: Mapped[str] = mapped_column(Code)
    """`mentor`, `learner` or `organiser`."""
    fit: Mapped[str | None] = mapped_column(Code)
    note: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=now)


class Question(Base):
    """What a city asks its organisers about a pairing, and what they answer."""

    __tablename__ = "question"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    pairing_id: Mapped[str] = mapped_column(
        ForeignKey("pairing.id", ondelete="CASCADE"), index=True
    )
    side: Mapped[str] = mapped_column(Code)
    """`mentor` or `learner`: which of the two asks."""
    text: Mapped[str | None]
    """None: erased, as its time was over; so is the answer then."""
    at: Mapped[datetime] = mapped_column(default=now)
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
