"""Versions of what can be deleted and made anew under the same path.

A version, which is what an ETag says, is never used twice for one path: a caller who
has read what was deleted must not change what has come in its place. What is deleted
is remembered by the path of its city or round, which counts for all that is in it.
What has a random id needs none of this.
"""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.db import tables

_RAISE = text(
    "INSERT INTO last_version (path, version) VALUES (:path, :version) "
    "ON CONFLICT (path) DO UPDATE SET version = excluded.version "
    "WHERE last_version.version < excluded.version"
)


def of_city(city_id: str) -> str:
    """Return the path by which a city is remembered."""
    return f"/cities/{city_id}"


def of_round(round_id: str) -> str:
    """Return the path by which a round, its policy and participants are remembered."""
    return f"/rounds/{round_id}"


def retire(session: Session, path: str, version: int) -> None:
    """Remember the version of something that is being deleted."""
    session.execute(_RAISE, {"path": path, "version": version})


def begin(
    session: Session,
    path: str,
    *rows: tables.City | tables.Round | tables.RoundPolicy | tables.Participant,
) -> None:
    """Have what was just made begin above every version that was deleted there.

    Args:
        session: In the transaction that made it, in which it has been flushed. That
            nothing was there was found out before: whoever deleted it has committed.
        path: That of its city or round.
        rows: What was made.

    """
    table = tables.LastVersion
    last = session.scalar(select(table.version).where(table.path == path))
    if last is not None:
        for row in rows:
            row.version = last + 1
        session.flush()
