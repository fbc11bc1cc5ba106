"""The pages on which a pair is decided about by hand, once its price is known.

What is staged changes at once. Before anything is staged, the decision goes into the
rules of the round, and the round is matched anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.http.deps import EngineQueriesDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.decisions import overrides, policy_decisions
from app.services.decisions.engine_queries import EngineQueries
from app.services.rounds import policies, rounds
from app.services.runs import runs
from app.templates.pages import override_values
from app.web.forms import field_text, must_organise, parse, redirect, submit
from app.web.layout import show
from app.web.rounds.board import must_be_as_seen
from app.web.session import Form, OnlyOnce, PageSession
from schemas import Override, OverrideWrite, Round

router = APIRouter(include_in_schema=False)
_FIELDS = ("decision", "mentor", "learner", "reason")
_DECISIONS = ("force", "ban")
_UNSAID = "–"
"""Stands for the reason while only the price is asked for."""


def _typed(form: Form) -> dict[str, str]:
    return {name: field_text(form, name) for name in _FIELDS}


def _decided(typed: dict[str, str], reason: str) -> OverrideWrite:
    """Return what the form decides, or raise `InvalidInput`."""
    pair = {"mentor": typed["mentor"], "learner": typed["learner"]}
    kind = "ban" if typed["decision"] == "ban" else "force"
    return parse(OverrideWrite, **{kind: [pair]}, reason=reason)


@dataclass(frozen=True)
class OverrideView:
    """What is decided about, as it is now.

    Attributes:
        round: Its round.
        start: What the decision starts from, with the version that a form must name.
        staged: Whether pairings change at once, or the rules and a new proposal.

    """

    round: Round
    start: overrides.OverrideBasis
    staged: bool


@dataclass(frozen=True)
class OverrideSubject:
    """What is decided about: a staged round, or a run before anything is staged.

    Attributes:
        action: Where its form is sent.
        look: Returns it as it is now, or raises what forbids to decide about it.

    """

    action: str
    look: Callable[[Session, Actor], OverrideView]


def _of_round(round_id: str) -> OverrideSubject:
    def look(session: Session, actor: Actor) -> OverrideView:
        row = rounds.get(session, actor, round_id)
        start = overrides.basis(session, actor, row)
        return OverrideView(rounds.as_round(row), start, staged=True)

    return OverrideSubject(f"/rounds/{round_id}/override", look)


def _of_run(run_id: str) -> OverrideSubject:
    def look(session: Session, actor: Actor) -> OverrideView:
        run = runs.get(session, actor, run_id)
        row = runs.round_of(session, run)
        start = policy_decisions.basis(session, actor, row, run)
        return OverrideView(rounds.as_round(row), start, staged=False)

    return OverrideSubject(f"/runs/{run_id}/decide", look)


def _look(
    tx: AuthenticatedTransaction, matter: OverrideSubject
) -> tuple[Actor, OverrideView]:
    with tx.read() as (session, actor):
        must_organise(actor)
        return actor, matter.look(session, actor)


def _page(
    tx: AuthenticatedTransaction,
    matter: OverrideSubject,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str],
    priced: Override | None = None,
) -> HTMLResponse:
    """Show the form, and what the decision in it would cost where that is known."""
    actor, seen = _look(tx, matter)
    return show(
        "rounds/override.html",
        actor,
        "rounds",
        refused.status if refused else 200,
        round=seen.round,
        run=seen.start.run,
        staged=seen.staged,
        action=matter.action,
        version_read=seen.start.version,
        typed=typed,
        refused=refused,
        **override_values(seen.start.problem, priced),
    )


def _priced_page(
    tx: AuthenticatedTransaction,
    answers: EngineQueries,
    matter: OverrideSubject,
    typed: dict[str, str],
) -> Response:
    """Show what the decision would change; nothing is stored."""
    page = partial(_page, tx, matter, typed=typed)

    def work() -> Response:
        _, seen = _look(tx, matter)
        new = _decided(typed, typed["reason"] or _UNSAID)
        found = answers.override(seen.start, new, tried=False)
        return page(priced=overrides.as_override(found, None))

    return submit(work, page)


def _asked(
    tx: AuthenticatedTransaction,
    answers: EngineQueries,
    matter: OverrideSubject,
    typed: dict[str, str],
) -> Response:
    """Ask whom to pair, or to keep apart; tell the price if it is known whom."""
    if typed["decision"] in _DECISIONS and typed["mentor"] and typed["learner"]:
        return _priced_page(tx, answers, matter, typed)
    return _page(tx, matter, typed=typed)


# What is staged.


@router.get("/rounds/{round_id}/override")
def ask(  # noqa: PLR0913 -- what an address may say
    tx: PageSession,
    answers: EngineQueriesDep,
    round_id: str,
    decision: str = "",
    mentor: str = "",
    learner: str = "",
) -> Response:
    """Ask about the staged pairings."""
    typed = {"decision": decision, "mentor": mentor, "learner": learner, "reason": ""}
    return _asked(tx, answers, _of_round(round_id), typed)


@router.post("/rounds/{round_id}/override")
def decide(
    tx: PageSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    round_id: str,
    form: Form,
) -> Response:
    """Show what a decision would cost; or decide so, and stage what comes of it."""
    typed, matter = _typed(form), _of_round(round_id)
    if field_text(form, "do") != "decide":
        return _priced_page(tx, answers, matter, typed)

    def work() -> Response:
        kept = once.kept(tx)
        if kept is not None:
            return kept
        new = _decided(typed, typed["reason"])
        with tx.read() as (session, actor):
            row = rounds.get(session, actor, round_id)
            start = overrides.basis(session, actor, row)
            must_be_as_seen(row, form)
        found = answers.override(start, new)

        def store(session: Session, actor: Actor) -> Response:
            row = rounds.get(session, actor, round_id, lock=True)
            overrides.store(session, actor, row, start, new, found)
            return redirect(f"/rounds/{round_id}/pairings")

        return once.answer(tx, store)

    return submit(work, partial(_page, tx, matter, typed=typed))


# Before anything is staged.


@router.get("/runs/{run_id}/decide")
def ask_about_run(  # noqa: PLR0913 -- what an address may say
    tx: PageSession,
    answers: EngineQueriesDep,
    run_id: str,
    decision: str = "",
    mentor: str = "",
    learner: str = "",
) -> Response:
    """Ask about a proposal."""
    typed = {"decision": decision, "mentor": mentor, "learner": learner, "reason": ""}
    return _asked(tx, answers, _of_run(run_id), typed)


@router.post("/runs/{run_id}/decide")
def decide_about_run(  # noqa: PLR0913 -- FastAPI reads them
    tx: PageSession,
    once: OnlyOnce,
    answers: EngineQueriesDep,
    request: Request,
    run_id: str,
    form: Form,
) -> Response:
    """Show what a decision would cost; or put it into the rules, and propose anew."""
    typed, matter = _typed(form), _of_run(run_id)
    if field_text(form, "do") != "decide":
        return _priced_page(tx, answers, matter, typed)

    def store(session: Session, actor: Actor) -> Response:
        new = _decided(typed, typed["reason"])
        run = runs.get(session, actor, run_id)
        row = rounds.get(session, actor, run.round_id, lock=True)
        must_be_as_seen(policies.get(session, actor, row, lock=True), form)
        made = policy_decisions.decide(session, actor, row, run, new)
        return redirect(f"/runs/{made.id}")

    page = partial(_page, tx, matter, typed=typed)
    answer = submit(partial(once.answer, tx, store), page)
    request.app.state.worker.wake()
    return answer
