"""Which texts can be stored: those that every column can hold, and UTF-8 can write."""

import re

UNSTORABLE = (
    "The text holds a character that cannot be stored: NUL, or half of a surrogate "
    "pair. Leave it out."
)
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# One pass, whatever comes: each step is possessive.
_SOUND = re.compile(
    r"(?s)(?:[^\\]++|\\[^u]|\\u(?!0000|[dD][89a-fA-F])"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F])*+"
)


def is_storable(text: str) -> bool:
    r"""Tell whether a text can be stored: PostgreSQL holds no NUL, UTF-8 no half pair.

    >>> is_storable("Łódź 🏙"), is_storable("a\x00"), is_storable("\ud83c")
    (True, False, False)

    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def is_storable_json(text: str) -> bool:
    r"""Tell likewise of all texts in a JSON document, names of fields included.

    Escapes alone are looked at: a NUL as it is would be no JSON.

    >>> is_storable_json(r'"\u0000"'), is_storable_json(r'"\\u0000 \ud83c\udfd9"')
    (False, True)

    """
    return _SUSPECT.search(text) is None or _SOUND.fullmatch(text) is not None
