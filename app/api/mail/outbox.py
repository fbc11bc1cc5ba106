"""Routes of the outbox: what would be sent, waits, was sent, or could not be."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from app.api.rounds.rounds import RoundId
from app.errors import Conflict, Forbidden, InvalidInput, KeyReused, NotFound
from app.http.body import Route
from app.http.deps import (
    ApiSession,
    OnlyOnce,
    RequestedPage,
    SettingsDep,
    json_response,
    next_page,
)
from app.http.problems import answers as documented
from app.http.problems import refusals
from app.permissions import Actor
from app.services.background import send_mail
from app.services.mail import letters, outbox
from app.services.rounds import rounds
from schemas import Message, Messages, MessageState, Outbox

MessageId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_SENT = (InvalidInput, Forbidden, NotFound, Conflict, KeyReused)

router = APIRouter(route_class=Route, tags=["outbox"])


@router.get("/rounds/{round_id}/outbox", responses=refusals(NotFound))
def read_outbox(tx: ApiSession, round_id: RoundId) -> Outbox:
    """Count the messages of a round by kind, role, language and state."""
    with tx.read() as (session, actor):
        rounds.get(session, actor, round_id)
        return outbox.summary(session, actor, round_id)


@router.get("/rounds/{round_id}/messages", responses=refusals(InvalidInput, NotFound))
def list_messages(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    settings: SettingsDep,
    round_id: RoundId,
    page: RequestedPage,
    request: Request,
    state: Annotated[MessageState | None, Query()] = None,
) -> Messages:
    """List the messages of a round, the oldest first, as they are or will be sent."""
    with tx.read() as (session, actor):
        rounds.get(session, actor, round_id)
        rows, cursor = outbox.search(session, actor, round_id, page, state)
        return Messages(
            items=tuple(outbox.as_message(row, settings.public_url) for row in rows),
            next=next_page(request, cursor),
        )


@router.get("/messages/{message_id}", responses=refusals(NotFound))
def read_message(
    tx: ApiSession, settings: SettingsDep, message_id: MessageId
) -> Message:
    """Read a message as it is or will be sent."""
    with tx.read() as (session, actor):
        row = outbox.get(session, actor, message_id)
        return outbox.as_message(row, settings.public_url)


@router.post(
    "/messages/{message_id}/test",
    status_code=202,
    response_model=Message,
    responses=documented({202: {}}, *_SENT),
)
def test_message(
    tx: ApiSession, once: OnlyOnce, settings: SettingsDep, message_id: MessageId
) -> Response:
    """Send a copy of the message to the caller alone, also before the release."""

    def work(session: Session, actor: Actor) -> Response:
        row = outbox.get(session, actor, message_id)
        copy = outbox.send_test(session, actor, row)
        return json_response(outbox.as_message(copy, settings.public_url), 202)

    return once.answer(tx, work)


@router.post(
    "/messages/{message_id}/send-again",
    status_code=202,
    response_model=Message,
    responses=documented({202: {}}, *_SENT),
)
def send_message_again(
    tx: ApiSession, once: OnlyOnce, settings: SettingsDep, message_id: MessageId
) -> Response:
    """Send a message again: it failed, may be lost, or had nobody to go to."""

    def work(session: Session, actor: Actor) -> Response:
        row = outbox.get(session, actor, message_id, lock=True)
        send_mail.send_again(session, actor, row)
        return json_response(outbox.as_message(row, settings.public_url), 202)

    return once.answer(tx, work)


@router.post(
    "/rounds/{round_id}/reminders",
    response_model=Outbox,
    responses=documented({200: {}}, InvalidInput, Forbidden, NotFound, KeyReused),
)
def remind_cities(tx: ApiSession, once: OnlyOnce, round_id: RoundId) -> Response:
    """Remind every city that has not answered, but none twice within a day."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        letters.remind(session, actor, row)
        return json_response(outbox.summary(session, actor, round_id))

    return once.answer(tx, work)
