"""Reads cards, buttons and marks of a map from a page, and writes levels of a city."""

import re
from html import unescape

from tests.web.visitor import Visitor


def levels(need: int = 0, strength: int = 0) -> dict[str, int]:
    return {"need": need, "strength": strength}


def content(visitor: Visitor) -> str:
    """Return the page between its navigation and its foot."""
    text = visitor.page.text
    return text[text.index('<main id="main">') : text.index("</main>")]


def buttons(visitor: Visitor) -> list[str]:
    """Return where the buttons of the page lead."""
    return re.findall(r'<a class="button[^"]*" href="([^"]+)"', content(visitor))


def cards(visitor: Visitor) -> list[str]:
    return re.findall(r'data-city="([\w-]+)"', visitor.page.text)


def marks(visitor: Visitor) -> list[str]:
    return re.findall(r'data-mark="([\w-]+)"', visitor.page.text)


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
