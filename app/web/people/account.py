"""The visitor's own account: name, language, password, browsers, and its end."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.http.deps import CallerAddress, ThrottleDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.accounts import accounts, sign_in, tokens
from app.services.cities import directory
from app.texts.catalogue import message
from app.web import language
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, PageSession, delete_cookie, secret
from schemas import OwnAccountWrite, PasswordWrite

router = APIRouter(include_in_schema=False)
_DONE = {
    "welcome": message(
        "Welcome. You are signed in. Say how we may call you, and set a password if "
        "you like; a link by e-mail is always enough."
    ),
    "saved": message("It is saved."),
    "password": message(
        "Your password is changed. Your other browsers are signed out."
    ),
    "out": message("That browser is signed out."),
    "others": message("All other browsers are signed out."),
}


def _page(
    tx: AuthenticatedTransaction,
    refused: Refusal | None = None,
    *,
    done: str = "",
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    """Show the account."""
    with tx.read() as (session, actor):
        row = accounts.own(session, actor)
        browsers = sign_in.of_account(session, actor)
        return show(
            "people/account.html",
            actor,
            "account",
            refused.status if refused else 200,
            account=accounts.as_account(row),
            place=_place(session, actor),
            must_know=not sign_in.has_just_read_mail(session, actor),
            browsers=[sign_in.as_signed_in(one, actor) for one in browsers],
            tokens=len(tokens.of_account(session, row.id)),
            typed=typed or {"name": row.name or "", "language": row.language or ""},
            refused=refused,
            done=_DONE.get(done),
        )


def _place(session: Session, actor: Actor) -> str | None:
    """Return for whom the visitor acts, as people call it."""
    if actor.city is None:
        return actor.association
    return directory.names(session).get(actor.city, actor.city)


@router.get("/account")
def show_account(tx: PageSession, done: str = "") -> HTMLResponse:
    """Show the visitor's own account."""
    return _page(tx, done=done)


@router.post("/account")
def save(tx: PageSession, form: Form) -> Response:
    """Change name and language; pages speak that one from now on."""
    typed = {name: field_text(form, name) for name in ("name", "language")}

    def work() -> Response:
        new = parse(OwnAccountWrite, **{name: typed[name] or None for name in typed})
        with tx.write() as (session, actor):
            accounts.change_own(session, actor, accounts.own(session, actor), new)
        answer = redirect("/account?done=saved")
        if new.language is not None:
            language.keep(answer, new.language)
        return answer

    return submit(work, lambda refused: _page(tx, refused, typed=typed))


@router.post("/account/password")
def change_password(
    tx: PageSession, throttle: ThrottleDep, caller: CallerAddress, form: Form
) -> Response:
    """Change the password, or remove it if the new one is left empty."""

    def work() -> Response:
        new = parse(
            PasswordWrite,
            current=secret(form, "current") or None,
            new=secret(form, "new") or None,
        )
        sign_in.change_password(tx.write, throttle, caller, new)
        return redirect("/account?done=password")

    return submit(work, lambda refused: _page(tx, refused))


@router.post("/account/sign-ins/sign-out")
def sign_others_out(tx: PageSession, _form: Form) -> Response:
    """Sign all other browsers out."""
    with tx.write() as (session, actor):
        sign_in.revoke_others(session, actor)
    return redirect("/account?done=others")


@router.post("/account/sign-ins/{login_id}/sign-out")
def sign_one_out(tx: PageSession, login_id: str, _form: Form) -> Response:
    """Sign one browser out."""
    with tx.write() as (session, actor):
        sign_in.revoke(session, actor, login_id)
    return redirect("/account?done=out")


@router.get("/account/close")
def ask_to_close(tx: PageSession) -> HTMLResponse:
    """Ask whether the account is to be closed."""
    return _closing(tx)


def _closing(
    tx: AuthenticatedTransaction, refused: Refusal | None = None
) -> HTMLResponse:
    with tx.read() as (session, actor):
        row = accounts.own(session, actor)
        status = refused.status if refused else 200
        return show(
            "people/account_close.html",
            actor,
            "account",
            status,
            account=accounts.as_account(row),
            refused=refused,
        )


@router.post("/account/close")
def close(tx: PageSession, _form: Form) -> Response:
    """Close the visitor's own account."""

    def work() -> Response:
        with tx.write() as (session, actor):
            accounts.close(session, actor, accounts.own(session, actor, lock=True))
        answer = redirect("/")
        delete_cookie(answer)
        return answer

    return submit(work, lambda refused: _closing(tx, refused))
