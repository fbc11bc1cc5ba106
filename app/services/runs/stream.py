"""Following a run for as long as somebody listens."""

import threading
from collections.abc import AsyncIterator, Callable

import anyio
import anyio.to_thread

from app.errors import Busy, Refusal
from schemas import Run

_LOOK = 0.5
"""Seconds between two looks at a run that somebody follows."""
_LOOKS_AT_ONCE = 4
"""Of the threads that serve requests; listeners take no more, however many they are."""
Look = Callable[[], tuple[Run, bool]]
"""Returns how far a run is and whether it has ended, or raises a `Refusal`."""


class RunStream:
    """Streams runs to all listeners.

    Args:
        seconds: After so long a stream is cut: whoever listens still asks again.
        stopping: Set when the server is to end.

    """

    def __init__(self, seconds: float, stopping: threading.Event) -> None:
        self._seconds = seconds
        self._stopping = stopping
        self._turns = anyio.Semaphore(_LOOKS_AT_ONCE)

    async def run(self, first: tuple[Run, bool], look: Look) -> AsyncIterator[Run]:
        """Yield the run at once, then at every change, until it has ended.

        Args:
            first: What was seen already, so that it could be refused.
            look: Looks again.

        """
        run, ended = first
        yield run
        until = anyio.current_time() + self._seconds
        while not ended and anyio.current_time() < until:
            await anyio.sleep(_LOOK)
            if self._stopping.is_set():
                return
            previous = run
            try:
                # The thread is given back between two looks.
                async with self._turns:
                    run, ended = await anyio.to_thread.run_sync(look)
            except Busy:
                continue
            except Refusal:  # whoever listens is shut out, or the run is gone
                return
            if run != previous:
                yield run
