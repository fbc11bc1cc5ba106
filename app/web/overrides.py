"""The pages on which a pair is decided about by hand, once its price is known.

What is staged changes at once. Before anything is staged, the decision goes into the
rules of the round, and the round is matched anew.
"""

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.db import models
from app.deps import Desk, TheAnswers
from app.errors import Refusal
from app.permissions import Actor
from app.render import override_values
from app.services import deciding, overrides, policies, rounds, runs
from app.services.answers import Answers
from app.web.board import must_be_as_seen
from app.web.forms import must_organise, read, said, see, tried
from app.web.showing import show
from app.web.visitors import Form, OnlyOnce, Visitor
from schemas import Override, OverrideWrite

router = APIRouter(include_in_schema=False)
_FIELDS = ("decision", "mentor", "learner", "reason")
_DECISIONS = ("force", "ban")
_UNSAID = "–"
"""Stands for the reason while only the price is asked for."""


def _typed(form: Form) -> dict[str, str]:
    return {name: said(form, name) for name in _FIELDS}


def _decided(typed: dict[str, str], reason: str) -> OverrideWrite:
    """Return what the form decides, or raise `InvalidInput`."""
    pair = {"mentor": typed["mentor"], "learner": typed["learner"]}
    kind = "ban" if typed["decision"] == "ban" else "force"
    return read(OverrideWrite, **{kind: [pair]}, reason=reason)


# What is staged.


def _page(
    desk: Desk,
    round_id: str,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str],
    priced: Override | None = None,
) -> HTMLResponse:
    """Show the form, and what the decision in it would cost where that is known."""
    with desk.read() as (session, actor):
        must_organise(actor)
        row = rounds.get(session, actor, round_id)
        start = overrides.before(session, actor, row)
        return show(
            "override.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            run=start.run,
            staged=True,
            action=f"/rounds/{round_id}/override",
            version_read=row.version,
            typed=typed,
            refused=refused,
            **override_values(start.problem, priced),
        )


@router.get("/rounds/{round_id}/override")
def ask(  # noqa: PLR0913 -- what an address may say
    desk: Visitor,
    answers: TheAnswers,
    round_id: str,
    decision: str = "",
    mentor: str = "",
    learner: str = "",
) -> Response:
    """Ask whom to pair, or to keep apart; tell the price if it is known whom."""
    typed = {"decision": decision, "mentor": mentor, "learner": learner, "reason": ""}
    page = partial(_page, desk, round_id, typed=typed)
    if decision not in _DECISIONS or not (mentor and learner):
        return page()
    return tried(lambda: page(priced=_price(desk, answers, round_id, typed)), page)


def _price(
    desk: Desk, answers: Answers, round_id: str, typed: dict[str, str]
) -> Override:
    """Return what the decision would change; nothing is stored."""
    with desk.read() as (session, actor):
        must_organise(actor)
        row = rounds.get(session, actor, round_id)
        start = overrides.before(session, actor, row)
    new = _decided(typed, typed["reason"] or _UNSAID)
    return overrides.as_override(answers.override(start, new, tried=False), None)


@router.post("/rounds/{round_id}/override")
def decide(
    desk: Visitor, once: OnlyOnce, answers: TheAnswers, round_id: str, form: Form
) -> Response:
    """Show what a decision would cost; or decide so, and stage what comes of it."""
    typed = _typed(form)
    page = partial(_page, desk, round_id, typed=typed)

    def work() -> Response:
        kept = once.kept(desk)
        if kept is not None:
            return kept
        new = _decided(typed, typed["reason"])
        with desk.read() as (session, actor):
            row = rounds.get(session, actor, round_id)
            start = overrides.before(session, actor, row)
            must_be_as_seen(row, form)
        found = answers.override(start, new)

        def store(session: Session, actor: Actor) -> Response:
            row = rounds.get(session, actor, round_id, lock=True)
            overrides.store(session, actor, row, start, new, found)
            return see(f"/rounds/{round_id}/pairings")

        return once.answer(desk, store)

    if said(form, "do") == "decide":
        return tried(work, page)
    return tried(lambda: page(priced=_price(desk, answers, round_id, typed)), page)


# Before anything is staged.


def _run_page(
    desk: Desk,
    run_id: str,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str],
    priced: Override | None = None,
) -> HTMLResponse:
    """Show the form for a run that is not staged, and what the decision would cost."""
    with desk.read() as (session, actor):
        must_organise(actor)
        run = runs.get(session, actor, run_id)
        row = session.get_one(models.Round, run.round_id)
        start = deciding.before(session, actor, row, run)
        return show(
            "override.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            run=run_id,
            staged=False,
            action=f"/runs/{run_id}/decide",
            version_read=start.version,
            typed=typed,
            refused=refused,
            **override_values(start.problem, priced),
        )


@router.get("/runs/{run_id}/decide")
def ask_about_run(  # noqa: PLR0913 -- what an address may say
    desk: Visitor,
    answers: TheAnswers,
    run_id: str,
    decision: str = "",
    mentor: str = "",
    learner: str = "",
) -> Response:
    """Ask whom to pair, or to keep apart; tell the price if it is known whom."""
    typed = {"decision": decision, "mentor": mentor, "learner": learner, "reason": ""}
    page = partial(_run_page, desk, run_id, typed=typed)
    if decision not in _DECISIONS or not (mentor and learner):
        return page()
    return tried(lambda: page(priced=_run_price(desk, answers, run_id, typed)), page)


def _run_price(
    desk: Desk, answers: Answers, run_id: str, typed: dict[str, str]
) -> Override:
    with desk.read() as (session, actor):
        must_organise(actor)
        run = runs.get(session, actor, run_id)
        row = session.get_one(models.Round, run.round_id)
        start = deciding.before(session, actor, row, run)
    new = _decided(typed, typed["reason"] or _UNSAID)
    return overrides.as_override(answers.override(start, new, tried=False), None)


@router.post("/runs/{run_id}/decide")
def decide_about_run(  # noqa: PLR0913 -- FastAPI reads them
    desk: Visitor,
    once: OnlyOnce,
    answers: TheAnswers,
    request: Request,
    run_id: str,
    form: Form,
) -> Response:
    """Show what a decision would cost; or put it into the rules, and propose anew."""
    typed = _typed(form)
    page = partial(_run_page, desk, run_id, typed=typed)
    if said(form, "do") != "decide":
        return tried(
            lambda: page(priced=_run_price(desk, answers, run_id, typed)), page
        )

    def store(session: Session, actor: Actor) -> Response:
        new = _decided(typed, typed["reason"])
        run = runs.get(session, actor, run_id)
        row = rounds.get(session, actor, run.round_id, lock=True)
        must_be_as_seen(policies.get(session, actor, row, lock=True), form)
        made = deciding.decide(session, actor, row, run, new)
        return see(f"/runs/{made.id}")

    answer = tried(partial(once.answer, desk, store), page)
    request.app.state.worker.wake()
    return answer
