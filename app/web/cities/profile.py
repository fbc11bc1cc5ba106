"""Pages on which a city is registered, and tells of itself task by task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from app.errors import AlreadyThere, Busy, CrossSite, Forbidden, NotFound, Stale
from app.http.deps import GazetteerDep
from app.permissions import Actor, may_edit_city
from app.pictures.levels import Bars, bars
from app.services.cities import completeness, contacts, profiles
from app.services.cities.completeness import TASKS, Task
from app.services.cities.gazetteer import Gazetteer
from app.services.shared.rows import CityRow
from app.services.spreadsheets.city_row import id_of
from app.texts.catalogue import here, message
from app.web.cities.profile_form import (
    FIELDS,
    LANGUAGES,
    Filled,
    differences,
    label,
    read,
    seen,
    shown,
    suggested,
    typed,
)
from app.web.forms import field_text, must_organise, redirect
from app.web.layout import show
from app.web.session import Form, PageSession
from schemas import Place
from schemas.city import ShareDefinition

router = APIRouter(include_in_schema=False)
_NEW = "/cities/new"
_WHOLE: tuple[Task, ...] = ("place", "languages", "role", "areas", "words")
"""What an association fills in at once: it registers a city, but does not change it."""
_ADDED = ("name", "country", "latitude", "longitude", "population", "population_source")
TITLES: Mapping[Task, str] = {
    "place": message("The city and its figures"),
    "languages": message("Working languages"),
    "role": message("Role and places"),
    "areas": message("Needs and strengths"),
    "practices": message("Good practices"),
    "words": message("In your own words"),
    "contacts": message("Contact persons"),
}


def edit(city_id: str, task: str = "") -> str:
    """Return the path of the city's task list, or of one task."""
    return f"/cities/{city_id}/edit" + (f"/{task}" if task else "")


def mine(actor: Actor, city_id: str) -> str:
    """Return which part of the site the city's pages belong to."""
    return "own" if actor.city == city_id else "cities"


def titles() -> dict[Task, str]:
    """Return what the tasks are called."""
    return {task: here().say(text) for task, text in TITLES.items()}


def editable(
    session: Session, actor: Actor, city_id: str, *, lock: bool = False
) -> CityRow:
    """Return the city if the visitor may change it, or raise `NotFound`."""
    row = profiles.find(session, city_id, lock=lock)
    if row is None or not may_edit_city(actor, city_id):
        raise _none(city_id)
    return row


def _none(city_id: str) -> NotFound:
    return NotFound(f"There is no city {city_id} that you may change.")


# Choosing the city, and registering it.


@dataclass(frozen=True)
class _Asked:
    """Which city is registered, and how far its registering is.

    Attributes:
        city_id: The officer's own; None: one is made of the name.
        q: The name that was typed.
        place: Of GeoNames that was chosen; 0 for none of them; None: not yet.

    """

    city_id: str | None
    q: str
    place: int | None

    @property
    def action(self) -> str:
        return edit(self.city_id) if self.city_id else _NEW


def _asked(city_id: str | None, q: str | None, place: str) -> _Asked:
    name = "".join(filter(str.isprintable, q or "")).strip()[:200]
    number = int(place) if place.isascii() and place.isdecimal() else None
    return _Asked(city_id, name, number)


def _tasks_of(actor: Actor) -> tuple[Task, ...]:
    return _WHOLE if actor.association else ("place",)


def _begin(actor: Actor, asked: _Asked, places: Gazetteer) -> HTMLResponse:
    """Show where the city is chosen; or, when it is, the form that it is put into."""
    if asked.place is not None:
        cells = _prefilled(asked, places) | {"association": actor.association or ""}
        return _registering(actor, asked, Filled(cells))
    found: tuple[Place, ...] = ()
    is_ready = True
    try:
        if asked.q:
            found = places.search(asked.q)
        else:
            places.prepare()
    except Busy:
        is_ready = False
    own = asked.city_id.replace("-", " ") if asked.city_id else ""
    return show(
        "cities/city_choose.html",
        actor,
        "own" if asked.city_id else "cities",
        asked=asked,
        typed=asked.q or own,
        found=found,
        is_ready=is_ready,
    )


def _prefilled(asked: _Asked, places: Gazetteer) -> dict[str, str]:
    """Return what is known of the place that was chosen."""
    try:
        place = places.get(asked.place) if asked.place else None
        name = places.name_of(place, asked.q) if place else ""
    except Busy:
        place = None
    return suggested(place, name) if place else {"name": asked.q}


def _registering(
    actor: Actor, asked: _Asked, filled: Filled, status: int = 200
) -> HTMLResponse:
    given = {name: filled.cells.get(name, "") for name in _ADDED}
    return show(
        "cities/city_register.html",
        actor,
        "own" if asked.city_id else "cities",
        status,
        asked=asked,
        tasks=_tasks_of(actor),
        is_suggested=bool(asked.place and given["latitude"]),
        **_form_values(filled),
    )


def _form_values(filled: Filled) -> dict[str, Any]:
    """Return what every form of a profile shows."""
    ticked = [one for one in filled.cells.get("languages", "").split(", ") if one]
    return {
        "form": filled,
        "label": label,
        "languages": {code: here().language(code) for code in LANGUAGES},
        "ticked": ticked,
        "others": _other_languages(ticked),
        "countries": here().countries(),
        "definitions": get_args(ShareDefinition),
        "groups": GROUPS,
        "bars": _bars(filled.cells),
    }


def _other_languages(ticked: list[str]) -> str:
    more = [one for one in ticked if one not in LANGUAGES]
    return ", ".join(here().language(one) for one in more)


GROUPS: Mapping[str, tuple[str, ...]] = {
    message("Arriving and living"): ("reception", "housing", "health", "services"),
    message("Learning and working"): ("education", "language", "employment", "culture"),
    message("Living together"): ("participation", "contact", "antidiscrimination"),
    message("Groups with needs of their own"): ("minors", "gender", "lgbtqi"),
    message("How the city works"): ("governance", "data", "finance"),
}
"""The policy areas, so that nobody faces all seventeen at once."""


def _bars(cells: Mapping[str, str]) -> Bars:
    """Return the picture of needs and strengths as they stand in a form."""
    level = {str(number): number for number in range(5)}
    return bars(
        {
            area: (
                level.get(cells.get(f"need_{area}", ""), 0),
                level.get(cells.get(f"strength_{area}", ""), 0),
            )
            for group in GROUPS.values()
            for area in group
        }
    )


def _register(tx: PageSession, form: Form, city_id: str | None) -> Response:
    """Register a city; what is wrong comes back with the form."""
    asked = _asked(city_id, field_text(form, "q"), field_text(form, "place"))
    cells: dict[str, str] = {}
    try:
        with tx.write() as (session, actor):
            columns = [name for task in _tasks_of(actor) for name in FIELDS[task]]
            cells = typed(form, columns)
            if city_id is not None and actor.city != city_id:
                raise _none(city_id)
            city, wrong = read(cells, None, city_id or id_of(cells))
            if city is not None:
                profiles.add(session, actor, city)
                return redirect(_after_registering(actor, city.id))
            return _registering(actor, asked, Filled(cells, wrong), 422)
    except AlreadyThere:
        text = here().say("Name: a city is registered under this name already.")
        wrong, status = {"name": text}, AlreadyThere.status
    except Forbidden as error:
        if isinstance(error, CrossSite) or not cells:
            raise
        text = here().say("Association: you register cities of your own alone.")
        wrong, status = {"association": text}, Forbidden.status
    with tx.read() as (_session, actor):
        return _registering(actor, asked, Filled(cells, wrong), status)


def _after_registering(actor: Actor, city_id: str) -> str:
    if may_edit_city(actor, city_id):
        return f"{edit(city_id)}?saved=place"
    return f"/cities/{city_id}?saved=1"


def _may_register(actor: Actor) -> None:
    if actor.association is None:
        must_organise(actor)


@router.get("/cities/new")
def new_city(
    tx: PageSession, places: GazetteerDep, q: str = "", place: str = ""
) -> HTMLResponse:
    """Ask which city it is; an association registers the cities that it supports."""
    with tx.read() as (_session, actor):
        _may_register(actor)
    return _begin(actor, _asked(None, q, place), places)


@router.post("/cities/new")
def register_city(tx: PageSession, form: Form) -> Response:
    """Register a city."""
    with tx.read() as (_session, actor):
        _may_register(actor)
    return _register(tx, form, None)


@router.get("/places.json")
def find_places(tx: PageSession, places: GazetteerDep, q: str = "") -> JSONResponse:
    """Tell the page which places are called so, in the reader's language."""
    with tx.read():
        pass
    found = [
        {"id": one.geonames_id, "name": one.name, "says": beside(one)}
        for one in places.search(q)
    ]
    return JSONResponse({"items": found}, headers={"Cache-Control": "no-store"})


def beside(place: Place) -> str:
    """Return what tells a place from others of its name: country and inhabitants."""
    country = here().country(place.country)
    if place.population is None:
        return country
    return here().count(
        "{country}, {number} inhabitant",
        "{country}, {number} inhabitants",
        place.population.value,
        country=country,
    )


# The task list, and the tasks that are forms.


@router.get("/cities/{city_id}/edit")
def edit_city(  # noqa: PLR0913 -- what the address says
    tx: PageSession,
    places: GazetteerDep,
    city_id: str,
    q: str | None = None,
    place: str = "",
    saved: str = "",
) -> HTMLResponse:
    """Show the task list; an officer whose city is not registered yet chooses it."""
    with tx.read() as (session, actor):
        row = profiles.find(session, city_id)
        if not may_edit_city(actor, city_id) or (row is None and actor.city != city_id):
            raise _none(city_id)
        if row is not None:
            return _task_list(session, actor, row, saved)
    return _begin(actor, _asked(city_id, q, place), places)


@router.post("/cities/{city_id}/edit")
def register_own_city(tx: PageSession, city_id: str, form: Form) -> Response:
    """Register the officer's own city."""
    with tx.read() as (_session, actor):
        if actor.city != city_id:
            raise _none(city_id)
    return _register(tx, form, city_id)


def _task_list(
    session: Session, actor: Actor, row: CityRow, saved: str
) -> HTMLResponse:
    city = profiles.as_city(row)
    count = len(contacts.of_city(session, actor, row.id))
    return show(
        "cities/city_tasks.html",
        actor,
        mine(actor, row.id),
        city=city,
        titles=titles(),
        states=completeness.states(city, count),
        facts=completeness.facts(city, count),
        unproven=completeness.unproven(city),
        saved=saved if saved in TITLES else "",
    )


def _task_page(
    actor: Actor, row: CityRow, task: Task, filled: Filled, status: int = 200
) -> HTMLResponse:
    return show(
        "cities/city_task.html",
        actor,
        mine(actor, row.id),
        status,
        city=row,
        task=task,
        number=TASKS.index(task) + 1,
        titles=titles(),
        **_form_values(filled),
    )


def _show_task(tx: PageSession, city_id: str, task: Task) -> Response:
    with tx.read() as (session, actor):
        row = profiles.find(session, city_id)
        if row is None and actor.city == city_id:
            return RedirectResponse(edit(city_id), 303)
        row = editable(session, actor, city_id)
        now = seen(row, FIELDS[task])
        cells = shown(profiles.as_city(row))
        return _task_page(actor, row, task, Filled(cells, seen=now))


def _save_task(tx: PageSession, city_id: str, task: Task, form: Form) -> Response:
    """Save one task, unless somebody has changed its fields since they were shown."""
    columns = FIELDS[task]
    cells = typed(form, columns)
    with tx.write() as (session, actor):
        row = editable(session, actor, city_id, lock=True)
        now = seen(row, columns)
        city, wrong = read(cells, row, city_id)
        if city is None:
            filled = Filled(cells, wrong, seen=field_text(form, "seen"))
            return _task_page(actor, row, task, filled, 422)
        differs = differences(cells, row)
        if differs and field_text(form, "seen") != now:
            filled = Filled(cells, differs=differs, seen=now)
            return _task_page(actor, row, task, filled, Stale.status)
        profiles.change(session, actor, row, city)
    return redirect(after(city_id, task, form))


def after(city_id: str, task: Task, form: Form) -> str:
    """Return where a saved task leads: to the list, or on to the next one."""
    if not field_text(form, "go_on"):
        return f"{edit(city_id)}?saved={task}"
    following = (*TASKS, "check")[TASKS.index(task) + 1]
    return edit(city_id, following)


def _add_task(task: Task) -> None:
    """Give a task its page: each has an address of its own."""
    path = f"/cities/{{city_id}}/edit/{task}"

    def show_task(tx: PageSession, city_id: str) -> Response:
        return _show_task(tx, city_id, task)

    def save_task(tx: PageSession, city_id: str, form: Form) -> Response:
        return _save_task(tx, city_id, task, form)

    router.add_api_route(path, show_task, methods=["GET"], response_model=None)
    router.add_api_route(path, save_task, methods=["POST"], response_model=None)


for _task in FIELDS:
    _add_task(_task)
