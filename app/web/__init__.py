"""Pages over the same services; they work without JavaScript."""

from fastapi import APIRouter

from app.web import (
    account,
    answers,
    board,
    chosen,
    cities,
    entrance,
    ledger,
    outbox,
    overrides,
    pairings,
    people,
    privacy,
    repairs,
    round_form,
    rounds,
    runs,
    scenarios,
    webhooks,
)
from app.web.refusals import refusal_page, wants_page

router = APIRouter()
for _page in (
    entrance,
    account,
    people,
    cities,
    rounds,
    round_form,
    runs,
    answers,
    scenarios,
    board,
    overrides,
    repairs,
    outbox,
    pairings,
    chosen,
    ledger,
    webhooks,
    privacy,
):
    router.include_router(_page.router)

__all__ = ["refusal_page", "router", "wants_page"]
