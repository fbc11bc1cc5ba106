"""The outbox of a round: who would be told what, who was, and what did not arrive."""

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Conflict, Refusal
from app.http.deps import SettingsDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.background import send_mail
from app.services.cities import directory
from app.services.mail import outbox
from app.services.rounds import rounds
from app.services.shared.paging import PageRequest
from app.services.shared.rows import MessageRow
from app.settings import Settings
from app.texts.catalogue import LANGUAGES, message
from app.web.forms import field_text, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import MessageKind, MessageRole, MessageState

T = TypeVar("T", bound=str)

router = APIRouter(include_in_schema=False)
STATES: tuple[MessageState, ...] = get_args(MessageState)
_KINDS: tuple[MessageKind, ...] = get_args(MessageKind)
_ROLES: tuple[MessageRole, ...] = get_args(MessageRole)
_PAGE = 25
_DONE = {
    "test": message("A test is on its way to you."),
    "again": message("The message is on its way again."),
    "all": message("Those that failed are on their way again."),
}


@dataclass(frozen=True)
class Choice:
    """Which messages the page shows; empty: whatever they are."""

    state: str = ""
    kind: str = ""
    role: str = ""
    language: str = ""

    def path(self, round_id: str, **more: str) -> str:
        """Return the address of the page with this choice."""
        query = {name: value for name, value in vars(self).items() if value} | more
        return f"/rounds/{round_id}/outbox" + (f"?{urlencode(query)}" if query else "")

    @property
    def wanted(self) -> outbox.Wanted:
        """What that is to the service; what we do not know is not looked for."""
        return outbox.Wanted(
            kind=_known(self.kind, _KINDS),
            role=_known(self.role, _ROLES),
            language=_known(self.language, LANGUAGES),
        )


def _known(value: str, values: tuple[T, ...]) -> T | None:
    return next((one for one in values if one == value), None)


def _chosen(form: Form) -> Choice:
    """Return the choice that the page of a form had."""
    return Choice(
        **{name: field_text(form, name) for name in Choice.__dataclass_fields__}
    )


@router.get("/rounds/{round_id}/outbox")
def show_outbox(  # noqa: PLR0913 -- FastAPI reads them
    tx: PageSession,
    settings: SettingsDep,
    round_id: str,
    state: str = "",
    kind: str = "",
    role: str = "",
    language: str = "",
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    """Show the messages of a round."""
    chosen = Choice(state, kind, role, language)
    return _page(tx, settings, round_id, chosen=chosen, cursor=cursor, done=done)


def _page(  # noqa: PLR0913 -- what the page shows
    tx: AuthenticatedTransaction,
    settings: Settings,
    round_id: str,
    refused: Refusal | None = None,
    *,
    chosen: Choice,
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    state = _known(chosen.state, STATES)
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        cut = PageRequest(_PAGE, cursor)
        rows, following = outbox.search(
            session, actor, round_id, cut, state, chosen.wanted
        )
        summary = outbox.summary(session, actor, round_id)
        values: dict[str, Any] = {
            "round": rounds.as_round(row),
            "summary": summary,
            "failed": sum(one.count for one in summary.counts if one.state == "failed"),
            "messages": [outbox.as_message(one, settings.public_url) for one in rows],
            "following": chosen.path(round_id, cursor=following) if following else None,
            "names": directory.names(session),
            "states": STATES,
            "kinds": _KINDS,
            "roles": _ROLES,
            "languages": LANGUAGES,
            "chosen": chosen,
            "refused": refused,
            "done": _DONE.get(done),
        }
        status = refused.status if refused else 200
        return show("rounds/outbox.html", actor, "rounds", status, **values)


def _round_of(tx: AuthenticatedTransaction, message_id: str) -> str:
    with tx.read() as (session, actor):
        return outbox.round_of(outbox.get(session, actor, message_id))


@router.post("/rounds/{round_id}/outbox/send-again")
def send_failed_again(
    tx: PageSession, once: OnlyOnce, settings: SettingsDep, round_id: str, form: Form
) -> Response:
    """Send every message again that failed; what is too late by now is left."""

    def work(session: Session, actor: Actor) -> Response:
        rounds.get(session, actor, round_id)
        rounds.must_organise(actor)
        rows = outbox.failed(session, actor, round_id)
        if not sum(_sent_again(session, actor, row) for row in rows):
            raise Conflict("No message that failed can be sent again.")
        return redirect(_chosen(form).path(round_id, done="all"))

    again = partial(_page, tx, settings, round_id, chosen=_chosen(form))
    return submit(partial(once.answer, tx, work), again)


def _sent_again(session: Session, actor: Actor, row: MessageRow) -> bool:
    try:
        send_mail.send_again(session, actor, row)
    except Conflict:
        return False
    return True


@router.post("/messages/{message_id}/test")
def send_test(
    tx: PageSession, once: OnlyOnce, settings: SettingsDep, message_id: str, form: Form
) -> Response:
    """Send a copy of a message to the visitor alone."""

    def work(session: Session, actor: Actor) -> Response:
        row = outbox.get(session, actor, message_id)
        outbox.send_test(session, actor, row)
        return redirect(_chosen(form).path(outbox.round_of(row), done="test"))

    where = _round_of(tx, message_id)
    again = partial(_page, tx, settings, where, chosen=_chosen(form))
    return submit(partial(once.answer, tx, work), again)


@router.post("/messages/{message_id}/send-again")
def send_again(
    tx: PageSession, once: OnlyOnce, settings: SettingsDep, message_id: str, form: Form
) -> Response:
    """Send a message again that failed, may be lost, or had nobody to go to."""

    def work(session: Session, actor: Actor) -> Response:
        row = outbox.get(session, actor, message_id, lock=True)
        send_mail.send_again(session, actor, row)
        return redirect(_chosen(form).path(outbox.round_of(row), done="again"))

    where = _round_of(tx, message_id)
    again = partial(_page, tx, settings, where, chosen=_chosen(form))
    return submit(partial(once.answer, tx, work), again)
