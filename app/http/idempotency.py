"""Repeated requests: the first answer again, by `Idempotency-Key`."""

from collections.abc import Callable

from fastapi import Response
from sqlalchemy.orm import Session

from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.shared import idempotency

Answer = Callable[[Session, Actor], Response]


class Once:
    """Gives a repeated request its first answer.

    The answer is kept in the transaction that does the work: it is there exactly if
    the work is done.
    """

    def __init__(self, key: str | None, request: str) -> None:
        self._key = key
        self._request = request

    def kept(self, tx: AuthenticatedTransaction) -> Response | None:
        """Return the answer that the request has had, or None the first time.

        For work that is computed before the transaction that `answer` opens.
        """
        if self._key is None:
            return None
        with tx.write() as (session, actor):
            return self._kept(session, actor)

    def _kept(self, session: Session, actor: Actor) -> Response | None:
        if self._key is None or actor.account is None:
            return None
        kept = idempotency.find(session, actor, self._key, self._request)
        if kept is None:
            return None
        headers = kept.headers | {"Idempotency-Replayed": "true"}
        return Response(kept.body, kept.status, headers)

    def answer(self, tx: AuthenticatedTransaction, work: Answer) -> Response:
        """Return the answer of the work, done now or done before."""
        with tx.write() as (session, actor):
            kept = self._kept(session, actor)
            if kept is not None:
                return kept
            answer = work(session, actor)
            if self._key is not None and actor.account is not None:
                idempotency.keep(session, actor, self._key, self._request, answer)
            return answer
