"""The text of a page: what is seen and what is read aloud, and the forms on it."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_ALOUD = ("title", "alt", "aria-label", "placeholder", "aria-description", "label")
_INLINE = {
    *("a", "abbr", "b", "bdi", "br", "code", "data", "em", "i", "kbd", "mark", "q"),
    *("s", "samp", "small", "span", "strong", "sub", "sup", "time", "tspan", "wbr"),
}
_SILENT = {"script", "style", "template"}
_TYPED = {"text", "email", "number", "search", "url", "date", "datetime-local", "tel"}


@dataclass
class Form:
    """A form of a page that is sent with POST.

    Attributes:
        action: Where to.
        fields: What stands in it.
        typed: The fields that people type in.

    """

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """Collects the texts of a page, a line for each block, and its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.forms: list[Form] = []
        self._said = ""
        self._silent = 0
        self._form: Form | None = None
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in _INLINE:
            self._end_line()
        self._silent += tag in _SILENT
        for name in _ALOUD:
            if given.get(name):
                self._tell(name, given[name])
        if tag == "meta" and given.get("name") == "description":
            self._tell("description", given.get("content", ""))
        shown = given.get("type", "text") in _TYPED | {"submit", "button"}
        if tag == "input" and shown and given.get("value"):
            self._tell("value", given["value"])
        self._note(tag, given)

    def _note(self, tag: str, given: dict[str, str]) -> None:
        """Note what belongs to a form."""
        if tag == "form" and given.get("method", "").lower() == "post":
            self._form = Form(given.get("action", ""))
            self.forms.append(self._form)
        name = given.get("name", "")
        if self._form is None:
            return
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind not in {"checkbox", "radio"} or "checked" in given:
                self._form.fields[name] = given.get("value", "")
            if kind in _TYPED | {"password"}:
                self._form.typed.add(name)
        elif tag == "textarea":
            self._form.fields[name] = ""
            self._form.typed.add(name)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            first = self._form.fields.setdefault(self._select, given.get("value", ""))
            if "selected" in given:
                first = given.get("value", "")
            self._form.fields[self._select] = first

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self._end_line()
        self._silent -= tag in _SILENT
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._said += data

    def _tell(self, name: str, text: str) -> None:
        self._end_line()
        self.lines.append(f"[{name}] {' '.join(text.split())}")

    def _end_line(self) -> None:
        if line := " ".join(self._said.split()):
            self.lines.append(line)
        self._said = ""

    def close(self) -> None:
        super().close()
        self._end_line()


_MADE_UP = re.compile(
    r"\b(?:cmp|msg|whsec)_[\w+/=-]+|\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b"
    r"|\b[0-9a-f]{32}(?=-)|\b0000[0-9a-f]{4}\b"
)
"""Ids, secrets and digests: a revision that draws one more has others from there on."""

_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+")
"""Of seconds: how often the clock was asked before."""
_REPEATED = re.compile(r"([^\w\s])\1{99,}")
"""What was typed into forms to be refused."""


def steady(text: str) -> str:
    """Return the text with ids, secrets and digests numbered as they first appear."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        kind = found[0].partition("_")[0] if "_" in found[0] else "id"
        return seen.setdefault(found[0], f"<{kind} {len(seen) + 1}>")

    return _MADE_UP.sub(number, _FRACTION.sub("", _REPEATED.sub(r"\1…", text)))


def read(page: str) -> Reader:
    """Return what is said on a page, and its forms."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader
