"""Routes of webhooks: whom other programs are told by, and what became of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from sqlalchemy.orm import Session

from app.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    KeyReused,
    NoPrecondition,
    NotFound,
    NotJson,
    Stale,
    TooLarge,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import (
    ApiSession,
    IfMatch,
    OnlyOnce,
    RequestedPage,
    SettingsDep,
    json_response,
    next_page,
    require_json,
)
from app.http.openapi import ETAG, PLACED, merge_patch_of
from app.http.problems import answers, refusals
from app.permissions import Actor
from app.services.shared.rows import WebhookRow
from app.services.webhooks import subscriptions
from schemas import (
    Deliveries,
    Delivery,
    DeliveryState,
    NewWebhook,
    SentDelivery,
    Webhook,
    Webhooks,
    WebhookWrite,
)

router = APIRouter(route_class=Route, tags=["webhooks"])
_BODY = (NotJson, TooLarge, WrongType, InvalidInput)
_SENT = (InvalidInput, Forbidden, NotFound, Conflict, KeyReused)
_Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_MERGE = Body(media_type="application/merge-patch+json")
_NEW = {
    "url": "https://hooks.example.org/compaan",
    "description": "Website of the network",
    "events": ["round.phase_changed", "pairing.confirmed"],
}


def _response(row: WebhookRow) -> Response:
    return json_response(subscriptions.as_webhook(row), version=row.version)


def _response_with_secret(row: WebhookRow, status: int = 200) -> Response:
    """Return the webhook with its secret."""
    place = f"/api/v1/webhooks/{row.id}" if status == 201 else None  # noqa: PLR2004
    answer = json_response(
        subscriptions.with_secret(row), status, version=row.version, location=place
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/webhooks", responses=refusals(InvalidInput, NotFound))
def list_webhooks(tx: ApiSession) -> Webhooks:
    """List the webhooks, the oldest first."""
    with tx.read() as (session, actor):
        rows = subscriptions.every(session, actor)
        return Webhooks(items=tuple(map(subscriptions.as_webhook, rows)))


@router.post(
    "/webhooks",
    status_code=201,
    response_model=NewWebhook,
    dependencies=[Depends(require_json)],
    responses=answers({201: {"headers": ETAG | PLACED}}, *_BODY, Forbidden, Conflict),
)
def add_webhook(
    tx: ApiSession,
    settings: SettingsDep,
    new: Annotated[WebhookWrite, Body(examples=[_NEW]), CHECKED],
) -> Response:
    """Have an address told of what happens; its secret is shown this once.

    Every event is a `POST` of an `Event`, signed by the convention of Standard Webhooks
    (https://www.standardwebhooks.com). An answer 2xx within ten seconds takes it; it is
    sent again for three days otherwise, so it may come twice: `webhook-id` tells. The
    order is not promised. 410 switches the webhook off.

    No `Idempotency-Key`: that would keep the secret.
    """
    allow_private = settings.allow_private_webhooks
    with tx.write() as (session, actor):
        row = subscriptions.add(session, actor, new, allow_private=allow_private)
        return _response_with_secret(row, 201)


@router.get(
    "/webhooks/{webhook_id}",
    response_model=Webhook,
    responses=answers({200: {"headers": ETAG}}, InvalidInput, NotFound),
)
def read_webhook(tx: ApiSession, webhook_id: _Id) -> Response:
    """Read a webhook."""
    with tx.read() as (session, actor):
        return _response(subscriptions.get(session, actor, webhook_id))


@router.patch(
    "/webhooks/{webhook_id}",
    response_model=Webhook,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}}, *_BODY, Forbidden, NotFound, Stale, NoPrecondition
    ),
    openapi_extra=merge_patch_of(WebhookWrite, {"active": False}),
)
def patch_webhook(
    tx: ApiSession,
    settings: SettingsDep,
    webhook_id: _Id,
    patch: Annotated[dict[str, Any], _MERGE, CHECKED],
    if_match: IfMatch,
) -> Response:
    """Change a webhook (JSON merge patch, RFC 7396), or switch it on or off."""
    allow_private = settings.allow_private_webhooks
    with tx.write() as (session, actor):
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        new = subscriptions.patched(row, patch)
        if_match.check(
            row.version, subscriptions.as_written(row).to_dict(), new.to_dict()
        )
        subscriptions.change(session, actor, row, new, allow_private=allow_private)
        return _response(row)


@router.delete(
    "/webhooks/{webhook_id}",
    status_code=204,
    responses=refusals(InvalidInput, Forbidden, NotFound, Stale, NoPrecondition),
)
def delete_webhook(tx: ApiSession, webhook_id: _Id, if_match: IfMatch) -> None:
    """Delete a webhook with its deliveries."""
    with tx.write() as (session, actor):
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        if_match.check(row.version, subscriptions.as_written(row).to_dict())
        subscriptions.delete(session, actor, row)


@router.post(
    "/webhooks/{webhook_id}/secret",
    response_model=NewWebhook,
    responses=answers({200: {"headers": ETAG}}, InvalidInput, Forbidden, NotFound),
)
def change_secret(tx: ApiSession, webhook_id: _Id) -> Response:
    """Make a new secret, shown this once; the one before signs as well for 24 hours.

    No `Idempotency-Key`: that would keep the secret.
    """
    with tx.write() as (session, actor):
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        subscriptions.rotate(session, actor, row)
        return _response_with_secret(row)


@router.post(
    "/webhooks/{webhook_id}/ping",
    status_code=202,
    response_model=Delivery,
    responses=answers({202: {}}, *_SENT),
)
def ping(tx: ApiSession, once: OnlyOnce, webhook_id: _Id) -> Response:
    """Send an event `webhook.ping`, whatever the webhook wants."""

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        return json_response(
            subscriptions.as_delivery(subscriptions.ping(session, actor, row)), 202
        )

    return once.answer(tx, work)


@router.get(
    "/webhooks/{webhook_id}/deliveries", responses=refusals(InvalidInput, NotFound)
)
def list_deliveries(
    tx: ApiSession,
    webhook_id: _Id,
    page: RequestedPage,
    request: Request,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> Deliveries:
    """List the deliveries of a webhook, the newest first; they are kept for 30 days."""
    with tx.read() as (session, actor):
        row = subscriptions.get(session, actor, webhook_id)
        rows, cursor = subscriptions.deliveries(session, row, page, state)
        return Deliveries(
            items=tuple(map(subscriptions.as_delivery, rows)),
            next=next_page(request, cursor),
        )


@router.get(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}",
    responses=refusals(InvalidInput, NotFound),
)
def read_delivery(tx: ApiSession, webhook_id: _Id, delivery_id: _Id) -> SentDelivery:
    """Read a delivery, with the text that is signed and sent."""
    with tx.read() as (session, actor):
        row = subscriptions.get(session, actor, webhook_id)
        return subscriptions.as_sent(subscriptions.delivery(session, row, delivery_id))


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=Delivery,
    responses=answers({202: {}}, *_SENT),
)
def replay(
    tx: ApiSession, once: OnlyOnce, webhook_id: _Id, delivery_id: _Id
) -> Response:
    """Send a delivery once more, with the same `webhook-id`."""

    def work(session: Session, actor: Actor) -> Response:
        row = subscriptions.get(session, actor, webhook_id, lock=True)
        found = subscriptions.delivery(session, row, delivery_id)
        subscriptions.replay(session, actor, row, found)
        return json_response(subscriptions.as_delivery(found), 202)

    return once.answer(tx, work)
