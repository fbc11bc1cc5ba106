"""Fixtures of every test; each family has its own module."""

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.service",
    "tests.fixtures.process",
    "tests.fixtures.browser",
]
