"""The page of what the rounds have brought to each city."""

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from app.permissions import Actor
from app.services.cities import directory
from app.services.rounds import ledger, rounds
from app.services.shared.paging import PageRequest
from app.web.layout import show
from app.web.session import PageSession

router = APIRouter(include_in_schema=False)
_PAGE = 100
_ROUNDS = 1000
"""Most rounds that are told by name, not by id."""


@router.get("/ledger")
def show_ledger(tx: PageSession, cursor: str | None = None) -> HTMLResponse:
    """List what each city has had, by its id."""
    with tx.read() as (session, actor):
        entries, following = ledger.search(session, actor, PageRequest(_PAGE, cursor))
        next_page = f"/ledger?{urlencode({'cursor': following})}"
        return show(
            "rounds/ledger.html",
            actor,
            "rounds",
            entries=entries,
            most=max((max(one.mentored, one.learned) for one in entries), default=0),
            names=directory.names(session),
            round_names=_round_names(session, actor),
            following=next_page if following else None,
        )


def _round_names(session: Session, actor: Actor) -> dict[str, str]:
    found, _ = rounds.search(session, actor, PageRequest(_ROUNDS))
    return {row.id: row.name for row in found}
