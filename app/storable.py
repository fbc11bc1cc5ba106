"""Which texts can be stored: those that every column can hold, and UTF-8 can write."""

import re

UNSTORABLE = (
    "The text holds a character that cannot be stored: NUL, or half of a surrogate "
    "pair. Leave it out."
)
_NO_CODE = -1
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_HIGH, _LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)
"""The first and the second half of a surrogate pair."""


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
    if _SUSPECT.search(text) is None:
        return True
    half_ends = None
    for escape in _ESCAPE.finditer(text):
        # A range looks an int up at once, and goes through all it has for None.
        code = int(escape[1], 16) if escape[1] else _NO_CODE
        is_second = half_ends is not None and half_ends == escape.start()
        if code == 0 or (half_ends is not None) != (code in _LOW and is_second):
            return False
        if code in _LOW and not is_second:
            return False
        half_ends = escape.end() if code in _HIGH else None
    return half_ends is None
