"""The limit on the size of a body."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLarge
from app.http.problems import answer
from app.settings import Settings


class BodyLimit:
    """Refuses bodies over a limit, declared or not, before they are kept.

    FastAPI's own `max_body_size` would do, but answers in plain text.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._most = settings.body_bytes
        self._elsewhere = {
            "/api/v1/match": settings.match_bytes,
            "/api/v1/cities/import": settings.import_bytes,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 at once by Content-Length, or as soon as too much has arrived."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self._elsewhere.get(scope["path"], self._most)
        detail = f"The body may have {most} bytes at most."
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and float(declared) > most:
            await answer(TooLarge(detail))(scope, receive, send)
            return
        read = 0

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(TooLarge.status, detail)
            return message

        await self.app(scope, receive_some, send)
