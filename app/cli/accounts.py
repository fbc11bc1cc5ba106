"""Commands about accounts and their tokens."""

from typing import Annotated

import typer

from app.cli.common import open_database, refusals

user = typer.Typer(no_args_is_help=True, help="Accounts.")
token = typer.Typer(no_args_is_help=True, help="Tokens of accounts.")


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
    from app.services.accounts import accounts  # noqa: PLC0415 -- see the package

    with refusals(), open_database() as database, database.write() as session:
        account = accounts.add_user(session, email, role, city, association)
        typer.echo(f"{account.email} is {account.role}.", err=True)


@user.command("list")
def list_users() -> None:
    """List the accounts."""
    from app.services.accounts import accounts  # noqa: PLC0415 -- see the package

    with open_database() as database, database.read() as session:
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
    from app.services.accounts import accounts, tokens  # noqa: PLC0415 -- see the package

    with refusals(), open_database() as database, database.write() as session:
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
    from app.services.accounts import accounts, tokens  # noqa: PLC0415 -- see the package

    with refusals(), open_database() as database, database.write() as session:
        account = accounts.find_user(session, owner)
        count = tokens.revoke_all(session, account, name)
    typer.echo(f"{count} revoked.", err=True)
