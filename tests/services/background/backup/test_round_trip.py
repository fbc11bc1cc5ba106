"""Everything comes back as it was, from either kind of database to either."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, text

from app.db import schema, tables
from app.errors import Conflict
from app.main import create_app
from app.permissions import TERMINAL
from app.services.background import backup
from app.services.log import audit
from app.settings import Settings
from tests.fixtures.cities import city, compute, inclucities_round
from tests.services.background.backup.full_database import (
    KINDS,
    TABLES,
    everything,
    opened,
)
from tests.test_migrations import REVISIONS, compaan, fill, move, next_version


def test_everything_survives(source, target, tmp_path):
    path = tmp_path / "backup.zip"

    saved = backup.save(source, path)
    restored = backup.restore(target, path)

    before = everything(source)
    assert [name for name, rows in before.items() if len(rows) < 2] == []
    assert everything(target) == before
    assert restored == saved
    assert {name: part.rows for name, part in saved.tables.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert saved.revision == REVISIONS[0]
    assert schema.is_current(target)


def test_a_backup_of_the_restored_is_the_same(source, target, tmp_path):
    first = backup.save(source, tmp_path / "first.zip")
    backup.restore(target, tmp_path / "first.zip")

    second = backup.save(target, tmp_path / "second.zip")

    assert second.tables == first.tables


def test_new_rows_are_numbered_after_the_restored_ones(target, tmp_path):
    with opened(f"sqlite:///{tmp_path}/source.db") as source:
        schema.migrate(source)
        with source.write() as session:
            session.execute(
                insert(tables.Audit),
                [{"id": at, "action": "a", "details": {}} for at in (3, 2**40)],
            )
        backup.save(source, tmp_path / "backup.zip")
    backup.restore(target, tmp_path / "backup.zip")

    with target.write() as session:
        audit.record(session, TERMINAL, "b")

    with target.read() as session:
        assert session.scalars(select(tables.Audit.id).order_by("id")).all() == [
            3,
            2**40,
            2**40 + 1,
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_service_goes_on_with_what_was_restored(
    idle_service, blank, kind, tmp_path
):
    service = idle_service
    run = compute(service, inclucities_round(service))
    paths = ("/rounds/inclucities", f"/runs/{run}/solution", "/cities", f"/runs/{run}")
    paths = tuple(path.replace("inclucities", round_of(service)) for path in paths)
    before = [service.get(path) for path in paths]
    with opened(service.url) as database:
        backup.save(database, tmp_path / "backup.zip")
    url = blank(kind)
    with opened(url) as database:
        backup.restore(database, tmp_path / "backup.zip")

    with TestClient(create_app(Settings(database_url=url))) as client:
        headers = service.bearer("organiser")
        after = [client.get(f"/api/v1{path}", headers=headers) for path in paths]
        nobody = client.get(f"/api/v1{paths[0]}", headers={"Authorization": "Bearer x"})
        new = client.post("/api/v1/cities", headers=headers, json=city("new"))

    assert [answer.status_code for answer in before] == [200] * 4
    assert [answer.content for answer in after] == [one.content for one in before]
    assert nobody.status_code == 401
    assert new.status_code == 201


def round_of(service) -> str:
    (found,) = service.get("/rounds").json()["items"]
    return found["id"]


@pytest.mark.parametrize("has_tables", [False, True])
def test_rows_of_an_older_version_are_migrated(source, target, has_tables, tmp_path):
    move(source, REVISIONS[-1])
    if has_tables:
        schema.migrate(target)

    saved = backup.save(source, tmp_path / "backup.zip")
    backup.restore(target, tmp_path / "backup.zip")
    move(source, "head")

    assert saved.revision == REVISIONS[-1]
    assert len(saved.tables) < len(TABLES)
    assert schema.is_current(target)
    assert everything(target) == everything(source)


@pytest.mark.parametrize("kind", ["postgres"])
def test_no_migration_is_left_out(written, blank, kind, tmp_path):
    """An older backup is migrated even into tables of the later version."""
    later = next_version(tmp_path / "next")
    url, path = blank(kind), tmp_path / "backup.zip"
    path.write_bytes(written)
    compaan(url, "migrate", environment=later)

    code, _, _ = compaan(url, "restore", path, environment=later)

    assert code == 0
    with opened(url) as database, database.read() as session:
        assert session.scalars(text("SELECT note FROM round")).all() == ["older"]


@pytest.mark.parametrize("revision", [REVISIONS[-1], "base", "head"])
@pytest.mark.parametrize("kind", KINDS)
def test_tables_without_rows_may_be_of_any_version(blank, kind, revision, tmp_path):
    with opened(blank(kind)) as database:
        schema.migrate(database)
        fill(database)
        before = everything(database)
        backup.save(database, tmp_path / "backup.zip")
    with opened(blank(kind)) as empty:
        schema.migrate(empty)
        if revision != "head":
            move(empty, revision)

        backup.restore(empty, tmp_path / "backup.zip")

        assert everything(empty) == before


def test_a_database_with_rows_is_left_alone(database, tmp_path):
    fill(database)
    backup.save(database, tmp_path / "backup.zip")
    before = everything(database)

    with pytest.raises(Conflict, match=r"There are rows in \w+, and .* Make a new"):
        backup.restore(database, tmp_path / "backup.zip")

    assert everything(database) == before


@pytest.mark.parametrize("kind", ["postgres"])
def test_tables_that_refer_to_themselves_are_restored(blank, kind, tmp_path):
    """A later version may add such a table; its name here needs quotes."""
    later = next_version(tmp_path / "next")
    url, other = blank(kind), blank(kind)
    compaan(url, "migrate", environment=later)
    with opened(url) as database, database.write() as session:
        session.execute(text('INSERT INTO "order" VALUES (9, NULL), (2, 9), (1, 2)'))

    saved = compaan(url, "backup", tmp_path / "backup.zip", environment=later)
    restored = compaan(other, "restore", tmp_path / "backup.zip", environment=later)

    assert (saved[0], restored[0]) == (0, 0)
    with opened(other) as database, database.write() as session:
        session.execute(text('INSERT INTO "order" (parent) VALUES (1)'))
        rows = session.execute(text('SELECT id, parent FROM "order" ORDER BY id'))
        assert [tuple(row) for row in rows] == [(1, 2), (2, 9), (9, None), (10, 1)]
