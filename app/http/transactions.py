"""Transactions in which a caller is served, with the rights that the caller has."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.db import Database
from app.errors import Forbidden
from app.permissions import Actor, Scope
from app.services.accounts.last_seen import LastSeen

IdentifyCaller = Callable[[Session], Actor]


class AuthenticatedTransaction:
    """Serves an authenticated caller in one transaction, with the caller's rights.

    The caller is looked up inside the transaction that serves it: a token that has
    just been revoked changes nothing any more.

    Args:
        presence: Notes when the caller was last seen; it knows the database.
        identify: Looks the caller up.
        scope: What a token needs for changes here, if it has not the scope `write`.

    """

    def __init__(
        self, presence: LastSeen, identify: IdentifyCaller, scope: Scope = "write"
    ) -> None:
        self._presence = presence
        self._database = presence.database
        self._identify = identify
        self._scope = scope

    @contextmanager
    def read(self) -> Iterator[tuple[Session, Actor]]:
        """Open a session whose changes are thrown away, or raise `Unauthenticated`."""
        with self._database.read() as session:
            actor = self._identify(session)
            self._presence.note(actor)
            yield session, actor

    def check(self) -> None:
        """Raise `Unauthenticated` if the caller is not known."""
        with self.read():
            pass

    @contextmanager
    def write(self) -> Iterator[tuple[Session, Actor]]:
        """Open one transaction, or raise `Unauthenticated` or `Forbidden`."""
        with self._database.write() as session:
            actor = self._identify(session)
            self._presence.note(actor)
            if actor.scope not in {"write", self._scope}:
                enough = " or ".join(f"`{one}`" for one in {self._scope, "write"})
                raise Forbidden(
                    f"The scope of this token is `{actor.scope}`: {enough} is needed."
                )
            yield session, actor


class OptionalAuth:
    """Serves anybody; a caller is identified only if a token is sent."""

    def __init__(self, database: Database, identify: IdentifyCaller | None) -> None:
        self._database = database
        self._identify = identify

    @contextmanager
    def read(self) -> Iterator[tuple[Session, Actor | None]]:
        """Open a session whose changes are thrown away; without a token, None."""
        with self._database.read() as session:
            yield session, self._identify(session) if self._identify else None
