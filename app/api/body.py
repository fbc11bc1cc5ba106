"""How much of a body is read."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import answer
from app.errors import TooLarge


class BodyLimit:
    """Refuses bodies over a limit, declared or not, before they are kept.

    FastAPI's own `max_body_size` would do, but answers in plain text.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 at once if the length says so, or when so much has come."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        detail = f"The body may have {self.most} bytes at most."
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and float(declared) > self.most:
            await answer(TooLarge(detail))(scope, receive, send)
            return
        read = 0

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.most:
                raise HTTPException(TooLarge.status, detail)
            return message

        await self.app(scope, receive_some, send)
