"""Routes that bring cities in and out as files."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from app.api.cities import Wanted
from app.api.problems import answers, refusals
from app.deps import At, OnlyOnce, told
from app.errors import (
    Conflict,
    Forbidden,
    InvalidFile,
    InvalidInput,
    InvalidRows,
    KeyReused,
    NotJson,
    Stale,
    TooLarge,
    WrongType,
)
from app.permissions import Actor
from app.services import cities, imports
from schemas import ImportReport

Delimiter = Literal["comma", "semicolon", "tab"]
_DELIMITERS: dict[Delimiter, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}
_TYPES = (
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/octet-stream",
    "application/vnd.ms-excel",
)
"""What browsers and terminals call a CSV file."""
_EXAMPLE = (
    "name;country;roles;population;need_housing;strength_housing\r\n"
    "Gent;Belgique;mentor;270.000;;4\r\n"
    'Łódź;PL;learner;"658.444";3;\r\n'
)
_CSV: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}

router = APIRouter(prefix="/cities", tags=["cities"])


def _file(text: str, name: str) -> Response:
    # With a byte order mark: without one Excel takes UTF-8 for Windows-1252.
    return Response(
        text.encode("utf-8-sig"),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get(
    "/import",
    response_class=Response,
    responses=answers({200: {"content": _CSV}}, InvalidInput),
)
def read_template(
    desk: At, delimiter: Annotated[Delimiter, Query()] = "comma"
) -> Response:
    """Read the template of an import: the columns, and a line of help for each."""
    with desk.read():
        return _file(imports.template(_DELIMITERS[delimiter]), "cities-template.csv")


async def _uploaded(request: Request) -> bytes:
    """Return the file of the request: its whole body, or the first file of a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=10) as form:
            for value in form.values():
                if isinstance(value, UploadFile):
                    return await value.read()
        raise InvalidFile("The form holds no file.")
    if kind and kind not in _TYPES:
        detail = f"Send the file as text/csv or multipart/form-data, not {kind[:100]}."
        raise WrongType(detail)
    return await request.body()


@router.post(
    "/import",
    response_model=ImportReport,
    responses=refusals(
        NotJson,
        TooLarge,
        WrongType,
        InvalidInput,
        InvalidFile,
        InvalidRows,
        Forbidden,
        Conflict,
        KeyReused,
        Stale,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE}
            },
        }
    },
)
async def import_cities(
    desk: At,
    once: OnlyOnce,
    request: Request,
    dry_run: Annotated[  # noqa: FBT002 -- a query parameter
        bool, Query(description="Tell what would happen; nothing is stored.")
    ] = False,
    all_or_nothing: Annotated[  # noqa: FBT002
        bool, Query(description="Store nothing if a row is wrong.")
    ] = False,
) -> Response:
    """Register and change cities from a CSV file; a row with a known id changes it.

    UTF-8 or Windows-1252; comma, semicolon or tab; 0.32, 0,32 or 32%; countries and
    languages by code or name. A blank cell takes the value away, a column that is not
    there leaves it. Good rows are stored and wrong ones come back in `wrong_rows`,
    unless `all_or_nothing` is set or no row is right. Practices are not touched.
    """
    content = await _uploaded(request)

    def work(session: Session, actor: Actor) -> Response:
        return told(
            imports.bring_in(
                session, actor, content, dry_run=dry_run, all_or_nothing=all_or_nothing
            )
        )

    def look() -> Response:
        with desk.read() as (session, actor):
            return work(session, actor)

    if dry_run:
        return await anyio.to_thread.run_sync(look)
    return await anyio.to_thread.run_sync(once.answer, desk, work)


@router.get(
    "/export",
    response_class=Response,
    responses=answers(
        {
            200: {
                "content": {
                    **_CSV,
                    "application/json": {"schema": {"type": "object"}},
                }
            }
        },
        InvalidInput,
    ),
)
def export_cities(
    desk: At,
    wanted: Wanted,
    format: Annotated[Literal["csv", "json"], Query()] = "csv",  # noqa: A002 -- the contract's
    delimiter: Annotated[
        Delimiter, Query(description="With a semicolon, numbers get a decimal comma.")
    ] = "comma",
) -> Response:
    """Read all cities as CSV, or as JSON that `POST /match` takes.

    The CSV has no practices; the JSON has everything.
    """
    day = datetime.now(UTC).date().isoformat()
    with desk.read() as (session, _actor):
        rows = cities.every(session, wanted)
        if format == "csv":
            text = imports.export_table(rows, _DELIMITERS[delimiter])
            return _file(text, f"cities-{day}.csv")
        return told({"cities": [cities.as_city(row).to_dict() for row in rows]})
