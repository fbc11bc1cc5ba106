"""The board of a round: what is staged or was released, and what needs its organisers.

Forms that decide about one pairing lead back to it, wherever they stood.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, get_args

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.db import models
from app.db.models.base import now
from app.db.models.pairing import LIVE
from app.deps import Desk, Once, Precondition, etag
from app.errors import InvalidInput, Refusal, Stale
from app.permissions import Actor
from app.services import cities, health, notices, outbox, pairings, phases, rounds
from app.web.forms import end_of_day, read, said, see, tried
from app.web.showing import show
from app.web.visitors import Form, OnlyOnce, Visitor
from schemas import InputError, PairingState, ReasonWrite

router = APIRouter(include_in_schema=False)
_ENDED = tuple(state for state in get_args(PairingState) if state not in LIVE)


@router.get("/rounds/{round_id}/pairings")
def show_board(
    desk: Visitor, round_id: str, reminded: int | None = None
) -> HTMLResponse:
    """Show the pairings of a round."""
    return _board(desk, round_id, reminded=reminded)


def _board(
    desk: Desk,
    round_id: str,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str] | None = None,
    reminded: int | None = None,
) -> HTMLResponse:
    """Show the board.

    Args:
        desk: Where the visitor is served.
        round_id: Which round.
        refused: What became of a form.
        typed: What stood in it; `form` tells which, as `dismiss-ID`.
        reminded: How many reminders were just queued.

    """
    with desk.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        return show(
            "board.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            version_read=row.version,
            live=_shown(session, actor, row, LIVE),
            ended=_shown(session, actor, row, _ENDED),
            board=health.health(session, actor, row),
            outbox=outbox.summary(session, actor, round_id),
            names=cities.names(session),
            usual_day=(now() + timedelta(days=row.answer_days)).date().isoformat(),
            refused=refused,
            typed=typed or {"form": ""},
            reminded=reminded,
        )


def _shown(
    session: Session, actor: Actor, row: models.Round, states: tuple[str, ...]
) -> list[dict[str, Any]]:
    return [
        {"pairing": pairings.as_pairing(one, actor), "why": pairings.explanation(one)}
        for one in pairings.of_round(session, row.id, states)
    ]


def must_be_as_seen(row: models.Round, form: Form) -> None:
    """Refuse a decision about a round that has changed since the form was shown."""
    seen = said(form, "version")
    if not Precondition(etag(int(seen) if seen.isdecimal() else 0)).allows(row.version):
        raise Stale(
            "Somebody changed the round since this page was shown. It is shown as it "
            "is now: look once more, then decide."
        )


@router.post("/rounds/{round_id}/release")
def release(desk: Visitor, once: OnlyOnce, round_id: str, form: Form) -> Response:
    """Offer what is staged: the cities are told."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        rounds.must_organise(actor)
        must_be_as_seen(row, form)
        phases.release(session, actor, row, end_of_day(form, "answer_by"))
        return see(f"/rounds/{round_id}/pairings")

    typed = {"form": "release", "answer_by": said(form, "answer_by")}
    return tried(
        partial(once.answer, desk, work), partial(_board, desk, round_id, typed=typed)
    )


@router.post("/rounds/{round_id}/reminders")
def remind(desk: Visitor, once: OnlyOnce, round_id: str) -> Response:
    """Remind every city that has not answered."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        sent = notices.remind(session, actor, row)
        return see(f"/rounds/{round_id}/pairings?reminded={sent}")

    return once.answer(desk, work)


# About one pairing.


def _round_of(desk: Desk, pairing_id: str) -> str:
    with desk.read() as (session, actor):
        return pairings.get(session, actor, pairing_id).round_id


@router.post("/pairings/{pairing_id}/dismiss")
def dismiss(desk: Visitor, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Take a staged pairing out."""
    return _end(desk, once, pairing_id, form, pairings.dismiss)


@router.post("/pairings/{pairing_id}/withdraw")
def withdraw(desk: Visitor, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Take back a pairing that was offered or confirmed."""
    return _end(desk, once, pairing_id, form, pairings.withdraw)


def _end(
    desk: Desk,
    once: Once,
    pairing_id: str,
    form: FormData,
    end: Callable[[Session, Actor, models.Round, models.Pairing, str], None],
) -> Response:
    reason = said(form, "reason")

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        new = read(ReasonWrite, reason=reason)
        end(session, actor, round_row, row, new.reason)
        return see(f"/rounds/{round_row.id}/pairings")

    typed = {"form": f"{end.__name__}-{pairing_id}", "reason": reason}
    again = partial(_board, desk, _round_of(desk, pairing_id), typed=typed)
    return tried(partial(once.answer, desk, work), again)


@router.post("/pairings/{pairing_id}/deadline")
def set_deadline(
    desk: Visitor, once: OnlyOnce, pairing_id: str, form: Form
) -> Response:
    """Give the cities until another day to answer."""

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        rounds.must_organise(actor)
        until = phases.deadline(end_of_day(form, "answer_by"))
        if until is None:
            message = "Choose the day by which the cities answer."
            error = InputError(pointer="/answer_by", code="missing", message=message)
            raise InvalidInput(message, [error])
        pairings.set_deadline(session, actor, round_row, row, until)
        return see(f"/rounds/{round_row.id}/pairings")

    typed = {
        "form": f"deadline-{pairing_id}",
        "answer_by": said(form, "answer_by"),
    }
    again = partial(_board, desk, _round_of(desk, pairing_id), typed=typed)
    return tried(partial(once.answer, desk, work), again)
