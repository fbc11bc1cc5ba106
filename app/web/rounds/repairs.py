"""The page of the ways to mend a round, and to make one of them."""

from functools import partial

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Busy, InvalidInput, Refusal, WrongPhase
from app.http.deps import EngineQueriesDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.pictures.mending import mending
from app.services.cities import directory
from app.services.decisions import repairs
from app.services.decisions.engine_queries import EngineQueries
from app.services.pairings import round_health
from app.services.rounds import rounds
from app.web.forms import field_text, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import Repair

router = APIRouter(include_in_schema=False)
_SHOWN = 5
"""Most ways that the page shows."""


@router.get("/rounds/{round_id}/repairs")
def show_repairs(
    tx: PageSession, answers: EngineQueriesDep, round_id: str
) -> HTMLResponse:
    """Show how the pairings of a round can be mended."""
    return _page(tx, answers, round_id)


def _page(
    tx: AuthenticatedTransaction,
    answers: EngineQueries,
    round_id: str,
    refused: Refusal | None = None,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        try:
            start = repairs.basis(session, actor, row)
        except WrongPhase:
            start = None
        unserved = round_health.round_health(session, actor, row).unserved
        names = directory.names(session)
        shown = rounds.as_round(row)
    items: tuple[Repair, ...] = ()
    if start is not None:
        try:
            items = answers.repairs(start, _SHOWN).items
        except (InvalidInput, Busy) as error:
            refused = refused or error
    return show(
        "rounds/repairs.html",
        actor,
        "rounds",
        refused.status if refused else 200,
        round=shown,
        mended=start is not None,
        ways=[mending(one, names, shown.phase) for one in items],
        unserved=unserved,
        names=names,
        refused=refused,
    )


@router.post("/rounds/{round_id}/repairs")
def make_repair(
    tx: PageSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    round_id: str,
    form: Form,
) -> Response:
    """Make one of the repairs, by its id."""

    def work() -> Response:
        kept = once.kept(tx)
        if kept is not None:
            return kept
        with tx.read() as (session, actor):
            row = rounds.get(session, actor, round_id)
            rounds.must_organise(actor)
            start = repairs.basis(session, actor, row)
        wanted = field_text(form, "repair")
        repair = repairs.chosen(answers.repairs(start, repairs.MOST), wanted)
        why = answers.explained(start, repairs.added(repair))

        def make(session: Session, actor: Actor) -> Response:
            row = rounds.get(session, actor, round_id, lock=True)
            repairs.make(session, actor, row, start, repair, why)
            return redirect(f"/rounds/{round_id}/pairings")

        return once.answer(tx, make)

    return submit(work, partial(_page, tx, answers, round_id))
