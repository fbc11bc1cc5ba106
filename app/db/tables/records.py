"""What is kept of what was done: the audit log, and answers for repeated requests."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.tables.base import Base, Code, Slug, now


class Audit(Base):
    """One thing that somebody did. Ids only: names and addresses can be erased."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "city_id", "id"),
        Index(None, "round_id", "id"),
    )

    # SQLite numbers rows by itself only when the type is INTEGER.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now)
    account_id: Mapped[str | None] = mapped_column(String(32))
    """Nobody's: done in the terminal of the machine itself."""
    action: Mapped[str] = mapped_column(Code)
    # No foreign keys: the log outlives what it tells of.
    city_id: Mapped[str | None] = mapped_column(Slug)
    round_id: Mapped[str | None] = mapped_column(Slug)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)

    remark: Mapped["Remark | None"] = relationship(lazy="joined", viewonly=True)


class Remark(Base):
    """What somebody said to an entry of the log: a text, so it can be erased."""

    __tablename__ = "remark"

    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"), primary_key=True)
    text: Mapped[str]


class LastVersion(Base):
    """The highest version of what was deleted under a path that can be used again.

    What is made there anew begins above it, so that no path has the same version
    twice. Paths are those of cities and rounds, and count for all that is in them: no
    row tells who took part, and none is about a person.
    """

    __tablename__ = "last_version"

    path: Mapped[str] = mapped_column(String(80), primary_key=True)
    """As in the API: `/cities/ghent`."""
    version: Mapped[int]


class KeptAnswer(Base):
    """The first answer to a request with an idempotency key."""

    __tablename__ = "kept_answer"

    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body."""
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
