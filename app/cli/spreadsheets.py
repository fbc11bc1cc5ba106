"""Commands that take cities from a file, and write them to one."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.common import open_database, stop

if TYPE_CHECKING:
    from app.db import tables

spreadsheets = typer.Typer()


@spreadsheets.command("import")
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
    from app.errors import Refusal  # noqa: PLC0415 -- see the package
    from app.permissions import TERMINAL  # noqa: PLC0415
    from app.services.spreadsheets import imports  # noqa: PLC0415

    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        stop(f"{file}: {error.strerror}")
    try:
        with (
            open_database() as database,
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
        stop("\n".join([str(error), *lines]))
    counts = report.counts
    typer.echo(
        f"{'Would be: ' if dry_run else ''}{counts.new} new, {counts.changed} changed, "
        f"{counts.same} as they were, {counts.wrong} wrong."
    )
    for column in report.ignored_columns:
        typer.echo(f"Not read: the column {column}.", err=True)
    for cell in report.errors:
        typer.echo(f"Row {cell.row}, {cell.column}: {cell.message}", err=True)
    if wrong is not None and report.wrong_rows is not None:
        try:
            wrong.write_text(report.wrong_rows, "utf-8-sig", newline="")
        except OSError as error:
            stop(f"{wrong}: {error.strerror}")
        typer.echo(f"The wrong rows are in {wrong}.", err=True)
    if report.errors:
        raise typer.Exit(3)


@spreadsheets.command()
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
    from app.services.cities import directory, profiles  # noqa: PLC0415 -- see the package
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
        stop(f"There is no format {kind!r}: {', '.join(writers)}.")
    if template:
        content = (
            exports.template_workbook() if kind == "xlsx" else exports.template(mark)
        )
    else:
        with open_database() as database, database.read() as session:
            content = writers[kind](directory.every(session))
    if output is None:
        sys.stdout.buffer.write(_encoded(content, "utf-8"))
        return
    try:
        # Without a byte order mark Excel takes UTF-8 for Windows-1252.
        output.write_bytes(_encoded(content, "utf-8-sig" if kind == "csv" else "utf-8"))
    except OSError as error:
        stop(f"{output}: {error.strerror}")


def _pretty(value: object) -> str:
    import json  # noqa: PLC0415 -- see the package

    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _encoded(content: str | bytes, encoding: str) -> bytes:
    return content.encode(encoding) if isinstance(content, str) else content
