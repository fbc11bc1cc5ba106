"""The people of the network: who is there, and whom to invite."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Refusal, Stale
from app.http.preconditions import Precondition, etag
from app.http.transactions import AuthenticatedTransaction
from app.permissions import ROLES, Actor, may_manage
from app.services.accounts import accounts
from app.services.cities import directory
from app.services.shared.paging import PageRequest
from app.texts.catalogue import message
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import AccountWrite, Invitation

router = APIRouter(include_in_schema=False)
_PAGE = 50
_FIELDS = ("email", "name", "language", "role", "city", "new_city", "association")
_DONE = {
    "invited": message("The invitation is on its way."),
    "saved": message("It is saved, and holds from now on."),
    "closed": message("The account is closed."),
}
_DUTIES = {
    "auditor": message("Sees everything that organisers see, and changes nothing."),
    "officer": message(
        "Describes one city, answers for it, and invites colleagues for it."
    ),
    "association": message(
        "Sees the cities that name it, registers them, enters them into open rounds, "
        "and invites their officers."
    ),
    "organiser": message(
        "Sets up rounds, decides pairings, imports cities, and invites everybody but "
        "administrators."
    ),
    "administrator": message(
        "Does what organisers do, and decides who is an administrator."
    ),
}
"""What each role may do."""


def _typed(form: Form) -> dict[str, str]:
    """Return what stands in the form, to show it again."""
    return {name: field_text(form, name) for name in (*_FIELDS, "hand_over")}


def _fields(typed: dict[str, str], actor: Actor) -> dict[str, Any]:
    """Return what the form says of an account; an officer invites colleagues alone."""
    role = typed["role"] or "officer"
    own = actor.city if actor.role == "officer" else None
    city = typed["city"] or typed["new_city"] or own
    return {
        "email": typed["email"],
        "name": typed["name"] or None,
        "language": typed["language"] or None,
        "role": role,
        "city": city if role == "officer" else None,
        "association": (typed["association"] or None)
        if role == "association"
        else None,
    }


def _must_be_as_seen(version: int, form: Form) -> None:
    """Refuse to change an account that has changed since the form was shown."""
    seen = field_text(form, "version")
    if not Precondition(etag(int(seen) if seen.isdecimal() else 0)).allows(version):
        raise Stale(
            "Somebody changed this account since the page was shown. Your words are "
            "still below: check them, then send them again."
        )


def _choices(session: Session, actor: Actor) -> dict[str, Any]:
    """Return what the forms offer this visitor: roles, and cities by their names."""
    names = directory.names(session)
    roles = [role for role in ROLES if may_manage(actor, role)]
    supported = accounts.supported_cities(session, actor)
    offered = names if roles else {city: names[city] for city in supported}
    own = actor.role == "officer"
    return {
        "names": names,
        "roles": roles,
        "offered": sorted(offered.items(), key=lambda one: one[1]),
        "role_duties": _DUTIES,
        "may_invite": bool(roles or supported or own),
        "may_hand_over": own,
    }


def _page(
    tx: AuthenticatedTransaction,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str] | None = None,
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    with tx.read() as (session, actor):
        rows, following = accounts.search(session, actor, PageRequest(_PAGE, cursor))
        query = urlencode({"cursor": following})
        return show(
            "people/people.html",
            actor,
            "people",
            refused.status if refused else 200,
            people=[accounts.as_account(row) for row in rows],
            following=f"/people?{query}" if following else None,
            typed=typed or dict.fromkeys((*_FIELDS, "hand_over"), ""),
            refused=refused,
            done=_DONE.get(done),
            **_choices(session, actor),
        )


@router.get("/people")
def show_people(
    tx: PageSession, cursor: str | None = None, done: str = ""
) -> HTMLResponse:
    """Show the accounts that the visitor may see, and the form to invite with."""
    return _page(tx, cursor=cursor, done=done)


@router.post("/people")
def invite(tx: PageSession, once: OnlyOnce, form: Form) -> Response:
    """Invite somebody."""
    typed = _typed(form)

    def work(session: Session, actor: Actor) -> Response:
        fields = _fields(typed, actor)
        new = parse(Invitation, **fields, hand_over=bool(typed["hand_over"]))
        accounts.invite(session, actor, new)
        return redirect("/people?done=invited")

    again = partial(_page, tx, typed=typed)
    return submit(partial(once.answer, tx, work), again)


def _one(
    tx: AuthenticatedTransaction,
    account_id: str,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str] | None = None,
    done: str = "",
) -> HTMLResponse:
    with tx.read() as (session, actor):
        row = accounts.get(session, actor, account_id)
        person = accounts.as_account(row)
        stored = {name: getattr(person, name, None) or "" for name in _FIELDS}
        return show(
            "people/person.html",
            actor,
            "people",
            refused.status if refused else 200,
            person=person,
            version_read=row.version,
            typed=typed or stored,
            may_change=may_manage(actor, person.role),
            may_close=accounts.may_close(session, actor, row),
            refused=refused,
            done=_DONE.get(done),
            **_choices(session, actor),
        )


@router.get("/people/{account_id}")
def show_person(tx: PageSession, account_id: str, done: str = "") -> HTMLResponse:
    """Show one account."""
    return _one(tx, account_id, done=done)


@router.post("/people/{account_id}")
def change(tx: PageSession, once: OnlyOnce, account_id: str, form: Form) -> Response:
    """Change an account: the role, the city, the address."""
    typed = _typed(form)

    def work(session: Session, actor: Actor) -> Response:
        row = accounts.get(session, actor, account_id, lock=True)
        _must_be_as_seen(row.version, form)
        new = parse(AccountWrite, **_fields(typed, actor))
        accounts.change(session, actor, row, new)
        return redirect(f"/people/{account_id}?done=saved")

    again = partial(_one, tx, account_id, typed=typed)
    return submit(partial(once.answer, tx, work), again)


@router.post("/people/{account_id}/invite")
def invite_again(
    tx: PageSession, once: OnlyOnce, account_id: str, _form: Form
) -> Response:
    """Send an invitation once more."""

    def work(session: Session, actor: Actor) -> Response:
        row = accounts.get(session, actor, account_id, lock=True)
        accounts.invite_again(session, actor, row)
        return redirect(f"/people/{account_id}?done=invited")

    return submit(partial(once.answer, tx, work), partial(_one, tx, account_id))


@router.post("/people/{account_id}/close")
def close(tx: PageSession, account_id: str, form: Form) -> Response:
    """Close an account."""

    def work() -> Response:
        with tx.write() as (session, actor):
            row = accounts.get(session, actor, account_id, lock=True)
            _must_be_as_seen(row.version, form)
            accounts.close(session, actor, row)
        return redirect("/people?done=closed")

    return submit(work, partial(_one, tx, account_id))
