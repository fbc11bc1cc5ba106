"""Fixtures of every test; each family has its own module."""

import gc
import os
from pathlib import Path

import pytest

# Until all tests are collected next to nothing is garbage: looking for some again and
# again takes a quarter of the time.
gc.disable()

# Made once for all tests on this machine.
os.environ.setdefault(
    "COMPAAN_PLACES_DIR", str(Path(__file__).parents[1] / ".cache" / "places")
)

pytest_plugins = [
    "tests.fixtures.cost",
    "tests.fixtures.database",
    "tests.fixtures.service",
    "tests.fixtures.process",
    "tests.fixtures.browser",
]

_LONG = {
    "test_four_workers_lose_no_run_and_compute_none_twice",
    "test_many_writers_at_once_lose_nothing",
    "test_nothing_is_lost_and_nothing_fails_when_postgres_restarts",
    "test_sequences_of_calls_keep_their_word",
    "test_ten_thousand_malformed_files_are_refused_and_memory_stays_flat",
}
"""Tests that take longest: begun last, one would keep everybody waiting."""


def pytest_xdist_auto_num_workers() -> int:
    """Use one process more than there are cores: many tests wait for servers."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not among what stays until the end."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=lambda item: item.name.partition("[")[0] not in _LONG)
