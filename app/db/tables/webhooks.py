"""Webhooks: whom other programs are told by, and what became of each telling."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.tables.base import Base, Code, new_id, now


class Webhook(Base):
    """An address that is told of what happens."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    url: Mapped[str]
    description: Mapped[str | None]
    events: Mapped[str]
    """The types of events that it wants, with commas between; empty: all."""
    secret: Mapped[str]
    """What its deliveries are signed with, as `whsec_…`."""
    old_secret: Mapped[str | None]
    """The one before: it still signs as well, until `old_until`."""
    old_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(Code, default="active")
    """`active`; `off`: by its owner, a receiver's 410, or after days of failing."""
    off_reason: Mapped[str | None]
    created_by: Mapped[str | None] = mapped_column(String(32))
    """An account, which may be gone."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


class Delivery(Base):
    """One event on its way to one webhook; `attempt` fences off dead senders."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "webhook_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    webhook_id: Mapped[str] = mapped_column(
        ForeignKey("webhook.id", ondelete="CASCADE")
    )
    event: Mapped[str] = mapped_column(String(36))
    """`webhook-id`: the same however often it is sent, also when it is replayed."""
    type: Mapped[str] = mapped_column(Code)
    body: Mapped[str]
    """The JSON text that is signed and sent."""
    state: Mapped[str] = mapped_column(Code, default="queued")
    """`queued`, `sending`, `delivered`, `failed`; `dropped` if the webhook went off."""
    attempt: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[float | None]
    """Until when its sender is believed alive: seconds of the database's clock."""
    status: Mapped[int | None]
    """The last HTTP status of the receiver."""
    error: Mapped[str | None]
    """What went wrong the last time."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]

    webhook: Mapped[Webhook] = relationship(lazy="raise")
