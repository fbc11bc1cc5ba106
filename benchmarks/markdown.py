"""Text as docs/engine.md holds it."""

import textwrap

WIDTH = 120


def paragraphs(text: str) -> str:
    """Return the paragraphs, each filled to the width of our documents."""
    parts = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(
        textwrap.fill(part, WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in parts
    )
