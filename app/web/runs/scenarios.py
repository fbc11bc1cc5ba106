"""The page that lays runs of a round side by side."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Busy, InvalidInput, NotFinished, Refusal
from app.http.deps import EngineQueriesDep
from app.permissions import Actor, may_organise
from app.services.cities import directory
from app.services.decisions import phases, policy_decisions, scenarios
from app.services.rounds import policies, rounds
from app.services.runs import runs
from app.services.shared.paging import PageRequest
from app.services.shared.rows import RoundRow, RunRow
from app.texts.catalogue import here, message
from app.web.forms import redirect
from app.web.layout import show
from app.web.runs.proposals import NO_SCENARIOS, scenario_values
from app.web.session import OnlyOnce, PageSession

router = APIRouter(include_in_schema=False)
_LABELS = {
    "total": message("Best total"),
    "served": message("Most served"),
    "fair": message("Fairest"),
}
_NEWEST = 3
"""Proposals that are compared if nobody says which."""
_OFFERED = 20


@router.get("/rounds/{round_id}/scenarios")
def compare_runs(
    tx: PageSession,
    answers: EngineQueriesDep,
    round_id: str,
    run: Annotated[list[str], Query()] = [],  # noqa: B006 -- FastAPI copies it
) -> HTMLResponse:
    """Show in what runs differ, and lead to staging one of them."""
    refused: Refusal | None = None
    shown = NO_SCENARIOS
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        policy = policies.as_policy(policies.get(session, actor, row))
        recent, _ = runs.search(session, actor, round_id, PageRequest(_OFFERED))
        there = [one for one in recent if one.state == "succeeded"]
        chosen = list(dict.fromkeys(run)) or _usual(row, there)
        rows = [runs.of_round(session, actor, round_id, one) for one in chosen]
        awaited = sum(not runs.has_ended(one) for one in rows)
        done = [one for one in rows if one.state == "succeeded"]
        names = directory.names(session)
        values = {
            "round": rounds.as_round(row),
            "runs": {one.id: runs.as_run(one) for one in rows},
            "choice": [runs.as_run(one) for one in there],
            "names": names,
            "awaited": awaited,
            "may_stage": may_organise(actor) and row.phase in phases.STAGEABLE,
            "may_propose": may_organise(actor) and runs.is_matchable(row),
        }
        try:
            _must_fit(chosen, rows)
            found = [runs.outcome(session, one) for one in done]
        except (InvalidInput, NotFinished) as error:
            refused, found = error, []
    if found and not refused:
        try:
            compared = scenarios.compare(answers, policy, found)
            points = scenarios.points(answers, policy, found, compared)
            shown = scenario_values(compared, points, names, row.staged_run)
        except Busy as error:
            refused = error
    status = refused.status if refused else 200
    values |= shown | {"refused": refused}
    return show("runs/scenarios.html", actor, "rounds", status, **values)


def _usual(row: RoundRow, there: Sequence[RunRow]) -> list[str]:
    """Return what is compared if nobody says: what is staged, and the newest ones."""
    newest = [one.id for one in there[:_NEWEST]]
    if row.staged_run in {one.id for one in there}:
        newest = [row.staged_run, *newest]
    return list(dict.fromkeys(newest))


def _must_fit(chosen: Sequence[str], rows: Sequence[RunRow]) -> None:
    if len(chosen) > scenarios.MOST:
        raise InvalidInput(f"Choose 1 to {scenarios.MOST} proposals.")
    for one in rows:
        if runs.has_ended(one) and one.state != "succeeded":
            raise NotFinished(f"The run is {one.state}: it has no solution.")


@router.post("/rounds/{round_id}/scenarios")
def propose_three(
    tx: PageSession, once: OnlyOnce, request: Request, round_id: str
) -> Response:
    """Start a proposal for each objective unless it is there; lead to them."""
    told = here()
    labels = [(one, told.say(_LABELS[one])) for one in policy_decisions.OBJECTIVES]

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        made = policy_decisions.propose_each(session, actor, row, labels)
        chosen = "&".join(f"run={one.id}" for one in made)
        return redirect(f"/rounds/{round_id}/scenarios?{chosen}")

    answer = once.answer(tx, work)
    request.app.state.worker.wake()
    return answer
