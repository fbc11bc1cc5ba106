"""One computation in one process that can be ended at any moment."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

from schemas import Policy, Problem, Solution

Heard = Callable[[str, int, int], None]

# Children of a fork server start in milliseconds, with the libraries already there;
# spawning one takes seconds. A child re-imports the console script: `app.cli`.
_METHODS = multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context(
    "forkserver" if "forkserver" in _METHODS else "spawn"
)
_PRELOAD = ["app.worker.compute", "app.cli"]


class ChildDied(Exception):
    """The child ended without an answer."""


class ChildTimeout(Exception):
    """The child had no answer in time, and was ended."""


def warm_up() -> None:
    """Start the process that children are forked from, without waiting for it."""
    if _CONTEXT.get_start_method() == "forkserver":
        _CONTEXT.set_forkserver_preload(_PRELOAD)
        forkserver.ensure_running()


def run(
    problem: Problem, policy: Policy, seconds: float, heard: Heard | None = None
) -> Solution:
    """Return the solution, computed elsewhere.

    Args:
        problem: What is to be matched.
        policy: How.
        seconds: How long it may take.
        heard: Called with the progress the child tells of.

    Raises:
        ChildTimeout: If it takes longer; the process is ended.
        ChildDied: If the process ends without an answer.
        matching.InvalidPolicy, matching.Infeasible: As the engine refuses.

    """
    until = time.monotonic() + seconds
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    child = _CONTEXT.Process(target=_main, args=(sender, problem, policy), daemon=True)
    with receiver:
        try:
            child.start()
            sender.close()  # or the end of the child is never seen as end of file
            while receiver.poll(max(0.0, until - time.monotonic())):
                kind, value = receiver.recv()
                if kind == "progress" and heard:
                    heard(*value)
                elif kind == "solution":
                    return value  # type: ignore[no-any-return]
                elif kind == "error":
                    raise value
            raise ChildTimeout(f"No answer within {seconds:g} seconds.")
        except (EOFError, ConnectionError):
            child.join()
            raise ChildDied(f"It ended with exit code {child.exitcode}.") from None
        finally:
            if child.pid is not None:
                child.kill()
                child.join()


def _main(sender: Connection, problem: Problem, policy: Policy) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent alone decides
        signal.signal(number, signal.SIG_IGN)
    os.nice(10)  # the web process goes first
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from app.worker.compute import solve  # noqa: PLC0415 -- the libraries, only here

    try:
        found = solve(problem, policy, lambda *step: sender.send(("progress", step)))
        sender.send(("solution", found))
    except Exception as error:  # noqa: BLE001 -- the parent raises it
        sender.send(("error", error))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
