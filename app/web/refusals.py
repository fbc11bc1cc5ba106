"""Refusals as pages, for people who look with a browser."""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.errors import Refusal, Unknown, meaning
from app.render import STYLED, page
from matching import __version__


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks for a page, and not a tool for the API."""
    return "text/html" in request.headers.get(
        "accept", ""
    ) and not request.url.path.startswith("/api/v1/")


def refusal_page(request: Request, error: Refusal) -> Response:
    """Return the refusal as a page; whoever is not known is led to sign in."""
    if isinstance(error, Unknown):
        asked = f"?{request.url.query}" if request.url.query else ""
        path = f"{request.url.path}{asked}" if request.method == "GET" else "/"
        return RedirectResponse(f"/sign-in?to={quote(path)}", 303)
    body = page(
        "problem.html",
        who=None,
        here="",
        version=__version__,
        title=meaning(type(error)),
        detail=str(error),
        errors=error.errors,
        cure=error.cure,
    )
    headers = {**error.headers, "Content-Security-Policy": STYLED}
    return HTMLResponse(body, error.status, headers)
