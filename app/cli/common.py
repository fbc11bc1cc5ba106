"""What commands have in common: how they read settings, and how they stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from app.settings import Settings


def settings(**given: object) -> "Settings":
    """Return the settings, or stop with what is wrong with them."""
    from pydantic import ValidationError  # noqa: PLC0415 -- see the package

    from app.settings import Settings  # noqa: PLC0415

    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        told = (found["msg"].removeprefix("Value error, ") for found in error.errors())
        stop("\n".join(told))


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
