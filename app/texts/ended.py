"""Why a pairing came to nothing, as the service itself writes it down: in English."""

import re

from app.texts.catalogue import Words, message

REPAIRED = message("Undone by a repair.")
ARCHIVED = message("The round was archived.")
LEFT = message("{city} has left the round.")
_WHO_LEFT = re.compile(re.escape(LEFT).replace(r"\{city\}", "([a-z0-9-]{1,63})"))


def reason(text: str, told: Words) -> str:
    """Return the reason in this language; what people wrote stays as they wrote it."""
    if text in {REPAIRED, ARCHIVED}:
        return told.say(text)
    if left := _WHO_LEFT.fullmatch(text):
        return told.say(LEFT, city=left[1])
    return text
