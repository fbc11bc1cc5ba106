"""Every page as everybody sees it, and every form sent wrongly."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.fixtures.exhibition import Exhibition
from tests.pages_text.reading import Form, read
from tests.pages_text.site import Site
from tests.web.walk import ASKED, addresses, routes

LANGUAGES = ("en", "fr", "nl")
ROLES = {
    "nobody": None,
    "officer": "officer",
    "officer of another city": "learner",
    "association": "association",
    "auditor": "auditor",
    "organiser": "organiser",
    "administrator": "administrator",
}
"""Who reads, and whose token of `known.json` that is."""
FURTHER = (
    "/api/v1/rounds/{round_id}/how-we-chose.html",
    "/api/v1/runs/{run_id}/solution.html",
    "/pairings/{pairing_id}/card.svg",
    "/runs/{run_id}.csv",
    "/cities/template.csv",
    "/cities/export.csv",
    "/no-such-page",
    "/rounds?done=none",
    "/account?done=welcome",
)
"""What people read as well, and no list of pages has."""
_NOT_READ = "/sign-in/oidc"
_HTML = {"Accept": "text/html"}


def every_address(site: Site) -> list[str]:
    """Return what is read, in a fixed order."""
    ids: dict[str, list[str]] = {**site.known["ids"]}
    ids["run_id"] = _one_of_each(site, "/runs", ids["run_id"], "state")
    states = ("state", "origin", "mentor_answer", "learner_answer")
    ids["pairing_id"] = _one_of_each(site, "/pairings", ids["pairing_id"], *states)
    ids["mentor"] = ids["mentor"][:1]
    shown = Exhibition("", site.known["tokens"], ids)
    paths = [*routes(site.client.app), *ASKED, *FURTHER]
    found = [one for path in paths for one in addresses(path, shown)]
    return [one for one in dict.fromkeys(found) if not one.startswith(_NOT_READ)]


def _one_of_each(site: Site, path: str, ids: list[str], *fields: str) -> list[str]:
    """Return the first id for each set of values of the fields."""
    first: dict[tuple[str, ...], str] = {}
    for one in ids:
        row = site.ask("GET", f"{path}/{one}")
        first.setdefault(tuple(str(row.get(name)) for name in fields), one)
    return list(first.values())


def look(site: Site, address: str, role: str, language: str) -> list[Form]:
    """Write down what a page says; return its forms."""
    mark = "&" if "?" in address else "?"
    token = ROLES[role]
    by_token = address.startswith("/api/") and token
    answer = site.client.get(
        f"{address}{mark}lang={language}",
        headers=_HTML | (site.bearer(token) if by_token else {}),
        follow_redirects=False,
    )
    return take(site, answer, role, language, address)


def take(site: Site, answer: Any, role: str, language: str, name: str) -> list[Form]:
    """Write down an answer that is a page, a picture or a table; return its forms."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    lines, forms = [], []
    if kind in {"text/html", "image/svg+xml"}:
        page = read(answer.text)
        lines, forms = page.lines, page.forms
    elif kind == "text/csv":
        lines = answer.text.splitlines()
    elif "location" in answer.headers:
        lines = [f"[to] {urlsplit(answer.headers['location']).path}"]
    text = "\n".join([f"[status] {answer.status_code}", *lines])
    site.write(role, language, name=name, text=text)
    return forms


_WRONG: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "wrong": lambda name: "x@y" if "mail" in name else "⁂" * 5000,
}


def send_wrongly(
    site: Site,
    role: str,
    language: str,
    forms: dict[str, Form],
    others: dict[str, Form],
) -> None:
    """Send each form with nothing in it, and with what cannot be in it.

    Forms that only others are shown are sent empty alone: what is in them does not
    matter. What is taken after all is undone.
    """
    with site.unchanged() as undo:
        for action, form in sorted((others | forms).items()):
            for how, typed in _WRONG.items():
                if action not in forms and how != "empty":
                    continue
                filled = form.fields | {name: typed(name) for name in form.typed}
                answer = site.client.post(
                    action, data=filled, headers=_HTML, follow_redirects=False
                )
                if answer.status_code < 400:
                    undo()
                else:
                    take(site, answer, role, language, f"{action} sent {how}")


def walk(site: Site, only: list[str]) -> None:
    """Read all pages as everybody, then send their forms wrongly."""
    forms: dict[tuple[str, str], dict[str, Form]] = {}
    every = every_address(site)
    if only:
        every = [one for one in every if any(part in one for part in only)]
    for role, token in ROLES.items():
        site.enter(token)
        for language in LANGUAGES:
            mine = forms.setdefault((role, language), {})
            for address in every:
                for form in look(site, address, role, language):
                    if form.typed:
                        mine.setdefault(form.action or address, form)
    for (role, language), mine in forms.items():
        site.enter(ROLES[role])
        site.client.get(f"/?lang={language}")  # which is kept in a cookie
        send_wrongly(site, role, language, mine, forms["organiser", language])
