"""Contact persons: personal data, and so apart from the city."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Slug, new_id, now


class Contact(Base):
    """Somebody in the town hall whom the partner of a pairing may write to."""

    __tablename__ = "contact"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    city_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("city.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    function: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(String(254))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    """When somebody last said that it is right: the retention clock begins here."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it
