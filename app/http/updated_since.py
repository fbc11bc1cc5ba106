"""The query parameter `updated_since`, for callers that synchronise."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from app.services.shared.clock import in_utc


def _refuse_number(value: object) -> object:
    """Refuse a bare number, which Pydantic would take for seconds since 1970."""
    if isinstance(value, str) and "-" not in value.lstrip("-"):
        raise PydanticCustomError(
            "moment", "Write a date and a time: 2026-11-22T10:00:00Z."
        )
    return value


async def _since(
    updated_since: Annotated[
        datetime | None,
        BeforeValidator(_refuse_number),
        Query(description="RFC 3339; without a time zone it is UTC."),
    ] = None,
) -> datetime | None:
    return in_utc(updated_since, "?updated_since")


UpdatedSince = Annotated[datetime | None, Depends(_since)]
