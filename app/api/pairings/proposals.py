"""Routes that stage a proposal, change it at a price, and release it."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Response
from sqlalchemy.orm import Session

from app.api.rounds.rounds import RoundId
from app.errors import (
    Busy,
    ComputationDied,
    Conflict,
    Forbidden,
    Infeasible,
    InvalidInput,
    InvalidPolicy,
    InvalidProblem,
    KeyReused,
    NoPlaces,
    NotFinished,
    NotFound,
    NotJson,
    OutOfDate,
    Stale,
    TooLarge,
    TooSlow,
    WrongPhase,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import (
    ApiSession,
    EngineQueriesDep,
    IfMatchIfSent,
    OnlyOnce,
    json_response,
    require_json,
    require_json_if_any,
)
from app.http.openapi import ETAG
from app.http.preconditions import Precondition
from app.http.problems import answers as documented
from app.permissions import Actor
from app.services.decisions import overrides, phases, repairs
from app.services.log import audit
from app.services.rounds import rounds
from app.services.runs import runs
from app.services.shared.rows import RoundRow
from schemas import (
    InputError,
    Override,
    OverrideWrite,
    ReleaseWrite,
    RepairWrite,
    Round,
    StageWrite,
)

_BODY = (NotJson, TooLarge, WrongType, InvalidInput)
_VERB = (*_BODY, Forbidden, NotFound, WrongPhase, Stale, KeyReused)
_COMPUTED = (InvalidProblem, InvalidPolicy, Infeasible, Busy, TooSlow, ComputationDied)
_RUN = "0" * 32
_PAIR = {"mentor": "schaerbeek", "learner": "capaci"}
_MOST_LISTED = 5
"""Most entries of the log that a caller with an older version is shown."""

router = APIRouter(route_class=Route, tags=["pairings"])


def _check_version(
    session: Session, actor: Actor, if_match: Precondition, row: RoundRow
) -> None:
    """Refuse a decision about another version of the round than the caller has seen."""
    if if_match.allows(row.version):
        return
    latest = audit.latest(session, actor, row.id, _MOST_LISTED)
    raise Stale(
        "Somebody changed the round since you read it: `errors` has the last changes.",
        [
            InputError(
                pointer="",
                code=one.action,
                message=f"{one.action} at {one.at:%H:%M} UTC",
            )
            for one in latest
        ],
    )


def _response(row: RoundRow) -> Response:
    return json_response(rounds.as_round(row), version=row.version)


@router.post(
    "/rounds/{round_id}/stage",
    response_model=Round,
    dependencies=[Depends(require_json)],
    responses=documented({200: {"headers": ETAG}}, *_VERB, NotFinished, OutOfDate),
)
def stage_round(
    tx: ApiSession,
    once: OnlyOnce,
    round_id: RoundId,
    if_match: IfMatchIfSent,
    new: Annotated[StageWrite, Body(examples=[{"run": _RUN}]), CHECKED],
) -> Response:
    """Stage the pairings of a run: they may be edited, and nobody is told of them.

    The round is closed, or staged with another run. `POST …/phase` leads back.
    """

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        rounds.must_organise(actor)
        _check_version(session, actor, if_match, row)
        run = runs.of_round(session, actor, round_id, new.run)
        phases.stage(session, actor, row, run)
        return _response(row)

    return once.answer(tx, work)


@router.post(
    "/rounds/{round_id}/release",
    response_model=Round,
    dependencies=[Depends(require_json_if_any)],
    responses=documented({200: {"headers": ETAG}}, *_VERB, Conflict),
)
def release_round(
    tx: ApiSession,
    once: OnlyOnce,
    round_id: RoundId,
    if_match: IfMatchIfSent,
    new: Annotated[ReleaseWrite | None, Body(examples=[{}]), CHECKED] = None,
) -> Response:
    """Offer what is staged: the held messages go out, and the decision is sealed."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        rounds.must_organise(actor)
        _check_version(session, actor, if_match, row)
        phases.release(session, actor, row, new.answer_by if new else None)
        return _response(row)

    return once.answer(tx, work)


@router.post(
    "/rounds/{round_id}/overrides",
    response_model=Override,
    dependencies=[Depends(require_json)],
    responses=documented({200: {}}, *_VERB, *_COMPUTED),
)
def override_proposal(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    round_id: RoundId,
    if_match: IfMatchIfSent,
    new: Annotated[
        OverrideWrite,
        Body(examples=[{"force": [_PAIR], "reason": "They have worked together."}]),
        CHECKED,
    ],
    *,
    dry_run: Annotated[
        bool, Query(description="Tell the price, and store nothing.")
    ] = False,
) -> Response:
    """Decide otherwise than the staged proposal, with a reason, at a price.

    The round is matched again around the decision and staged anew, as a run of its
    own. The price is stored with the pairings that were forced.
    """
    stored_answer = None if dry_run else once.kept(tx)
    if stored_answer is not None:
        return stored_answer
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        start = overrides.basis(session, actor, row)
        _check_version(session, actor, if_match, row)
    found = answers.override(start, new)

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        run = overrides.store(session, actor, row, start, new, found)
        return json_response(overrides.as_override(found, run.id))

    if dry_run:
        return json_response(overrides.as_override(found, None))
    return once.answer(tx, work)


@router.post(
    "/rounds/{round_id}/repairs",
    response_model=Round,
    dependencies=[Depends(require_json)],
    responses=documented({200: {"headers": ETAG}}, *_VERB, NoPlaces, *_COMPUTED),
)
def make_repair(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    round_id: RoundId,
    if_match: IfMatchIfSent,
    new: Annotated[RepairWrite, Body(examples=[{"repair": "0" * 16}]), CHECKED],
) -> Response:
    """Make one of the repairs that `GET …/repairs` lists, by its `id`.

    In a released round, new pairings are offered, and all whom it concerns are told.
    """
    stored_answer = once.kept(tx)
    if stored_answer is not None:
        return stored_answer
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        rounds.must_organise(actor)
        _check_version(session, actor, if_match, row)
        start = repairs.basis(session, actor, row)
    repair = repairs.chosen(answers.repairs(start, repairs.MOST), new.repair)
    reasons = answers.explained(start, repairs.added(repair))

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        repairs.make(session, actor, row, start, repair, reasons)
        return _response(row)

    return once.answer(tx, work)
