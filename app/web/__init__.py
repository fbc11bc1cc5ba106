"""Pages over the same services; they work without JavaScript."""

from fastapi import APIRouter

from app.web.cities import explorer, files, lists, profile, view
from app.web.developers import developers, documents, webhooks
from app.web.front import demo, entrance
from app.web.language import PageLanguage
from app.web.pairings import cards, pairings
from app.web.people import account, people, privacy
from app.web.refusals import refusal_page, wants_page
from app.web.rounds import (
    board,
    how_we_chose,
    ledger,
    outbox,
    overrides,
    participation,
    repairs,
    report,
    round_form,
    rounds,
    rules,
)
from app.web.runs import runs, scenarios, why_not
from app.web.session import read_cookie as cookie

router = APIRouter()
for _page in (
    entrance,
    demo,
    account,
    people,
    explorer,
    files,
    profile,
    lists,
    view,
    rounds,
    participation,
    round_form,
    rules,
    runs,
    why_not,
    scenarios,
    board,
    overrides,
    repairs,
    report,
    outbox,
    pairings,
    cards,
    how_we_chose,
    ledger,
    developers,
    documents,
    webhooks,
    privacy,
):
    router.include_router(_page.router)

__all__ = ["PageLanguage", "cookie", "refusal_page", "router", "wants_page"]
