"""Routes under /api/v1/rounds/{id}/runs and /api/v1/runs."""

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from app.api.rounds.rounds import RoundId
from app.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    InvalidPolicy,
    KeyReused,
    NotFinished,
    NotFound,
    NotJson,
    TooLarge,
    WrongPhase,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import (
    ApiSession,
    OnlyOnce,
    RequestedPage,
    SettingsDep,
    json_response,
    next_page,
    require_json,
)
from app.http.openapi import PLACED
from app.http.problems import answers, refusals
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.rounds import rounds
from app.services.runs import bundle, runs
from app.services.runs.solution_csv import solution_csv
from app.services.shared.rows import RunRow
from app.templates.pages import STYLED, solution_page
from schemas import Run, Runs, RunWrite, Solution

RunId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_BINARY = {"type": "string", "format": "binary"}
_LOOK_AGAIN = 0.05
"""Seconds between two looks at a run that somebody waits for."""

router = APIRouter(route_class=Route, tags=["runs"])


def _place(run_id: str) -> str:
    return f"/api/v1/runs/{run_id}"


@router.post(
    "/rounds/{round_id}/runs",
    status_code=202,
    response_model=Run,
    dependencies=[Depends(require_json)],
    responses=answers(
        {
            200: {"model": Run, "description": "It finished while the caller waited."},
            202: {"headers": PLACED},
        },
        NotJson,
        TooLarge,
        WrongType,
        InvalidInput,
        InvalidPolicy,
        Forbidden,
        NotFound,
        WrongPhase,
        KeyReused,
    ),
)
async def start_run(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    once: OnlyOnce,
    request: Request,
    settings: SettingsDep,
    round_id: RoundId,
    new: Annotated[RunWrite, Body(examples=[{"label": "first trial"}]), CHECKED],
    wait: Annotated[
        float, Query(ge=0, le=60, description="Seconds to wait for the end of it.")
    ] = 0,
) -> Response:
    """Start a run over the round as it is now; poll its `Location`, or `?wait=10`."""

    def work(session: Session, actor: Actor) -> Response:
        round_row = rounds.get(session, actor, round_id, lock=True)
        row = runs.start(session, actor, round_row, new)
        return json_response(runs.as_run(row), 202, location=_place(row.id))

    queued = await anyio.to_thread.run_sync(once.answer, tx, work)
    request.app.state.worker.wake()
    if not wait:
        return queued
    run_id = queued.headers["Location"].rpartition("/")[2]
    # The caller's thread is given back between two looks.
    with anyio.move_on_after(min(wait, settings.wait_seconds)):
        while True:
            run, ended = await anyio.to_thread.run_sync(_look, tx, run_id)
            if ended:
                return json_response(run)
            if request.app.state.stopping.is_set():
                break
            await anyio.sleep(_LOOK_AGAIN)
    run, _ = await anyio.to_thread.run_sync(_look, tx, run_id)
    return json_response(run, 202, location=_place(run_id))


def _look(tx: AuthenticatedTransaction, run_id: str) -> tuple[Run, bool]:
    with tx.read() as (session, actor):
        return runs.look(session, actor, run_id)


@router.get("/rounds/{round_id}/runs", responses=refusals(InvalidInput, NotFound))
def list_runs(
    tx: ApiSession, round_id: RoundId, page: RequestedPage, request: Request
) -> Runs:
    """List the runs of a round, the newest first."""
    with tx.read() as (session, actor):
        rounds.get(session, actor, round_id)
        rows, cursor = runs.search(session, actor, round_id, page)
        return Runs(
            items=tuple(map(runs.as_run, rows)), next=next_page(request, cursor)
        )


@router.get("/runs/{run_id}", responses=refusals(NotFound))
def read_run(tx: ApiSession, run_id: RunId) -> Run:
    """Read how far a run is."""
    return _look(tx, run_id)[0]


@router.delete("/runs/{run_id}", responses=refusals(Forbidden, NotFound, Conflict))
def cancel_run(tx: ApiSession, run_id: RunId) -> Run:
    """Cancel a run that has not ended; its computation is stopped."""
    with tx.write() as (session, actor):
        row = runs.get(session, actor, run_id, lock=True)
        runs.cancel(session, actor, row)
        return runs.as_run(row)


@router.get(
    "/runs/{run_id}/solution",
    response_model=Solution,
    responses=refusals(NotFound, NotFinished),
)
def read_solution(tx: ApiSession, run_id: RunId) -> Response:
    """Read what the run found."""
    with tx.read() as (session, actor):
        row = runs.get(session, actor, run_id)
        text = runs.solution_text(session, row)
    return Response(text, media_type="application/json")


def _outcome(tx: AuthenticatedTransaction, run_id: str) -> tuple[RunRow, runs.Outcome]:
    with tx.read() as (session, actor):
        row = runs.get(session, actor, run_id)
        return row, runs.outcome(session, row)


@router.get(
    "/runs/{run_id}/solution.csv",
    response_class=Response,
    responses=answers(
        {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
        NotFound,
        NotFinished,
    ),
)
def read_solution_table(tx: ApiSession, run_id: RunId) -> Response:
    """Read the pairings as a table for a spreadsheet, those left out below them."""
    row, found = _outcome(tx, run_id)
    name = f"{row.round_id}-{row.id[:8]}.csv"
    return Response(
        solution_csv(found).encode("utf-8-sig"),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get(
    "/runs/{run_id}/bundle",
    response_class=Response,
    responses=answers(
        {
            200: {"content": {"application/zip": {"schema": _BINARY}}},
        },
        NotFound,
        NotFinished,
    ),
)
def read_bundle(tx: ApiSession, run_id: RunId) -> Response:
    """Read all that is needed to compute the run again: `compaan verify` does it.

    It holds wishes and vetoes, so it is for organisers and auditors.
    """
    row, found = _outcome(tx, run_id)
    name = f"{row.round_id}-{row.id[:8]}.zip"
    return Response(
        bundle.seal(found),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get(
    "/runs/{run_id}/solution.html",
    response_class=HTMLResponse,
    responses=refusals(NotFound, NotFinished),
)
def read_solution_page(tx: ApiSession, run_id: RunId) -> HTMLResponse:
    """Read the pairings with their reasons as a page to print."""
    _, found = _outcome(tx, run_id)
    return HTMLResponse(
        solution_page(found), headers={"Content-Security-Policy": STYLED}
    )
