"""The fenced blocks of a document, in the order in which a reader meets them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN = {"sh", "console", "python"}
"""Languages of blocks that are run."""
SHOWN = {"json", "output"}
"""Languages of blocks that show what the block before them printed."""
NOT_RUN = {"text", "nginx", "ini"}
"""Languages of blocks that a test cannot run: packages of Debian, files of others."""
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_STRING_OR_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}…]')
ELLIPSIS = "…"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the line where it begins."""

    language: str
    text: str
    line: int


def documents(root: Path) -> list[Path]:
    """Return the documents that are run, in the order in which they are to be read."""
    named = ("README.md", "CONTRIBUTING.md")
    return [*(root / one for one in named), *sorted((root / "docs").glob("*.md"))]


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a document."""
    return [
        Block(
            found["language"],
            re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            text.count("\n", 0, found.start()) + 1,
        )
        for found in _FENCE.finditer(text)
    ]


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a `console` block with the output that is shown of it."""
    command, shown = "", ""
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), ""
        elif command.endswith("\\\n") and not shown:
            command += line
        else:
            shown += line
    yield command, shown


def fits(shown: str, came: str) -> bool:
    """Tell whether a text is what is shown of it; `…` stands for anything.

    >>> fits("Row …: wrong", "Row 3: wrong"), fits("a", "a b")
    (True, False)

    """
    parts = map(re.escape, shown.strip().split(ELLIPSIS))
    return re.fullmatch(".*?".join(parts), came.strip(), re.DOTALL) is not None


def fits_json(shown: str, came: str) -> bool:
    """Tell whether a JSON text has the values that are shown of it.

    `…` stands for anything: in a text for any letters, as a value for any value, and
    alone in an object or a list for all that is left out.

    >>> fits_json('{"a": 1, …}', '{"b": 2, "a": 1}'), fits_json('[1]', '[1, 2]')
    (True, False)

    """
    try:
        return _same(json.loads(_quoted(shown)), json.loads(came))
    except json.JSONDecodeError:
        return False


def _quoted(text: str) -> str:
    """Return the JSON text with each `…` outside a text as a text or a field."""
    inside: list[str] = []
    after_colon = re.compile(r":\s*$")

    def replaced(found: re.Match[str]) -> str:
        mark = found[0]
        if mark in "[{":
            inside.append(mark)
        elif mark in "]}":
            inside.pop()
        elif mark == ELLIPSIS:
            before = text[: found.start()]
            is_field = inside and inside[-1] == "{" and not after_colon.search(before)
            return f'"{ELLIPSIS}": 0' if is_field else f'"{ELLIPSIS}"'
        return mark

    return _STRING_OR_MARK.sub(replaced, text)


def _same(shown: Any, came: Any) -> bool:
    if shown == ELLIPSIS:
        return True
    if isinstance(shown, str) and isinstance(came, str):
        return fits(shown, came)
    if isinstance(shown, dict) and isinstance(came, dict):
        named = shown.keys() - {ELLIPSIS}
        return (ELLIPSIS in shown or named == came.keys()) and all(
            name in came and _same(shown[name], came[name]) for name in named
        )
    if isinstance(shown, list) and isinstance(came, list):
        if shown and shown[-1] == ELLIPSIS:
            shown = shown[:-1]
            came = came[: len(shown)]
        return len(shown) == len(came) and all(map(_same, shown, came))
    return type(shown) is type(came) and bool(shown == came)
