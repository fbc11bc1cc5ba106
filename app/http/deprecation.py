"""How what will go from the API is told of beforehand."""

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_changes import PAGE

NOTICE = timedelta(days=183)
"""Least time from telling that an operation will go to its end: six months."""
_TOLD = "x-deprecation"


def deprecated(since: date, until: date, instead: str) -> dict[str, Any]:
    """Return what a route is declared with when it will go: `@router.get(…, **this)`.

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
    told = {"since": str(since), "until": str(until), "instead": instead}
    return {"deprecated": True, "openapi_extra": {_TOLD: told}}


def route_of(scope: Scope) -> Any:  # noqa: ANN401 -- FastAPI does not name its type
    """Return the route that served a request with its whole path, or None."""
    # Of a route that was included, FastAPI keeps the whole apart from its own part.
    included = scope.get("fastapi", {}).get("effective_route_context")
    return included or scope.get("route")


class Deprecation:
    """Says on the answers of operations that will go when, and what to use instead."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers of RFC 9745 (Deprecation) and RFC 8594 (Sunset)."""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = getattr(route_of(scope), "openapi_extra", None) or {}
                if _TOLD in extra:
                    MutableHeaders(scope=message).update(_headers(**extra[_TOLD]))
            await send(message)

        await self.app(scope, receive, tell)


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
