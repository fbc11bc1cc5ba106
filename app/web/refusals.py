"""Refusals as pages, for people who look with a browser."""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.errors import Refusal, Unauthenticated, meaning
from app.web.layout import show
from app.web.session import VISITOR


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks for a page, and not a tool for the API."""
    return "text/html" in request.headers.get(
        "accept", ""
    ) and not request.url.path.startswith("/api/v1/")


def refusal_page(request: Request, error: Refusal) -> Response:
    """Return the refusal as a page; whoever is not known is led to sign in.

    The navigation stays that of the visitor, if it was known before the refusal.
    """
    if isinstance(error, Unauthenticated):
        asked = f"?{request.url.query}" if request.url.query else ""
        path = f"{request.url.path}{asked}" if request.method == "GET" else "/"
        return RedirectResponse(f"/sign-in?to={quote(path)}", 303)
    shown = show(
        "shared/problem.html",
        getattr(request.state, VISITOR, None),
        "",
        error.status,
        title=meaning(type(error)),
        detail=str(error),
        errors=error.errors,
        cure=error.cure,
    )
    shown.headers.update(error.headers)
    return shown
