"""Cities as spreadsheets: the template, the export, the import."""

import binascii
import csv
import io
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import UploadFile

from app.errors import InvalidInput, InvalidRows, Refusal
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor
from app.services.cities import directory
from app.services.spreadsheets import exports, imports, workbook
from app.web.forms import download, field_text, must_organise
from app.web.layout import show
from app.web.session import Form, PageSession
from schemas import CellError, ImportReport

router = APIRouter(include_in_schema=False)
_STORES = ("good", "all")
_SHOWN = 200
"""Most wrong cells that are shown."""
_MOST_KEPT = 90_000
"""Most letters in which a page keeps a file: pages stay small."""
_MOST_BYTES = 20_000_000
"""Most bytes of a file that was kept: what was packed small may be large."""


@router.get("/cities/template.csv")
def template(tx: PageSession) -> Response:
    """Give the template of an import, as spreadsheets in Europe expect it."""
    with tx.read():
        return download(exports.template(";"), "cities-template.csv")


@router.get("/cities/export.csv")
def export(tx: PageSession) -> Response:
    """Give all cities as a table, as spreadsheets in Europe expect it."""
    with tx.read() as (session, _actor):
        return download(
            exports.export_table(directory.every(session), ";"), "cities.csv"
        )


@router.get("/cities/template.xlsx")
def template_workbook(tx: PageSession) -> Response:
    """Give the template as a workbook."""
    with tx.read():
        content = exports.template_workbook()
        return download(content, "cities-template.xlsx", workbook.MEDIA_TYPE)


@router.get("/cities/export.xlsx")
def export_workbook(tx: PageSession) -> Response:
    """Give all cities as a workbook."""
    with tx.read() as (session, _actor):
        content = exports.export_workbook(directory.every(session))
        return download(content, "cities.xlsx", workbook.MEDIA_TYPE)


@router.get("/cities/import")
def ask_for_file(tx: PageSession) -> HTMLResponse:
    """Ask for the spreadsheet."""
    with tx.read() as (_session, actor):
        must_organise(actor)
        return _page(actor)


@router.post("/cities/import")
def import_file(tx: PageSession, form: Form) -> Response:
    """Look what the spreadsheet would do, store it, or give its wrong rows."""
    how, sent = field_text(form, "how"), _sent(form)
    try:
        if how in _STORES:
            with tx.write() as (session, actor):
                report = imports.bring_in(
                    session, actor, sent.content, all_or_nothing=how == "all"
                )
                return _page(actor, report=report)
        report, actor = _looked_at(tx, sent)
        if how == "wrong" and report.wrong_rows is not None:
            return download(report.wrong_rows, "wrong-rows.csv")
        return _page(actor, sent, report=report)
    except InvalidRows as error:
        report, actor = _looked_at(tx, sent)
        return _page(actor, sent, report=report, refused=error)
    except InvalidInput as error:
        with tx.read() as (_session, actor):
            must_organise(actor)
            return _page(actor, refused=error)


def _looked_at(
    tx: AuthenticatedTransaction, sent: "Sent"
) -> tuple[ImportReport, Actor]:
    """Return what the file would do; raises as `imports.bring_in` does."""
    with tx.read() as (session, actor):
        return imports.bring_in(session, actor, sent.content, dry_run=True), actor


@dataclass(frozen=True)
class Sent:
    """The file that a form brought, chosen now or kept in the page before.

    Attributes:
        name: What it is called.
        content: What is in it.

    """

    name: str
    content: bytes

    @property
    def kept(self) -> str:
        """The content as the page keeps it, so that nobody chooses it again; or ``."""
        packed = b64encode(zlib.compress(self.content, 9)).decode()
        return packed if len(packed) <= _MOST_KEPT else ""


def _sent(form: Form) -> Sent:
    file = form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        with file.file as opened:
            return Sent(file.filename, opened.read())
    return Sent(field_text(form, "kept_name"), _unpacked(field_text(form, "kept")))


def _unpacked(kept: str) -> bytes:
    """Return what the page kept, as much of it as a file may hold; empty if nothing."""
    try:
        return zlib.decompressobj().decompress(b64decode(kept), _MOST_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        return b""


@dataclass(frozen=True)
class Wrong:
    """A cell that is wrong, with the city that its row is about."""

    error: CellError
    city: str


def _page(
    actor: Actor,
    sent: Sent | None = None,
    *,
    report: ImportReport | None = None,
    refused: Refusal | None = None,
) -> HTMLResponse:
    status = refused.status if refused else 200
    wrong = _wrong(report) if report else []
    return show(
        "cities/import.html",
        actor,
        "cities",
        status,
        report=report,
        refused=refused,
        rows_refused=isinstance(refused, InvalidRows),
        wrong=wrong[:_SHOWN],
        more=max(len(wrong) - _SHOWN, 0),
        kept=sent.kept if sent else "",
        kept_name=sent.name if sent else "",
    )


def _wrong(report: ImportReport) -> list[Wrong]:
    """Return the wrong cells, each with what its city is called in the file."""
    numbers = [row.row for row in report.rows if row.state == "wrong"]
    text = io.StringIO(report.wrong_rows or "", newline="")
    rows = csv.DictReader(text, delimiter=report.delimiter)
    called = {
        number: row.get("name") or row.get("id") or ""
        for number, row in zip(numbers, rows, strict=False)
    }
    return [Wrong(error, called.get(error.row, "")) for error in report.errors]
