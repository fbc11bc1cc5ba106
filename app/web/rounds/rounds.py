"""Pages of rounds: the list, a round and what to do next, and who takes part."""

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Busy, InvalidInput, Refusal
from app.http.deps import EngineQueriesDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import (
    Actor,
    may_invite,
    may_know_wishes,
    may_leave_round,
    may_organise,
    may_oversee,
)
from app.services.accounts import accounts
from app.services.cities import profiles
from app.services.decisions import attendance, participants, phases
from app.services.decisions.engine_queries import EngineQueries
from app.services.pairings import pairings, round_health
from app.services.rounds import rounds
from app.services.runs import runs
from app.services.shared.clock import now as this_moment
from app.services.shared.names import search_key
from app.services.shared.paging import PageRequest
from app.services.shared.rows import PairingRow, RoundRow
from app.templates.pages import readiness_values
from app.texts.catalogue import here
from app.texts.matching import reasons
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.rounds.deadlines import time_left
from app.web.session import Form, OnlyOnce, PageSession
from schemas import (
    Health,
    InputError,
    Invitation,
    Participant,
    ParticipationWrite,
    Phase,
    RoundPairing,
    RoundWrite,
)

router = APIRouter(include_in_schema=False)
_PAGE = 50
_ALL = PageRequest(10_000)
_SHOWN = 60
"""Most participants on one page."""
_OFFERED = 12
"""Most cities that are offered to be taken in, unless somebody looks for one."""
_INVITING = ("email", "name", "language", "city")
_BEFORE_RELEASE = ("draft", "open", "closed")


# The list.


def _list(
    tx: AuthenticatedTransaction,
    refused: Refusal | None = None,
    cursor: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        rows, following = rounds.search(session, actor, PageRequest(_PAGE, cursor))
        next_page = f"/rounds?{urlencode({'cursor': following})}"
        newest = max(rows, key=lambda row: row.created_at, default=None)
        return show(
            "rounds/rounds.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            rounds=[rounds.as_round(row) for row in rows],
            sizes=attendance.counts(session, [row.id for row in rows]),
            newest=newest and rounds.as_round(newest),
            following=next_page if following else None,
            refused=refused,
            typed=typed or {"name": "", "description": ""},
        )


@router.get("/rounds")
def list_rounds(tx: PageSession, cursor: str | None = None) -> HTMLResponse:
    """List the rounds that the visitor may see."""
    return _list(tx, cursor=cursor)


@router.post("/rounds")
def set_up_round(tx: PageSession, once: OnlyOnce, form: Form) -> Response:
    """Set up a round."""
    typed = {name: field_text(form, name) for name in ("name", "description")}

    def work(session: Session, actor: Actor) -> Response:
        description = typed["description"] or None
        new = parse(RoundWrite, name=typed["name"], description=description)
        return redirect(f"/rounds/{rounds.add(session, actor, new).id}")

    again = partial(_list, tx, typed=typed)
    return submit(partial(once.answer, tx, work), again)


# A round.


@router.get("/rounds/{round_id}")
def show_round(
    tx: PageSession, answers: EngineQueriesDep, round_id: str, request: Request
) -> HTMLResponse:
    """Show a round: its phase, who takes part, and for organisers all the rest.

    In the query `who` is a part of the names of participants, `role` what they are,
    `at` how many of them come before; `find` is a part of a name to take in.
    """
    return _page(tx, answers, round_id, query=request.query_params)


def _page(  # noqa: PLR0913 -- what may be told on it
    tx: AuthenticatedTransaction,
    answers: EngineQueries,
    round_id: str,
    refused: Refusal | None = None,
    *,
    query: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    asked = query or {}
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        names = attendance.names(session, round_id)
        values: dict[str, Any] = {
            "round": rounds.as_round(row),
            "phases": get_args(Phase),
            "oversees": may_oversee(actor),
            "own": _own(session, actor, row),
            "city_name": _city_name(session, actor),
            "names": names,
            "refused": refused,
            "typed": dict.fromkeys(_INVITING, "") | dict(typed or {}),
            "done": asked.get("done", ""),
        }
        values |= _taking_part(session, actor, row, names, asked)
        now = runs.as_it_stands(session, actor, row) if values["oversees"] else None
        if now is not None:
            values |= _organised(session, actor, row)
            values["how"] = reasons.how(now.policy)
            values["awaited"] = (
                attendance.awaited(session, actor, round_id, now.problem.cities)
                if row.phase in _BEFORE_RELEASE
                else []
            )
            phase = row.phase
    if now is not None and phase in _BEFORE_RELEASE:
        values |= _readiness(answers, now, names, round_id)
    status = refused.status if refused else 200
    return show("rounds/round.html", actor, "rounds", status, **values)


def _city_name(session: Session, actor: Actor) -> str | None:
    """Return the name of the visitor's own city, if it is registered."""
    if actor.city is None:
        return None
    row = profiles.find(session, actor.city)
    return None if row is None else row.name


def _own(session: Session, actor: Actor, row: RoundRow) -> list[dict[str, Any]]:
    """Return the pairings of the visitor's own city, and what is to be done."""
    if actor.city is None:
        return []
    found, _ = pairings.search(session, actor, row, _ALL)
    return [
        _own_pairing(session, pairings.as_pairing(one, actor), one, actor.city)
        for one in found
        if actor.city in pairings.cities_of(one)
    ]


def _own_pairing(
    session: Session, shown: RoundPairing, row: PairingRow, city: str
) -> dict[str, Any]:
    mentor, learner = pairings.names_of(session, row)
    side = "mentor" if city == row.mentor_id else "learner"
    asked = row.state == "offered" and getattr(row, f"{side}_answer") == "pending"
    left = time_left(row.answer_by, this_moment()) if row.answer_by else None
    return {
        "pairing": shown,
        "mentor": mentor,
        "learner": learner,
        "asked": asked,
        "left": left,
    }


def _taking_part(
    session: Session,
    actor: Actor,
    row: RoundRow,
    names: Mapping[str, str],
    asked: Mapping[str, str],
) -> dict[str, Any]:
    """Return who takes part, as far as the page shows it, and who may be taken in."""
    taking, _ = participants.search(session, row.id, _ALL)
    inside = {one.city_id for one in taking}
    fits = sorted(
        (participants.as_participant(one, actor) for one in taking),
        key=lambda one: (search_key(names[one.city]), one.city),
    )
    fits = [one for one in fits if _is_wanted(one, names, asked)]
    start = int(at) if (at := asked.get("at", "")).isascii() and at.isdecimal() else 0
    shown = fits[start : start + _SHOWN]
    find = asked.get("find", "").strip()
    takes_in = _takes_in(actor, row)
    return {
        "participants": shown,
        "fitting": len(fits),
        "inside": len(inside),
        "asked": {name: asked.get(name, "") for name in ("who", "role", "find")},
        "start": start,
        "following": start + _SHOWN if start + _SHOWN < len(fits) else None,
        "may_leave": {one for one in inside if may_leave_round(actor, one, row.phase)},
        "may_say": {
            one.city
            for one in shown
            if may_know_wishes(actor, one.city) and _may_say(actor, one.city, row)
        },
        "takes_part": actor.city in inside,
        "may_enter_own": actor.city is not None
        and actor.city not in inside
        and row.phase == "open",
        "takes_in": takes_in,
        "may_invite": may_invite(actor, "officer", None, actor.association)
        and row.phase in _BEFORE_RELEASE,
        "outside": attendance.to_take_in(session, actor, row.id, find, _OFFERED + 1)
        if takes_in
        else [],
        "offered": _OFFERED,
    }


def _is_wanted(
    one: Participant, names: Mapping[str, str], asked: Mapping[str, str]
) -> bool:
    role = asked.get("role", "")
    key = search_key(asked.get("who", ""))
    return key in search_key(names[one.city]) and (
        role not in {"mentor", "learner"} or role in one.roles
    )


def _may_say(actor: Actor, city: str, row: RoundRow) -> bool:
    """Tell whether the visitor decides now how a city takes part that does already."""
    if may_organise(actor):
        return row.phase in {*rounds.CHANGEABLE, "released"}
    return actor.city == city and row.phase == "open"


def _takes_in(actor: Actor, row: RoundRow) -> bool:
    """Tell whether the visitor takes in cities of others now."""
    if may_organise(actor):
        return row.phase in {*rounds.CHANGEABLE, "released"}
    return actor.role == "association" and row.phase == "open"


def _organised(session: Session, actor: Actor, row: RoundRow) -> dict[str, Any]:
    """Return what those who organise the round see besides."""
    found, _ = runs.search(session, actor, row.id, PageRequest(20))
    board: Health | None = None
    if row.phase not in rounds.CHANGEABLE:
        board = round_health.round_health(session, actor, row)
    return {
        "runs": [runs.as_run(run) for run in found],
        "newest": next((run.id for run in found if run.state == "succeeded"), None),
        "stageable": row.phase in phases.STAGEABLE,
        "board": board,
        "back": phases.back_from(row.phase),
        "readiness": None,
    }


def _readiness(
    answers: EngineQueries, now: runs.Frozen, names: dict[str, str], round_id: str
) -> dict[str, Any]:
    """Return what the page says of readiness; without it, the rest is still shown."""
    try:
        found = answers.readiness(now)
    except Busy:
        return {"readiness": None}
    return readiness_values(found, now.policy, names, round_id)


@router.post("/rounds/{round_id}/phase")
def move_round(
    tx: PageSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    round_id: str,
    form: Form,
) -> Response:
    """Bring a round into its next phase, or back with a reason."""
    wanted = field_text(form, "to")

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        if wanted not in get_args(Phase):
            raise InvalidInput("There is no such phase.")
        phases.move(session, actor, row, wanted, field_text(form, "reason") or None)
        return redirect(f"/rounds/{round_id}")

    return submit(partial(once.answer, tx, work), partial(_page, tx, answers, round_id))


@router.post("/rounds/{round_id}/participants")
def take_in(
    tx: PageSession, answers: EngineQueriesDep, round_id: str, form: Form
) -> Response:
    """Enter cities as their own profiles say."""
    chosen = [one for one in form.getlist("city") if isinstance(one, str) and one]

    def work() -> Response:
        if not chosen:
            raise InvalidInput(here().say("Tick the cities that are to take part."))
        with tx.write() as (session, actor):
            row = rounds.get(session, actor, round_id, lock=True)
            for city_id in chosen:
                if participants.find(session, round_id, city_id) is None:
                    participants.put(session, actor, row, city_id, ParticipationWrite())
        return redirect(f"/rounds/{round_id}")

    return submit(work, partial(_page, tx, answers, round_id))


@router.post("/rounds/{round_id}/participants/{city_id}/delete")
def take_out(
    tx: PageSession, answers: EngineQueriesDep, round_id: str, city_id: str, _form: Form
) -> Response:
    """Take a city out."""

    def work() -> Response:
        with tx.write() as (session, actor):
            row = rounds.get(session, actor, round_id, lock=True)
            one = participants.find(session, round_id, city_id)
            if one is not None:
                participants.remove(session, actor, row, one)
        return redirect(f"/rounds/{round_id}")

    return submit(work, partial(_page, tx, answers, round_id))


@router.post("/rounds/{round_id}/invite")
def invite(
    tx: PageSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    round_id: str,
    form: Form,
) -> Response:
    """Invite an officer of a city; a city that is not there yet is registered by it."""
    typed = {name: field_text(form, name) for name in _INVITING}

    def work(session: Session, actor: Actor) -> Response:
        rounds.get(session, actor, round_id)
        new = parse(
            Invitation,
            email=typed["email"],
            name=typed["name"] or None,
            language=typed["language"] or None,
            role="officer",
            city=_meant(session, typed["city"]),
        )
        accounts.invite(session, actor, new)
        return redirect(f"/rounds/{round_id}?done=invited#invite")

    again = partial(_page, tx, answers, round_id, typed=typed)
    return submit(partial(once.answer, tx, work), again)


def _meant(session: Session, typed: str) -> str:
    """Return the id of the city that is named, or raise `InvalidInput`."""
    one, names = attendance.resolve_city(session, typed)
    if one is not None:
        return one
    told = here()
    message = told.say("Name the city.")
    if names:
        message = told.say(
            "Several cities may be meant: {cities}. Write the whole name.",
            cities=told.joined(names),
        )
    error = InputError(pointer="/city", code="city", message=message)
    raise InvalidInput(message, [error])
