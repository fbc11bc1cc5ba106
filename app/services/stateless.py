"""`POST /match`: a matching for somebody without an account; nothing is stored."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

import matching
from app.compute import child
from app.errors import (
    Busy,
    Died,
    TooMany,
    TooManyCities,
    TooSlow,
)
from app.services import bridge
from app.settings import Settings
from schemas import InputError, MatchRequest, Solution

_WAITING = 8
"""Most requests that wait for their turn; each of them holds a thread."""


class Stateless:
    """Anonymous matchings, held within the limits of the settings.

    Args:
        settings: Where the limits stand.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = threading.BoundedSemaphore(settings.match_at_once)
        self._line = threading.BoundedSemaphore(settings.match_at_once + _WAITING)
        self._rate = RateLimitItemPerMinute(settings.match_per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def match(self, request: MatchRequest, caller: str) -> Solution:
        """Return the solution of the request.

        Args:
            request: Problem and policy.
            caller: The address that the rate limit counts by.

        Raises:
            TooMany: If the caller has asked too often within a minute.
            TooManyCities: If the request is larger than the settings allow.
            Busy: If no turn came up in time.
            TooSlow: If the computation took too long.
            Died: If the computation ended without an answer.
            InvalidPolicy, Infeasible: As the engine refuses.

        """
        self._count(caller)
        most = self._settings.match_cities
        if len(request.cities) > most:
            detail = f"At most {most} cities, not {len(request.cities)}."
            raise TooManyCities(
                detail,
                [InputError(pointer="/cities", code="too_long", message=detail)],
            )
        with self._turn():
            try:
                return child.run(
                    request.problem(), request.policy, self._settings.match_seconds
                )
            except (
                matching.InvalidProblem,
                matching.InvalidPolicy,
                matching.Infeasible,
            ) as error:
                raise bridge.refusal(error, within="/policy") from error
            except child.ChildTimeout as error:
                detail = f"The computation was ended. {error}"
                raise TooSlow(detail, retry_after=60) from error
            except child.ChildDied as error:
                structlog.get_logger("compaan").error("child-died", reason=str(error))
                raise Died("The computation died.", retry_after=10) from error

    def _count(self, caller: str) -> None:
        if not self._limiter.hit(self._rate, "match", caller):
            reset = self._limiter.get_window_stats(
                self._rate, "match", caller
            ).reset_time
            detail = f"At most {self._rate.amount} of these requests a minute."
            raise TooMany(detail, retry_after=max(1, round(reset - time.time())))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise Busy("Too many are waiting already.", retry_after=5)
        try:
            if not self._turns.acquire(timeout=self._settings.match_seconds):
                raise Busy("No turn came up in time.", retry_after=5)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._line.release()
