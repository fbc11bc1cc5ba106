"""What forms send, and how they are answered."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import TypeVar

from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from app.errors import Busy, Conflict, InvalidInput, NotFound, Refusal, Stale, invalid
from app.permissions import Actor, may_organise
from app.services.spreadsheets import city_row
from schemas import InputError
from schemas.bounds import ErrorCount

T = TypeVar("T", bound=BaseModel)
_HERE = (InvalidInput, Conflict, Stale, Busy)
"""Refusals that are told on the page that they are about."""


def redirect(path: str) -> RedirectResponse:
    """Lead the browser to a page, so that loading it again sends nothing again."""
    return RedirectResponse(path, 303)


def field_text(form: FormData, name: str) -> str:
    """Return what stands in a field, as we keep texts; empty if there is no such."""
    value = form.get(name, "")
    return city_row.plain(value) if isinstance(value, str) else ""


def parse(kind: type[T], **fields: object) -> T:
    """Return what a form says, or raise `InvalidInput`."""
    try:
        return kind.model_validate(fields, context=ErrorCount())
    except ValidationError as error:
        raise invalid(error) from None


def end_of_day(form: FormData, name: str) -> datetime | None:
    """Return the last minute of the day in a field, UTC; None if it is left blank.

    Raises:
        InvalidInput: If that is no day.

    """
    day = field_text(form, name)
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59), UTC)
    except ValueError:
        message = f"{day} is no day: write it as 2027-05-31."
        error = InputError(pointer=f"/{name}", code="day", message=message)
        raise InvalidInput(message, [error]) from None


def submit(
    work: Callable[[], Response], again: Callable[[Refusal], HTMLResponse]
) -> Response:
    """Return what the work answers; or the page with its form, and what was refused.

    Args:
        work: What the form asks for; it ends with a redirect.
        again: Shows the page once more.

    """
    try:
        return work()
    except _HERE as error:
        return again(error)


def must_organise(actor: Actor) -> None:
    """Raise `NotFound` unless the visitor is an organiser."""
    if not may_organise(actor):
        raise NotFound("There is no such page for you.")


def download(content: str | bytes, name: str, kind: str = "text/csv") -> Response:
    """Give a file; text as spreadsheets want it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if isinstance(content, str):
        content = content.encode("utf-8-sig")
    return Response(content, media_type=kind, headers=headers)
