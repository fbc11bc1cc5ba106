"""Following a run: a stream of events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api.problems import answers
from app.api.runs import RunId
from app.deps import At, Desk, TheSettings
from app.errors import Busy, NotFound, Refusal
from app.services import runs
from schemas import Run

_LOOK = 0.5
"""Seconds between two looks at a run that somebody follows."""
_LOOKS_AT_ONCE = 4
"""Of the threads that serve requests; listeners take no more, however many they are."""
_RETRY = 1000
"""Milliseconds after which a browser that lost the stream asks again."""
_STREAM: dict[str, Any] = {
    "description": "An event `run` at once, then at every change of state or progress; "
    "the stream ends after the final state. It is cut after some minutes, or when the "
    "server stops: ask again. Lines that begin with a colon keep it open.",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "itemSchema": {
                "required": ["event", "data"],
                "properties": {
                    "event": {"const": "run"},
                    "data": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "contentSchema": {"$ref": "#/components/schemas/Run"},
                    },
                },
            },
        }
    },
}


def _look(desk: Desk, run_id: str) -> tuple[Run, bool]:
    with desk.read() as (session, actor):
        return runs.look(session, actor, run_id)


def _first(desk: At, run_id: RunId) -> tuple[Run, bool]:
    """Refuse before the stream begins: afterwards there is no status to say it with."""
    return _look(desk, run_id)


def router() -> APIRouter:
    """Return the route, with what its listeners share."""
    router = APIRouter(tags=["runs"])
    turns = anyio.Semaphore(_LOOKS_AT_ONCE)

    @router.get(
        "/runs/{run_id}/events",
        response_class=EventSourceResponse,
        responses=answers({200: _STREAM}, NotFound),
    )
    async def follow_run(
        desk: At,
        request: Request,
        settings: TheSettings,
        run_id: RunId,
        first: Annotated[tuple[Run, bool], Depends(_first)],
    ) -> AsyncIterator[ServerSentEvent]:
        """Follow how far a run is."""
        run, ended = first
        yield ServerSentEvent(event="run", data=run, retry=_RETRY)
        until = anyio.current_time() + settings.stream_seconds
        while not ended and anyio.current_time() < until:
            await anyio.sleep(_LOOK)
            if request.app.state.stopping.is_set():
                return
            told = run
            try:
                # The thread is given back between two looks.
                async with turns:
                    run, ended = await anyio.to_thread.run_sync(_look, desk, run_id)
            except Busy:
                continue
            except Refusal:  # the token was taken back, or the run is gone
                return
            if run != told:
                yield ServerSentEvent(event="run", data=run)

    return router
