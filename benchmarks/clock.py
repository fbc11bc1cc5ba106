"""Seconds and memory."""

import gc
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def clocked(task: Callable[[], Answer]) -> tuple[float, Answer]:
    """Return the seconds that one call takes, as `timed` does, and its answer."""
    gc.collect()
    started = time.perf_counter()
    answer = task()
    return time.perf_counter() - started, answer


def timed(task: Callable[[], Any]) -> float:
    """Return the seconds that one call takes, garbage of others collected before."""
    return clocked(task)[0]


def peak_megabytes() -> float:
    """Return the most memory that this process has had at once."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
