"""Routes under /api/v1/rounds."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from sqlalchemy.orm import Session

from app.api.cities.cities import CityId
from app.errors import (
    AlreadyThere,
    Busy,
    ComputationDied,
    Conflict,
    Forbidden,
    InvalidInput,
    InvalidPolicy,
    KeyReused,
    NoPlaces,
    NoPrecondition,
    NotFound,
    NotJson,
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
    IfMatch,
    IfMatchOrNew,
    OnlyOnce,
    RequestedPage,
    json_response,
    next_page,
    require_json,
)
from app.http.openapi import ETAG, PLACED, merge_patch_of
from app.http.problems import answers, refusals
from app.http.updated_since import UpdatedSince
from app.permissions import Actor
from app.services.decisions import participants, phases
from app.services.log import audit
from app.services.rounds import copies, policies, rounds
from app.services.runs import runs
from app.services.shared.rows import RoundRow
from schemas import (
    AuditLog,
    Participant,
    Participants,
    ParticipationWrite,
    PhaseChange,
    Policy,
    Readiness,
    Round,
    RoundNew,
    Rounds,
    RoundWrite,
)

RoundId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,63}$", examples=["inclucities"])]
_BODY = (NotJson, TooLarge, WrongType, InvalidInput)
_EXAMPLE = {"name": "Housing 2027", "description": "A year of visits on housing."}

router = APIRouter(route_class=Route, prefix="/rounds", tags=["rounds"])


def _response(row: RoundRow, status: int = 200) -> Response:
    place = f"/api/v1/rounds/{row.id}" if status == 201 else None  # noqa: PLR2004
    return json_response(
        rounds.as_round(row), status, version=row.version, location=place
    )


@router.get("", responses=refusals(InvalidInput))
def list_rounds(
    tx: ApiSession, page: RequestedPage, since: UpdatedSince, request: Request
) -> Rounds:
    """List the rounds that the caller may see, by id."""
    with tx.read() as (session, actor):
        rows, cursor = rounds.search(session, actor, page, since)
        return Rounds(
            items=tuple(map(rounds.as_round, rows)), next=next_page(request, cursor)
        )


@router.post(
    "",
    status_code=201,
    response_model=Round,
    dependencies=[Depends(require_json)],
    responses=answers(
        {201: {"headers": ETAG | PLACED}},
        *_BODY,
        Forbidden,
        NotFound,
        AlreadyThere,
        KeyReused,
    ),
)
def open_round(
    tx: ApiSession,
    once: OnlyOnce,
    new: Annotated[RoundNew, Body(examples=[_EXAMPLE]), CHECKED],
) -> Response:
    """Set up a round, as a draft; without an `id`, one is made of the name.

    With `copy_of` it begins with the participants and the policy of another round.
    """
    return once.answer(
        tx, lambda session, actor: _response(copies.add(session, actor, new), 201)
    )


@router.get(
    "/{round_id}",
    response_model=Round,
    responses=answers({200: {"headers": ETAG}}, NotFound),
)
def read_round(tx: ApiSession, round_id: RoundId) -> Response:
    """Read a round."""
    with tx.read() as (session, actor):
        return _response(rounds.get(session, actor, round_id))


@router.put(
    "/{round_id}",
    response_model=Round,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}, 201: {"headers": ETAG | PLACED, "model": Round}},
        *_BODY,
        Forbidden,
        Conflict,
        WrongPhase,
        Stale,
        NoPrecondition,
    ),
)
def put_round(
    tx: ApiSession,
    round_id: RoundId,
    new: Annotated[RoundWrite, Body(examples=[_EXAMPLE]), CHECKED],
    if_match: IfMatchOrNew,
) -> Response:
    """Replace name and description of a round, or set one up under this id.

    `If-Match` is required when the round exists.
    """
    with tx.write() as (session, actor):
        row = rounds.find(session, actor, round_id, lock=True)
        if row is None:
            if_match.must_be_absent()
            return _response(
                rounds.add(session, actor, rounds.named(new, round_id)), 201
            )
        sent = rounds.as_written(row) | new.model_dump(exclude={"id"})
        if_match.check(row.version, rounds.as_written(row), sent)
        rounds.change(session, actor, row, new)
        return _response(row)


@router.patch(
    "/{round_id}",
    response_model=Round,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}},
        *_BODY,
        Forbidden,
        NotFound,
        WrongPhase,
        Stale,
        NoPrecondition,
    ),
    openapi_extra=merge_patch_of(RoundWrite, {"description": "A year of visits."}),
)
def patch_round(
    tx: ApiSession,
    round_id: RoundId,
    patch: Annotated[
        dict[str, object], Body(media_type="application/merge-patch+json"), CHECKED
    ],
    if_match: IfMatch,
) -> Response:
    """Change name or description (JSON merge patch, RFC 7396; null removes)."""
    with tx.write() as (session, actor):
        row = rounds.get(session, actor, round_id, lock=True)
        new = rounds.patched(row, patch)
        if_match.check(row.version, rounds.as_written(row), new.to_dict())
        rounds.change(session, actor, row, new)
        return _response(row)


@router.delete(
    "/{round_id}",
    status_code=204,
    responses=refusals(
        InvalidInput, Forbidden, NotFound, WrongPhase, Stale, NoPrecondition
    ),
)
def delete_round(tx: ApiSession, round_id: RoundId, if_match: IfMatch) -> None:
    """Delete a draft with everything in it."""
    with tx.write() as (session, actor):
        row = rounds.get(session, actor, round_id, lock=True)
        if_match.check(row.version, {})
        rounds.remove(session, actor, row)


@router.post(
    "/{round_id}/phase",
    response_model=Round,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}}, *_BODY, Forbidden, NotFound, WrongPhase, KeyReused
    ),
)
def move_round(
    tx: ApiSession,
    once: OnlyOnce,
    round_id: RoundId,
    change: Annotated[
        PhaseChange, Body(examples=[{"to": "open", "reason": None}]), CHECKED
    ],
) -> Response:
    """Bring a round into another phase; a step back needs a reason.

    `staged` and `released` are reached by deciding on a run only. Back from `staged`,
    what was staged is forgotten; into `archived`, open offers are withdrawn.
    """

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        phases.move(session, actor, row, change.to, change.reason)
        return _response(row)

    return once.answer(tx, work)


@router.get("/{round_id}/participants", responses=refusals(InvalidInput, NotFound))
def list_participants(
    tx: ApiSession, round_id: RoundId, page: RequestedPage, request: Request
) -> Participants:
    """List the cities of a round; wishes and vetoes only to those who may know."""
    with tx.read() as (session, actor):
        rounds.get(session, actor, round_id)
        rows, cursor = participants.search(session, round_id, page)
        return Participants(
            items=tuple(participants.as_participant(row, actor) for row in rows),
            next=next_page(request, cursor),
        )


@router.get(
    "/{round_id}/participants/{city_id}",
    response_model=Participant,
    responses=answers({200: {"headers": ETAG}}, NotFound),
)
def read_participant(tx: ApiSession, round_id: RoundId, city_id: CityId) -> Response:
    """Read how a city takes part."""
    with tx.read() as (session, actor):
        rounds.get(session, actor, round_id)
        row = participants.get(session, round_id, city_id)
        body = participants.as_participant(row, actor)
        return json_response(body, version=row.version)


@router.put(
    "/{round_id}/participants/{city_id}",
    response_model=Participant,
    dependencies=[Depends(require_json)],
    responses=answers(
        {
            200: {"headers": ETAG},
            201: {"headers": ETAG | PLACED, "model": Participant},
        },
        *_BODY,
        Forbidden,
        NotFound,
        WrongPhase,
        NoPlaces,
        Stale,
        NoPrecondition,
    ),
)
def put_participant(
    tx: ApiSession,
    round_id: RoundId,
    city_id: CityId,
    new: Annotated[
        ParticipationWrite, Body(examples=[{"mentor_capacity": None}]), CHECKED
    ],
    if_match: IfMatchOrNew,
) -> Response:
    """Enter a city, or change how it takes part; left out is as in its profile.

    `If-Match` is required when the city takes part already.
    """
    with tx.write() as (session, actor):
        round_row = rounds.get(session, actor, round_id, lock=True)
        row = participants.find(session, round_id, city_id)
        is_new = row is None
        if row is None:
            if_match.must_be_absent()
        else:
            now = participants.as_participant(row, actor).to_dict()
            if_match.check(
                row.version, now, now | new.model_dump(mode="json", exclude_unset=True)
            )
        row = participants.put(session, actor, round_row, city_id, new)
        place = f"/api/v1/rounds/{round_id}/participants/{city_id}"
        return json_response(
            participants.as_participant(row, actor),
            201 if is_new else 200,
            version=row.version,
            location=place if is_new else None,
        )


@router.delete(
    "/{round_id}/participants/{city_id}",
    status_code=204,
    responses=refusals(
        InvalidInput, Forbidden, NotFound, WrongPhase, Stale, NoPrecondition
    ),
)
def remove_participant(
    tx: ApiSession, round_id: RoundId, city_id: CityId, if_match: IfMatch
) -> None:
    """Take a city out of a round, with the pins and bans that name it.

    After the release its pairings are withdrawn, and their other cities are told.
    """
    with tx.write() as (session, actor):
        round_row = rounds.get(session, actor, round_id, lock=True)
        row = participants.get(session, round_id, city_id)
        if_match.check(row.version, {})
        participants.remove(session, actor, round_row, row)


@router.get(
    "/{round_id}/policy",
    response_model=Policy,
    responses=answers({200: {"headers": ETAG}}, NotFound),
)
def read_policy(tx: ApiSession, round_id: RoundId) -> Response:
    """Read how the round is matched."""
    with tx.read() as (session, actor):
        round_row = rounds.get(session, actor, round_id)
        row = policies.get(session, actor, round_row)
        return json_response(policies.as_policy(row), version=row.version)


@router.put(
    "/{round_id}/policy",
    response_model=Policy,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}},
        *_BODY,
        InvalidPolicy,
        Forbidden,
        NotFound,
        WrongPhase,
        Stale,
        NoPrecondition,
    ),
)
def put_policy(
    tx: ApiSession,
    round_id: RoundId,
    new: Annotated[
        Policy, Body(examples=[{"rules": {"different_country": True}}]), CHECKED
    ],
    if_match: IfMatch,
) -> Response:
    """Replace the weights, rules, pins, bans and the objective of a round."""
    with tx.write() as (session, actor):
        round_row = rounds.get(session, actor, round_id, lock=True)
        row = policies.get(session, actor, round_row, lock=True)
        if_match.check(row.version, policies.as_policy(row).to_dict(), new.to_dict())
        policies.change(session, actor, round_row, row, new)
        return json_response(policies.as_policy(row), version=row.version)


@router.get(
    "/{round_id}/readiness",
    responses=refusals(NotFound, Busy, TooSlow, ComputationDied),
)
def read_readiness(
    tx: ApiSession, answers: EngineQueriesDep, round_id: RoundId
) -> Readiness:
    """Tell supply and demand, what each rule removes, and what stands in the way."""
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        now = runs.as_it_stands(session, actor, row)
    return answers.readiness(now)


@router.get("/{round_id}/audit", responses=refusals(InvalidInput, NotFound))
def read_round_log(
    tx: ApiSession, round_id: RoundId, page: RequestedPage, request: Request
) -> AuditLog:
    """List what was done in a round, the newest first."""
    with tx.read() as (session, actor):
        rows, cursor = audit.of_round(session, actor, round_id, page)
        return AuditLog(
            items=tuple(map(audit.as_entry, rows)), next=next_page(request, cursor)
        )
