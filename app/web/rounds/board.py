"""The board of a round: what is staged or was released, and what needs its organisers.

Forms that decide about one pairing lead back to it, wherever they stood.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, get_args

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.errors import InvalidInput, Refusal, Stale
from app.http.idempotency import Once
from app.http.preconditions import Precondition, etag
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor, may_oversee
from app.services.cities import directory
from app.services.decisions import phases
from app.services.mail import letters, outbox
from app.services.pairings import endings, offers, pairings, questions, round_health
from app.services.rounds import rounds
from app.services.shared.clock import now
from app.services.shared.rows import (
    LIVE_STATES,
    PairingRow,
    RoundPolicyRow,
    RoundRow,
)
from app.texts.catalogue import here, message
from app.web.forms import end_of_day, field_text, parse, redirect, submit
from app.web.layout import show
from app.web.rounds.deadlines import time_left
from app.web.session import Form, OnlyOnce, PageSession
from schemas import (
    Explanation,
    Health,
    InputError,
    PairingState,
    ReasonWrite,
    RoundPairing,
)

router = APIRouter(include_in_schema=False)
_ROOMY = 40
"""Most pairings that are shown with bars and forms; beyond, each is one line."""
Standing = Literal[PairingState, "one_yes"]
"""The state of a pairing; of an offer also whether one side has said yes."""
_STANDINGS: tuple[Standing, ...] = (
    "staged",
    "offered",
    "one_yes",
    "confirmed",
    "declined",
    "expired",
    "withdrawn",
    "dismissed",
)


_BY_CITY: Mapping[PairingState, str] = {
    "declined": message("declined by {city}"),
    "withdrawn": message("withdrawn by {city}"),
}
_ENDINGS: Mapping[tuple[PairingState, str], str] = {
    ("declined", "organiser"): message("declined"),
    ("expired", "organiser"): message("not answered in time"),
    ("withdrawn", "organiser"): message("withdrawn by an organiser"),
    ("withdrawn", "repair"): message("withdrawn by a repair"),
    ("dismissed", "organiser"): message("taken out by an organiser"),
    ("dismissed", "repair"): message("taken out by a repair"),
}


@dataclass(frozen=True)
class Line:
    """A pairing on the board.

    Attributes:
        pairing: As the visitor may see it.
        why: Where its score comes from.
        standing: How far it is.
        left: How much time is left for answers, in words; empty if there is no hurry.
        ending: How it came to nothing, in words; empty if it stands.

    """

    pairing: RoundPairing
    why: Explanation
    standing: Standing
    left: str
    ending: str


@router.get("/rounds/{round_id}/pairings")
def show_board(
    tx: PageSession, round_id: str, reminded: int | None = None, show: str = ""
) -> HTMLResponse:
    """Show the pairings of a round, or those of one standing."""
    return _board(tx, round_id, reminded=reminded, wanted=show)


def _board(  # noqa: PLR0913 -- what the page shows
    tx: AuthenticatedTransaction,
    round_id: str,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str] | None = None,
    reminded: int | None = None,
    wanted: str = "",
) -> HTMLResponse:
    """Show the board.

    Args:
        tx: Where the visitor is served.
        round_id: Which round.
        refused: What became of a form.
        typed: What stood in it; `form` tells which, as `dismiss-ID`.
        reminded: How many reminders were just queued.
        wanted: The only standing that is shown; else all are.

    """
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        names = directory.names(session)
        lines = list(_lines(session, actor, row, names))
        board = round_health.round_health(session, actor, row)
        counts = Counter(line.standing for line in lines)
        chosen = next((one for one in _STANDINGS if one == wanted), None)
        shown = [line for line in lines if chosen in {None, line.standing}]
        return show(
            "rounds/board.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            version_read=row.version,
            live=[line for line in shown if line.pairing.state in LIVE_STATES],
            ended=[line for line in shown if line.pairing.state not in LIVE_STATES],
            lost=_lost(lines, board),
            counts={one: counts[one] for one in _STANDINGS if counts[one]},
            chosen=chosen,
            answers=_answers(lines),
            soonest=_soonest(board),
            roomy=len(shown) <= _ROOMY,
            board=board,
            outbox=outbox.summary(session, actor, round_id),
            letters=outbox.held(session, actor, round_id),
            names=names,
            usual_day=(now() + timedelta(days=row.answer_days)).date().isoformat(),
            refused=refused,
            typed=typed or {"form": ""},
            fields=_fields((typed or {}).get("form", "")),
            reminded=reminded,
            pulse=_pulse(row, lines),
            questions=_questions(session, actor, row, lines),
        )


def _questions(
    session: Session, actor: Actor, row: RoundRow, lines: list[Line]
) -> list[dict[str, str]]:
    """Return what cities ask and wait to be told, the oldest first."""
    if not may_oversee(actor):
        return []
    pairs = {line.pairing.id: line.pairing for line in lines}
    asked = map(questions.as_question, questions.unanswered(session, row.id))
    return [
        {
            "pairing": one.pairing,
            "city": getattr(pairs[one.pairing], one.side),
            "text": one.text,
        }
        for one in asked
    ]


def _fields(form: str) -> dict[str, str]:
    """Return the ids of the fields of a form on the board, for its messages."""
    what, _, pairing = form.partition("-")
    return {
        "answer_by": f"{pairing}-day" if pairing else "answer_by",
        "reason": f"/pairings/{pairing}/{what}-reason",
    }


def _pulse(row: RoundRow, lines: list[Line]) -> str:
    """Return what is another as soon as anything on the board is."""
    told = repr([(line.pairing.id, line.standing) for line in lines])
    return hashlib.sha256(f"{row.version} {told}".encode()).hexdigest()[:16]


def _lines(
    session: Session, actor: Actor, row: RoundRow, names: Mapping[str, str]
) -> Iterator[Line]:
    at = now()
    for one in pairings.of_round(session, row.id, get_args(PairingState)):
        shown = pairings.as_pairing(one, actor)
        yield Line(
            pairing=shown,
            why=pairings.explanation(one),
            standing=_standing(shown),
            left=_left(shown, at),
            ending=ending(shown, names),
        )


def _standing(pairing: RoundPairing) -> Standing:
    answers = pairing.mentor_answer, pairing.learner_answer
    if pairing.state == "offered" and "accepted" in answers:
        return "one_yes"
    return pairing.state


def _left(pairing: RoundPairing, at: datetime) -> str:
    if pairing.state != "offered" or pairing.answer_by is None:
        return ""
    return time_left(pairing.answer_by, at)


def ending(pairing: RoundPairing, names: Mapping[str, str]) -> str:
    """Return how a pairing came to nothing, in words; empty if it stands."""
    if pairing.state in LIVE_STATES:
        return ""
    say = here().say
    side = {"mentor": pairing.mentor, "learner": pairing.learner}.get(
        pairing.ended_by or ""
    )
    if side is not None and pairing.state in _BY_CITY:
        return say(_BY_CITY[pairing.state], city=names[side])
    by = "repair" if pairing.ended_by == "repair" else "organiser"
    return say(_ENDINGS.get((pairing.state, by), _ENDINGS[pairing.state, "organiser"]))


def _lost(lines: list[Line], board: Health) -> list[Line]:
    """Return what came to nothing after the release, the learner still waiting."""
    return [
        line
        for line in lines
        if line.standing in {"declined", "expired", "withdrawn"}
        and line.pairing.learner in board.unserved
    ]


@dataclass(frozen=True)
class Answers:
    """How many answers were given, of how many that were asked for."""

    given: int
    asked: int


def _answers(lines: list[Line]) -> Answers:
    """Return how many of the sides of what stands have answered."""
    asked = [
        answer
        for line in lines
        if line.pairing.state in {"offered", "confirmed"}
        for answer in (line.pairing.mentor_answer, line.pairing.learner_answer)
    ]
    return Answers(sum(answer != "pending" for answer in asked), len(asked))


def _soonest(board: Health) -> tuple[datetime, str] | None:
    """Return the nearest deadline, and how much time is left until then."""
    if not board.waiting:
        return None
    until = min(one.answer_by for one in board.waiting)
    return until, time_left(until, now())


def must_be_as_seen(row: RoundRow | RoundPolicyRow, form: Form) -> None:
    """Refuse a decision about a round that has changed since the form was shown."""
    seen = field_text(form, "version")
    if not Precondition(etag(int(seen) if seen.isdecimal() else 0)).allows(row.version):
        raise Stale(
            "Somebody changed the round since this page was shown. It is shown as it "
            "is now: look once more, then decide."
        )


@router.post("/rounds/{round_id}/release")
def release(tx: PageSession, once: OnlyOnce, round_id: str, form: Form) -> Response:
    """Offer what is staged: the cities are told."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        rounds.must_organise(actor)
        must_be_as_seen(row, form)
        phases.release(session, actor, row, end_of_day(form, "answer_by"))
        return redirect(f"/rounds/{round_id}/pairings")

    typed = {"form": "release", "answer_by": field_text(form, "answer_by")}
    return submit(
        partial(once.answer, tx, work), partial(_board, tx, round_id, typed=typed)
    )


@router.post("/rounds/{round_id}/reminders")
def remind(tx: PageSession, once: OnlyOnce, round_id: str) -> Response:
    """Remind every city that has not answered."""

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        sent = letters.remind(session, actor, row)
        return redirect(f"/rounds/{round_id}/pairings?reminded={sent}")

    return once.answer(tx, work)


# About one pairing.


def _round_of(tx: AuthenticatedTransaction, pairing_id: str) -> str:
    with tx.read() as (session, actor):
        return pairings.get(session, actor, pairing_id).round_id


@router.post("/pairings/{pairing_id}/dismiss")
def dismiss(tx: PageSession, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Take a staged pairing out."""
    return _end(tx, once, pairing_id, form, endings.dismiss)


@router.post("/pairings/{pairing_id}/withdraw")
def withdraw(tx: PageSession, once: OnlyOnce, pairing_id: str, form: Form) -> Response:
    """Take back a pairing that was offered or confirmed."""
    return _end(tx, once, pairing_id, form, endings.withdraw)


def _end(
    tx: AuthenticatedTransaction,
    once: Once,
    pairing_id: str,
    form: FormData,
    end: Callable[[Session, Actor, RoundRow, PairingRow, str], None],
) -> Response:
    reason = field_text(form, "reason")

    def work(session: Session, actor: Actor) -> Response:
        round_row, row = pairings.get_locked(session, actor, pairing_id)
        new = parse(ReasonWrite, reason=reason)
        end(session, actor, round_row, row, new.reason)
        return redirect(f"/rounds/{round_row.id}/pairings")

    typed = {"form": f"{end.__name__}-{pairing_id}", "reason": reason}
    again = partial(_board, tx, _round_of(tx, pairing_id), typed=typed)
    return submit(partial(once.answer, tx, work), again)


@router.post("/pairings/{pairing_id}/deadline")
def set_deadline(
    tx: PageSession, once: OnlyOnce, pairing_id: str, form: Form
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
        offers.set_deadline(session, actor, round_row, row, until)
        return redirect(f"/rounds/{round_row.id}/pairings")

    typed = {
        "form": f"deadline-{pairing_id}",
        "answer_by": field_text(form, "answer_by"),
    }
    again = partial(_board, tx, _round_of(tx, pairing_id), typed=typed)
    return submit(partial(once.answer, tx, work), again)
