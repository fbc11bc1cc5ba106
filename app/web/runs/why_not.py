"""Pages that ask the engine about a run: why not, and what if a city leaves."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.errors import InvalidInput
from app.http.deps import EngineQueriesDep
from app.services.runs import runs
from app.templates.pages import drill_values, why_not_values
from app.web.layout import show
from app.web.session import PageSession

router = APIRouter(include_in_schema=False)


@router.get("/runs/{run_id}/why-not")
def show_why_not(
    tx: PageSession,
    answers: EngineQueriesDep,
    run_id: str,
    mentor: str = "",
    learner: str = "",
) -> HTMLResponse:
    """Show why a pair is not proposed, and what it would cost."""
    with tx.read() as (session, actor):
        outcome = runs.outcome(session, runs.get(session, actor, run_id))
    asked = {"mentor": mentor, "learner": learner}
    if not (mentor or learner):
        values = why_not_values(outcome, None) | {"wrong": ()}
        return show("runs/why_not.html", actor, "rounds", asked=asked, **values)
    try:
        found = answers.why_not(outcome, mentor, learner)
    except InvalidInput as error:
        values = why_not_values(outcome, None) | {"wrong": error.errors}
        return show("runs/why_not.html", actor, "rounds", 422, asked=asked, **values)
    values = why_not_values(outcome, found) | {"wrong": ()}
    return show("runs/why_not.html", actor, "rounds", asked=asked, **values)


@router.get("/runs/{run_id}/drill")
def show_drill(tx: PageSession, answers: EngineQueriesDep, run_id: str) -> HTMLResponse:
    """Show what happens if a city leaves, for every one that is paired."""
    with tx.read() as (session, actor):
        outcome = runs.outcome(session, runs.get(session, actor, run_id))
    drill = answers.drill(outcome, outcome.solution)
    return show("runs/drill.html", actor, "rounds", **drill_values(outcome, drill))
