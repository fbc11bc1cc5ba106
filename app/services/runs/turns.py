"""Turns: limits how many computations people wait for at once, and for how long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog

import matching
from app.compute import child, engine
from app.errors import Busy, ComputationDied, Refusal, TooSlow
from app.services.rounds import problem_builder

T = TypeVar("T")

_WAITING = 8
"""Most requests that wait for their turn; each of them holds a thread."""


class Turns:
    """Limits how many child processes compute at the same time, and for how long.

    Args:
        at_once: Most computations at the same time.
        seconds: Most time that one may take, and that it may wait for its turn.

    """

    def __init__(self, at_once: int, seconds: float) -> None:
        self._seconds = seconds
        self._turns = threading.BoundedSemaphore(at_once)
        self._line = threading.BoundedSemaphore(at_once + _WAITING)

    def ask(
        self,
        question: Callable[..., T],
        refused: Callable[[engine.Refused], Refusal] = problem_builder.refusal,
    ) -> T:
        """Compute the question in a child process, and return the answer.

        Args:
            question: As `child.run` takes it.
            refused: Makes what the engine refuses one of our refusals.

        Raises:
            Busy: If no turn came up in time.
            TooSlow: If the computation took too long.
            ComputationDied: If the computation ended without an answer.
            InvalidProblem, InvalidPolicy, Infeasible: As the engine refuses.

        """
        with self.turn():
            try:
                return child.run(question, self._seconds)
            except (
                matching.InvalidProblem,
                matching.InvalidPolicy,
                matching.Infeasible,
            ) as error:
                raise refused(error) from error
            except child.ChildTimeout as error:
                detail = f"The computation was ended. {error}"
                raise TooSlow(detail, retry_after=60) from error
            except child.ChildDied as error:
                structlog.get_logger("compaan").error("child-died", reason=str(error))
                raise ComputationDied(
                    "The computation died.", retry_after=10
                ) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it during the block, or raise `Busy`."""
        if not self._line.acquire(blocking=False):
            raise Busy("Too many are waiting already.", retry_after=5)
        try:
            if not self._turns.acquire(timeout=self._seconds):
                raise Busy("No turn came up in time.", retry_after=5)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._line.release()
