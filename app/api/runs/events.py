"""Following a run: a stream of events."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api.runs.runs import RunId
from app.errors import NotFound
from app.http.body import Route
from app.http.deps import RETRY, ApiSession, RunStreamDep, read_progress
from app.http.problems import answers
from schemas import Run

router = APIRouter(route_class=Route, tags=["runs"])
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


def _first(tx: ApiSession, run_id: RunId) -> tuple[Run, bool]:
    """Refuse before the stream begins: afterwards there is no status to say it with."""
    return read_progress(tx, run_id)


@router.get(
    "/runs/{run_id}/events",
    response_class=EventSourceResponse,
    responses=answers({200: _STREAM}, NotFound),
)
async def follow_run(
    tx: ApiSession,
    following: RunStreamDep,
    run_id: RunId,
    first: Annotated[tuple[Run, bool], Depends(_first)],
) -> AsyncIterator[ServerSentEvent]:
    """Follow how far a run is."""
    retry: int | None = RETRY
    async for run in following.run(first, partial(read_progress, tx, run_id)):
        yield ServerSentEvent(event="run", data=run, retry=retry)
        retry = None
