"""A page for whoever is looking."""

from typing import Any

from fastapi.responses import HTMLResponse

from app.permissions import Actor, may_organise, may_oversee
from app.templates.pages import STYLED, page
from matching import __version__


def show(
    template: str,
    actor: Actor | None,
    here: str,
    status: int = 200,
    **values: Any,  # noqa: ANN401 -- what the template takes
) -> HTMLResponse:
    """Return the page.

    Args:
        template: Which page.
        actor: Who is looking, if anybody is signed in.
        here: The part of the site that the navigation marks.
        status: The HTTP status.
        values: What the template takes.

    """
    body = page(
        template,
        who=actor,
        here=here,
        version=__version__,
        may_organise=actor is not None and may_organise(actor),
        may_oversee=actor is not None and may_oversee(actor),
        **values,
    )
    headers = {"Content-Security-Policy": STYLED, "Cache-Control": "no-store"}
    return HTMLResponse(body, status, headers)
