"""Every text that is said, and its translations.

`python -m tests.texts.missing [PATH …]` prints those of the files that have no
translation yet, as they would stand in a catalogue.
"""

import sys
from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

import app

ROOT = Path(app.__file__).parent
_BOTH = (1, 2)
_ASKED = {"say": None, "message": None, "count": _BOTH, "forms": _BOTH}
_HOW = [("**.py", "python"), ("**.html", "jinja2"), ("**.svg", "jinja2")]
_OPTIONS = {"**.html": {"trim_blocks": "true"}, "**.svg": {"trim_blocks": "true"}}
ALIKE = {
    # Words that are the same in both languages.
    "fr": {
        "Points",
        "Score",
        "Messages",
        "association",
        "impossible",
        "Contact",
        "Webhook",
        "Secret",
        "Webhooks",
        "Code",
        "Mentor",
        "Message",
        "{number} messages",
        "{number} message",
        "D",
        "L",
        "M",
        "Mentors",
        "N",
        "Places",
        "R",
        "stable",
        "{number} mentor",
        "{number} mentors",
        "{number} place",
        "{number} places",
        "Association",
        "mentor",
        "{number} point",
        "{number} points",
        "{number} participant",
    },
    "nl": {
        "Score",
        "{number} browsers",
        "{number} browser",
        "Accounts",
        "Contact",
        "Webhook",
        "Webhooks",
        "Code",
        "In Python",
        "{pointer}: {inner}",
        "Mentor",
        "{state}: {number}",
        "{learner}: {changes} ({points}).",
        "{mentor} → {learner}: {ending}.",
        "{area}: {needs}, {room}.",
        "M",
        "N",
        "{number} mentor",
        "Filters",
        "mentor",
        "open",
    },
}


def said(*paths: Path) -> Iterator[tuple[str, ...]]:
    """Yield the texts that stand in these files, or in the whole service."""
    for path in paths:
        method = "jinja2" if path.suffix in {".html", ".svg"} else "python"
        options = {"trim_blocks": "true"} if method == "jinja2" else None
        found = extract_from_file(method, path, _ASKED, options=options)
        for _, text, *_ in found:
            yield text if isinstance(text, tuple) else (text,)
    if not paths:
        for room in ("texts", "templates", "pictures", "web"):
            found = extract_from_dir(
                ROOT / room, method_map=_HOW, options_map=_OPTIONS, keywords=_ASKED
            )
            for _, _, text, _, _ in found:
                yield text if isinstance(text, tuple) else (text,)


def catalogue(language: str) -> dict[tuple[str, ...], Message]:
    """Return the translations by what they translate, from all files of a language."""
    folder = files("app").joinpath("locale", language, "LC_MESSAGES")
    found: dict[tuple[str, ...], Message] = {}
    for place in sorted(folder.iterdir(), key=lambda one: one.name):
        with place.open("rb") as written:
            read = read_po(written, language)
        assert not list(read.obsolete), f"{place.name} has texts that nobody says."
        for one in read:
            if not one.id:
                continue
            key = one.id if isinstance(one.id, tuple) else (one.id,)
            assert key not in found, f"{key} is translated twice, also in {place.name}."
            found[key] = one
    return found


def main() -> None:
    paths = [Path(one) for one in sys.argv[1:]]
    for language in ("fr", "nl"):
        known = catalogue(language)
        missing = Catalog()
        for text in dict.fromkeys(said(*paths)):
            if text not in known:
                missing.add(text[0] if len(text) == 1 else text)
        written = BytesIO()
        write_po(written, missing, width=0, omit_header=True)
        print(f"# {language}: {len(missing)} texts")  # noqa: T201
        print(written.getvalue().decode())  # noqa: T201


if __name__ == "__main__":
    main()
