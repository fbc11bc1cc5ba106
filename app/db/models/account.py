"""Who may come in: accounts, their tokens, and browsers that are signed in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.models.base import Base, Code, Slug, new_id, now


class Account(Base):
    """Somebody with a role; an officer's is bound to one city."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[str] = mapped_column(Code)
    city_id: Mapped[str | None] = mapped_column(Slug)
    """The officer's city, which need not be registered yet."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class Token(Base):
    """A secret that stands for an account; only its digest is kept."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the token, in hexadecimal digits."""
    name: Mapped[str] = mapped_column(String(200))
    scope: Mapped[str] = mapped_column(Code)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(lazy="raise")


class Login(Base):
    """A browser that is signed in with a token; it falls with the token."""

    __tablename__ = "login"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the cookie, in hexadecimal digits."""
    token_id: Mapped[str] = mapped_column(
        ForeignKey("token.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]

    token: Mapped[Token] = relationship(lazy="raise")
