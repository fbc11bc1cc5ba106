"""The headers that protect a browser, as every answer must have them."""

from app.http.border import CLOSED
from app.templates.pages import STYLED

GUARDS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": None,
}
CLOSED_OR_STYLED = {CLOSED, STYLED}


def differing(answer, policies: set[str]) -> dict[str, str | None]:
    """Return the headers of an answer that are not as they must be."""
    wrong = {
        name: answer.headers.get(name)
        for name, value in GUARDS.items()
        if answer.headers.get(name) != value
    }
    policy = answer.headers.get("content-security-policy")
    return wrong if policy in policies else wrong | {"csp": policy}
