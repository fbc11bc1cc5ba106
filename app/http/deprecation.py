"""Announces which operations of the API will be removed, and when."""

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_changes import PAGE

NOTICE = timedelta(days=183)
"""Least time between announcing that an operation goes and its end: six months."""
_EXTENSION = "x-deprecation"


def deprecated(since: date, until: date, instead: str) -> dict[str, Any]:
    """Return the arguments of a route that will be removed: `@router.get(…, **this)`.

    The OpenAPI document marks it, and every answer says so (`Deprecation`). If the
    route has an `openapi_extra` of its own, put the two together.

    Args:
        since: The day from which callers should use something else.
        until: The day on which it goes.
        instead: What to use, as a path.

    Raises:
        ValueError: If callers have less than six months.

    """
    if until - since < NOTICE:
        raise ValueError(f"From {since} to {until} is less than six months.")
    extension = {"since": str(since), "until": str(until), "instead": instead}
    return {"deprecated": True, "openapi_extra": {_EXTENSION: extension}}


def route_of(scope: Scope) -> Any:  # noqa: ANN401 -- FastAPI does not name its type
    """Return the route that served a request with its whole path, or None."""
    # Of a route that was included, FastAPI keeps the whole apart from its own part.
    included = scope.get("fastapi", {}).get("effective_route_context")
    return included or scope.get("route")


class Deprecation:
    """Announces on answers when their operation ends, and what replaces it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers of RFC 9745 (Deprecation) and RFC 8594 (Sunset)."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = getattr(route_of(scope), "openapi_extra", None) or {}
                if _EXTENSION in extra:
                    MutableHeaders(scope=message).update(_headers(**extra[_EXTENSION]))
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _headers(since: str, until: str, instead: str) -> dict[str, str]:
    links = (
        f'<{PAGE}>; rel="deprecation"; type="text/html"',
        f'<{instead}>; rel="successor-version"',
    )
    return {
        "Deprecation": f"@{round(_midnight(since).timestamp())}",
        "Sunset": format_datetime(_midnight(until), usegmt=True),
        "Link": ", ".join(links),
    }


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
