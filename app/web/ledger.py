"""The page of what the rounds have brought to each city."""

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.services import cities, ledger
from app.services.paging import Cut
from app.web.showing import show
from app.web.visitors import Visitor

router = APIRouter(include_in_schema=False)
_PAGE = 100


@router.get("/ledger")
def show_ledger(desk: Visitor, cursor: str | None = None) -> HTMLResponse:
    """List what each city has had, by its id."""
    with desk.read() as (session, actor):
        entries, following = ledger.search(session, actor, Cut.at(_PAGE, cursor))
        next_page = f"/ledger?{urlencode({'cursor': following})}"
        return show(
            "ledger.html",
            actor,
            "rounds",
            entries=entries,
            names=cities.names(session),
            following=next_page if following else None,
        )
