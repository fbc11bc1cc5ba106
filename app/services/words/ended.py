"""Why a pairing came to nothing, where the service itself has written it down."""

import re

from app.services.words.catalogue import Words, message

_REPAIRED = message("Undone by a repair.")
_ARCHIVED = message("The round was archived.")
_LEFT = message("{city} has left the round.")
_WHO_LEFT = re.compile(r"([a-z0-9-]{1,63}) has left the round\.")


def reason(text: str, told: Words) -> str:
    """Return the reason in this language; what people wrote stays as they wrote it."""
    if text in {_REPAIRED, _ARCHIVED}:
        return told.say(text)
    if left := _WHO_LEFT.fullmatch(text):
        return told.say(_LEFT, city=left[1])
    return text
