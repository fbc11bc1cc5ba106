"""The rules desk: how a round is matched, and what another way would bring."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Busy, InvalidInput, NotFound, Refusal, Stale
from app.http.deps import EngineQueriesDep
from app.http.preconditions import Precondition, etag
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor, may_organise
from app.services.decisions.engine_queries import EngineQueries
from app.services.rounds import policies, rounds
from app.services.runs import runs
from app.services.runs.runs import Frozen
from app.templates.pages import STYLED, page
from app.texts.catalogue import here, message, reading, unaccented
from app.texts.matching.policy import policy_in_words
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.rounds.rule_values import AIMS, CAP_KINDS, preview_values, relaxed
from app.web.rounds.rules_form import (
    Typed,
    as_typed,
    cap_rows,
    pointed,
    policy_of,
    sliders,
    typed_in,
)
from app.web.session import Form, OnlyOnce, PageSession
from schemas import Decision, Policy, Round, RunWrite

router = APIRouter(include_in_schema=False)
_LISTED = 100
"""Most pins, and most bans, that are listed."""
_MATCHABLE = ("open", "closed")
_DONE = {
    "saved": message("These are the rules of the round now."),
    "decided": message("It is decided so from now on."),
    "removed": message("It is taken back."),
}


@dataclass(frozen=True)
class _Known:
    """What the desk begins with.

    Attributes:
        actor: Who is looking.
        round: The round.
        version: That of its policy.
        now: The round as it stands, with the policy that holds.

    """

    actor: Actor
    round: Round
    version: int
    now: Frozen

    @property
    def may_save(self) -> bool:
        """Whether the visitor changes the policy now."""
        return may_organise(self.actor) and self.round.phase in rounds.CHANGEABLE

    @property
    def may_run(self) -> bool:
        """Whether the visitor has something proposed now."""
        return may_organise(self.actor) and self.round.phase in _MATCHABLE


def _known(tx: AuthenticatedTransaction, round_id: str) -> _Known:
    """Read the round, or raise `NotFound` if its policy is not the visitor's to see."""
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        version = policies.get(session, actor, row).version
        now = runs.as_it_stands(session, actor, row)
        return _Known(actor, rounds.as_round(row), version, now)


def _page(
    known: _Known,
    typed: Typed | None = None,
    refused: Refusal | None = None,
    **more: Any,  # noqa: ANN401 -- what else the template takes
) -> HTMLResponse:
    """Show the tx.

    Args:
        known: The round.
        typed: What stands in the form; None: what holds now.
        refused: Why something was not done.
        more: A preview; what was done.

    """
    policy = known.now.policy
    typed = as_typed(policy) if typed is None else typed
    cities = sorted(
        known.now.problem.cities, key=lambda city: (unaccented(city.name), city.id)
    )
    values: dict[str, Any] = {"preview": None, "done": None} | more
    return show(
        "rounds/rules.html",
        known.actor,
        "rounds",
        refused.status if refused else 200,
        round=known.round,
        seen=known.version,
        policy=policy,
        says=policy_in_words(policy, reading()),
        may_save=known.may_save,
        may_run=known.may_run,
        names={city.id: city.name for city in cities},
        mentors=[city for city in cities if city.mentor_capacity],
        learners=[city for city in cities if city.learner_demand],
        listed_most=_LISTED,
        refused=refused,
        stale=isinstance(refused, Stale),
        fields=pointed(),
        wrong={one.pointer.lstrip("/") for one in refused.errors} if refused else set(),
        typed={"label": ""} | dict(typed),
        sliders=sliders(typed),
        caps=cap_rows(typed),
        aims=AIMS,
        cap_kinds=CAP_KINDS,
        **values,
    )


def _previewed(answers: EngineQueries, known: _Known, policy: Policy) -> dict[str, Any]:
    """Return what the template says of a policy; raises what the engine refuses."""
    found = answers.preview(known.now, policy)
    return preview_values(found, policy, known.now.problem)


@router.get("/rounds/{round_id}/rules")
def show_rules(  # noqa: PLR0913 -- the query
    tx: PageSession,
    answers: EngineQueriesDep,
    round_id: str,
    relax: Annotated[str, Query(max_length=40)] = "",
    to: Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)] = None,
    done: str = "",
) -> HTMLResponse:
    """Show the rules of the round; with `relax`, what one of them relaxed brings."""
    known = _known(tx, round_id)
    text = _DONE.get(done)
    if not relax:
        return _page(known, done=text)
    tries = relaxed(known.now.policy, relax, to)
    typed = as_typed(tries)
    try:
        return _page(known, typed, preview=_previewed(answers, known, tries))
    except (Busy, InvalidInput) as error:
        return _page(known, typed, error)


@router.post("/rounds/{round_id}/rules/preview")
def preview(
    tx: PageSession, answers: EngineQueriesDep, round_id: str, form: Form
) -> Response:
    """Give the preview alone, as a part of the page."""
    known = _known(tx, round_id)
    values: dict[str, Any] = {"preview": None, "refused": None, "fields": pointed()}
    status, headers = 200, {"Content-Security-Policy": STYLED}
    try:
        policy = policy_of(typed_in(form), known.now.policy)
        values["preview"] = _previewed(answers, known, policy)
    except (Busy, InvalidInput) as error:
        status, values["refused"] = error.status, error
    body = page("rounds/rules_preview.html", **values)
    return HTMLResponse(body, status, headers | {"Cache-Control": "no-store"})


@router.post("/rounds/{round_id}/rules")
def decide(  # noqa: PLR0913 -- what a form needs
    tx: PageSession,
    answers: EngineQueriesDep,
    once: OnlyOnce,
    request: Request,
    round_id: str,
    form: Form,
) -> Response:
    """Preview what the form says, make it the policy, or have it proposed."""
    known, typed = _known(tx, round_id), typed_in(form)
    does = field_text(form, "do")

    def look() -> Response:
        policy = policy_of(typed, known.now.policy)
        return _page(known, typed, preview=_previewed(answers, known, policy))

    def save(session: Session, actor: Actor) -> Response:
        _change(session, actor, round_id, form, policy_of(typed, known.now.policy))
        return redirect(f"/rounds/{round_id}/rules?done=saved")

    def propose(session: Session, actor: Actor) -> Response:
        policy = policy_of(typed, known.now.policy)
        row = rounds.get(session, actor, round_id, lock=True)
        new = parse(RunWrite, label=typed["label"] or None, policy=policy)
        return redirect(f"/runs/{runs.start(session, actor, row, new).id}")

    works = {
        "save": partial(once.answer, tx, save),
        "scenario": partial(once.answer, tx, propose),
    }

    def again(refused: Refusal) -> HTMLResponse:
        return _page(_known(tx, round_id), typed, refused)

    answer = submit(works.get(does, look), again)
    if does == "scenario":
        request.app.state.worker.wake()
    return answer


def _change(
    session: Session, actor: Actor, round_id: str, form: Form, new: Policy
) -> None:
    """Make the policy what is given, unless it changed since the form was shown."""
    row = rounds.get(session, actor, round_id, lock=True)
    stored = policies.get(session, actor, row, lock=True)
    seen = field_text(form, "version")
    Precondition(etag(int(seen) if seen.isdecimal() else 0)).check(
        stored.version, policies.as_policy(stored).to_dict(), new.to_dict()
    )
    policies.change(session, actor, row, stored, new)


@router.post("/rounds/{round_id}/rules/decisions")
def decide_pair(tx: PageSession, once: OnlyOnce, round_id: str, form: Form) -> Response:
    """Pin or ban a pair, or take that back."""
    known = _known(tx, round_id)
    kind, does = field_text(form, "kind"), field_text(form, "do")
    pair = field_text(form, "mentor"), field_text(form, "learner")

    def work(session: Session, actor: Actor) -> Response:
        policy = known.now.policy
        if does == "remove":
            new = _without(policy, kind, pair)
        else:
            new = _with(policy, kind, pair, field_text(form, "reason"))
        _change(session, actor, round_id, form, new)
        done = "removed" if does == "remove" else "decided"
        return redirect(f"/rounds/{round_id}/rules?done={done}#decisions")

    def again(refused: Refusal) -> HTMLResponse:
        return _page(_known(tx, round_id), None, refused)

    return submit(partial(once.answer, tx, work), again)


Decided = Literal["pins", "bans"]


def _kind(kind: str) -> Decided:
    if kind == "pins":
        return "pins"
    if kind == "bans":
        return "bans"
    raise NotFound("There is no such decision.")


def _without(policy: Policy, kind: str, pair: tuple[str, str]) -> Policy:
    """Return the policy without one pin or one ban."""
    field = _kind(kind)
    kept = tuple(one for one in getattr(policy, field) if policies.pair_of(one) != pair)
    return policy.model_copy(update={field: kept})


def _with(policy: Policy, kind: str, pair: tuple[str, str], reason: str) -> Policy:
    """Return the policy with one pair pinned or banned; raises `InvalidInput`."""
    if not all(pair):
        raise InvalidInput(here().say("Choose a mentor and a learner."))
    new = parse(Decision, mentor=pair[0], learner=pair[1], reason=reason or None)
    if _kind(kind) == "pins":
        return policies.deciding(policy, pins=[new])
    return policies.deciding(policy, bans=[new])
