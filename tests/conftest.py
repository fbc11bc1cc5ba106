"""Fixtures of every test; each family has its own module."""

import gc
import os
from pathlib import Path

import pytest
import structlog

# Until all tests are collected next to nothing is garbage: looking for some again and
# again takes a quarter of the time.
gc.disable()

# Made once for all tests on this machine.
os.environ.setdefault(
    "COMPAAN_PLACES_DIR", str(Path(__file__).parents[1] / ".cache" / "places")
)

# By itself structlog paints a failure with the values of all variables, which takes
# seconds where these are the cities of a round.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(),
    ]
)

pytest_plugins = [
    "tests.fixtures.cost",
    "tests.fixtures.levels",
    "tests.fixtures.database",
    "tests.fixtures.service",
    "tests.fixtures.process",
    "tests.fixtures.browser",
]

_LONG = {
    "test_a_rounds_life_keeps_its_promises",
    "test_every_page_is_accessible_and_fits_in_every_language",
    "test_four_workers_lose_no_run_and_compute_none_twice",
    "test_many_writers_at_once_lose_nothing",
    "test_nothing_is_lost_and_nothing_fails_when_postgres_restarts",
    "test_sequences_of_calls_keep_their_word",
}
"""Tests that take longest: begun last, one would keep everybody waiting."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use one process more than there are cores: many slow tests wait for servers."""
    return (os.cpu_count() or 1) + (config.option.markexpr != "not slow")


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not among what stays until the end."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=lambda item: item.name.partition("[")[0] not in _LONG)
