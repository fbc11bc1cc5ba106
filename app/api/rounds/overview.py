"""Routes that look at a round as a whole, and at the rounds of the network."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.api.rounds.rounds import RoundId
from app.errors import (
    Busy,
    ComputationDied,
    InvalidInput,
    NotFinished,
    NotFound,
    TooSlow,
    WrongPhase,
)
from app.http.body import Route
from app.http.deps import (
    ApiSession,
    EngineQueriesDep,
    OptionalApiSession,
    RequestedPage,
    next_page,
)
from app.http.problems import answers as documented
from app.http.problems import refusals
from app.services.decisions import released, scenarios
from app.services.pairings import round_health
from app.services.rounds import ledger, policies, rounds
from app.services.runs import runs
from app.templates.pages import STYLED, chosen_page
from schemas import (
    AccountLanguage,
    Health,
    HowWeChose,
    Ledger,
    ReleasedDecision,
    Scenarios,
)

router = APIRouter(route_class=Route, tags=["overview"])

_BINARY = {"type": "string", "format": "binary"}
Lang = Annotated[AccountLanguage, Query(description="Of the text.")]


@router.get("/rounds/{round_id}/health", responses=refusals(NotFound))
def read_health(tx: ApiSession, round_id: RoundId) -> Health:
    """Tell who has not answered, who has gone quiet, and what could not be sent."""
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        return round_health.round_health(session, actor, row)


@router.get(
    "/rounds/{round_id}/scenarios",
    responses=refusals(
        InvalidInput, NotFound, NotFinished, Busy, TooSlow, ComputationDied
    ),
)
def compare_runs(
    tx: ApiSession,
    answers: EngineQueriesDep,
    round_id: RoundId,
    run: Annotated[
        list[Annotated[str, Query(pattern=r"^[0-9a-f]{32}$")]],
        Query(min_length=1, max_length=scenarios.MOST),
    ],
) -> Scenarios:
    """Lay runs of a round side by side, all measured by the round's present policy."""
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        policy = policies.as_policy(policies.get(session, actor, row))
        found = [
            runs.outcome(session, runs.of_round(session, actor, round_id, one))
            for one in dict.fromkeys(run)
        ]
    return scenarios.compare(answers, policy, found)


@router.get("/ledger", responses=refusals(InvalidInput, NotFound))
def read_ledger(tx: ApiSession, page: RequestedPage, request: Request) -> Ledger:
    """List what the released rounds have brought to each city, by id."""
    with tx.read() as (session, actor):
        entries, cursor = ledger.search(session, actor, page)
        return Ledger(items=tuple(entries), next=next_page(request, cursor))


@router.get("/rounds/{round_id}/decision", responses=refusals(NotFound, WrongPhase))
def read_decision(hall: OptionalApiSession, round_id: RoundId) -> ReleasedDecision:
    """Read what was released, as digests that anybody can check.

    Of a public round, also without an account.
    """
    with hall.read() as (session, actor):
        found = released.get(session, actor, round_id)
        return released.as_decision(session, found)


@router.get(
    "/rounds/{round_id}/bundle",
    response_class=Response,
    responses=documented(
        {200: {"content": {"application/zip": {"schema": _BINARY}}}},
        NotFound,
        WrongPhase,
    ),
)
def read_release(tx: ApiSession, round_id: RoundId) -> Response:
    """Read the sealed bundle of the release: `compaan verify` computes it again.

    It holds wishes and vetoes, so it is for organisers and auditors.
    """
    with tx.read() as (session, actor):
        content = released.sealed(session, actor, round_id)
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{round_id}.zip"'},
    )


@router.get(
    "/rounds/{round_id}/how-we-chose",
    responses=refusals(InvalidInput, NotFound, WrongPhase),
)
def read_how_we_chose(
    hall: OptionalApiSession, round_id: RoundId, lang: Lang = "en"
) -> HowWeChose:
    """Read how the released pairings were chosen, in words.

    Of a public round, also without an account.
    """
    with hall.read() as (session, actor):
        found = released.chosen(session, released.get(session, actor, round_id))
    return released.text(found, lang)


@router.get(
    "/rounds/{round_id}/how-we-chose.html",
    response_class=HTMLResponse,
    responses=refusals(InvalidInput, NotFound, WrongPhase),
)
def read_how_we_chose_page(
    hall: OptionalApiSession, round_id: RoundId, lang: Lang = "en"
) -> HTMLResponse:
    """Read the same as a page to print."""
    with hall.read() as (session, actor):
        found = released.chosen(session, released.get(session, actor, round_id))
    return HTMLResponse(
        chosen_page(released.text(found, lang), lang),
        headers={"Content-Security-Policy": STYLED},
    )
