"""Pages of runs: what was proposed, to look at, to take away, and to stage."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.orm import Session

from app.errors import NotFound, Refusal
from app.http.deps import RETRY, EngineQueriesDep, RunStreamDep, read_progress
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor, may_organise
from app.services.decisions import phases
from app.services.decisions.engine_queries import EngineQueries
from app.services.rounds import rounds
from app.services.runs import bundle, runs
from app.services.runs.solution_csv import solution_csv
from app.services.shared.rows import RoundRow, RunRow
from app.templates.pages import outcome_values
from app.texts.progress import how_far, share
from app.web.forms import download, redirect, submit
from app.web.layout import show
from app.web.runs.proposals import View, look_values, moves_values
from app.web.session import OnlyOnce, PageSession
from schemas import Role, Run, RunWrite

router = APIRouter(include_in_schema=False)


@router.post("/rounds/{round_id}/runs")
def propose(
    tx: PageSession, once: OnlyOnce, request: Request, round_id: str
) -> Response:
    """Start a run, and lead to it."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        run = runs.start(session, actor, row, RunWrite())
        return redirect(f"/runs/{run.id}")

    answer = once.answer(tx, work)
    request.app.state.worker.wake()
    return answer


@router.get("/runs/{run_id}.csv")
def take_table(tx: PageSession, run_id: str) -> Response:
    """Give the pairings of a run as a file for a spreadsheet."""
    found = _outcome(tx, run_id)
    return download(solution_csv(found), f"{found.run.round}.csv")


@router.get("/runs/{run_id}.zip")
def take_bundle(tx: PageSession, run_id: str) -> Response:
    """Give all that is needed to compute a run again."""
    found = _outcome(tx, run_id)
    return download(bundle.seal(found), f"{found.run.round}.zip", "application/zip")


@router.get("/runs/{run_id}/print")
def show_print(tx: PageSession, run_id: str) -> HTMLResponse:
    """Show all pairings with all their reasons on one page, to be printed."""
    found = _outcome(tx, run_id)
    with tx.read() as (_, actor):
        return show("runs/print.html", actor, "rounds", **outcome_values(found))


def _outcome(tx: AuthenticatedTransaction, run_id: str) -> runs.Outcome:
    with tx.read() as (session, actor):
        return runs.outcome(session, runs.get(session, actor, run_id))


async def _view(  # noqa: PLR0913 -- what an address may say
    look: str = "",
    page: str = "",
    row: str = "",
    column: str = "",
    city: str = "",
    size: str = "",
) -> View:
    return View.of(look=look, page=page, row=row, column=column, city=city, size=size)


@router.get("/runs/{run_id}")
def show_run(
    tx: PageSession,
    answers: EngineQueriesDep,
    run_id: str,
    view: Annotated[View, Depends(_view)],
) -> HTMLResponse:
    """Show what a run found, or how far it is."""
    return _page(tx, answers, run_id, view=view)


def _page(
    tx: AuthenticatedTransaction,
    answers: EngineQueries,
    run_id: str,
    refused: Refusal | None = None,
    *,
    view: View,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        row = runs.get(session, actor, run_id)
        round_row = runs.round_of(session, row)
        values = _seen(actor, row, round_row) | {"refused": refused}
        found = runs.outcome(session, row) if row.state == "succeeded" else None
    if found is not None:
        # Computed when no connection is held any more.
        table = answers.scored(found) if view.look == "table" else None
        values |= outcome_values(found) | look_values(found, view, table)
    status = refused.status if refused else 200
    return show("runs/run.html", actor, "rounds", status, **values)


def _seen(actor: Actor, row: RunRow, round_row: RoundRow) -> dict[str, Any]:
    """Return what all pages of a run show of it, and what may be done with it."""
    run, is_staged = runs.as_run(row), row.id == round_row.staged_run
    organises = may_organise(actor)
    may_stage = organises and round_row.phase in phases.STAGEABLE and not is_staged
    where = None
    if organises and is_staged and round_row.phase == "staged":
        where = f"/rounds/{round_row.id}/override"
    elif organises and runs.is_matchable(round_row):
        where = f"/runs/{row.id}/decide"
    return {
        "run": run,
        "round": rounds.as_round(round_row),
        "waiting": not runs.has_ended(row),
        "may_stage": may_stage,
        "may_cancel": organises and not runs.has_ended(row),
        "decide_at": where,
        "how_far": how_far(run),
        "share": share(run),
    }


# How far a run is.


def _first(tx: PageSession, run_id: str) -> tuple[Run, bool]:
    """Refuse before the stream begins: afterwards there is no status to say it with."""
    return read_progress(tx, run_id)


@router.get("/runs/{run_id}/events", response_class=EventSourceResponse)
async def follow(
    tx: PageSession,
    following: RunStreamDep,
    run_id: str,
    first: Annotated[tuple[Run, bool], Depends(_first)],
) -> AsyncIterator[ServerSentEvent]:
    """Follow how far a run is, in the reader's words."""
    retry: int | None = RETRY
    async for run in following.run(first, partial(read_progress, tx, run_id)):
        told = {"state": run.state, "share": share(run), "says": how_far(run)}
        yield ServerSentEvent(event="run", data=told, retry=retry)
        retry = None


@router.post("/runs/{run_id}/cancel")
def cancel(
    tx: PageSession, answers: EngineQueriesDep, once: OnlyOnce, run_id: str
) -> Response:
    """Stop a run that has not ended, and lead back to it."""

    def work(session: Session, actor: Actor) -> Response:
        runs.cancel(session, actor, runs.get(session, actor, run_id, lock=True))
        return redirect(f"/runs/{run_id}")

    again = partial(_page, tx, answers, run_id, view=View())
    return submit(partial(once.answer, tx, work), again)


# What is done with it.


@router.get("/runs/{run_id}/moves")
def show_moves(
    tx: PageSession,
    answers: EngineQueriesDep,
    run_id: str,
    mentor: str = "",
    learner: str = "",
) -> HTMLResponse:
    """Show whom else a city could have, and what each of them would cost."""
    with tx.read() as (session, actor):
        row = runs.get(session, actor, run_id)
        round_row = runs.round_of(session, row)
        values = _seen(actor, row, round_row)
        found = runs.outcome(session, row)
    role: Role = "learner" if learner or not mentor else "mentor"
    chosen = learner or mentor
    city = next((one for one in found.problem.cities if one.id == chosen), None)
    if chosen and (city is None or not city.places(role)):
        raise NotFound("This city has no place in this role in this proposal.")
    tabled = answers.tabled(found, found.solution) if city else None
    values |= moves_values(found, city, role, tabled)
    return show("runs/proposal_moves.html", actor, "rounds", **values)


@router.post("/runs/{run_id}/stage")
def stage(
    tx: PageSession, answers: EngineQueriesDep, once: OnlyOnce, run_id: str
) -> Response:
    """Stage the pairings of a run, and lead to them."""

    def work(session: Session, actor: Actor) -> Response:
        run = runs.get(session, actor, run_id)
        row = rounds.get(session, actor, run.round_id, lock=True)
        phases.stage(session, actor, row, run)
        return redirect(f"/rounds/{row.id}/pairings")

    again = partial(_page, tx, answers, run_id, view=View())
    return submit(partial(once.answer, tx, work), again)
