"""The form of a round: to change it, or to begin a new one as its copy."""

from collections.abc import Mapping
from functools import partial
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Refusal, Stale
from app.http.preconditions import Precondition, etag
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.rounds import copies, rounds
from app.services.shared.rows import RoundRow
from app.web.forms import field_text, must_organise, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import RoundNew, RoundWrite

router = APIRouter(include_in_schema=False)
Typed = Mapping[str, str]
"""What stands in the form."""
R = TypeVar("R", bound=RoundWrite)

_FIELDS = (
    "name",
    "description",
    "answer_days",
    "retention_months",
    "public",
    "version",
)


def _typed(form: Form) -> dict[str, str]:
    return {name: field_text(form, name) for name in _FIELDS}


def _stored(row: RoundRow) -> dict[str, str]:
    return {
        "name": row.name,
        "description": row.description or "",
        "answer_days": str(row.answer_days),
        "retention_months": str(row.retention_months),
        "public": "yes" if row.public else "",
        "version": str(row.version),
    }


def _written(typed: Typed, kind: type[R], **fields: object) -> R:
    """Return the round as the form says, or raise `InvalidInput`."""
    return parse(
        kind,
        name=typed["name"],
        description=typed["description"] or None,
        answer_days=_number(typed["answer_days"]),
        retention_months=_number(typed["retention_months"]),
        public=typed["public"] == "yes",
        **fields,
    )


def _number(typed: str) -> int | str | None:
    """Return the number; what is none is refused as all else: by its own field."""
    return int(typed) if typed.isdecimal() else typed or None


def _form_page(
    tx: AuthenticatedTransaction,
    round_id: str,
    does: str,
    refused: Refusal | None = None,
    typed: Typed | None = None,
) -> HTMLResponse:
    """Show the form of a round that is changed (`edit`) or copied (`copy`)."""
    with tx.read() as (session, actor):
        must_organise(actor)
        row = rounds.get(session, actor, round_id)
        cells = {**_stored(row), **(typed or {}), "version": str(row.version)}
        if typed is None and does == "copy":
            cells["name"] = ""
        return show(
            "rounds/round_form.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            does=does,
            cells=cells,
            refused=refused,
            stale=isinstance(refused, Stale),
        )


@router.get("/rounds/{round_id}/edit")
def edit_round(tx: PageSession, round_id: str) -> HTMLResponse:
    """Show the form of a round."""
    return _form_page(tx, round_id, "edit")


@router.post("/rounds/{round_id}/edit")
def save_round(tx: PageSession, round_id: str, form: Form) -> Response:
    """Save the round, unless somebody else has changed it since the form was shown."""
    typed = _typed(form)

    def work() -> Response:
        new = _written(typed, RoundWrite)
        with tx.write() as (session, actor):
            row = rounds.get(session, actor, round_id, lock=True)
            seen = typed["version"]
            Precondition(etag(int(seen) if seen.isdecimal() else 0)).check(
                row.version,
                rounds.as_written(row),
                rounds.as_written(row) | new.model_dump(exclude={"id"}),
            )
            rounds.change(session, actor, row, new)
        return redirect(f"/rounds/{round_id}")

    return submit(work, partial(_form_page, tx, round_id, "edit", typed=typed))


@router.get("/rounds/{round_id}/copy")
def ask_for_copy(tx: PageSession, round_id: str) -> HTMLResponse:
    """Show the form of a round that begins as a copy of this one."""
    return _form_page(tx, round_id, "copy")


@router.post("/rounds/{round_id}/copy")
def copy_round(tx: PageSession, once: OnlyOnce, round_id: str, form: Form) -> Response:
    """Set up a round with the participants and the policy of this one."""
    typed = _typed(form)

    def work(session: Session, actor: Actor) -> Response:
        new = _written(typed, RoundNew, copy_of=round_id)
        return redirect(f"/rounds/{copies.add(session, actor, new).id}")

    return submit(
        partial(once.answer, tx, work),
        partial(_form_page, tx, round_id, "copy", typed=typed),
    )
