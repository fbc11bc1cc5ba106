"""Routes that ask the engine about a run or a round; nothing is stored."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from app.api.rounds.rounds import RoundId
from app.api.runs.runs import RunId
from app.errors import (
    Busy,
    ComputationDied,
    Infeasible,
    InvalidInput,
    InvalidPolicy,
    InvalidProblem,
    NotFinished,
    NotFound,
    NotJson,
    TooLarge,
    TooSlow,
    WrongPhase,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import ApiSession, EngineQueriesDep, require_json
from app.http.problems import refusals
from app.services.decisions import repairs
from app.services.rounds import rounds
from app.services.runs import runs
from app.texts.matching.why_not import sentences
from schemas import AccountLanguage, Change, Drill, Repairs, WhatIf, WhyNot

router = APIRouter(route_class=Route, tags=["answers"])

_COMPUTED = (InvalidProblem, InvalidPolicy, Infeasible, Busy, TooSlow, ComputationDied)
_SLUG = r"[a-z0-9-]{1,63}"
_CHANGES = [
    {"force": [{"mentor": "schaerbeek", "learner": "capaci"}]},
    {"remove": ["livadia"], "rules": {"different_country": False}},
]


class WhyNotInWords(WhyNot):
    """Why a pair is not proposed, also in plain sentences."""

    sentences: tuple[str, ...]
    """In the language asked for. They tell vetoes and bans alike: not available."""


@router.post(
    "/runs/{run_id}/what-if",
    dependencies=[Depends(require_json)],
    responses=refusals(
        NotJson, TooLarge, WrongType, InvalidInput, NotFound, *_COMPUTED
    ),
)
def ask_what_if(
    tx: ApiSession,
    answers: EngineQueriesDep,
    run_id: RunId,
    change: Annotated[Change, Body(examples=_CHANGES), CHECKED],
) -> WhatIf:
    """Tell what the run would find if something were decided otherwise."""
    with tx.read() as (session, actor):
        frozen = runs.frozen(runs.get(session, actor, run_id))
    return answers.what_if(frozen, change)


@router.get(
    "/runs/{run_id}/why-not", responses=refusals(InvalidInput, NotFound, *_COMPUTED)
)
def ask_why_not(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    answers: EngineQueriesDep,
    run_id: RunId,
    mentor: Annotated[str, Query(pattern=f"^{_SLUG}$", examples=["schaerbeek"])],
    learner: Annotated[str, Query(pattern=f"^{_SLUG}$", examples=["capaci"])],
    lang: Annotated[AccountLanguage, Query(description="Of the sentences.")] = "en",
) -> WhyNotInWords:
    """Tell why a pair is not proposed: what forbids it, or what it would cost."""
    with tx.read() as (session, actor):
        frozen = runs.frozen(runs.get(session, actor, run_id))
    found = answers.why_not(frozen, mentor, learner)
    words = sentences(found, frozen.problem.cities, lang)
    return WhyNotInWords(**dict(found), sentences=tuple(words))


@router.get(
    "/runs/{run_id}/drill",
    responses=refusals(NotFound, NotFinished, *_COMPUTED),
)
def ask_drill(tx: ApiSession, answers: EngineQueriesDep, run_id: RunId) -> Drill:
    """Tell for every paired city what happens if it leaves, the fragile ones first."""
    with tx.read() as (session, actor):
        found = runs.outcome(session, runs.get(session, actor, run_id))
    return answers.drill(found, found.solution)


@router.get(
    "/rounds/{round_id}/repairs",
    responses=refusals(InvalidInput, NotFound, NotFinished, WrongPhase, *_COMPUTED),
)
def list_repairs(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    answers: EngineQueriesDep,
    round_id: RoundId,
    run: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f]{32}$",
            description="Whose pairings are mended; without it, those of the round.",
        ),
    ] = None,
    gone: Annotated[
        list[Annotated[str, Query(pattern=f"^{_SLUG}$")]],
        Query(
            description="A city that leaves, besides those that have.", max_length=100
        ),
    ] = [],  # noqa: B006 -- FastAPI copies it
    declined: Annotated[
        list[Annotated[str, Query(pattern=f"^{_SLUG}:{_SLUG}$")]],
        Query(description="`mentor:learner`, a pairing declined.", max_length=100),
    ] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=repairs.MOST)] = 5,
) -> Repairs:
    """List ways to mend pairings, the one with fewest changes first.

    Those of a staged or released round by what was declined, has expired or was
    withdrawn, and `POST` makes one; what both cities have confirmed stays. Or those of
    a run, as a question. The round counts as it stands now: cities that have left it
    since are gone, and those that have joined may be used.
    """
    parts = (pair.partition(":") for pair in declined)
    pairs = tuple((mentor, learner) for mentor, _, learner in parts)
    with tx.read() as (session, actor):
        round_row = rounds.get(session, actor, round_id)
        if run is None:
            standing = repairs.basis(session, actor, round_row)
            if gone or pairs:
                standing = standing.without(tuple(gone), pairs)
        else:
            row = runs.of_round(session, actor, round_id, run)
            now = runs.as_it_stands(session, actor, round_row)
            solution = runs.solution(session, row)
            standing = repairs.of_run(now, solution, tuple(gone), pairs)
    return answers.repairs(standing, limit)
