"""The outbox of a round: who would be told what, who was, and what did not arrive."""

from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.deps import Desk, TheSettings
from app.errors import Refusal
from app.permissions import Actor
from app.services import cities, delivery, outbox, rounds
from app.services.paging import Cut
from app.settings import Settings
from app.web.forms import said, see, tried
from app.web.showing import show
from app.web.visitors import Form, OnlyOnce, Visitor
from schemas import MessageState

router = APIRouter(include_in_schema=False)
STATES: tuple[MessageState, ...] = get_args(MessageState)
_PAGE = 50
_DONE = {
    "test": "A test is on its way to you.",
    "again": "The message is on its way again.",
}


@router.get("/rounds/{round_id}/outbox")
def show_outbox(  # noqa: PLR0913 -- FastAPI reads them
    desk: Visitor,
    settings: TheSettings,
    round_id: str,
    state: str = "",
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    """Show the messages of a round."""
    return _page(desk, settings, round_id, state=state, cursor=cursor, done=done)


def _page(  # noqa: PLR0913 -- what the page shows
    desk: Desk,
    settings: Settings,
    round_id: str,
    refused: Refusal | None = None,
    *,
    state: str = "",
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    wanted = next((one for one in STATES if one == state), None)
    with desk.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        cut = Cut.at(_PAGE, cursor)
        rows, following = outbox.search(session, actor, round_id, cut, wanted)
        query: dict[str, Any] = {"state": state, "cursor": following}
        return show(
            "outbox.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            summary=outbox.summary(session, actor, round_id),
            messages=[outbox.as_message(one, settings.public_url) for one in rows],
            following=(
                f"/rounds/{round_id}/outbox?{urlencode(query)}" if following else None
            ),
            names=cities.names(session),
            states=STATES,
            wanted=wanted,
            refused=refused,
            done=_DONE.get(done),
        )


def _round_of(desk: Desk, message_id: str) -> str:
    with desk.read() as (session, actor):
        return outbox.round_of(outbox.get(session, actor, message_id))


def _outbox(round_id: str, form: Form, done: str) -> Response:
    query = urlencode({"state": said(form, "state"), "done": done})
    return see(f"/rounds/{round_id}/outbox?{query}")


@router.post("/messages/{message_id}/test")
def send_test(
    desk: Visitor, once: OnlyOnce, settings: TheSettings, message_id: str, form: Form
) -> Response:
    """Send a copy of a message to the visitor alone."""

    def work(session: Session, actor: Actor) -> Response:
        row = outbox.get(session, actor, message_id)
        outbox.send_test(session, actor, row)
        return _outbox(outbox.round_of(row), form, "test")

    again = partial(_page, desk, settings, _round_of(desk, message_id))
    return tried(partial(once.answer, desk, work), again)


@router.post("/messages/{message_id}/send-again")
def send_again(
    desk: Visitor, once: OnlyOnce, settings: TheSettings, message_id: str, form: Form
) -> Response:
    """Send a message again that failed, may be lost, or had nobody to go to."""

    def work(session: Session, actor: Actor) -> Response:
        row = outbox.get(session, actor, message_id, lock=True)
        delivery.send_again(session, actor, row)
        return _outbox(outbox.round_of(row), form, "again")

    again = partial(_page, desk, settings, _round_of(desk, message_id))
    return tried(partial(once.answer, desk, work), again)
