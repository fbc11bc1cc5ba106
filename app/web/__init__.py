"""Pages over the same services; they work without JavaScript."""

from fastapi import APIRouter

from app.web import (
    account,
    answers,
    board,
    cards,
    chosen,
    cities,
    city_files,
    city_lists,
    city_pages,
    demo,
    developers,
    documents,
    entrance,
    explorer,
    ledger,
    outbox,
    overrides,
    pairings,
    participation,
    people,
    privacy,
    repairs,
    report,
    round_form,
    rounds,
    rules,
    runs,
    scenarios,
    webhooks,
)
from app.web.refusals import refusal_page, wants_page
from app.web.tongue import PageLanguage
from app.web.visitors import read_cookie as cookie

router = APIRouter()
for _page in (
    entrance,
    demo,
    account,
    people,
    explorer,
    city_files,
    cities,
    city_lists,
    city_pages,
    rounds,
    participation,
    round_form,
    rules,
    runs,
    answers,
    scenarios,
    board,
    overrides,
    repairs,
    report,
    outbox,
    pairings,
    cards,
    chosen,
    ledger,
    developers,
    documents,
    webhooks,
    privacy,
):
    router.include_router(_page.router)

__all__ = ["PageLanguage", "cookie", "refusal_page", "router", "wants_page"]
