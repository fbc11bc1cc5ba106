"""Who may come in: accounts, their tokens, and browsers that are signed in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.tables.base import Base, Code, Slug, new_id, now


class Account(Base):
    """Somebody with a role; an officer's is bound to one city.

    To erase somebody is to delete the row: all else names accounts by id.
    """

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str | None]
    role: Mapped[str] = mapped_column(Code)
    city_id: Mapped[str | None] = mapped_column(Slug, index=True)
    """The officer's city, which need not be registered yet."""
    association: Mapped[str | None]
    """Of the role `association`: which one, as its cities write it."""
    language: Mapped[str | None] = mapped_column(String(2))
    """Of pages and letters; none: the city's."""
    password: Mapped[str | None]
    """Its argon2id hash, with its parameters and salt; none: by link or token only."""
    invited_by: Mapped[str | None] = mapped_column(String(32))
    """An account, which may be gone; none: opened in the terminal."""
    takes_over_from: Mapped[str | None] = mapped_column(String(32))
    """The account that is closed when this one comes in for the first time."""
    joined_at: Mapped[datetime | None]
    """When it came in for the first time; none: invited, and not seen yet."""
    signed_in_at: Mapped[datetime | None]
    """When it came in last."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=now)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- how SQLAlchemy reads it


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
    last_used_at: Mapped[datetime | None]
    """To within ten minutes."""

    account: Mapped[Account] = relationship(lazy="raise")


class Login(Base):
    """A browser that is signed in."""

    __tablename__ = "login"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    token_id: Mapped[str | None] = mapped_column(
        ForeignKey("token.id", ondelete="CASCADE"), index=True
    )
    """The token that it was signed in with, if it was: it falls with it."""
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the cookie, in hexadecimal digits."""
    way: Mapped[str] = mapped_column(Code)
    """`password`, `link`, `token` or `oidc`."""
    browser: Mapped[str] = mapped_column(String(60))
    """What it seems to be, in two words, so that its owner knows it in a list."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    """To within ten minutes."""
    expires_at: Mapped[datetime]

    account: Mapped[Account] = relationship(lazy="raise")
    token: Mapped[Token | None] = relationship(lazy="raise")


class Link(Base):
    """A link in a mail that lets its reader in once."""

    __tablename__ = "link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the secret in it, in hexadecimal digits."""
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
