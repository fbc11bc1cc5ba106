"""The page on which a staged proposal is decided otherwise, once its price is known."""

from functools import partial

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.deps import Desk, TheAnswers
from app.errors import Refusal
from app.permissions import Actor
from app.render import override_values
from app.services import overrides, rounds
from app.web.board import must_be_as_seen
from app.web.forms import must_organise, read, said, see, tried
from app.web.showing import show
from app.web.visitors import Form, OnlyOnce, Visitor
from schemas import Override, OverrideWrite

router = APIRouter(include_in_schema=False)
_FIELDS = ("decision", "mentor", "learner", "reason")


def _typed(form: Form) -> dict[str, str]:
    return {name: said(form, name) for name in _FIELDS}


def _decided(typed: dict[str, str]) -> OverrideWrite:
    """Return what the form decides, or raise `InvalidInput`."""
    pair = {"mentor": typed["mentor"], "learner": typed["learner"]}
    kind = "ban" if typed["decision"] == "ban" else "force"
    return read(OverrideWrite, **{kind: [pair]}, reason=typed["reason"])


def _page(
    desk: Desk,
    round_id: str,
    refused: Refusal | None = None,
    *,
    typed: dict[str, str] | None = None,
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
            version_read=row.version,
            typed=typed or dict.fromkeys(_FIELDS, ""),
            refused=refused,
            **override_values(start.problem, priced),
        )


@router.get("/rounds/{round_id}/override")
def ask(desk: Visitor, round_id: str, mentor: str = "", learner: str = "") -> Response:
    """Ask whom to pair, or to keep apart, and why."""
    typed = {"decision": "", "mentor": mentor, "learner": learner, "reason": ""}
    return _page(desk, round_id, typed=typed)


@router.post("/rounds/{round_id}/override")
def decide(
    desk: Visitor, once: OnlyOnce, answers: TheAnswers, round_id: str, form: Form
) -> Response:
    """Show what a decision would cost; or decide so, and stage what comes of it."""
    typed = _typed(form)
    is_decided = said(form, "do") == "decide"

    def work() -> Response:
        kept = once.kept(desk) if is_decided else None
        if kept is not None:
            return kept
        new = _decided(typed)
        with desk.read() as (session, actor):
            row = rounds.get(session, actor, round_id)
            start = overrides.before(session, actor, row)
            if is_decided:
                must_be_as_seen(row, form)
        found = answers.override(start, new)
        if not is_decided:
            priced = overrides.as_override(found, None)
            return _page(desk, round_id, typed=typed, priced=priced)

        def store(session: Session, actor: Actor) -> Response:
            row = rounds.get(session, actor, round_id, lock=True)
            overrides.store(session, actor, row, start, new, found)
            return see(f"/rounds/{round_id}/pairings")

        return once.answer(desk, store)

    return tried(work, partial(_page, desk, round_id, typed=typed))
