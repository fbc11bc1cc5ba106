"""One computation in one process that can be ended at any moment."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")
Heard = Callable[[str, int, int], None]

# Children of a fork server start in milliseconds, with the libraries already there;
# spawning one takes seconds. A child re-imports the console script: `app.cli`.
_METHODS = multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context(
    "forkserver" if "forkserver" in _METHODS else "spawn"
)
_PRELOAD = ["app.cli", "app.compute.preload"]


class ChildDied(Exception):
    """The child ended without an answer."""


class ChildTimeout(Exception):
    """The child had no answer in time, and was ended."""


def warm_up() -> None:
    """Start the process that children are forked from, without waiting for it."""
    if _CONTEXT.get_start_method() == "forkserver":
        _CONTEXT.set_forkserver_preload(_PRELOAD)
        forkserver.ensure_running()


def end_all() -> None:
    """End every child there is, or an interpreter that leaves would wait for them."""
    for child in multiprocessing.active_children():
        child.kill()


class ChildStopped(Exception):
    """The child was ended because nobody wants its answer any more."""


@dataclass(frozen=True)
class Watched:
    """How a computation is followed.

    Attributes:
        heard: Called with the progress the child tells of: the question is asked with
            `progress=`.
        goes_on: Asked from time to time; the process is ended when it says no.
        every: Seconds between two such questions.

    """

    heard: Heard
    goes_on: Callable[[], bool]
    every: float


def run(
    question: Callable[..., T], seconds: float, watched: Watched | None = None
) -> T:
    """Return the answer of the engine, computed elsewhere.

    Args:
        question: A function of a module, or a `functools.partial` of one: it travels
            by its name, with its arguments.
        seconds: How long it may take.
        watched: How it is followed, if it is.

    Raises:
        ChildStopped: If the computation is not to go on.
        ChildTimeout: If it takes longer; the process is ended.
        ChildDied: If the process ends without an answer.
        Exception: What the question itself raises.

    """
    until = time.monotonic() + seconds
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    child = _CONTEXT.Process(
        target=_main, args=(sender, question, watched is not None), daemon=True
    )
    with receiver:
        try:
            child.start()
        except (OSError, EOFError) as error:  # no memory, or no fork server any more
            raise ChildDied(f"It could not be started: {error}") from error
        finally:
            sender.close()  # or the end of the child is never seen as end of file
        try:
            ask_at = time.monotonic()
            while (left := until - time.monotonic()) > 0:
                if watched and time.monotonic() >= ask_at:
                    if not watched.goes_on():
                        raise ChildStopped
                    ask_at = time.monotonic() + watched.every
                if not receiver.poll(min(left, watched.every) if watched else left):
                    continue
                kind, value = receiver.recv()
                if kind == "progress" and watched:
                    watched.heard(*value)
                elif kind == "answer":
                    return value  # type: ignore[no-any-return]
                elif kind == "error":
                    raise value
            raise ChildTimeout(f"No answer within {seconds:g} seconds.")
        except (EOFError, ConnectionError):
            child.join()
            raise ChildDied(f"It ended with exit code {child.exitcode}.") from None
        finally:
            child.kill()
            child.join()


def _main(sender: Connection, question: Callable[..., object], tells: bool) -> None:  # noqa: FBT001 -- how a process is given it
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent alone decides
        signal.signal(number, signal.SIG_IGN)
    os.nice(10)  # the web process goes first
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(*step: object) -> None:
        sender.send(("progress", step))

    try:
        found = question(progress=tell) if tells else question()
        sender.send(("answer", found))
    except Exception as error:  # noqa: BLE001 -- the parent raises it
        sender.send(("error", error))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
