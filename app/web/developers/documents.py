"""Pages about the API: what may be refused, what has changed, what can be relied on."""

import json

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.api_changes import CHANGES, PAGE
from app.errors import details, every_refusal, find_kind, meaning
from app.web.layout import show
from app.web.session import OptionalPageSession

router = APIRouter(include_in_schema=False)
_PART = "developers"
"""The part of the site that the navigation marks."""


@router.get("/problems")
def list_problems(guest: OptionalPageSession) -> HTMLResponse:
    """List every refusal."""
    kinds = sorted(every_refusal(), key=lambda kind: (kind.status, kind.code))
    with guest.read() as (_session, actor):
        return show("developers/kinds.html", actor, _PART, kinds=kinds, meaning=meaning)


@router.get("/problems/{code}")
def show_problem(guest: OptionalPageSession, code: str) -> HTMLResponse:
    """Explain a refusal: where `type` of a problem document leads."""
    kind = find_kind(code)
    told = details(kind("Here stands what was wrong this time.")).to_dict()
    example = json.dumps(told, indent=2, ensure_ascii=False)
    with guest.read() as (_session, actor):
        return show(
            "developers/kind.html",
            actor,
            _PART,
            kind=kind,
            meaning=meaning(kind),
            example=example,
        )


@router.get(PAGE)
def list_changes(guest: OptionalPageSession) -> HTMLResponse:
    """Tell what has changed in the API, and what callers may rely on."""
    with guest.read() as (_session, actor):
        return show("developers/api_changes.html", actor, _PART, changes=CHANGES)
