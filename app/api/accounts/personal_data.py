"""Routes of what is kept of a person, and of the log of the whole network."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.errors import InvalidInput, NotFound
from app.http.body import Route
from app.http.deps import (
    ApiSession,
    RequestedPage,
    SettingsDep,
    json_response,
    next_page,
)
from app.http.problems import answers, refusals
from app.services.accounts import accounts
from app.services.log import audit
from app.services.personal_data import data_export
from schemas import AuditLog
from schemas.privacy import AccountExport

router = APIRouter(route_class=Route, tags=["privacy"])
_ID = r"^[0-9a-f]{32}$"
_DOWNLOAD = {
    "Content-Disposition": {
        "schema": {"type": "string"},
        "required": True,
        "description": "A file to be kept.",
    }
}
_FILE = {200: {"headers": _DOWNLOAD}}


def _file(found: AccountExport) -> Response:
    answer = json_response(found)
    answer.headers["Content-Disposition"] = 'attachment; filename="compaan-data.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/account/export", response_model=AccountExport, responses=answers(_FILE))
def export_own_account(tx: ApiSession, settings: SettingsDep) -> Response:
    """Give everything that is kept of the caller, as a file."""
    with tx.read() as (session, actor):
        own = accounts.own(session, actor).id
        return _file(data_export.export(session, actor, own, settings.public_url))


@router.get(
    "/accounts/{account_id}/export",
    response_model=AccountExport,
    responses=answers(_FILE, NotFound),
)
def export_account(
    tx: ApiSession,
    settings: SettingsDep,
    account_id: Annotated[str, Path(pattern=_ID)],
) -> Response:
    """Give everything that is kept of a person, as a file that organisers hand out."""
    with tx.read() as (session, actor):
        return _file(
            data_export.export(session, actor, account_id, settings.public_url)
        )


@router.get("/audit", responses=refusals(InvalidInput, NotFound))
def read_log(
    tx: ApiSession,
    page: RequestedPage,
    request: Request,
    account: Annotated[
        str | None, Query(pattern=_ID, description="Only what this account did.")
    ] = None,
) -> AuditLog:
    """List what was done in the network, the newest first: for organisers and auditors.

    Entries name accounts by id: of an account that was closed, nothing else is left.
    """
    with tx.read() as (session, actor):
        rows, cursor = audit.of_network(session, actor, page, account)
        return AuditLog(
            items=tuple(map(audit.as_entry, rows)), next=next_page(request, cursor)
        )
