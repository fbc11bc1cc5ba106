"""Periodic tasks: the sweeps, deadlines and deliveries that every process does."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.db import Database
from app.errors import ComputationDied, details
from app.services.background import run_protocol, send_mail, send_webhooks
from app.services.background.error_log import ErrorLogOnce
from app.services.pairings import offers
from app.services.personal_data import retention
from app.services.shared import idempotency
from app.settings import Settings

_HOUR = 3600.0
_OFFERS = 30.0
_MAIL = 2.0
_WEBHOOKS = 1.0


@dataclass(frozen=True)
class PeriodicTask:
    """A task that is done from time to time.

    Every process does every task, perhaps several at the same moment: the database
    has to make sure that a thing happens only once.

    Attributes:
        name: What the log calls it.
        every: Seconds between the end of one time and the beginning of the next.
        work: Does it. An exception is logged, and it is tried again next time.

    """

    name: str
    every: float
    work: Callable[[Database], object]


def periodic_tasks(settings: Settings) -> Sequence[PeriodicTask]:
    """Return all periodic tasks."""
    return (
        PeriodicTask("sweep of runs", settings.lease_seconds / 3, _sweep),
        PeriodicTask("kept answers", _HOUR, _forget_answers),
        PeriodicTask("deadlines of offers", _OFFERS, offers.expire),
        PeriodicTask("retention", _HOUR, retention.enforce),
        PeriodicTask("outbox", _MAIL, send_mail.periodic_task(settings)),
        PeriodicTask("webhooks", _WEBHOOKS, send_webhooks.periodic_task(settings)),
        PeriodicTask("old deliveries", _HOUR, send_webhooks.forget_old),
    )


def _sweep(database: Database) -> None:
    run_protocol.sweep(database, details(ComputationDied("Its worker died.")))


def _forget_answers(database: Database) -> None:
    with database.write() as session:
        idempotency.forget_old(session)


class Housekeeping:
    """Does each task in a thread of its own: a slow one delays no other."""

    def __init__(self, database: Database, todo: Sequence[PeriodicTask]) -> None:
        self._database = database
        self._tasks = todo
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start: each task is done at once, and then again and again."""
        for task in self._tasks:
            # A daemon: a task that hangs does not keep the interpreter.
            thread = threading.Thread(target=self._repeat, args=(task,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, until: float) -> None:
        """Stop; a task that is not done by then is left in mid-work.

        Args:
            until: A time of `time.monotonic`.

        """
        self._stopping.set()
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
        self._threads.clear()

    def _repeat(self, task: PeriodicTask) -> None:
        error_log = ErrorLogOnce(task.name)
        while not self._stopping.is_set():
            try:
                task.work(self._database)
            except Exception as error:  # noqa: BLE001 -- a task outlives its database
                error_log.tell(error)
            else:
                error_log.over()
            self._stopping.wait(task.every)
