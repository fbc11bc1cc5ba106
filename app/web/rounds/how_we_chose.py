"""How the released pairings of a round were chosen, for everybody to read."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from app.permissions import may_oversee
from app.services.decisions import released
from app.services.rounds import rounds
from app.texts.catalogue import reading
from app.texts.matching.how_we_chose import how_we_chose
from app.web.forms import download
from app.web.layout import show
from app.web.session import OptionalPageSession, PageSession

router = APIRouter(include_in_schema=False)


@router.get("/rounds/{round_id}/how-we-chose")
def show_how_we_chose(guest: OptionalPageSession, round_id: str) -> HTMLResponse:
    """Show the text; of a public round, also to whoever is not signed in."""
    with guest.read() as (session, actor):
        decision = released.get(session, actor, round_id)
        found = released.chosen(session, decision)
        row = released.round_of(session, decision)
        return show(
            "rounds/how_we_chose.html",
            actor,
            "rounds",
            round=rounds.as_round(row),
            text=how_we_chose(found, reading()),
            sha256=decision.sha256,
            may_take=actor is not None and may_oversee(actor),
        )


@router.get("/rounds/{round_id}/bundle.zip")
def take_release(tx: PageSession, round_id: str) -> Response:
    """Give the sealed bundle of the release."""
    with tx.read() as (session, actor):
        content = released.sealed(session, actor, round_id)
    return download(content, f"{round_id}.zip", "application/zip")
