"""Repeated requests: the first answer again, by `Idempotency-Key`."""

from collections.abc import Callable

from fastapi import Response
from sqlalchemy.orm import Session

from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.shared import idempotency

Answer = Callable[[Session, Actor], Response]


class Once:
    """Answers a repeated request with its first answer.

    The answer is stored in the transaction that does the work: it is stored exactly if
    the work is done.
    """

    def __init__(self, key: str | None, request: str) -> None:
        self._key = key
        self._request = request

    def kept(self, tx: AuthenticatedTransaction) -> Response | None:
        """Return the stored answer of the request, or None the first time.

        For work that is computed before `answer` opens its transaction.
        """
        if self._key is None:
            return None
        with tx.write() as (session, actor):
            return self._stored_answer(session, actor)

    def _stored_answer(self, session: Session, actor: Actor) -> Response | None:
        if self._key is None or actor.account is None:
            return None
        stored = idempotency.find(session, actor, self._key, self._request)
        if stored is None:
            return None
        headers = stored.headers | {"Idempotency-Replayed": "true"}
        return Response(stored.body, stored.status, headers)

    def answer(self, tx: AuthenticatedTransaction, work: Answer) -> Response:
        """Do the work and return its answer, or return the answer stored before."""
        with tx.write() as (session, actor):
            stored = self._stored_answer(session, actor)
            if stored is not None:
                return stored
            answer = work(session, actor)
            if self._key is not None and actor.account is not None:
                idempotency.keep(session, actor, self._key, self._request, answer)
            return answer
