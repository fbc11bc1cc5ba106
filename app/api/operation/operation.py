"""Routes for those who run the service and those who read its documents."""

import base64
import hashlib

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from app.db.schema import is_current
from app.errors import Busy
from matching import __version__

router = APIRouter(include_in_schema=False)

ASSETS = "/api/docs/assets"


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, str]:
    """Tell that requests can be served: the database answers and is up to date."""
    if not is_current(request.app.state.database):
        raise Busy("The database is not up to date: `compaan migrate`.", retry_after=30)
    return {"status": "ok"}


@router.get("/version")
async def version() -> dict[str, str]:
    """Tell which version runs."""
    return {"compaan": __version__}


@router.get("/api/docs")
async def docs(request: Request) -> HTMLResponse:
    """Show the API, with a form to try each call; nothing is loaded from elsewhere."""
    page = get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=f"{request.app.title} API",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
    )
    _, _, begun = bytes(page.body).partition(b"<script>")
    script, ends, _ = begun.partition(b"</script>")
    assert ends  # noqa: S101 -- the page of the pinned FastAPI has one
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    return page
