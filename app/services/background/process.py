"""A worker process: it computes runs and serves no HTTP; there may be many."""

import gc
import signal
import threading
from collections.abc import Callable

from app.db import Database
from app.log import configure
from app.services.background.runner import Runner
from app.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LEAVE = 1.5
"""Most seconds to stop: somebody waits for it."""


def work(settings: Settings, ready: Callable[[str, str], object]) -> None:
    """Work until the process is told to stop; told again, it ends at once.

    From now on garbage is collected, if it was not while everything was imported.

    Args:
        settings: Which database, and how much at once.
        ready: Called when the work has begun, with the database's URL, passwords left
            out, and the name of the worker.

    """
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        signal.signal(number, stop)
    configure(settings)
    database = Database(settings.database_url)
    runner = Runner(database, settings)
    gc.freeze()  # what has been imported stays
    gc.enable()
    runner.start()
    # What is after the question mark may hold a password, too.
    ready(str(database.engine.url.set(query={})), runner.name)
    stopping.wait()
    runner.stop(_LEAVE)
    database.close()
