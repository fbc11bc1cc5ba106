"""Threads that claim queued runs and have each computed in a child process."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog

import matching
from app.compute import child, solving
from app.db import Database
from app.errors import ComputationDied, Failure, Refusal, TooSlow, details
from app.services.background import run_protocol
from app.services.background.error_log import ErrorLogOnce
from app.services.background.housekeeping import Housekeeping, periodic_tasks
from app.services.rounds import problem_builder
from app.settings import Settings
from schemas import Progress

_LOOK = 0.5
"""Seconds between two looks for queued runs that nobody told of."""
_BEAT = 1.0
"""Most seconds between two heartbeats; also how soon a cancelled run is noticed."""
_NOTICE = 0.1
"""Seconds within which a computation ends that is not to go on."""
_WARM = 60.0
"""Most seconds until the first child answers."""
_LEAVE = 10.0


@dataclass(frozen=True)
class _End:
    """How the computation of a run came to an end.

    Attributes:
        event: What the log calls it.
        write: Stores it; tells whether the run was still this worker's.
        state: In which state the run has ended, if it has.

    """

    event: str
    write: Callable[[], bool]
    state: str | None = None


class Runner:
    """Works in the background: computes runs, as many at once as the settings say.

    The run row is the truth: a run is claimed by one update, and every later write
    names the attempt. A worker that dies is noticed by its lease.

    Attributes:
        name: Who this is, `host:pid`.

    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._database = database
        self._settings = settings
        self._lease = settings.lease_seconds
        self._beat = min(_BEAT, self._lease / 5)
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._housekeeping = Housekeeping(database, periodic_tasks(settings))
        self._log = structlog.get_logger("compaan")

    def start(self) -> None:
        """Start the threads; with no runs at once, all is left to other processes."""
        if not self._settings.runs_at_once:
            return
        child.warm_up()
        self._housekeeping.start()
        for _ in range(self._settings.runs_at_once):
            # A daemon: an interpreter that ends in an error does not wait for it.
            thread = threading.Thread(target=self._work, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, within: float = _LEAVE) -> None:
        """Stop; a run that is being computed is queued again for somebody else.

        Args:
            within: Most seconds that it may take. What hangs by then, because the
                database does, is left behind: others notice by the lease.

        """
        until = time.monotonic() + within
        self._stopping.set()
        self._wanted.set()
        self._housekeeping.stop(until)
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            child.end_all()
        self._threads.clear()

    def wake(self) -> None:
        """Look for queued runs now."""
        self._wanted.set()

    def _work(self) -> None:
        trouble = ErrorLogOnce("computing runs")
        step = self._warm_up
        while not self._stopping.is_set():
            try:
                goes_on = step()
            except Exception as error:  # noqa: BLE001 -- a worker outlives its database
                trouble.tell(error)
                self._stopping.wait(_LOOK)
            else:
                trouble.over()
                step = self._take_one
                if not goes_on:
                    self._wanted.wait(_LOOK)
                    self._wanted.clear()

    def _warm_up(self) -> bool:
        """Have a child answer: who cannot start one is not to claim runs."""
        child.run(bool, _WARM)
        return True

    def _take_one(self) -> bool:
        """Compute the oldest queued run; tell whether there was one."""
        mine = run_protocol.claim(self._database, self._lease, self.name)
        if mine is None:
            return False
        self._compute(mine)
        return True

    def _compute(self, mine: run_protocol.Claim) -> None:
        """Have the run computed, and store what came of it."""
        self._tell("run-claimed", mine)
        end = self._end(mine)
        if end is None or not self._stored(end):
            self._tell("run-not-ours", mine)
        elif end.state is None:
            self._tell(end.event, mine)
        else:
            self._tell(end.event, mine, state=end.state)

    def _tell(self, event: str, mine: run_protocol.Claim, **said: str) -> None:
        self._log.info(event, run=mine.run, attempt=mine.attempt, **said)

    def _end(self, mine: run_protocol.Claim) -> _End | None:
        """Return what came of the run; None if nobody wants it from this worker."""
        database = self._database
        try:
            body = self._body(mine)
        except (child.ChildStopped, child.ChildDied) as error:
            if self._stopping.is_set():
                return _End(
                    "run-handed-back", partial(run_protocol.hand_back, database, mine)
                )
            if isinstance(error, child.ChildStopped):
                return None
            why = details(ComputationDied(f"The computation died. {error}"))
            return _End(
                "run-lost", partial(run_protocol.mark_lost, database, mine, why)
            )
        except matching.Infeasible as error:
            told, state = details(problem_builder.refusal(error)), "infeasible"
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run must end
            told, state = details(self._refusal(mine, error)), "failed"
        else:
            stored = partial(run_protocol.store, database, mine, body)
            return _End("run-ended", stored, "succeeded")
        failed = partial(run_protocol.fail, database, mine, told, state)
        return _End("run-ended", failed, state)

    def _body(self, mine: run_protocol.Claim) -> str:
        """Return the solution that the child writes."""
        step = Progress(step=None, done=0, of=0)

        def heard(name: str, done: int, of: int) -> None:
            nonlocal step
            step = Progress(step=name, done=done, of=of)

        asked = partial(solving.solve, mine.problem_text, mine.policy_text)
        with self._beating(mine, lambda: step) as gone:

            def goes_on() -> bool:
                return not (self._stopping.is_set() or gone.is_set())

            watched = child.Watched(heard, goes_on, _NOTICE)
            return child.run(asked, self._settings.run_seconds, watched)

    @contextmanager
    def _beating(
        self, mine: run_protocol.Claim, step: Callable[[], Progress]
    ) -> Iterator[threading.Event]:
        """Give signs of life while the block lasts.

        In a thread of its own: on a machine that is short of everything, the start of
        a child alone can take longer than a lease.

        Returns:
            What is set when the run is not this worker's any more.

        """
        over, gone = threading.Event(), threading.Event()

        def beat() -> None:
            trouble = ErrorLogOnce("heartbeat")
            while not over.wait(self._beat):
                try:
                    if not run_protocol.heartbeat(
                        self._database, mine, step(), self._lease
                    ):
                        gone.set()
                        return
                except Exception as error:  # noqa: BLE001 -- the lease says how long it may fail
                    trouble.tell(error)
                else:
                    trouble.over()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield gone
        finally:
            over.set()
            thread.join()

    def _refusal(self, mine: run_protocol.Claim, error: Exception) -> Refusal:
        """Return what to tell of a computation that came to nothing."""
        match error:
            case matching.InvalidProblem() | matching.InvalidPolicy():
                return problem_builder.refusal(error)
            case child.ChildTimeout():
                limit = self._settings.run_seconds
                return TooSlow(f"It was ended after {limit:g} seconds.")
        self._log.error("run-failed", run=mine.run, exc_info=error)
        if isinstance(error, solving.Unreadable):
            return Failure("What it was frozen from cannot be read. Start another run.")
        return Failure(f"This is our mistake. Run: {mine.run}")

    def _stored(self, end: _End) -> bool:
        """Write the end, again and again while the lease lasts."""
        until = time.monotonic() + self._lease
        while True:
            try:
                return end.write()
            except Refusal:
                if time.monotonic() > until or self._stopping.wait(self._beat):
                    raise
