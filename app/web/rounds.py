"""Pages of rounds: the list, a round and what to do next, and who takes part."""

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.db import models
from app.deps import Desk, TheAnswers
from app.errors import Busy, InvalidInput, Refusal
from app.permissions import Actor, may_leave_round, may_organise, may_oversee
from app.render import readiness_values
from app.services import (
    cities,
    health,
    pairings,
    participants,
    phases,
    reasons,
    rounds,
    runs,
)
from app.services.answers import Answers
from app.services.paging import Cut
from app.web.forms import read, said, see, tried
from app.web.showing import show
from app.web.visitors import Form, OnlyOnce, Visitor
from schemas import (
    Health,
    ParticipationWrite,
    Phase,
    RoundPairing,
    RoundWrite,
)

router = APIRouter(include_in_schema=False)
_PAGE = 50
_ALL = Cut(500)


# The list.


def _list(
    desk: Desk,
    refused: Refusal | None = None,
    cursor: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    with desk.read() as (session, actor):
        rows, following = rounds.search(session, actor, Cut.at(_PAGE, cursor))
        next_page = f"/rounds?{urlencode({'cursor': following})}"
        return show(
            "rounds.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            rounds=[rounds.as_round(row) for row in rows],
            following=next_page if following else None,
            refused=refused,
            typed=typed or {"name": "", "description": ""},
        )


@router.get("/rounds")
def list_rounds(desk: Visitor, cursor: str | None = None) -> HTMLResponse:
    """List the rounds that the visitor may see."""
    return _list(desk, cursor=cursor)


@router.post("/rounds")
def set_up_round(desk: Visitor, once: OnlyOnce, form: Form) -> Response:
    """Set up a round."""
    typed = {name: said(form, name) for name in ("name", "description")}

    def work(session: Session, actor: Actor) -> Response:
        description = typed["description"] or None
        new = read(RoundWrite, name=typed["name"], description=description)
        return see(f"/rounds/{rounds.add(session, actor, new).id}")

    again = partial(_list, desk, typed=typed)
    return tried(partial(once.answer, desk, work), again)


# A round.


@router.get("/rounds/{round_id}")
def show_round(desk: Visitor, answers: TheAnswers, round_id: str) -> HTMLResponse:
    """Show a round: its phase, who takes part, and for organisers all the rest."""
    return _page(desk, answers, round_id)


def _page(
    desk: Desk, answers: Answers, round_id: str, refused: Refusal | None = None
) -> HTMLResponse:
    with desk.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        values: dict[str, Any] = {
            "round": rounds.as_round(row),
            "phases": get_args(Phase),
            "oversees": may_oversee(actor),
            "own": _own(session, actor, row),
            "names": cities.names(session),
            "refused": refused,
        }
        values |= _taking_part(session, actor, row, values["names"])
        now = runs.as_it_stands(session, actor, row) if values["oversees"] else None
        if now is not None:
            values |= _organised(session, actor, row)
            values["how"] = reasons.how(now.policy)
    if now is not None:
        values |= _readiness(answers, now, values["names"])
    status = refused.status if refused else 200
    return show("round.html", actor, "rounds", status, **values)


def _own(session: Session, actor: Actor, row: models.Round) -> list[RoundPairing]:
    """Return the pairings of the visitor's own city."""
    if actor.city is None:
        return []
    found, _ = pairings.search(session, actor, row, _ALL)
    return [
        pairings.as_pairing(one, actor)
        for one in found
        if actor.city in pairings.cities_of(one)
    ]


def _taking_part(
    session: Session, actor: Actor, row: models.Round, names: dict[str, str]
) -> dict[str, Any]:
    taking, _ = participants.search(session, row.id, _ALL)
    inside = {one.city_id for one in taking}
    may_enter = _may_enter(actor, row)
    return {
        "participants": [participants.as_participant(one, actor) for one in taking],
        "may_leave": {one for one in inside if may_leave_round(actor, one, row.phase)},
        "others": [
            {"id": city, "name": name}
            for city, name in sorted(names.items(), key=lambda item: item[1])
            if city not in inside and may_enter in {"all", city}
        ],
    }


def _may_enter(actor: Actor, row: models.Round) -> str:
    """Return whose participation the visitor decides now: `all`, an id, or nobody's."""
    if may_organise(actor) and row.phase in {*rounds.CHANGEABLE, "released"}:
        return "all"
    return actor.city or "" if row.phase == "open" else ""


def _organised(session: Session, actor: Actor, row: models.Round) -> dict[str, Any]:
    """Return what those who organise the round see besides."""
    found, _ = runs.search(session, actor, row.id, Cut(20))
    board: Health | None = None
    if row.phase not in rounds.CHANGEABLE:
        board = health.health(session, actor, row)
    return {
        "runs": [runs.as_run(run) for run in found],
        "newest": next((run.id for run in found if run.state == "succeeded"), None),
        "stageable": row.phase in phases.STAGEABLE,
        "board": board,
        "back": phases.back_from(row.phase),
    }


def _readiness(
    answers: Answers, now: runs.Frozen, names: dict[str, str]
) -> dict[str, Any]:
    """Return what the page says of readiness; without it, the rest is still shown."""
    try:
        found = answers.readiness(now)
    except Busy:
        return {"readiness": None}
    return readiness_values(found, now.policy, names)


@router.post("/rounds/{round_id}/phase")
def move_round(
    desk: Visitor, once: OnlyOnce, answers: TheAnswers, round_id: str, form: Form
) -> Response:
    """Bring a round into its next phase, or back with a reason."""
    wanted = said(form, "to")

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        if wanted not in get_args(Phase):
            raise InvalidInput("There is no such phase.")
        phases.move(session, actor, row, wanted, said(form, "reason") or None)
        return see(f"/rounds/{round_id}")

    return tried(
        partial(once.answer, desk, work), partial(_page, desk, answers, round_id)
    )


@router.post("/rounds/{round_id}/participants")
def take_in(desk: Visitor, answers: TheAnswers, round_id: str, form: Form) -> Response:
    """Enter a city as its own profile says."""

    def work() -> Response:
        with desk.write() as (session, actor):
            row = rounds.get(session, actor, round_id, lock=True)
            city_id = said(form, "city")
            if participants.find(session, round_id, city_id) is None:
                participants.put(session, actor, row, city_id, ParticipationWrite())
        return see(f"/rounds/{round_id}")

    return tried(work, partial(_page, desk, answers, round_id))


@router.post("/rounds/{round_id}/participants/{city_id}/delete")
def take_out(
    desk: Visitor, answers: TheAnswers, round_id: str, city_id: str, _form: Form
) -> Response:
    """Take a city out."""

    def work() -> Response:
        with desk.write() as (session, actor):
            row = rounds.get(session, actor, round_id, lock=True)
            one = participants.find(session, round_id, city_id)
            if one is not None:
                participants.remove(session, actor, row, one)
        return see(f"/rounds/{round_id}")

    return tried(work, partial(_page, desk, answers, round_id))
