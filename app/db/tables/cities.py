"""Cities: one aggregate with their areas and practices."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.tables.base import Base, Code, Slug, new_id, now


class City(Base):
    """A municipality; any change of its areas or practices is a change of it."""

    __tablename__ = "city"

    id: Mapped[str] = mapped_column(Slug, primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    """The name in small letters without accents, to search in."""
    country: Mapped[str] = mapped_column(String(2), index=True)
    association: Mapped[str | None]
    population: Mapped[int | None]
    population_year: Mapped[int | None]
    population_source: Mapped[str | None]
    migrant_share: Mapped[float | None]
    migrant_share_definition: Mapped[str | None] = mapped_column(Code)
    migrant_share_year: Mapped[int | None]
    migrant_share_source: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    languages: Mapped[str]
    """Codes in the city's own order, joined by commas."""
    roles: Mapped[str]
    """`mentor`, `learner`, both in the city's own order, or nothing."""
    mentor_capacity: Mapped[int]
    learner_demand: Mapped[int]
    needs_text: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, index=True)

    areas: Mapped[list["CityArea"]] = relationship(
        cascade="all, delete-orphan", lazy="raise", passive_deletes=True
    )
    practices: Mapped[list["Practice"]] = relationship(
        cascade="all, delete-orphan",
        lazy="raise",
        passive_deletes=True,
        order_by="Practice.position",
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


class CityArea(Base):
    """What a city says of one policy area."""

    __tablename__ = "city_area"
    __table_args__ = (Index(None, "area", "city_id"),)

    city_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("city.id", ondelete="CASCADE"), primary_key=True
    )
    area: Mapped[str] = mapped_column(Code, primary_key=True)
    need: Mapped[int]
    strength: Mapped[int]


class Practice(Base):
    """A good practice that backs a strength."""

    __tablename__ = "practice"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    city_id: Mapped[str] = mapped_column(
        Slug, ForeignKey("city.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]
    area: Mapped[str] = mapped_column(Code)
    title: Mapped[str]
    summary: Mapped[str | None]
    result: Mapped[str | None]
    what_went_wrong: Mapped[str | None]
    url: Mapped[str | None]
    language: Mapped[str | None] = mapped_column(String(2))
    year: Mapped[int | None]
