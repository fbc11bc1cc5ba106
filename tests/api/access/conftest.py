"""Worlds to call operations in: one is built for each database, then copied."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from tests.api.access.world import APP, World, build
from tests.fixtures.service import serve_from


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(APP, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def built() -> dict[object, tuple[str, World]]:
    """Return what has been built: a world for each kind of database, to be copied."""
    return {}


@pytest.fixture
def make_world(client, copy_database, built) -> Iterator[Callable[[], World]]:
    """Return what makes another world of this kind."""
    opened: list[Database] = []
    if copy_database not in built:
        url = copy_database()
        first = Database(url)
        built[copy_database] = url, build(client, first)
        first.close()  # one that is in use cannot be copied
    source, world = built[copy_database]

    def make() -> World:
        opened.append(Database(copy_database(source)))
        serve_from(APP, opened[-1])
        return replace(world, database=opened[-1])

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def world(make_world) -> World:
    return make_world()
