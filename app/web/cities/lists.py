"""What a city has several of: practices, and contact persons."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.errors import Refusal, Stale
from app.permissions import Actor, may_edit_city
from app.services.cities import completeness, contacts, profiles
from app.services.shared.rows import CityRow, PracticeRow
from app.texts.catalogue import here, message
from app.web.cities.profile import edit, editable, mine, titles
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import AREA_IDS, ContactWrite, InputError, Practice

router = APIRouter(include_in_schema=False)
_TEXTS = ("area", "title", "summary", "result", "what_went_wrong", "url")
_FIELDS = (*_TEXTS, "year")
_LABELS: Mapping[str, str] = {
    "area": message("Area"),
    "title": message("Title"),
    "summary": message("What was done"),
    "result": message("What came of it"),
    "what_went_wrong": message("What went wrong"),
    "url": message("Web address"),
    "year": message("Year"),
    "name": message("Name"),
    "function": message("Function"),
    "email": message("E-mail address at work"),
}
_WRONG: Mapping[str, str] = {
    "area": message("Area: choose one from the list."),
    "title": message("Title: give the practice one, in at most 200 letters."),
    "summary": message("What was done: at most 5,000 letters."),
    "result": message("What came of it: at most 5,000 letters."),
    "what_went_wrong": message("What went wrong: at most 5,000 letters."),
    "url": message("Web address: at most 5,000 letters."),
    "year": message("Year: four digits, like 2024."),
    "name": message("Name: write one, in at most 200 letters."),
    "function": message("Function: at most 200 letters."),
    "email": message("E-mail address: write it like desk@example.org."),
}


def _in_words(refused: Refusal) -> Refusal:
    """Return the refusal with errors that say what to do, in the reader's language."""
    errors = [
        InputError(
            pointer=one.pointer,
            code=one.code,
            message=here().say(text),
        )
        if one.code != "differs" and (text := _WRONG.get(one.pointer.lstrip("/")))
        else one
        for one in refused.errors
    ]
    return type(refused)(str(refused), errors)


def _changed(now: Mapping[str, str], form: FormData) -> Stale:
    """Return the refusal that tells what is stored otherwise than it was typed."""
    errors = [
        InputError(pointer=f"/{name}", code="differs", message=_difference(name, there))
        for name, there in now.items()
        if field_text(form, name) != there
    ]
    return Stale("Somebody else has changed this meanwhile.", errors)


def _difference(name: str, there: str) -> str:
    value = here().area_names().get(there, there) if name == "area" else there
    value = value or here().say("nothing")
    field = here().say(_LABELS[name])
    return here().say("{field}: now it says {value}", field=field, value=value)


# Practices.


def _shown(entry: PracticeRow) -> dict[str, str]:
    """Return what stands in the fields of a stored practice."""
    values = {name: getattr(entry, name) for name in _FIELDS}
    return {k: "" if v is None else str(v) for k, v in values.items()}


def _seen(entry: PracticeRow) -> str:
    told = repr(_shown(entry))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _read(form: FormData, entry: PracticeRow | None = None) -> Practice:
    """Return the practice that the form describes, or raise `InvalidInput`."""
    fields: dict[str, Any] = {name: field_text(form, name) or None for name in _TEXTS}
    year = field_text(form, "year")
    fields["year"] = int(year) if year.isascii() and year.isdecimal() else year or None
    language = entry.language if entry else None  # it has no field
    return parse(Practice, **fields, language=language)


@router.get("/cities/{city_id}/edit/practices")
def edit_practices(tx: PageSession, city_id: str, saved: str = "") -> HTMLResponse:
    """List the practices, and the strengths that none backs yet."""
    with tx.read() as (session, actor):
        row = editable(session, actor, city_id)
        return show(
            "cities/city_practices.html",
            actor,
            mine(actor, city_id),
            city=row,
            practices=row.practices,
            unproven=completeness.unproven(profiles.as_city(row)),
            titles=titles(),
            saved=bool(saved),
        )


def _practice_page(  # noqa: PLR0913 -- what the form shows
    actor: Actor,
    row: CityRow,
    entry: PracticeRow | None,
    cells: Mapping[str, str],
    seen: str = "",
    refused: Refusal | None = None,
) -> HTMLResponse:
    return show(
        "cities/city_practice.html",
        actor,
        mine(actor, row.id),
        refused.status if refused else 200,
        city=row,
        practice=entry,
        cells=cells,
        seen=seen,
        refused=refused,
        titles=titles(),
    )


@router.get("/cities/{city_id}/edit/practices/new")
def new_practice(tx: PageSession, city_id: str, area: str = "") -> HTMLResponse:
    """Show the empty form of a practice."""
    with tx.read() as (session, actor):
        row = editable(session, actor, city_id)
        cells = dict.fromkeys(_FIELDS, "")
        cells["area"] = next((one for one in AREA_IDS if one == area), "")
        return _practice_page(actor, row, None, cells)


@router.get("/cities/{city_id}/edit/practices/{practice_id}")
def edit_practice(tx: PageSession, city_id: str, practice_id: str) -> HTMLResponse:
    """Show the form of a practice."""
    with tx.read() as (session, actor):
        row = editable(session, actor, city_id)
        entry = profiles.practice(row, practice_id)
        return _practice_page(actor, row, entry, _shown(entry), _seen(entry))


@router.post("/cities/{city_id}/practices")
def add_practice(tx: PageSession, once: OnlyOnce, city_id: str, form: Form) -> Response:
    """Add a practice."""

    def work(session: Session, actor: Actor) -> Response:
        row = profiles.get(session, city_id, lock=True)
        profiles.add_practice(session, actor, row, _read(form))
        return redirect(f"{edit(city_id, 'practices')}?saved=1")

    return submit(
        partial(once.answer, tx, work),
        partial(_practice_again, tx, city_id, None, form),
    )


@router.post("/cities/{city_id}/practices/{practice_id}")
def change_practice(
    tx: PageSession, city_id: str, practice_id: str, form: Form
) -> Response:
    """Change a practice, unless somebody has changed it since it was shown."""

    def work() -> Response:
        with tx.write() as (session, actor):
            row = profiles.get(session, city_id, lock=True)
            entry = profiles.practice(row, practice_id)
            new = _read(form, entry)
            if field_text(form, "seen") != _seen(entry) and may_edit_city(
                actor, city_id
            ):
                raise _changed(_shown(entry), form)
            profiles.change_practice(session, actor, row, entry, new)
        return redirect(f"{edit(city_id, 'practices')}?saved=1")

    return submit(work, partial(_practice_again, tx, city_id, practice_id, form))


def _practice_again(
    tx: PageSession,
    city_id: str,
    practice_id: str | None,
    form: FormData,
    refused: Refusal,
) -> HTMLResponse:
    """Show the form once more, with what was typed."""
    cells = {name: field_text(form, name) for name in _FIELDS}
    with tx.read() as (session, actor):
        row = editable(session, actor, city_id)
        entry = profiles.practice(row, practice_id) if practice_id else None
        now = _seen(entry) if entry else ""
        seen = now if isinstance(refused, Stale) else field_text(form, "seen")
        return _practice_page(actor, row, entry, cells, seen, _in_words(refused))


@router.post("/cities/{city_id}/practices/{practice_id}/delete")
def delete_practice(
    tx: PageSession, city_id: str, practice_id: str, _form: Form
) -> Response:
    """Delete a practice."""
    with tx.write() as (session, actor):
        row = profiles.get(session, city_id, lock=True)
        entry = profiles.practice(row, practice_id)
        profiles.remove_practice(session, actor, row, entry)
    return redirect(f"{edit(city_id, 'practices')}?saved=1")


# Contact persons.

_NO_CONTACT = dict.fromkeys(("id", "name", "function", "email"), "")


@router.get("/cities/{city_id}/edit/contacts")
def edit_contacts(tx: PageSession, city_id: str, saved: str = "") -> HTMLResponse:
    """Show the contact persons with their forms."""
    with tx.read() as (session, actor):
        return _contacts_page(session, actor, city_id, saved=bool(saved))


def _contacts_page(
    session: Session,
    actor: Actor,
    city_id: str,
    status: int = 200,
    **values: Any,  # noqa: ANN401 -- what differs from the page as it is first seen
) -> HTMLResponse:
    row = editable(session, actor, city_id)
    given = {"saved": False, "refused": None, "contact": _NO_CONTACT} | values
    return show(
        "cities/city_contacts.html",
        actor,
        mine(actor, city_id),
        status,
        city=row,
        contacts=contacts.of_city(session, actor, city_id),
        titles=titles(),
        **given,
    )


def _contact(form: FormData) -> ContactWrite:
    """Return the contact person as the form says, or raise `InvalidInput`."""
    fields = {
        name: field_text(form, name) or None for name in ("name", "function", "email")
    }
    return parse(ContactWrite, **fields)


def _contact_again(
    tx: PageSession, city_id: str, form: FormData, contact_id: str = ""
) -> Callable[[Refusal], HTMLResponse]:
    """Return what shows the page once more, with what was typed."""
    written = {name: field_text(form, name) for name in _NO_CONTACT} | {
        "id": contact_id
    }

    def shown(refused: Refusal) -> HTMLResponse:
        with tx.read() as (session, actor):
            values = {"refused": _in_words(refused), "contact": written}
            return _contacts_page(session, actor, city_id, refused.status, **values)

    return shown


def _saved(city_id: str) -> Response:
    return redirect(f"{edit(city_id, 'contacts')}?saved=1")


@router.post("/cities/{city_id}/contacts")
def add_contact(tx: PageSession, once: OnlyOnce, city_id: str, form: Form) -> Response:
    """Add a contact person."""

    def work(session: Session, actor: Actor) -> Response:
        contacts.add(session, actor, city_id, _contact(form))
        return _saved(city_id)

    again = _contact_again(tx, city_id, form)
    return submit(partial(once.answer, tx, work), again)


@router.post("/cities/{city_id}/contacts/{contact_id}")
def change_contact(
    tx: PageSession, city_id: str, contact_id: str, form: Form
) -> Response:
    """Change a contact person, or say that it is still right."""

    def work() -> Response:
        with tx.write() as (session, actor):
            row = contacts.get(session, actor, city_id, contact_id, lock=True)
            new, now = _contact(form), contacts.as_written(row).to_dict()
            if field_text(form, "version") != str(row.version):
                raise _changed({k: v or "" for k, v in now.items()}, form)
            contacts.change(session, actor, row, new)
        return _saved(city_id)

    return submit(work, _contact_again(tx, city_id, form, contact_id))


@router.post("/cities/{city_id}/contacts/{contact_id}/delete")
def erase_contact(
    tx: PageSession, once: OnlyOnce, city_id: str, contact_id: str
) -> Response:
    """Erase a contact person."""

    def work(session: Session, actor: Actor) -> Response:
        row = contacts.get(session, actor, city_id, contact_id, lock=True)
        contacts.remove(session, actor, row)
        return _saved(city_id)

    return once.answer(tx, work)
