"""The terminal: thin over the services.

Every command imports what it needs when it runs: the children that compute re-import
this module.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.common import refusals as _refusals
from app.cli.common import settings as _settings
from app.cli.common import stop as _stop
from app.cli.offline import offline
from app.cli.upkeep import upkeep

if TYPE_CHECKING:
    from app.db import Database, tables
    from app.settings import Settings
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
        from importlib.metadata import version  # noqa: PLC0415 -- see the module

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


@cli.command()
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
    from pydantic import SecretStr  # noqa: PLC0415 -- see the module

    from app.settings import Settings  # noqa: PLC0415

    listener = None
    # Its own database and its own mail, whatever is set for the real ones.
    settings = Settings(
        port=port or 0,
        host="127.0.0.1",
        database_url=_DEMO,
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
        from app import server  # noqa: PLC0415 -- see the module

        try:
            listener = server.listen(settings)
        except server.PortTaken as error:
            _stop(str(error), 1)
    from app import data, demonstration  # noqa: PLC0415 -- see the module
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
    if listener is None:
        return
    if fresh:
        demonstration.forget(_DEMO_FILE)
    with _refusals():
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


@cli.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Which address to use.")] = None,
    port: Port = None,
) -> None:
    """Serve pages and API; settings come from COMPAAN_ variables."""
    gc.disable()  # while everything is imported there is none
    given = {"host": host, "port": port}
    settings = _settings(**{k: v for k, v in given.items() if v is not None})
    _prepare(settings)
    _check(settings)
    from app import server  # noqa: PLC0415 -- takes seconds: what is wrong is told first

    try:
        listener = server.listen(settings)
    except server.PortTaken as error:
        _stop(str(error), 1)
    where, at = listener.getsockname()[:2]
    typer.echo(f"Serving on http://{where}:{at} (Ctrl-C stops it)")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve(settings, listener)


@cli.command()
def worker(
    *,
    at_once: Annotated[
        int, typer.Option(help="Most runs at the same time.", min=1)
    ] = 1,
) -> None:
    """Compute runs for the servers on the same database, and serve nothing."""
    gc.disable()  # while everything is imported there is none
    settings = _settings(runs_at_once=at_once)
    _prepare(settings)
    _check(settings)
    from app.services.background import process  # noqa: PLC0415 -- likewise

    def ready(database: str, name: str) -> None:
        typer.echo(f"Working on {database} as {name} (Ctrl-C stops it)")
        sys.stdout.flush()

    process.work(settings, ready)


@cli.command("import")
def import_cities(
    file: Annotated[Path, typer.Argument(help="CSV or .xlsx; - is stdin.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would happen, store nothing.")
    ] = False,
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Nothing if a row is wrong.")
    ] = False,
    wrong: Annotated[
        Path | None, typer.Option(help="Where the wrong rows go, to be mended.")
    ] = None,
) -> None:
    """Register and change cities from a spreadsheet, CSV or .xlsx.

    0: all rows are fine, 2: nothing was stored, 3: some rows were wrong.
    """
    from app.errors import Refusal  # noqa: PLC0415 -- see the module
    from app.permissions import TERMINAL  # noqa: PLC0415
    from app.services.spreadsheets import imports  # noqa: PLC0415

    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        _stop(f"{file}: {error.strerror}")
    try:
        with (
            _database() as database,
            database.read() if dry_run else database.write() as session,
        ):
            report = imports.bring_in(
                session,
                TERMINAL,
                content,
                dry_run=dry_run,
                all_or_nothing=all_or_nothing,
            )
    except Refusal as error:
        lines = [f"{one.pointer}: {one.message}" for one in error.errors]
        _stop("\n".join([str(error), *lines]))
    said = report.counts
    typer.echo(
        f"{'Would be: ' if dry_run else ''}{said.new} new, {said.changed} changed, "
        f"{said.same} as they were, {said.wrong} wrong."
    )
    for column in report.ignored_columns:
        typer.echo(f"Not read: the column {column}.", err=True)
    for cell in report.errors:
        typer.echo(f"Row {cell.row}, {cell.column}: {cell.message}", err=True)
    if wrong is not None and report.wrong_rows is not None:
        try:
            wrong.write_text(report.wrong_rows, "utf-8-sig", newline="")
        except OSError as error:
            _stop(f"{wrong}: {error.strerror}")
        typer.echo(f"The wrong rows are in {wrong}.", err=True)
    if report.errors:
        raise typer.Exit(3)


@cli.command()
def export(
    *,
    kind: Annotated[
        str, typer.Option("--format", help="csv, xlsx, json or geojson.")
    ] = "csv",
    output: Annotated[
        Path | None, typer.Option(help="Where it goes; else stdout.")
    ] = None,
    semicolon: Annotated[
        bool, typer.Option("--semicolon", help="Semicolons and decimal commas.")
    ] = False,
    template: Annotated[
        bool, typer.Option("--template", help="The empty sheet to fill in, instead.")
    ] = False,
) -> None:
    """Write all cities as a spreadsheet, for POST /match (json) or for a map."""
    from app.services.cities import directory, profiles  # noqa: PLC0415 -- see the module
    from app.services.spreadsheets import exports  # noqa: PLC0415 -- likewise

    mark = ";" if semicolon else ","
    writers: dict[str, Callable[[Iterable[tables.City]], str | bytes]] = {
        "csv": lambda rows: exports.export_table(rows, mark),
        "xlsx": exports.export_workbook,
        "json": lambda rows: _pretty(
            {"cities": [profiles.as_city(row).to_dict() for row in rows]}
        ),
        "geojson": lambda rows: _pretty(exports.export_places(rows)),
    }
    if kind not in writers:
        _stop(f"There is no format {kind!r}: {', '.join(writers)}.")
    if template:
        content = (
            exports.template_workbook() if kind == "xlsx" else exports.template(mark)
        )
    else:
        with _database() as database, database.read() as session:
            content = writers[kind](directory.every(session))
    if output is None:
        sys.stdout.buffer.write(_encoded(content, "utf-8"))
        return
    try:
        # Without a byte order mark Excel takes UTF-8 for Windows-1252.
        output.write_bytes(_encoded(content, "utf-8-sig" if kind == "csv" else "utf-8"))
    except OSError as error:
        _stop(f"{output}: {error.strerror}")


def _pretty(value: object) -> str:
    import json  # noqa: PLC0415 -- see the module

    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _encoded(content: str | bytes, encoding: str) -> bytes:
    return content.encode(encoding) if isinstance(content, str) else content


user = typer.Typer(no_args_is_help=True, help="Accounts.")
token = typer.Typer(no_args_is_help=True, help="Tokens of accounts.")
cli.add_typer(user, name="user")
cli.add_typer(token, name="token")


@user.command("add")
def add_user(
    email: str,
    *,
    role: Annotated[
        str,
        typer.Option(help="organiser, officer, association, auditor or administrator."),
    ],
    city: Annotated[str | None, typer.Option(help="The officer's city.")] = None,
    association: Annotated[
        str | None, typer.Option(help="Which one, as its cities write it.")
    ] = None,
) -> None:
    """Open an account."""
    from app.services.accounts import accounts  # noqa: PLC0415 -- see the module

    with _refusals(), _database() as database, database.write() as session:
        account = accounts.add_user(session, email, role, city, association)
        typer.echo(f"{account.email} is {account.role}.", err=True)


@user.command("list")
def list_users() -> None:
    """List the accounts."""
    from app.services.accounts import accounts  # noqa: PLC0415 -- see the module

    with _database() as database, database.read() as session:
        for account in accounts.list_users(session):
            place = account.city_id or account.association
            of = f" of {place}" if place else ""
            typer.echo(f"{account.email}\t{account.role}{of}")


@token.command("add")
def add_token(
    *,
    owner: Annotated[str, typer.Option("--user", help="Whose token: an address.")],
    scope: Annotated[
        str, typer.Option(help="read, cities:write, rounds:write or write.")
    ] = "write",
    name: Annotated[str, typer.Option(help="What it is for.")] = "terminal",
    days: Annotated[
        int | None, typer.Option(help="How long it is good; else until revoked.", min=1)
    ] = None,
) -> None:
    """Make a token: it alone is printed, and cannot be shown again."""
    from app.services.accounts import accounts, tokens  # noqa: PLC0415 -- see the module

    with _refusals(), _database() as database, database.write() as session:
        account = accounts.find_user(session, owner)
        secret = tokens.add(session, account, scope, name, days)
    typer.echo(secret)


@token.command("revoke")
def revoke_tokens(
    *,
    owner: Annotated[str, typer.Option("--user", help="Whose tokens: an address.")],
    name: Annotated[str | None, typer.Option(help="Only those with this name.")] = None,
) -> None:
    """Take tokens back; whoever is signed in with one is out at once."""
    from app.services.accounts import accounts, tokens  # noqa: PLC0415 -- see the module

    with _refusals(), _database() as database, database.write() as session:
        account = accounts.find_user(session, owner)
        count = tokens.revoke_all(session, account, name)
    typer.echo(f"{count} revoked.", err=True)


cli.add_typer(upkeep)
cli.add_typer(offline)


_DEMO_FILE = Path(".data/demo.db")
_DEMO = f"sqlite:///{_DEMO_FILE}"


def _prepare(settings: "Settings") -> None:
    """Make the tables of a SQLite file; stop if PostgreSQL's are not up to date."""
    from app.db import Database  # noqa: PLC0415 -- see the module
    from app.db.schema import migrate, needs_migration  # noqa: PLC0415
    from app.errors import Conflict, Refusal  # noqa: PLC0415

    try:
        database = Database(settings.database_url)
        if database.is_sqlite:
            migrate(database)
        elif needs_migration(database):
            _stop("The database is not up to date: run `compaan migrate` first.")
        database.close()
    except Conflict as error:
        _stop(str(error))
    except Refusal as error:
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        _stop(f"The database cannot be reached: {reason}", 1)


def _check(settings: "Settings") -> None:
    """Stop if the settings ask for what is not there, or is not for production."""
    from app.db import Database  # noqa: PLC0415
    from app.outside import oidc  # noqa: PLC0415 -- see the module
    from app.services.accounts import accounts  # noqa: PLC0415

    if settings.oidc_issuer and not oidc.is_installed():
        _stop(
            "COMPAAN_OIDC_ISSUER is set, but what it needs is not installed: "
            "`.venv/bin/pip install -e '.[oidc]'`."
        )
    if not settings.production:
        return
    database = Database(settings.database_url)
    with _refusals(), database.read() as session:
        found = accounts.of_the_demo(session)
    database.close()
    if found:
        _stop(
            f"There are accounts of the demo: {', '.join(found)}. "
            "COMPAAN_PRODUCTION needs a database of its own, without them."
        )


@contextmanager
def _database() -> "Iterator[Database]":
    """Open the database of the settings, its tables up to date."""
    from app.db import Database  # noqa: PLC0415 -- see the module

    settings = _settings()
    _prepare(settings)
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


def _print_proposal(request: "MatchRequest", solution: "Solution") -> None:
    """Print the pairings with the three strongest reasons of each."""
    from rich.console import Console  # noqa: PLC0415 -- see the module
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
