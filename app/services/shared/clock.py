"""The time now, and moments that callers give."""

from datetime import UTC, datetime

from app.db.tables.base import now
from app.errors import InvalidInput
from schemas import InputError

__all__ = ["in_utc", "now"]


def in_utc(moment: datetime | None, pointer: str) -> datetime | None:
    """Return the moment in UTC: what names no time zone is meant so.

    Raises:
        InvalidInput: If the calendar does not reach so far.

    """
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        message = "There is no such moment in UTC."
        error = InputError(pointer=pointer, code="moment", message=message)
        raise InvalidInput(message, [error]) from None
