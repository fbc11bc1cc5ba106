"""The page that lays runs of a round side by side."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from app.deps import TheAnswers
from app.errors import Busy, InvalidInput, NotFinished, Refusal
from app.permissions import may_organise
from app.services import cities, phases, policies, rounds, runs, scenarios
from app.web.showing import show
from app.web.visitors import Visitor
from schemas import Scenarios

router = APIRouter(include_in_schema=False)


@router.get("/rounds/{round_id}/scenarios")
def compare_runs(
    desk: Visitor,
    answers: TheAnswers,
    round_id: str,
    run: Annotated[list[str], Query()] = [],  # noqa: B006 -- FastAPI copies it
) -> HTMLResponse:
    """Show in what runs differ, and lead to staging one of them."""
    chosen = list(dict.fromkeys(run))
    compared: Scenarios | None = None
    refused: Refusal | None = None
    with desk.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        policy = policies.as_policy(policies.get(session, actor, row))
        rows = [runs.of_round(session, actor, round_id, one) for one in chosen]
        values = {
            "round": rounds.as_round(row),
            "runs": {one.id: runs.as_run(one) for one in rows},
            "names": cities.names(session),
            "may_stage": may_organise(actor) and row.phase in phases.STAGEABLE,
        }
        try:
            _must_fit(chosen)
            found = [runs.outcome(session, one) for one in rows]
        except (InvalidInput, NotFinished) as error:
            refused = error
    if refused is None:
        try:
            compared = scenarios.compare(answers, policy, found)
        except Busy as error:
            refused = error
    return show(
        "scenarios.html",
        actor,
        "rounds",
        refused.status if refused else 200,
        compared=compared,
        refused=refused,
        **values,
    )


def _must_fit(chosen: list[str]) -> None:
    if not 1 <= len(chosen) <= scenarios.MOST:
        raise InvalidInput(f"Choose 1 to {scenarios.MOST} proposals.")
