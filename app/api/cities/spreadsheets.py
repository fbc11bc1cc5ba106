"""Routes that bring cities in and out as files."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from app.api.cities.cities import Wanted
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
from app.http.body import Route, read_form
from app.http.deps import ApiSession, OnlyOnce, json_response
from app.http.problems import answers, refusals
from app.permissions import Actor
from app.services.cities import directory, profiles
from app.services.spreadsheets import exports, imports, workbook
from schemas import ImportReport

Delimiter = Literal["comma", "semicolon", "tab"]
SheetFormat = Literal["csv", "xlsx"]
ExportFormat = Literal["csv", "xlsx", "json", "geojson"]
_DELIMITERS: dict[Delimiter, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}
_TYPES = (
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/octet-stream",
    "application/vnd.ms-excel",
    workbook.MEDIA_TYPE,
)
"""What browsers and terminals call a spreadsheet; its bytes tell which kind it is."""
_EXAMPLE = (
    "name;country;roles;population;need_housing;strength_housing\r\n"
    "Gent;Belgique;mentor;270.000;;4\r\n"
    'Łódź;PL;learner;"658.444";3;\r\n'
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_SHEETS: dict[str, Any] = {
    "text/csv": {"schema": {"type": "string"}},
    workbook.MEDIA_TYPE: _BINARY,
}
_GEOJSON = "application/geo+json"

router = APIRouter(route_class=Route, prefix="/cities", tags=["cities"])


def _file(content: str | bytes, name: str) -> Response:
    """Give a spreadsheet: CSV if it is a text, else a workbook."""
    if isinstance(content, str):
        # With a byte order mark: without one Excel takes UTF-8 for Windows-1252.
        name, kind, content = f"{name}.csv", "text/csv", content.encode("utf-8-sig")
    else:
        name, kind = f"{name}.xlsx", workbook.MEDIA_TYPE
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)


@router.get(
    "/import",
    response_class=Response,
    responses=answers({200: {"content": _SHEETS}}, InvalidInput),
)
def read_template(
    tx: ApiSession,
    format: Annotated[SheetFormat, Query()] = "csv",  # noqa: A002 -- as of the export
    delimiter: Annotated[Delimiter, Query(description="Of the CSV.")] = "comma",
) -> Response:
    """Read the template of an import: the columns, and a line of help for each."""
    with tx.read():
        if format == "xlsx":
            return _file(exports.template_workbook(), "cities-template")
        return _file(exports.template(_DELIMITERS[delimiter]), "cities-template")


async def _uploaded(request: Request) -> bytes:
    """Return the file of the request: its whole body, or the first file of a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await read_form(request, most_fields=10)
        try:
            for value in form.values():
                if isinstance(value, UploadFile):
                    return await value.read()
        finally:
            await form.close()
        raise InvalidFile("The form holds no file.")
    if kind and kind not in _TYPES:
        detail = f"Send the file as text/csv, .xlsx or a form, not as {kind[:100]}."
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
                "text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE},
                # A workbook: its own media type is taken too. It has no example.
                "application/octet-stream": _BINARY | {"examples": {}},
            },
        }
    },
)
async def import_cities(
    tx: ApiSession,
    once: OnlyOnce,
    request: Request,
    dry_run: Annotated[  # noqa: FBT002 -- a query parameter
        bool, Query(description="Tell what would happen; nothing is stored.")
    ] = False,
    all_or_nothing: Annotated[  # noqa: FBT002
        bool, Query(description="Store nothing if a row is wrong.")
    ] = False,
) -> Response:
    """Register and change cities from a spreadsheet; a row with a known id changes it.

    CSV in UTF-8 or Windows-1252 with comma, semicolon or tab; or a workbook (.xlsx):
    its first visible sheet with an `id` or a `name`, and no formulas. 0.32, 0,32 or
    32%; countries and languages by code or name. A blank cell takes the value away, a
    column that is not there leaves it. Good rows are stored and wrong ones come back in
    `wrong_rows`, unless `all_or_nothing` is set or no row is right. Practices are not
    touched.
    """
    content = await _uploaded(request)

    def work(session: Session, actor: Actor) -> Response:
        return json_response(
            imports.bring_in(
                session, actor, content, dry_run=dry_run, all_or_nothing=all_or_nothing
            )
        )

    def look() -> Response:
        with tx.read() as (session, actor):
            return work(session, actor)

    if dry_run:
        return await anyio.to_thread.run_sync(look)
    return await anyio.to_thread.run_sync(once.answer, tx, work)


@router.get(
    "/export",
    response_class=Response,
    responses=answers(
        {
            200: {
                "content": {
                    **_SHEETS,
                    "application/json": {"schema": {"type": "object"}},
                    _GEOJSON: {"schema": {"type": "object"}},
                }
            }
        },
        InvalidInput,
    ),
)
def export_cities(
    tx: ApiSession,
    wanted: Wanted,
    format: Annotated[ExportFormat, Query()] = "csv",  # noqa: A002 -- the contract's
    delimiter: Annotated[
        Delimiter,
        Query(description="Of the CSV; with a semicolon, numbers get a decimal comma."),
    ] = "comma",
) -> Response:
    """Read all cities: to fill in (CSV, xlsx), to match (JSON), for a map (GeoJSON).

    The spreadsheets can be imported again; they have no practices. The JSON is what
    `POST /match` takes. In the GeoJSON (RFC 7946) the geometry is null where a place is
    not known.
    """
    day = datetime.now(UTC).date().isoformat()
    with tx.read() as (session, _actor):
        rows = directory.every(session, wanted)
        match format:
            case "csv":
                table = exports.export_table(rows, _DELIMITERS[delimiter])
                return _file(table, f"cities-{day}")
            case "xlsx":
                return _file(exports.export_workbook(rows), f"cities-{day}")
            case "geojson":
                places = exports.export_places(rows)
                return JSONResponse(places, media_type=_GEOJSON)
        return json_response(
            {"cities": [profiles.as_city(row).to_dict() for row in rows]}
        )
