"""Pages of runs: what was proposed, to look at, to take away, and to stage."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.db import models
from app.deps import Desk
from app.errors import Refusal
from app.permissions import Actor, may_organise
from app.render import outcome_values, solution_csv
from app.services import bundle, phases, rounds, runs
from app.web.forms import download, see, tried
from app.web.showing import show
from app.web.visitors import OnlyOnce, Visitor
from schemas import RunWrite

router = APIRouter(include_in_schema=False)


@router.post("/rounds/{round_id}/runs")
def propose(desk: Visitor, once: OnlyOnce, request: Request, round_id: str) -> Response:
    """Start a run, and lead to it."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        run = runs.start(session, actor, row, RunWrite())
        return see(f"/runs/{run.id}")

    answer = once.answer(desk, work)
    request.app.state.worker.wake()
    return answer


@router.get("/runs/{run_id}.csv")
def take_table(desk: Visitor, run_id: str) -> Response:
    """Give the pairings of a run as a file for a spreadsheet."""
    with desk.read() as (session, actor):
        found = runs.outcome(session, runs.get(session, actor, run_id))
    return download(solution_csv(found), f"{found.run.round}.csv")


@router.get("/runs/{run_id}.zip")
def take_bundle(desk: Visitor, run_id: str) -> Response:
    """Give all that is needed to compute a run again."""
    with desk.read() as (session, actor):
        found = runs.outcome(session, runs.get(session, actor, run_id))
    return download(bundle.seal(found), f"{found.run.round}.zip", "application/zip")


@router.get("/runs/{run_id}")
def show_run(desk: Visitor, run_id: str) -> HTMLResponse:
    """Show what a run found, or how far it is."""
    return _page(desk, run_id)


def _page(desk: Desk, run_id: str, refused: Refusal | None = None) -> HTMLResponse:
    with desk.read() as (session, actor):
        row = runs.get(session, actor, run_id)
        round_row = session.get_one(models.Round, row.round_id)
        stages = may_organise(actor) and round_row.phase in phases.STAGEABLE
        values: dict[str, Any] = {
            "run": runs.as_run(row),
            "round": rounds.as_round(round_row),
            "waiting": not runs.has_ended(row),
            "may_stage": stages and row.id != round_row.staged_run,
            "refused": refused,
        }
        if row.state == "succeeded":
            values |= outcome_values(runs.outcome(session, row)) | {"asks": True}
        status = refused.status if refused else 200
        return show("run.html", actor, "rounds", status, **values)


@router.post("/runs/{run_id}/stage")
def stage(desk: Visitor, once: OnlyOnce, run_id: str) -> Response:
    """Stage the pairings of a run, and lead to them."""

    def work(session: Session, actor: Actor) -> Response:
        run = runs.get(session, actor, run_id)
        row = rounds.get(session, actor, run.round_id, lock=True)
        phases.stage(session, actor, row, run)
        return see(f"/rounds/{row.id}/pairings")

    return tried(partial(once.answer, desk, work), partial(_page, desk, run_id))
