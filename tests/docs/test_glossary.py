"""The glossary: its French and Dutch are words that the catalogues have."""

import re
from pathlib import Path

import pytest

from tests.texts.missing import catalogue

ROWS = re.compile(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
DOCUMENT = Path(__file__).parents[2] / "docs" / "contributing.md"


def glossary() -> list[tuple[str, str, str]]:
    """Return English, French and Dutch of each row below the head of the table."""
    _, _, after = DOCUMENT.read_text("utf-8").partition("## Glossary")
    text, _, _ = after.partition("\n## ")
    return ROWS.findall(text)[1:]


@pytest.mark.parametrize(("column", "language"), [(1, "fr"), (2, "nl")])
def test_words_of_the_glossary_are_those_of_the_catalogues(column, language):
    translated = (entry.string for entry in catalogue(language).values())
    texts = " ".join(
        text if isinstance(text, str) else " ".join(text) for text in translated
    ).lower()

    rows = glossary()
    words = [word for row in rows for word in row[column].split(", ")]
    missing = [word for word in words if word.lower() not in texts]

    assert len(rows) > 20
    assert missing == []
