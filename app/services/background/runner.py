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
class _Outcome:
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
        name: The name of this worker, `host:pid`.

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
        error_log = ErrorLogOnce("computing runs")
        step = self._warm_up
        while not self._stopping.is_set():
            try:
                goes_on = step()
            except Exception as error:  # noqa: BLE001 -- a worker outlives its database
                error_log.tell(error)
                self._stopping.wait(_LOOK)
            else:
                error_log.over()
                step = self._take_one
                if not goes_on:
                    self._wanted.wait(_LOOK)
                    self._wanted.clear()

    def _warm_up(self) -> bool:
        """Start a child: a worker that cannot start one must not claim runs."""
        child.run(bool, _WARM)
        return True

    def _take_one(self) -> bool:
        """Compute the oldest queued run; tell whether there was one."""
        claim = run_protocol.claim(self._database, self._lease, self.name)
        if claim is None:
            return False
        self._compute(claim)
        return True

    def _compute(self, claim: run_protocol.Claim) -> None:
        """Have the run computed, and store the outcome."""
        self._log_event("run-claimed", claim)
        end = self._outcome(claim)
        if end is None or not self._stored(end):
            self._log_event("run-not-ours", claim)
        elif end.state is None:
            self._log_event(end.event, claim)
        else:
            self._log_event(end.event, claim, state=end.state)

    def _log_event(self, event: str, claim: run_protocol.Claim, **fields: str) -> None:
        self._log.info(event, run=claim.run, attempt=claim.attempt, **fields)

    def _outcome(self, claim: run_protocol.Claim) -> _Outcome | None:
        """Return the outcome; None if the run is not this worker's any more."""
        database = self._database
        try:
            body = self._body(claim)
        except (child.ChildStopped, child.ChildDied) as error:
            if self._stopping.is_set():
                return _Outcome(
                    "run-handed-back", partial(run_protocol.hand_back, database, claim)
                )
            if isinstance(error, child.ChildStopped):
                return None
            why = details(ComputationDied(f"The computation died. {error}"))
            return _Outcome(
                "run-lost", partial(run_protocol.mark_lost, database, claim, why)
            )
        except matching.Infeasible as error:
            problem, state = details(problem_builder.refusal(error)), "infeasible"
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run must end
            problem, state = details(self._refusal(claim, error)), "failed"
        else:
            stored = partial(run_protocol.store, database, claim, body)
            return _Outcome("run-ended", stored, "succeeded")
        failed = partial(run_protocol.fail, database, claim, problem, state)
        return _Outcome("run-ended", failed, state)

    def _body(self, claim: run_protocol.Claim) -> str:
        """Return the solution that the child writes."""
        step = Progress(step=None, done=0, of=0)

        def on_progress(name: str, done: int, of: int) -> None:
            nonlocal step
            step = Progress(step=name, done=done, of=of)

        job = partial(solving.solve, claim.problem_text, claim.policy_text)
        with self._heartbeats(claim, lambda: step) as gone:

            def goes_on() -> bool:
                return not (self._stopping.is_set() or gone.is_set())

            watched = child.Watched(on_progress, goes_on, _NOTICE)
            return child.run(job, self._settings.run_seconds, watched)

    @contextmanager
    def _heartbeats(
        self, claim: run_protocol.Claim, step: Callable[[], Progress]
    ) -> Iterator[threading.Event]:
        """Send heartbeats while the block runs.

        In a thread of its own: on a machine that is short of everything, the start of
        a child alone can take longer than a lease.

        Returns:
            An event that is set when the run is not this worker's any more.

        """
        over, gone = threading.Event(), threading.Event()

        def beat() -> None:
            error_log = ErrorLogOnce("heartbeat")
            while not over.wait(self._beat):
                try:
                    if not run_protocol.heartbeat(
                        self._database, claim, step(), self._lease
                    ):
                        gone.set()
                        return
                except Exception as error:  # noqa: BLE001 -- the lease says how long it may fail
                    error_log.tell(error)
                else:
                    error_log.over()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield gone
        finally:
            over.set()
            thread.join()

    def _refusal(self, claim: run_protocol.Claim, error: Exception) -> Refusal:
        """Return the refusal for a computation that failed."""
        match error:
            case matching.InvalidProblem() | matching.InvalidPolicy():
                return problem_builder.refusal(error)
            case child.ChildTimeout():
                limit = self._settings.run_seconds
                return TooSlow(f"It was ended after {limit:g} seconds.")
        self._log.error("run-failed", run=claim.run, exc_info=error)
        if isinstance(error, solving.Unreadable):
            return Failure("What it was frozen from cannot be read. Start another run.")
        return Failure(f"This is our mistake. Run: {claim.run}")

    def _stored(self, end: _Outcome) -> bool:
        """Store the outcome; try again while the lease lasts."""
        until = time.monotonic() + self._lease
        while True:
            try:
                return end.write()
            except Refusal:
                if time.monotonic() > until or self._stopping.wait(self._beat):
                    raise
