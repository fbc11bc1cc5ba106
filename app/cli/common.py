"""What commands have in common: settings, the database, and how they stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

Port = Annotated[int | None, typer.Option(help="Where to listen.", min=0, max=65535)]


def load_settings(**values: object) -> "Settings":
    """Return the settings, or stop with what is wrong with them."""
    from pydantic import ValidationError  # noqa: PLC0415 -- see the package

    from app.settings import Settings  # noqa: PLC0415

    try:
        return Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        messages = (
            detail["msg"].removeprefix("Value error, ") for detail in error.errors()
        )
        stop("\n".join(messages))


@contextmanager
def refusals() -> Iterator[None]:
    """Stop with what is refused, instead of a traceback."""
    from app.errors import Refusal  # noqa: PLC0415 -- see the package

    try:
        yield
    except Refusal as error:
        stop(str(error))


def stop(message: str, code: int = 2) -> NoReturn:
    """End the command with a message on stderr."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def prepare(settings: "Settings") -> None:
    """Make the tables of a SQLite file; stop if PostgreSQL's are not up to date."""
    from app.db import Database  # noqa: PLC0415 -- see the package
    from app.db.schema import migrate, needs_migration  # noqa: PLC0415
    from app.errors import Conflict, Refusal  # noqa: PLC0415

    try:
        database = Database(settings.database_url)
        if database.is_sqlite:
            migrate(database)
        elif needs_migration(database):
            stop("The database is not up to date: run `compaan migrate` first.")
        database.close()
    except Conflict as error:
        stop(str(error))
    except Refusal as error:
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        stop(f"The database cannot be reached: {reason}", 1)


@contextmanager
def open_database() -> "Iterator[Database]":
    """Open the database of the settings, its tables up to date."""
    from app.db import Database  # noqa: PLC0415 -- see the package

    settings = load_settings()
    prepare(settings)
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()
