"""Webhooks: whom other programs are told by, and what became of each telling."""

from collections.abc import Mapping
from functools import partial
from typing import get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import InvalidInput, Refusal, Stale
from app.http.deps import SettingsDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.shared.paging import PageRequest
from app.services.webhooks import subscriptions
from app.texts.catalogue import here, message
from app.texts.events import EVENTS
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import DeliveryState, EventType, WebhookWrite

router = APIRouter(include_in_schema=False)
STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)
TYPES = tuple(one for one in get_args(EventType) if one != "webhook.ping")
_BLANK = {"url": "", "description": "", "events": ()}
_PAGE = 50
_DONE = {
    "ping": message("A ping is on its way: load this page again in a moment."),
    "replay": message("The delivery is on its way again."),
    "changed": message("It is changed."),
}


@router.get("/webhooks")
def show_webhooks(tx: PageSession) -> HTMLResponse:
    """Show all webhooks, and the form for a new one."""
    return _list(tx)


def _list(
    tx: AuthenticatedTransaction,
    refused: Refusal | None = None,
    *,
    typed: Mapping[str, object] | None = None,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        return show(
            "developers/webhooks.html",
            actor,
            "developers",
            refused.status if refused else 200,
            webhooks=[
                subscriptions.as_webhook(row)
                for row in subscriptions.every(session, actor)
            ],
            most=subscriptions.MOST,
            types=TYPES,
            event_words=_event_words(),
            refused=refused,
            typed=typed or _BLANK,
        )


@router.post("/webhooks")
def add_webhook(tx: PageSession, settings: SettingsDep, form: Form) -> Response:
    """Store a new webhook, and show its secret this once.

    No `once`, and no redirect: either would keep the secret.
    """
    typed = _typed(form)
    allow_private = settings.allow_private_webhooks

    def work() -> Response:
        new = _read(typed)
        with tx.write() as (session, actor):
            row = subscriptions.add(session, actor, new, allow_private=allow_private)
        return _one(tx, row.id, secret=row.secret)

    return submit(work, partial(_list, tx, typed=typed))


def _event_words() -> dict[str, str]:
    return {code: here().say(text) for code, text in EVENTS.items()}


def _typed(form: Form) -> dict[str, object]:
    """Return what stands in the form, to show it again."""
    return {
        "url": field_text(form, "url"),
        "description": field_text(form, "description"),
        "events": form.getlist("events"),
    }


def _read(typed: Mapping[str, object], *, active: bool = True) -> WebhookWrite:
    """Return the webhook that the form asks for, or raise `InvalidInput`."""
    described = {"description": typed["description"] or None, "active": active}
    return parse(WebhookWrite, **{**typed, **described})


@router.get("/webhooks/{webhook_id}")
def show_webhook(
    tx: PageSession,
    webhook_id: str,
    state: str = "",
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    """Show a webhook with its deliveries."""
    return _one(tx, webhook_id, state=state, cursor=cursor, done=done)


def _one(  # noqa: PLR0913 -- what the page shows
    tx: AuthenticatedTransaction,
    webhook_id: str,
    refused: Refusal | None = None,
    *,
    state: str = "",
    cursor: str | None = None,
    done: str = "",
    secret: str | None = None,
    typed: Mapping[str, object] | None = None,
) -> HTMLResponse:
    wanted = next((one for one in STATES if one == state), None)
    with tx.read() as (session, actor):
        row = subscriptions.get(session, actor, webhook_id)
        cut = PageRequest(_PAGE, cursor)
        rows, following = subscriptions.deliveries(session, row, cut, wanted)
        query = urlencode({"state": state, "cursor": following})
        return show(
            "developers/webhook.html",
            actor,
            "developers",
            refused.status if refused else 200,
            webhook=subscriptions.as_webhook(row),
            typed=typed or subscriptions.as_webhook(row),
            changing=typed is not None,
            types=TYPES,
            event_words=_event_words(),
            written=row.version,
            deliveries=[subscriptions.as_sent(one) for one in rows],
            following=f"/webhooks/{webhook_id}?{query}" if following else None,
            states=STATES,
            wanted=wanted,
            refused=refused,
            done=_DONE.get(done),
            secret=secret,
        )


def _see(webhook_id: str, done: str) -> Response:
    return redirect(f"/webhooks/{webhook_id}?done={done}")


@router.post("/webhooks/{webhook_id}")
def change(
    tx: PageSession, settings: SettingsDep, once: OnlyOnce, webhook_id: str, form: Form
) -> Response:
    """Change where a webhook is told, what it is, and of what it is told."""
    typed = _typed(form)
    allow_private = settings.allow_private_webhooks

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        _must_be_as_seen(row.version, form)
        new = _read(typed, active=row.state == "active")
        subscriptions.change(session, actor, row, new, allow_private=allow_private)
        return _see(webhook_id, "changed")

    again = partial(_one, tx, webhook_id, typed=typed)
    return submit(partial(once.answer, tx, work), again)


def _must_be_as_seen(version: int, form: Form) -> None:
    """Refuse what comes from a page that is out of date."""
    if field_text(form, "version") != str(version):
        raise Stale("Somebody changed it since you opened the page.")


@router.post("/webhooks/{webhook_id}/active")
def switch(
    tx: PageSession, once: OnlyOnce, settings: SettingsDep, webhook_id: str, form: Form
) -> Response:
    """Switch a webhook on or off."""
    allow_private = settings.allow_private_webhooks

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        new = subscriptions.patched(row, {"active": field_text(form, "active") == "on"})
        subscriptions.change(session, actor, row, new, allow_private=allow_private)
        return _see(webhook_id, "changed")

    return submit(partial(once.answer, tx, work), partial(_one, tx, webhook_id))


@router.post("/webhooks/{webhook_id}/ping")
def ping(tx: PageSession, once: OnlyOnce, webhook_id: str) -> Response:
    """Send an event that means nothing."""

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        subscriptions.ping(session, actor, row)
        return _see(webhook_id, "ping")

    return submit(partial(once.answer, tx, work), partial(_one, tx, webhook_id))


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")
def replay(
    tx: PageSession, once: OnlyOnce, webhook_id: str, delivery_id: str
) -> Response:
    """Send a delivery once more."""

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        found = subscriptions.delivery(session, row, delivery_id)
        subscriptions.replay(session, actor, row, found)
        return _see(webhook_id, "replay")

    return submit(partial(once.answer, tx, work), partial(_one, tx, webhook_id))


@router.post("/webhooks/{webhook_id}/secret")
def change_secret(tx: PageSession, webhook_id: str, form: Form) -> Response:
    """Make a new secret, and show it this once.

    The second of two clicks would take the old secret away that still signs: it is
    refused, because it comes from a page that is out of date.
    """

    def work() -> Response:
        with tx.write() as (session, actor):
            row = subscriptions.get(session, actor, webhook_id, lock=True)
            _must_be_as_seen(row.version, form)
            subscriptions.rotate(session, actor, row)
        return _one(tx, webhook_id, secret=row.secret)

    return submit(work, partial(_one, tx, webhook_id))


@router.post("/webhooks/{webhook_id}/delete")
def delete(tx: PageSession, once: OnlyOnce, webhook_id: str, form: Form) -> Response:
    """Delete a webhook with its deliveries."""

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        if not field_text(form, "sure"):
            raise InvalidInput("Tick the box if the webhook is to be deleted.")
        subscriptions.delete(session, actor, row)
        return redirect("/webhooks")

    return submit(partial(once.answer, tx, work), partial(_one, tx, webhook_id))
