"""Periodic tasks: none delays another, and failures are logged."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs

from app.db import Database
from app.services.background.housekeeping import Housekeeping, PeriodicTask
from tests.fixtures.moments import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def keep_house(database: Database) -> Iterator[Callable[..., None]]:
    """Return a function that starts housekeeping with the tasks it is called with."""
    with ExitStack() as stack:

        def keep(*todo: PeriodicTask) -> None:
            house = Housekeeping(database, todo)
            house.start()
            stack.callback(lambda: house.stop(time.monotonic() + 1))

        yield keep


def test_a_slow_chore_delays_no_other(keep_house):
    done = Counter()
    free = threading.Event()

    def slow(_database: Database) -> None:
        done["slow"] += 1
        free.wait(10)

    def quick(_database: Database) -> None:
        done["quick"] += 1

    keep_house(PeriodicTask("slow", 0.01, slow), PeriodicTask("quick", 0.01, quick))
    wait_until(lambda: done["quick"] > 10)
    assert done["slow"] == 1
    free.set()


def test_a_chore_that_fails_is_told_of_once_and_tried_again(keep_house):
    left = iter(["no mail host", "no mail host", "no mail host", "mailbox full"])
    done = threading.Event()

    def deliver(_database: Database) -> None:
        reason = next(left, None)
        if reason is not None:
            raise ConnectionError(reason)
        done.set()

    with capture_logs() as logged:
        keep_house(PeriodicTask("mail", 0.01, deliver))
        assert done.wait(10)
        wait_until(lambda: len(logged) == 3)

    assert [(one["event"], one["what"], one.get("reason")) for one in logged] == [
        ("background-fails", "mail", "ConnectionError: no mail host"),
        ("background-fails", "mail", "ConnectionError: mailbox full"),
        ("background-works", "mail", None),
    ]
