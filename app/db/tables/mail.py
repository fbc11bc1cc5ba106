"""The outbox: messages are rows before they are mail."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Code, Slug, new_id, now


class Message(Base):
    """One message to one account; its address is looked up when it is sent."""

    __tablename__ = "message"
    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "round_id", "id"),
        Index(None, "pairing_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    round_id: Mapped[str | None] = mapped_column(
        Slug, ForeignKey("round.id", ondelete="CASCADE")
    )
    """None: it is about an account."""
    pairing_id: Mapped[str | None] = mapped_column(
        ForeignKey("pairing.id", ondelete="CASCADE")
    )
    city_id: Mapped[str | None] = mapped_column(Slug, ForeignKey("city.id"), index=True)
    """The city it is written to; none: the organisers."""
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True
    )
    """None: nobody of the city has an account to write to."""
    kind: Mapped[str] = mapped_column(Code)
    role: Mapped[str] = mapped_column(Code)
    """`mentor`, `learner` or `organiser`; `account` if it is about one."""
    language: Mapped[str] = mapped_column(String(2))
    subject: Mapped[str]
    text: Mapped[str]
    state: Mapped[str] = mapped_column(Code)
    """`held` until the release; `queued`, `sending`, `sent`; `failed` for good; with
    nobody to write to `unaddressed`; `overtaken` if what it offers is not offered any
    more; `unknown` if the connection broke after all was
    said: it may have arrived, so nobody but an organiser sends it again."""
    attempt: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    """When it may be tried (again)."""
    lease_until: Mapped[float | None]
    """Until when its sender is believed alive: seconds of the database's clock."""
    handed_over: Mapped[bool] = mapped_column(default=False)
    """Whether the sender has begun to hand the text to the mail server."""
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
