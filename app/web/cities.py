"""Pages of cities: the list, a profile and its form, practices, spreadsheets."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, get_args
from urllib.parse import urlencode

from babel import Locale
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from app.db import models
from app.deps import Precondition, etag
from app.errors import Foreign, InvalidInput, NotFound, Refusal, Stale, Unknown
from app.permissions import Actor, may_edit_city
from app.services import cities, contacts, imports, reasons, workbook
from app.services.paging import Cut
from app.services.sheet import COLUMNS
from app.web.forms import download, must_organise, read, said, see, tried
from app.web.showing import show
from app.web.visitors import Form, OnlyOnce, Visitor
from schemas import (
    AREA_IDS,
    CellError,
    City,
    ContactWrite,
    InputError,
    Practice,
    Role,
    input_errors,
)
from schemas.city import ShareDefinition

router = APIRouter(include_in_schema=False)
ROLES: tuple[Role, ...] = get_args(Role)
_PAGE = 50
_NEED = ("none", "a little", "some", "much", "very much")
_STRENGTH = ("none", "first steps", "some experience", "strong", "could teach others")


@cache
def _countries() -> dict[str, str]:
    known = Locale("en").territories
    found = {
        str(code): str(name)
        for code, name in known.items()
        if len(str(code)) == 2 and str(code).isalpha()  # noqa: PLR2004 -- ISO 3166-1
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _top(city: City, kind: str) -> str:
    levels = sorted(city.levels(kind).items(), key=lambda item: -item[1])  # type: ignore[arg-type]
    return reasons.listed([reasons.AREA_NAMES[area].lower() for area, _ in levels])


@router.get("/cities")
def list_cities(desk: Visitor, request: Request) -> HTMLResponse:
    """List cities, with filters; what a filter cannot be is left out."""
    given = {k: v for k, v in request.query_params.items() if v}
    role, area = given.get("role"), given.get("area")
    wanted = cities.Filter(
        country=given.get("country", "")[:2].upper() or None,
        area=next((one for one in AREA_IDS if one == area), None),
        role=next((one for one in ROLES if one == role), None),
        q="".join(filter(str.isprintable, given.get("q", "")))[:200] or None,
    )
    with desk.read() as (session, actor):
        cut = Cut.at(_PAGE, given.get("cursor"))
        rows, cursor = cities.search(session, wanted, cut)
        following = f"/cities?{urlencode(given | {'cursor': cursor})}"
        return show(
            "cities.html",
            actor,
            "cities",
            cities=[cities.as_city(row) for row in rows],
            following=following if cursor else None,
            wanted=wanted,
            filtered=wanted != cities.Filter(),
            countries=_countries(),
            top=_top,
        )


@router.get("/cities/template.csv")
def template(desk: Visitor) -> Response:
    """Give the template of an import, as spreadsheets in Europe expect it."""
    with desk.read():
        return download(imports.template(";"), "cities-template.csv")


@router.get("/cities/export.csv")
def export(desk: Visitor) -> Response:
    """Give all cities as a table, as spreadsheets in Europe expect it."""
    with desk.read() as (session, _actor):
        return download(imports.export_table(cities.every(session), ";"), "cities.csv")


@router.get("/cities/template.xlsx")
def template_workbook(desk: Visitor) -> Response:
    """Give the template as a workbook."""
    with desk.read():
        content = imports.template_workbook()
        return download(content, "cities-template.xlsx", workbook.MEDIA_TYPE)


@router.get("/cities/export.xlsx")
def export_workbook(desk: Visitor) -> Response:
    """Give all cities as a workbook."""
    with desk.read() as (session, _actor):
        content = imports.export_workbook(cities.every(session))
        return download(content, "cities.xlsx", workbook.MEDIA_TYPE)


@router.get("/cities/import")
def ask_for_file(desk: Visitor) -> HTMLResponse:
    """Ask for the spreadsheet."""
    with desk.read() as (_session, actor):
        must_organise(actor)
        return show("import.html", actor, "cities", report=None, refused=None)


@router.post("/cities/import")
def import_file(desk: Visitor, form: Form) -> HTMLResponse:
    """Look what the spreadsheet would do, or store it."""
    file, how = form.get("file"), said(form, "how")
    content = file.file.read() if isinstance(file, UploadFile) else b""

    def shown(actor: Actor, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
        return show("import.html", actor, "cities", status, **values)

    opened = desk.read() if how == "look" else desk.write()
    try:
        with opened as (session, actor):
            report = imports.bring_in(
                session,
                actor,
                content,
                dry_run=how == "look",
                all_or_nothing=how == "all",
            )
            return shown(actor, report=report, refused=None)
    except InvalidInput as error:
        refused = {"detail": str(error), "errors": error.errors}
        with desk.read() as (_session, actor):
            return shown(actor, error.status, report=None, refused=refused)


_NEW = "/cities/new"


def _edit(city_id: str) -> str:
    return f"/cities/{city_id}/edit"


def _form_page(  # noqa: PLR0913 -- what the form shows
    actor: Actor,
    action: str,
    cells: Mapping[str, str],
    stored: models.City | None,
    wrong: Mapping[str, CellError] | None = None,
    differs: Sequence[InputError] = (),
    status: int = 200,
) -> HTMLResponse:
    return show(
        "city_form.html",
        actor,
        "own" if action == f"/cities/{actor.city}/edit" else "cities",
        status,
        cells=cells,
        stored=stored is not None,
        name=stored.name if stored else "",
        action=action,
        version_read=stored.version if stored else 0,
        wrong=wrong or {},
        differs=differs,
        countries=_countries(),
        definitions=get_args(ShareDefinition),
        need_words=_NEED,
        strength_words=_STRENGTH,
    )


def _cells(form: FormData) -> dict[str, str]:
    """Return the form as the row of a spreadsheet: one reader for both."""
    names = {column.name for column in COLUMNS} - {"id"}
    cells = {name: said(form, name) for name in sorted(names)}
    cells["roles"] = ", ".join(str(role) for role in form.getlist("roles"))
    return cells


@router.get("/cities/new")
def new_city(desk: Visitor) -> HTMLResponse:
    """Show an empty form; an association registers the cities that it supports."""
    with desk.read() as (_session, actor):
        if actor.association is None:
            must_organise(actor)
        return _form_page(actor, _NEW, {"association": actor.association or ""}, None)


@router.post("/cities/new")
def register_city(desk: Visitor, form: Form) -> Response:
    """Register a city; what is wrong comes back with the form."""
    cells = _cells(form)
    try:
        with desk.write() as (session, actor):
            city, wrong = imports.filled(cells, None, imports.id_of(cells))
            if city is not None:
                cities.add(session, actor, city)
                return see(f"/cities/{city.id}?saved=1")
            told = _by_column(wrong)
            return _form_page(actor, _NEW, cells, None, told, status=422)
    except Refusal as error:
        if isinstance(error, Unknown | Foreign):
            raise
        with desk.read() as (_session, actor):
            refused = CellError(
                row=0,
                column="name",
                value="",
                code=error.code,
                message=str(error),
                suggestion=None,
            )
            told = {"name": refused}
            return _form_page(actor, _NEW, cells, None, told, status=error.status)


def _by_column(errors: list[CellError]) -> dict[str, CellError]:
    return {error.column: error for error in reversed(errors)}


def _own_or(session: Session, actor: Actor, city_id: str) -> models.City | None:
    """Return the city to edit; an officer's own need not be registered yet."""
    row = cities.find(session, city_id, lock=False)
    if not may_edit_city(actor, city_id) or (row is None and actor.city != city_id):
        raise NotFound(f"There is no city {city_id} that you may change.")
    return row


@router.get("/cities/{city_id}/edit")
def edit_city(desk: Visitor, city_id: str) -> HTMLResponse:
    """Show the city's form; it is empty while an officer's city is not registered."""
    with desk.read() as (session, actor):
        row = _own_or(session, actor, city_id)
        cells = imports.cells_of(cities.as_city(row)) if row else {}
        return _form_page(actor, _edit(city_id), cells, row)


@router.post("/cities/{city_id}/edit")
def save_city(desk: Visitor, city_id: str, form: Form) -> Response:
    """Save the city, unless somebody else has changed it since the form was shown."""
    cells, read = _cells(form), said(form, "version")
    with desk.write() as (session, actor):
        row = _own_or(session, actor, city_id)
        city, wrong = imports.filled(cells, row, city_id)
        if city is None:
            told = _by_column(wrong)
            return _form_page(actor, _edit(city_id), cells, row, told, status=422)
        if row is None:
            cities.add(session, actor, city)
            return see(f"/cities/{city_id}?saved=1")
        row = cities.get(session, city_id, lock=True)
        try:
            Precondition(etag(int(read) if read.isdecimal() else 0)).check(
                row.version, cities.as_city(row).to_dict(), city.to_dict()
            )
        except Stale as error:
            action = _edit(city_id)
            return _form_page(actor, action, cells, row, None, error.errors, 412)
        cities.change(session, actor, row, city)
        return see(f"/cities/{city_id}?saved=1")


_NO_PRACTICE = dict.fromkeys(
    ("area", "title", "summary", "what_went_wrong", "url", "year"), ""
)


def _city_page(
    session: Session,
    actor: Actor,
    city_id: str,
    status: int = 200,
    **values: Any,  # noqa: ANN401
) -> HTMLResponse:
    row = cities.get(session, city_id)
    known = Locale("en").languages
    nothing = {"saved": False, "wrong": [], "typed": _NO_PRACTICE}
    shown = nothing | {"refused": None, "contact": _NO_CONTACT} | values
    return show(
        "city.html",
        actor,
        "cities",
        status,
        city=cities.as_city(row),
        practices=row.practices,
        countries=_countries(),
        language_names=lambda codes: ", ".join(known.get(c, c) for c in codes),
        may_edit=may_edit_city(actor, city_id),
        contacts=_contacts(session, actor, row),
        **shown,
    )


_NO_CONTACT = dict.fromkeys(("id", "name", "function", "email"), "")


def _contacts(
    session: Session, actor: Actor, row: models.City
) -> list[models.Contact] | None:
    """Return the city's contact persons; None if they are not the visitor's to see."""
    if not contacts.may_see(session, actor, row):
        return None
    return list(contacts.of_city(session, actor, row.id))


@router.get("/cities/{city_id}")
def show_city(desk: Visitor, city_id: str, saved: str = "") -> HTMLResponse:
    """Show a city as others see it."""
    with desk.read() as (session, actor):
        return _city_page(session, actor, city_id, saved=bool(saved))


@router.post("/cities/{city_id}/practices")
def add_practice(desk: Visitor, city_id: str, form: Form) -> Response:
    """Add a practice."""
    typed = {name: said(form, name) for name in _NO_PRACTICE}
    fields: dict[str, Any] = {name: value for name, value in typed.items() if value}
    if fields.get("year", "").isdecimal():
        fields["year"] = int(fields["year"])
    with desk.write() as (session, actor):
        try:
            new = Practice(**fields)
        except ValidationError as error:
            wrong = input_errors(error.errors())
            return _city_page(session, actor, city_id, 422, wrong=wrong, typed=typed)
        row = cities.get(session, city_id, lock=True)
        cities.add_practice(session, actor, row, new)
    return see(f"/cities/{city_id}?saved=1")


@router.post("/cities/{city_id}/practices/{practice_id}/delete")
def delete_practice(
    desk: Visitor, city_id: str, practice_id: str, _form: Form
) -> Response:
    """Delete a practice."""
    with desk.write() as (session, actor):
        row = cities.get(session, city_id, lock=True)
        entry = cities.practice(row, practice_id)
        cities.remove_practice(session, actor, row, entry)
    return see(f"/cities/{city_id}?saved=1")


def _contact(form: FormData) -> ContactWrite:
    """Return the contact person as the form says, or raise `InvalidInput`."""
    fields = {name: said(form, name) or None for name in ("name", "function", "email")}
    return read(ContactWrite, **fields)


def _contact_again(
    desk: Visitor, city_id: str, form: FormData, contact_id: str = ""
) -> Callable[[Refusal], HTMLResponse]:
    """Return what shows the city's page once more, with what was typed."""
    typed = {name: said(form, name) for name in _NO_CONTACT} | {"id": contact_id}

    def shown(refused: Refusal) -> HTMLResponse:
        with desk.read() as (session, actor):
            status = refused.status
            told = {"refused": refused, "contact": typed}
            return _city_page(session, actor, city_id, status, **told)

    return shown


@router.post("/cities/{city_id}/contacts")
def add_contact(desk: Visitor, once: OnlyOnce, city_id: str, form: Form) -> Response:
    """Add a contact person."""

    def work(session: Session, actor: Actor) -> Response:
        contacts.add(session, actor, city_id, _contact(form))
        return see(f"/cities/{city_id}?saved=1#contacts")

    again = _contact_again(desk, city_id, form)
    return tried(partial(once.answer, desk, work), again)


@router.post("/cities/{city_id}/contacts/{contact_id}")
def change_contact(
    desk: Visitor, city_id: str, contact_id: str, form: Form
) -> Response:
    """Change a contact person, or say that it is still right."""

    def work() -> Response:
        with desk.write() as (session, actor):
            row = contacts.get(session, actor, city_id, contact_id, lock=True)
            new, seen = _contact(form), said(form, "version")
            Precondition(etag(int(seen) if seen.isdecimal() else 0)).check(
                row.version, contacts.as_written(row).to_dict(), new.to_dict()
            )
            contacts.change(session, actor, row, new)
        return see(f"/cities/{city_id}?saved=1#contacts")

    return tried(work, _contact_again(desk, city_id, form, contact_id))


@router.post("/cities/{city_id}/contacts/{contact_id}/delete")
def erase_contact(
    desk: Visitor, once: OnlyOnce, city_id: str, contact_id: str
) -> Response:
    """Erase a contact person."""

    def work(session: Session, actor: Actor) -> Response:
        row = contacts.get(session, actor, city_id, contact_id, lock=True)
        contacts.remove(session, actor, row)
        return see(f"/cities/{city_id}?saved=1#contacts")

    return once.answer(desk, work)
