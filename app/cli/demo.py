"""The command `compaan demo`: the real round in a database of its own, and served."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.common import Port, refusals, stop

if TYPE_CHECKING:
    from schemas import MatchRequest, Solution

_DEMO_FILE = Path(".data/demo.db")
_DEMO_URL = f"sqlite:///{_DEMO_FILE}"


def demo(
    *,
    port: Port = 8000,
    serve: Annotated[bool, typer.Option(help="Serve after the proposal.")] = True,
    save: Annotated[
        Path | None, typer.Option(help="Write the round, as POST /match takes it.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again with a new demo database.")
    ] = False,
) -> None:
    """Store the real IncluCities round in .data/demo.db, propose pairings, serve."""
    from pydantic import SecretStr  # noqa: PLC0415 -- see the package

    from app.settings import Settings  # noqa: PLC0415

    listener = None
    # Its own database and its own mail, whatever is set for the real ones.
    settings = Settings(
        port=port or 0,
        host="127.0.0.1",
        database_url=_DEMO_URL,
        mail=SecretStr("file:.data/mail"),
        production=False,
    )
    if serve:
        if "COMPAAN_DATABASE_URL" in os.environ:
            typer.echo(
                "COMPAAN_DATABASE_URL is set, but the demo does not use it: it keeps "
                f"to its own database, {_DEMO_FILE}.",
                err=True,
            )
        from app import server  # noqa: PLC0415 -- see the package

        try:
            listener = server.listen(settings)
        except server.PortTaken as error:
            stop(str(error), 1)
    from app import data, demonstration  # noqa: PLC0415 -- see the package
    from matching import match  # noqa: PLC0415

    request = data.inclucities()
    if save is not None:
        from matching.__main__ import pretty, write  # noqa: PLC0415

        try:
            write(save, pretty(request.to_dict()))
        except OSError as error:
            stop(f"{save}: {error.strerror}")
        typer.echo(f"The round is in {save}.", err=True)
    _print_proposal(request, match(request.problem(), request.policy))
    if listener is None:
        return
    if fresh:
        demonstration.forget(_DEMO_FILE)
    with refusals():
        shown = demonstration.prepare(settings)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    demonstration.write_variables(_DEMO_FILE.with_suffix(".env"), address, shown)
    if shown.phase != "open":
        typer.echo(
            f"\nThe round is as you left it: {shown.phase}. To begin again: "
            "`make demo FRESH=1`, or `compaan demo --fresh`."
        )
    typer.echo(
        f"\nServing on {address} (Ctrl-C stops it)\n"
        f"  the stored round     {address}/runs/{shown.run}\n"
        f"  sign in there with   {shown.organiser}   (organiser)\n"
        f"  or with              {shown.officer}   (officer of Mechelen)\n"
        f"  API documents        {address}/api/docs\n"
        "  in a terminal        . .data/demo.env && "
        'curl -H "Authorization: Bearer $TOKEN" $API/runs/$RUN/solution\n'
        "The tokens are for this database only; the next start makes new ones."
    )
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve(settings, listener)


def _print_proposal(request: "MatchRequest", solution: "Solution") -> None:
    """Print the pairings with the three strongest reasons of each."""
    from rich.console import Console  # noqa: PLC0415 -- see the package
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from app import data  # noqa: PLC0415
    from app.texts.matching.reasons import sentence, strongest  # noqa: PLC0415

    names = {city.id: city.name for city in request.cities}
    table = Table(title="IncluCities: proposed pairings", show_lines=True)
    table.add_column("mentor → learner, score")
    table.add_column("the three strongest reasons, with their points")
    for pair in solution.pairings:
        mentor, learner = names[pair.mentor], names[pair.learner]
        reasons = [
            f"{part.points:4.1f}  {sentence(part, mentor, learner)}"
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
    left_out = ", ".join(city.name for city in data.withdrawn())
    console.print(f"Left out, because it withdrew: {left_out}.")
