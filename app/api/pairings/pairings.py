"""Routes of pairings: what the cities answer, how a pairing ends, its check-ins."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.api.rounds.rounds import RoundId
from app.errors import (
    Forbidden,
    InvalidInput,
    KeyReused,
    NoPlaces,
    NoPrecondition,
    NotFound,
    NotJson,
    NotOffered,
    Stale,
    TooLarge,
    TooLate,
    WrongPhase,
    WrongType,
    invalid,
)
from app.http.body import CHECKED, Route
from app.http.deps import (
    ApiSession,
    IfMatch,
    OnlyOnce,
    RequestedPage,
    json_response,
    next_page,
    require_json,
)
from app.http.openapi import ETAG, merge_patch_of
from app.http.problems import answers as documented
from app.http.problems import refusals
from app.http.updated_since import UpdatedSince
from app.permissions import Actor
from app.services.decisions import phases
from app.services.pairings import check_ins, endings, offers, pairings
from app.services.rounds import rounds
from app.services.shared.rows import PairingRow, RoundRow
from app.texts.matching.pair import explained
from schemas import (
    AccountLanguage,
    AnswerWrite,
    CheckIn,
    CheckIns,
    CheckInWrite,
    PairingExplanation,
    PairingState,
    PairingWrite,
    ReasonWrite,
    RoundPairing,
    RoundPairings,
)
from schemas.bounds import ErrorCount

_BODY = (NotJson, TooLarge, WrongType, InvalidInput)
PairingId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

router = APIRouter(route_class=Route, tags=["pairings"])


def _response(row: PairingRow, actor: Actor) -> Response:
    return json_response(pairings.as_pairing(row, actor), version=row.version)


T = TypeVar("T")


def _changing(
    pairing_id: str,
    change: Callable[[Session, Actor, RoundRow, PairingRow, T], None],
    how: T,
) -> Callable[[Session, Actor], Response]:
    """Return the work that changes a pairing and answers with what it is now."""

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        change(session, actor, round_row, row, how)
        return _response(row, actor)

    return work


@router.get("/rounds/{round_id}/pairings", responses=refusals(InvalidInput, NotFound))
def list_pairings(  # noqa: PLR0913 -- FastAPI reads them
    tx: ApiSession,
    round_id: RoundId,
    page: RequestedPage,
    since: UpdatedSince,
    request: Request,
    state: Annotated[PairingState | None, Query()] = None,
) -> RoundPairings:
    """List the pairings of a round that the caller may see, by learner, then mentor.

    Before the release these are for organisers and auditors alone.
    """
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        wanted = pairings.Filter(state, since)
        rows, cursor = pairings.search(session, actor, row, page, wanted)
        return RoundPairings(
            items=tuple(pairings.as_pairing(one, actor) for one in rows),
            next=next_page(request, cursor),
        )


@router.get(
    "/pairings/{pairing_id}",
    response_model=RoundPairing,
    responses=documented({200: {"headers": ETAG}}, NotFound),
)
def read_pairing(tx: ApiSession, pairing_id: PairingId) -> Response:
    """Read a pairing: its state, and what each side has answered."""
    with tx.read() as (session, actor):
        return _response(pairings.get(session, actor, pairing_id), actor)


@router.patch(
    "/pairings/{pairing_id}",
    response_model=RoundPairing,
    dependencies=[Depends(require_json)],
    responses=documented(
        {200: {"headers": ETAG}},
        *_BODY,
        Forbidden,
        NotFound,
        WrongPhase,
        NotOffered,
        NoPlaces,
        Stale,
        NoPrecondition,
    ),
    openapi_extra=merge_patch_of(PairingWrite, {"answer_by": "2027-05-14T17:00:00Z"}),
)
def patch_pairing(
    tx: ApiSession,
    pairing_id: PairingId,
    patch: Annotated[
        dict[str, object], Body(media_type="application/merge-patch+json"), CHECKED
    ],
    if_match: IfMatch,
) -> Response:
    """Set another deadline; a pairing that has expired is offered again by it."""
    with tx.write() as (session, actor):
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        try:
            new = PairingWrite.model_validate(patch, context=ErrorCount())
        except ValidationError as error:
            raise invalid(error) from None
        stored = row.answer_by.isoformat() if row.answer_by else None
        sent = new.answer_by.isoformat()
        if_match.check(row.version, {"answer_by": stored}, {"answer_by": sent})
        until = phases.deadline(new.answer_by)
        assert until is not None  # noqa: S101 -- one was given
        offers.set_deadline(session, actor, round_row, row, until)
        return _response(row, actor)


@router.post(
    "/pairings/{pairing_id}/answer",
    response_model=RoundPairing,
    dependencies=[Depends(require_json)],
    responses=documented(
        {200: {"headers": ETAG}},
        *_BODY,
        Forbidden,
        NotFound,
        NotOffered,
        NoPlaces,
        TooLate,
        KeyReused,
    ),
)
def answer_pairing(
    tx: ApiSession,
    once: OnlyOnce,
    pairing_id: PairingId,
    new: Annotated[
        AnswerWrite,
        Body(
            examples=[
                {"side": "learner", "answer": "accept"},
                {"side": "mentor", "answer": "decline", "reason_code": "timing"},
            ]
        ),
        CHECKED,
    ],
) -> Response:
    """Accept or decline an offered pairing for one of its two cities.

    When both have accepted, it is confirmed. The same answer again changes nothing.
    """
    return once.answer(tx, _changing(pairing_id, offers.answer, new))


@router.post(
    "/pairings/{pairing_id}/dismiss",
    response_model=RoundPairing,
    dependencies=[Depends(require_json)],
    responses=documented(
        {200: {"headers": ETAG}}, *_BODY, Forbidden, NotFound, NotOffered, KeyReused
    ),
)
def dismiss_pairing(
    tx: ApiSession,
    once: OnlyOnce,
    pairing_id: PairingId,
    new: Annotated[
        ReasonWrite, Body(examples=[{"reason": "They met last year."}]), CHECKED
    ],
) -> Response:
    """Take a staged pairing out; nobody is told. A repair may fill the places."""
    return once.answer(tx, _changing(pairing_id, endings.dismiss, new.reason))


@router.post(
    "/pairings/{pairing_id}/withdraw",
    response_model=RoundPairing,
    dependencies=[Depends(require_json)],
    responses=documented(
        {200: {"headers": ETAG}},
        *_BODY,
        Forbidden,
        NotFound,
        WrongPhase,
        NotOffered,
        KeyReused,
    ),
)
def withdraw_pairing(
    tx: ApiSession,
    once: OnlyOnce,
    pairing_id: PairingId,
    new: Annotated[
        ReasonWrite, Body(examples=[{"reason": "The project ended."}]), CHECKED
    ],
) -> Response:
    """Take back an offered or confirmed pairing; its two cities are told."""
    return once.answer(tx, _changing(pairing_id, endings.withdraw, new.reason))


@router.get(
    "/pairings/{pairing_id}/explanation", responses=refusals(InvalidInput, NotFound)
)
def explain_pairing(
    tx: ApiSession,
    pairing_id: PairingId,
    lang: Annotated[AccountLanguage, Query(description="Of the sentences.")] = "en",
) -> PairingExplanation:
    """Tell why the pairing is proposed: terms that add up, and plain sentences."""
    with tx.read() as (session, actor):
        row = pairings.get(session, actor, pairing_id)
        mentor, learner = pairings.names_of(session, row)
        why = pairings.explained_to(actor, row)
    return PairingExplanation(
        pairing=row.id,
        mentor=row.mentor_id,
        learner=row.learner_id,
        language=lang,
        score=why.score,
        known_weight=why.known_weight,
        contributions=why.contributions,
        adjustments=why.adjustments,
        sentences=tuple(explained(why, mentor, learner, lang)),
    )


@router.get(
    "/pairings/{pairing_id}/check-ins", responses=refusals(InvalidInput, NotFound)
)
def list_check_ins(
    tx: ApiSession, pairing_id: PairingId, page: RequestedPage, request: Request
) -> CheckIns:
    """List what its cities and organisers noted of a pairing, the newest first."""
    with tx.read() as (session, actor):
        row = pairings.get(session, actor, pairing_id)
        rows, cursor = check_ins.search(session, actor, row, page)
        return CheckIns(
            items=tuple(map(check_ins.as_check_in, rows)),
            next=next_page(request, cursor),
        )


@router.post(
    "/pairings/{pairing_id}/check-ins",
    status_code=201,
    response_model=CheckIn,
    dependencies=[Depends(require_json)],
    responses=refusals(*_BODY, Forbidden, NotFound, WrongPhase, NotOffered, KeyReused),
)
def add_check_in(
    tx: ApiSession,
    once: OnlyOnce,
    pairing_id: PairingId,
    new: Annotated[
        CheckInWrite, Body(examples=[{"fit": "good", "note": "First visit."}]), CHECKED
    ],
) -> Response:
    """Note of a confirmed pairing that the two met, or how it goes."""

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        note = check_ins.add(session, actor, round_row, row, new)
        return json_response(check_ins.as_check_in(note), 201)

    return once.answer(tx, work)
