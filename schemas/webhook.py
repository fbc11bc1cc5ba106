"""Webhooks: addresses that are told of what happens (Standard Webhooks 1.0)."""

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from schemas._wire import Boolean, Line, NullIsOmitted, Wire
from schemas.bounds import LONG_LIST
from schemas.city import Unique
from schemas.page import Page

EventType = Literal[
    "city.created",
    "city.updated",
    "city.deleted",
    "round.created",
    "round.updated",
    "round.deleted",
    "round.phase_changed",
    "participant.joined",
    "participant.changed",
    "participant.left",
    "run.finished",
    "pairing.answered",
    "pairing.confirmed",
    "pairing.declined",
    "pairing.expired",
    "pairing.withdrawn",
    "pairing.dismissed",
    "erasure.done",
    "webhook.ping",
]
DeliveryState = Literal["queued", "sending", "delivered", "failed", "dropped"]
_LONGEST = 2000
_url: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _is_address(given: str) -> str:
    """Return the URL as it is called: in ASCII, with a path, without a fragment."""
    try:
        url = _url.validate_python(given)
    except ValidationError:
        raise PydanticCustomError(
            "url", "Write a URL like https://hooks.example.org/compaan."
        ) from None
    if url.username is not None or url.password is not None:
        raise PydanticCustomError(
            "url", "Leave out what is before the @: deliveries are signed instead."
        )
    said = str(url).partition("#")[0]
    if len(said) > _LONGEST:
        raise PydanticCustomError("url", "A URL has 2000 characters at most.")
    if urlsplit(said).port == 0:
        raise PydanticCustomError("url", "There is no port 0.")
    return said


def _are_different(given: tuple[EventType, ...]) -> tuple[EventType, ...]:
    if len(set(given)) < len(given):
        raise PydanticCustomError("twice", "Name each type of event once.")
    return given


WebhookUrl = Annotated[
    str,
    StringConstraints(max_length=_LONGEST, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$"),
    AfterValidator(_is_address),
]


class WebhookWrite(Wire):
    """A webhook, as it is sent to be stored."""

    url: WebhookUrl
    """Where to send: `https`, unless the service's owner allows internal networks."""
    description: Line | None = None
    events: Annotated[
        tuple[EventType, ...],
        LONG_LIST,
        AfterValidator(_are_different),
        Unique,
        NullIsOmitted,
    ] = ()
    """The types of events that it wants; none: all."""
    active: Annotated[Boolean, NullIsOmitted] = True


class Webhook(Wire):
    """An address that is told of what happens; its secret is not shown again."""

    id: str
    url: str
    description: str | None
    events: tuple[EventType, ...]
    active: bool
    off_reason: str | None
    """Why it is off, if its owner did not decide so."""
    old_secret_until: datetime | None
    """Until when the secret before this one signs as well."""
    created_by: str | None
    """The id of an account, which may be gone."""
    created_at: datetime
    updated_at: datetime


class NewWebhook(Webhook):
    """A webhook with its secret, which cannot be shown again."""

    secret: str
    """`whsec_` and base64: what its deliveries are signed with."""


class Webhooks(Page[Webhook]):
    """The webhooks, the oldest first; never more than one page."""


class EventData(Wire):
    """What an event is about; what it is now stands at the URL."""

    id: str
    url: str
    """Relative to the service; of what was deleted, where it was."""
    fields: tuple[str, ...] | None = None
    """What has changed of it, where that is known."""


class Event(Wire):
    """What a delivery tells: no names, no addresses, no texts."""

    type: EventType
    timestamp: datetime
    """When it happened."""
    data: EventData


class Delivery(Wire):
    """One event on its way to one webhook."""

    id: str
    webhook: str
    event: str
    """The header `webhook-id`: the same however often it is sent."""
    type: EventType
    state: DeliveryState
    """`dropped`: the webhook went off before it was delivered."""
    attempt: int
    """How often it has been sent, or is being sent."""
    due_at: datetime | None
    """When it is sent next; null: not any more."""
    status: int | None
    """The HTTP status of the last answer."""
    error: str | None
    """What went wrong the last time."""
    created_at: datetime
    ended_at: datetime | None


class SentDelivery(Delivery):
    """A delivery with what is sent."""

    body: str
    """The JSON text of an `Event`, byte by byte as it is signed."""


class Deliveries(Page[Delivery]):
    """Deliveries of a webhook, the newest first; they are kept for 30 days."""
