"""Commands for whoever runs the service: its database, and copies of it.

They end with 0, with 2 if something is refused, which then was not done at all, and
with 1 if the database fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.common import load_settings, stop

if TYPE_CHECKING:
    from app.db import Database
    from app.services.background.backup import Manifest

upkeep = typer.Typer()

Backup = Annotated[Path, typer.Argument(help="A file that `compaan backup` wrote.")]


@upkeep.command()
def migrate(
    *,
    wait: Annotated[
        float, typer.Option(help="Most seconds to wait for others.", min=0)
    ] = 60,
) -> None:
    """Bring the database to the tables of this version; again changes nothing."""
    from app.db import schema  # noqa: PLC0415 -- see the package

    with _database() as database:
        for applied in schema.migrate(database, wait):
            typer.echo(f"Applied {applied}.", err=True)
    typer.echo("The database is up to date.")


@upkeep.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where it goes; only you may read it.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write all that is stored to one file, which either kind of database can restore.

    The service goes on meanwhile; the file is of one moment.
    """
    from app.services.background import backup as backups  # noqa: PLC0415 -- see the package

    with _database() as database, _failures_of(file):
        _tell(backups.save(database, file, force=force), "backed up")


@upkeep.command()
def restore(file: Backup) -> None:
    """Store all that is in a backup in an empty database: everything, or nothing."""
    from app.services.background import backup as backups  # noqa: PLC0415 -- see the package

    with _database() as database, _failures_of(file):
        try:
            _tell(backups.restore(database, file), "restored")
        except backups.Broken as error:
            stop(f"{file}: {error}")


def _tell(manifest: "Manifest", done: str) -> None:
    for table, part in manifest.tables.items():
        typer.echo(f"{part.rows:>9,} {table}", err=True)
    total = sum(part.rows for part in manifest.tables.values())
    typer.echo(
        f"{total:>9,} rows {done}, of {manifest.made_at:%Y-%m-%d %H:%M} UTC.", err=True
    )


@contextmanager
def _failures_of(file: Path) -> Iterator[None]:
    """Stop with what is wrong with the file."""
    try:
        yield
    except OSError as error:
        stop(f"{file}: {error.strerror}")


@contextmanager
def _database() -> "Iterator[Database]":
    """Open the database of the settings, as old as it is; stop with what it refuses."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 -- see the package

    from app.db import Database  # noqa: PLC0415
    from app.errors import Refusal  # noqa: PLC0415

    database = Database(load_settings().database_url)
    try:
        yield database
    except Refusal as error:
        if error.__cause__ is None:
            stop(str(error))
        stop(f"{error} {_first_line(error.__cause__)}", 1)
    except DBAPIError as error:
        stop(f"The database refuses: {_first_line(error.orig or error)}", 1)
    finally:
        database.close()


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
