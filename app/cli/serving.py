"""Commands that serve pages and API, and that compute for the servers."""

import gc
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.common import Port, load_settings, prepare, refusals, stop

if TYPE_CHECKING:
    from app.settings import Settings

serving = typer.Typer()


@serving.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Which address to use.")] = None,
    port: Port = None,
) -> None:
    """Serve pages and API; settings come from COMPAAN_ variables."""
    gc.disable()  # while everything is imported there is none
    options = {"host": host, "port": port}
    settings = load_settings(**{k: v for k, v in options.items() if v is not None})
    prepare(settings)
    _check_settings(settings)
    from app import server  # noqa: PLC0415 -- takes seconds: what is wrong is told first

    try:
        listener = server.listen(settings)
    except server.PortTaken as error:
        stop(str(error), 1)
    host_name, port_number = listener.getsockname()[:2]
    typer.echo(f"Serving on http://{host_name}:{port_number} (Ctrl-C stops it)")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve(settings, listener)


@serving.command()
def worker(
    *,
    at_once: Annotated[
        int, typer.Option(help="Most runs at the same time.", min=1)
    ] = 1,
) -> None:
    """Compute runs for the servers on the same database, and serve nothing."""
    gc.disable()  # while everything is imported there is none
    settings = load_settings(runs_at_once=at_once)
    prepare(settings)
    _check_settings(settings)
    from app.services.background import process  # noqa: PLC0415 -- see the package

    def ready(database: str, name: str) -> None:
        typer.echo(f"Working on {database} as {name} (Ctrl-C stops it)")
        sys.stdout.flush()

    process.work(settings, ready)


def _check_settings(settings: "Settings") -> None:
    """Stop if the settings ask for what is not there, or is not for production."""
    from app.db import Database  # noqa: PLC0415
    from app.outside import oidc  # noqa: PLC0415 -- see the package
    from app.services.accounts import accounts  # noqa: PLC0415

    if settings.oidc_issuer and not oidc.is_installed():
        stop(
            "COMPAAN_OIDC_ISSUER is set, but what it needs is not installed: "
            "`.venv/bin/pip install -e '.[oidc]'`."
        )
    if not settings.production:
        return
    database = Database(settings.database_url)
    with refusals(), database.read() as session:
        found = accounts.of_the_demo(session)
    database.close()
    if found:
        stop(
            f"There are accounts of the demo: {', '.join(found)}. "
            "COMPAAN_PRODUCTION needs a database of its own, without them."
        )
