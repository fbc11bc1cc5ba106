"""The terminal: thin over the services.

Every command imports what it needs when it runs: the children that compute re-import
this module.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from schemas import MatchRequest, Solution

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Port = Annotated[int | None, typer.Option(help="Where to listen.", min=0, max=65535)]


def _show_version(wanted: bool) -> None:  # noqa: FBT001 -- how Typer calls it
    if wanted:
        from matching import __version__  # noqa: PLC0415 -- see the module

        typer.echo(f"compaan {__version__}")
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


@cli.command()
def demo(
    *,
    port: Port = 8000,
    serve: Annotated[bool, typer.Option(help="Serve after the proposal.")] = True,
    save: Annotated[
        Path | None, typer.Option(help="Write the round, as POST /match takes it.")
    ] = None,
) -> None:
    """Propose pairings for the real IncluCities round, then serve the API."""
    if "COMPAAN_DATABASE_URL" in os.environ:
        _stop("The demo never touches another database: unset COMPAAN_DATABASE_URL.")
    listener = settings = None
    if serve:
        from app import server  # noqa: PLC0415 -- see the module
        from app.settings import Settings  # noqa: PLC0415

        settings = Settings(port=port or 0, host="127.0.0.1")
        try:
            listener = server.listen(settings)
        except server.PortTaken as error:
            _stop(str(error), 1)
    from app import data  # noqa: PLC0415 -- see the module
    from matching import match  # noqa: PLC0415

    request = data.inclucities()
    if save is not None:
        from matching.__main__ import pretty, write  # noqa: PLC0415

        try:
            write(save, pretty(request.to_dict()))
        except OSError as error:
            _stop(f"{save}: {error.strerror}")
        typer.echo(f"The round is in {save}.", err=True)
    _print_proposal(request, match(request.problem(), request.policy))
    if listener and settings:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        typer.echo(
            f"\nServing on {address} (Ctrl-C stops it)\n"
            f"  in a browser   {address}/api/docs\n"
            f"  in a terminal  curl {address}/api/v1/policy-areas"
        )
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            server.serve(settings, listener)


@cli.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Which address to use.")] = None,
    port: Port = None,
) -> None:
    """Serve the API; settings come from COMPAAN_ variables."""
    from pydantic import ValidationError  # noqa: PLC0415 -- see the module

    from app import server  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    given = {"host": host, "port": port}
    try:
        settings = Settings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
        listener = server.listen(settings)
    except ValidationError as error:
        _stop("\n".join(found["msg"] for found in error.errors()))
    except server.PortTaken as error:
        _stop(str(error), 1)
    where, at = listener.getsockname()[:2]
    typer.echo(f"Serving on http://{where}:{at} (Ctrl-C stops it)")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve(settings, listener)


@cli.command()
def match(
    problem: Annotated[Path, typer.Argument(help="A body of POST /match; - is stdin.")],
    *,
    objective: Annotated[
        str | None, typer.Option(help="total, served or fair, over the file's own.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where the solution goes; else stdout.")
    ] = None,
) -> None:
    """Match the cities of a file, offline: body and answer of POST /match."""
    from matching.__main__ import run  # noqa: PLC0415 -- see the module

    raise typer.Exit(run(problem, objective, output))


def _stop(message: str, code: int = 2) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _print_proposal(request: "MatchRequest", solution: "Solution") -> None:
    """Print the pairings with the three strongest reasons of each."""
    from rich.console import Console  # noqa: PLC0415 -- see the module
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from app import data  # noqa: PLC0415
    from app.services.reasons import sentence, strongest  # noqa: PLC0415

    names = {city.id: city.name for city in request.cities}
    areas = {area.id: area.labels.en for area in data.policy_areas().items}
    table = Table(title="IncluCities: proposed pairings", show_lines=True)
    table.add_column("mentor → learner, score")
    table.add_column("the three strongest reasons, with their points")
    for pair in solution.pairings:
        mentor, learner = names[pair.mentor], names[pair.learner]
        reasons = [
            f"{part.points:4.1f}  {sentence(part, mentor, learner, areas)}"
            for part in strongest(pair.contributions, 3)
        ]
        score = f"{pair.score:.1f} of {pair.known_weight:.0f} known points"
        # Text, not markup: a city may be called anything.
        table.add_row(Text(f"{mentor}\n→ {learner}\n{score}"), Text("\n".join(reasons)))
    # Piped, the table is as wide as on a common terminal.
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    console.print(table)
    measures = solution.measures
    console.print(
        f"{measures.learners_served} of {measures.learners} learners have a mentor; "
        f"{measures.total:.1f} points in all; no assignment has more.",
    )
    for left in solution.unmatched:
        why = ", ".join(f"{row.code} ({row.partners})" for row in left.reasons)
        console.print(Text(f"Unmatched {left.role}: {names[left.city]}: {why}"))
    console.print(
        "These are the four pairs that the project made. A smoke test, no proof: there "
        "are 24\npossible pairings, coded by people who know the answer."
        if {(pair.mentor, pair.learner) for pair in solution.pairings}
        == {*data.real_pairs()}
        else "The project itself made other pairs.",
    )
    console.print(f"Left out, because it withdrew: {', '.join(data.withdrawn())}.")


if __name__ == "__main__":
    cli()
