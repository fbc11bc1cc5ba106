"""Threads that claim queued runs and have each computed in a child process."""

import threading
import time
from collections.abc import Callable
from functools import partial

import structlog

import matching
from app.compute import child
from app.db import Database
from app.errors import Died, Failure, Refusal, TooSlow, details
from app.services import bridge, idempotency, runs
from app.settings import Settings
from schemas import Progress, Solution

_LOOK = 1.0
"""Seconds between two looks for queued runs that nobody told of."""
_BEAT = 1.0
"""Seconds between two heartbeats; also how soon a cancelled run is noticed."""
_SWEEP = 5.0
_TIDY = 3600.0


class Runner:
    """Computes runs in the background, as many at once as the settings say.

    The run row is the truth: a run is claimed by one update, and every later write
    names the attempt. A worker that dies is noticed by its lease.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._log = structlog.get_logger("compaan")

    def start(self) -> None:
        """Start the threads; they leave the interpreter free while they wait."""
        for at in range(self._settings.runs_at_once):
            # A daemon: an interpreter that ends in an error does not wait for it.
            thread = threading.Thread(target=self._work, args=(at == 0,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop; a run that is being computed is queued again for somebody else."""
        self._stopping.set()
        self._wanted.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def wake(self) -> None:
        """Look for queued runs now."""
        self._wanted.set()

    def _work(self, tidies: bool) -> None:  # noqa: FBT001 -- one of the threads
        swept = tidied = -_TIDY
        while not self._stopping.is_set():
            try:
                if tidies and time.monotonic() - swept > _SWEEP:
                    swept = time.monotonic()
                    runs.sweep(self._database, details(Died("Its worker died.")))
                if tidies and time.monotonic() - tidied > _TIDY:
                    tidied = time.monotonic()
                    with self._database.write() as session:
                        idempotency.forget_old(session)
                mine = runs.claim(self._database)
                if mine is not None:
                    self._compute(mine)
                    continue
            except Exception as error:  # noqa: BLE001 -- a worker outlives its database
                self._log.warning("worker", reason=str(error).partition("\n")[0])
            self._wanted.wait(_LOOK)
            self._wanted.clear()

    def _compute(self, mine: runs.Claim) -> None:
        """Have the run computed, and store what came of it."""
        try:
            found = self._solution(mine)
        except child.ChildStopped:
            if self._stopping.is_set():
                runs.hand_back(self._database, mine)
            return
        except matching.Infeasible as error:
            told, state = details(bridge.refusal(error)), "infeasible"
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run must end
            told, state = details(self._refusal(mine, error)), "failed"
        else:
            self._keep_trying(lambda: runs.succeed(self._database, mine, found))
            return
        self._keep_trying(lambda: runs.fail(self._database, mine, told, state))

    def _solution(self, mine: runs.Claim) -> Solution:
        """Return what the child finds, heartbeats going on meanwhile."""
        step = Progress(step=None, done=0, of=0)

        def heard(name: str, done: int, of: int) -> None:
            nonlocal step
            step = Progress(step=name, done=done, of=of)

        def goes_on() -> bool:
            if self._stopping.is_set():
                return False
            try:
                return runs.beat(self._database, mine, step)
            except Refusal:  # the database is away; the lease says how long it may be
                return True

        asked = partial(
            matching.match,
            mine.problem,
            mine.policy,
            trials=runs.trials(mine.problem, mine.policy),
        )
        watched = child.Watched(heard, goes_on, _BEAT)
        return child.run(asked, self._settings.run_seconds, watched)

    def _refusal(self, mine: runs.Claim, error: Exception) -> Refusal:
        """Return what to tell of a computation that came to nothing."""
        match error:
            case matching.InvalidProblem() | matching.InvalidPolicy():
                return bridge.refusal(error)
            case child.ChildTimeout():
                limit = self._settings.run_seconds
                return TooSlow(f"It was ended after {limit:g} seconds.")
            case child.ChildDied():
                self._log.error("child-died", run=mine.run, reason=str(error))
                return Died(f"The computation died. {error}")
        self._log.error("run-failed", run=mine.run, exc_info=error)
        return Failure(f"This is our mistake. Run: {mine.run}")

    def _keep_trying(self, write: Callable[[], object]) -> None:
        """Write the outcome, again and again while the lease lasts."""
        until = time.monotonic() + runs.LEASE
        while True:
            try:
                write()
            except Refusal:
                if time.monotonic() > until or self._stopping.wait(_BEAT):
                    raise
            else:
                return
