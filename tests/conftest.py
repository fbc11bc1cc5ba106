"""Fixtures of every test; each family has its own module."""

import os

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.service",
    "tests.fixtures.process",
    "tests.fixtures.browser",
]


def pytest_xdist_auto_num_workers() -> int:
    """Use one process more than there are cores: many tests wait for servers."""
    return (os.cpu_count() or 1) + 1
