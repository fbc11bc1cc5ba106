"""Requests that come twice: the first answer is kept, in the same transaction."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.db.tables import KeptAnswer
from app.db.tables.base import now
from app.errors import KeyReused
from app.permissions import Actor

KEPT = timedelta(hours=24)
"""How long an answer is kept."""


def find(session: Session, actor: Actor, key: str, request: str) -> KeptAnswer | None:
    """Return the answer that this request has had, or None the first time.

    A second request with the same key waits here until the first has been answered.

    Args:
        session: In a write transaction.
        actor: Keys of different accounts have nothing to do with each other.
        key: What the caller sent as `Idempotency-Key`.
        request: A digest of the request.

    Raises:
        KeyReused: If the key came with another request.

    """
    if session.get_bind().dialect.name == "postgresql":
        lock = f"{actor.account} {key}"
        session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 0)))
        )
    kept = session.get(KeptAnswer, (actor.account, key))
    if kept is None:
        return None
    if now() - kept.created_at > KEPT:
        session.delete(kept)
        session.flush()
        return None
    if kept.request != request:
        raise KeyReused(f"The key {key} came with another request before.")
    return kept


def forget_old(session: Session) -> None:
    """Delete the answers that nobody waits for any more."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.created_at < now() - KEPT))


def keep(
    session: Session, actor: Actor, key: str, request: str, answer: Response
) -> None:
    """Keep the answer for whoever repeats the request."""
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name != "content-length"
    }
    session.add(
        KeptAnswer(
            account_id=actor.account,
            key=key,
            request=request,
            status=answer.status_code,
            headers=headers,
            body=bytes(answer.body).decode(),
        )
    )
