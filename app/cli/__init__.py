"""The terminal: thin over the services.

Every command imports what it needs when it runs: the children that compute re-import
this package.
"""

from typing import Annotated

import typer

from app.cli.accounts import token, user
from app.cli.demo import demo
from app.cli.offline import offline
from app.cli.serving import serving
from app.cli.spreadsheets import spreadsheets
from app.cli.upkeep import upkeep

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 -- how Typer calls it
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 -- see the package

        typer.echo(f"compaan {version('compaan')}")
        raise typer.Exit


@cli.callback()
def compaan(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Pair mentor cities with learning cities."""


cli.command()(demo)
cli.add_typer(serving)
cli.add_typer(spreadsheets)
cli.add_typer(user, name="user")
cli.add_typer(token, name="token")
cli.add_typer(upkeep)
cli.add_typer(offline)
