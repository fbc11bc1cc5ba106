"""Databases to save and to restore into, and a backup that is ready."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from sqlalchemy import insert

from app.db import Database, schema
from app.services.background import backup
from tests.services.background.backup.full_database import (
    KINDS,
    TABLES,
    extreme,
    opened,
)
from tests.test_migrations import fill, new_database


@pytest.fixture
def blank(request) -> Callable[[str], str]:
    """Return a function that creates a database of a kind and returns its URL."""
    return partial(new_database, request)


@pytest.fixture(params=KINDS)
def source(request, blank) -> Iterator[Database]:
    """Return a database in which every table has rows."""
    with opened(blank(request.param)) as database:
        schema.migrate(database)
        fill(database)
        with database.write() as session:
            for table in TABLES:
                for number in (1, 2):
                    session.execute(insert(table), extreme(table, number))
        yield database


@pytest.fixture(params=KINDS)
def target(request, blank) -> Iterator[Database]:
    """Return a database without tables."""
    with opened(blank(request.param)) as database:
        yield database


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> bytes:
    """Return the bytes of a backup of a small database."""
    folder = tmp_path_factory.mktemp("written")
    with opened(f"sqlite:///{folder}/source.db") as source:
        schema.migrate(source)
        fill(source)
        backup.save(source, folder / "backup.zip")
    return (folder / "backup.zip").read_bytes()
