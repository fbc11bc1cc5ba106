"""All pages there are, and what they say."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product

from fastapi import FastAPI

from tests.fixtures.exhibition import Exhibition

NO_PAGES = {"/api/docs", "/healthz", "/readyz", "/version", "/metrics"}
"""Paths for programs, and the documents that FastAPI's own pages show."""
FILES = (".csv", ".xlsx", ".json", ".svg", ".zip", ".ics", "/events")
"""Ends of paths that give no page to read."""
ASKED = (
    "/sign-in?sent=1",
    "/cities?q=zzz",
    "/cities/new?q=Lodz",
    "/cities/new?q=Lodz&place=3093133",
    "/runs/{run_id}/moves?learner=capaci",
    "/cities?area=housing",
    "/cities/compare?a=mechelen&b=livadia",
    "/cities/compare?a=mechelen&b=zzz",
    "/cities/capaci/like?area=education",
    "/runs/{run_id}?look=map",
    "/runs/{run_id}?look=columns",
    "/runs/{run_id}?look=table",
    "/runs/{run_id}/why-not?mentor=mechelen&learner=jelgava",
    "/rounds/{round_id}/override?mentor=mechelen&learner=jelgava&decision=force",
)
"""Pages that look otherwise when they are asked for something."""


def routes(app: FastAPI) -> list[str]:
    """Return the paths of all pages that can be read."""
    found = set()
    for route in app.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        for one in contexts() if contexts else ():
            if "GET" in one.methods and not one.path_format.startswith("/api/v1/"):
                found.add(one.path_format)
    return sorted(path for path in found - NO_PAGES if not path.endswith(FILES))


def addresses(path: str, shown: Exhibition) -> Iterator[str]:
    """Yield the path with every set of values that its parameters have."""
    names = re.findall(r"{(\w+)}", path)
    values = [shown.ids.get(name, ["x"]) for name in names]
    for chosen in product(*values):
        address = path
        for name, value in zip(names, chosen, strict=True):
            address = address.replace(f"{{{name}}}", value)
        yield address


_SPOKEN = {"aria-label", "alt", "title", "placeholder", "aria-description", "content"}
_SILENT = {"code", "pre", "script", "style", "textarea", "kbd", "samp"}
_NO_END = {
    *("meta", "link", "input", "img", "br", "hr", "rect", "path", "circle", "line"),
    *("use", "ellipse", "polygon", "polyline", "stop", "source", "col", "wbr"),
}


class Listener(HTMLParser):
    """Collects what a page in the pseudo-locale says outside of the marks ⟦ and ⟧.

    Left out is what is no text of ours: code, what was typed, what is marked by
    `translate="no"`, and what is in a language of its own by `lang`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.untranslated: list[str] = []
        self._depth = 0
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        own = tag != "html" and "lang" in given
        is_silent = tag in _SILENT or own or given.get("translate") == "no"
        if tag not in _NO_END and (self._silent or is_silent):
            self._silent.append(tag)
        if not self._silent and not is_silent:
            spoken = [given[name] for name in _SPOKEN & given.keys() if tag != "meta"]
            if tag == "input" and given.get("type") in {"submit", "button"}:
                spoken.append(given.get("value", ""))
            for text in spoken:
                self.untranslated += outside(text, 0)[0]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag not in _NO_END:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            found, self._depth = outside(data, self._depth)
            self.untranslated += found


def outside(text: str, depth: int) -> tuple[list[str], int]:
    """Return the parts of a text that stand outside of the marks, and how deep it ends.

    Args:
        text: What is said.
        depth: In how many marks it begins.

    """
    kept = []
    for letter in text:
        depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
        kept.append("\n" if depth or letter == "⟧" else letter)
    parts = "".join(kept).split("\n")
    return [part.strip() for part in parts if part.strip()], depth


def untranslated(page: str, data: re.Pattern[str]) -> set[str]:
    """Return what the page says in Latin letters that is neither marked nor data."""
    listener = Listener()
    listener.feed(page)
    left = (data.sub(" ", text) for text in listener.untranslated)
    return {text.strip() for text in left if re.search("[A-Za-zÀ-ž]", text)}
