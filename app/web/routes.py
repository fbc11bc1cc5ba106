"""The pages: each reads through the services, and posts through them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args
from urllib.parse import urlencode

from babel import Locale
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from app.db import models
from app.deps import Precondition, TheAnswers, etag
from app.errors import Busy, Foreign, InvalidInput, NotFound, Refusal, Stale, Unknown
from app.permissions import Actor, may_edit_city, may_organise, may_oversee
from app.render import outcome_values, readiness_values, solution_csv
from app.services import (
    accounts,
    bundle,
    cities,
    imports,
    participants,
    reasons,
    rounds,
    runs,
)
from app.services.answers import Answers
from app.services.paging import Cut
from app.services.sheet import COLUMNS
from app.web.showing import show
from app.web.visitors import Form, Visitor, cookie_of, forget, remember
from schemas import (
    AREA_IDS,
    CellError,
    City,
    InputError,
    ParticipationWrite,
    Phase,
    Practice,
    Role,
    RoundWrite,
    RunWrite,
    input_errors,
)
from schemas.city import ShareDefinition

router = APIRouter(include_in_schema=False)
ROLES: tuple[Role, ...] = get_args(Role)
_PAGE = 50
_NEED = ("none", "a little", "some", "much", "very much")
_STRENGTH = ("none", "first steps", "some experience", "strong", "could teach others")
_MOVES: Mapping[str, tuple[str, ...]] = {"draft": ("open",), "open": ("closed",)}
_MOVE_WORDS = {"open": "Open the round", "closed": "Close the round"}


@cache
def _countries() -> dict[str, str]:
    known = Locale("en").territories
    found = {
        str(code): str(name)
        for code, name in known.items()
        if len(str(code)) == 2 and str(code).isalpha()  # noqa: PLR2004 -- ISO 3166-1
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)


def _said(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return imports.plain(value) if isinstance(value, str) else ""


def _findings(error: ValidationError) -> list[InputError]:
    return input_errors(error.errors())


# The front, and coming in.


@router.get("/")
def front(desk: Visitor) -> HTMLResponse:
    """Show the three doors."""
    try:
        with desk.read() as (_session, actor):
            return show("front.html", actor, "")
    except Unknown:
        return show("front.html", None, "")


@router.get("/sign-in")
def ask_for_token(to: str = "/") -> HTMLResponse:
    """Ask for the token."""
    return show("sign_in.html", None, "", to=to, wrong=None)


@router.post("/sign-in")
def sign_in(request: Request, form: Form) -> Response:
    """Sign the browser in with a token."""
    to = _said(form, "to")
    if not to.startswith("/") or to.startswith(("//", "/\\")):
        to = "/"  # nowhere else than here
    try:
        with request.app.state.database.write() as session:
            cookie = accounts.sign_in(session, _said(form, "token"))
    except Unknown as error:
        return show("sign_in.html", None, "", 401, to=to, wrong=str(error))
    answer = _to(to)
    remember(request, answer, cookie)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, _form: Form) -> Response:
    """Sign the browser out, here and in the database."""
    cookie = cookie_of(request)
    if cookie is not None:
        with request.app.state.database.write() as session:
            accounts.sign_out(session, cookie)
    answer = _to("/")
    forget(answer)
    return answer


# Cities.


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


def _download(content: str | bytes, name: str, kind: str = "text/csv") -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if isinstance(content, str):  # as spreadsheets want it
        content = content.encode("utf-8-sig")
    return Response(content, media_type=kind, headers=headers)


@router.get("/cities/template.csv")
def template(desk: Visitor) -> Response:
    """Give the template of an import, as spreadsheets in Europe expect it."""
    with desk.read():
        return _download(imports.template(";"), "cities-template.csv")


@router.get("/cities/export.csv")
def export(desk: Visitor) -> Response:
    """Give all cities as a table, as spreadsheets in Europe expect it."""
    with desk.read() as (session, _actor):
        return _download(imports.export_table(cities.every(session), ";"), "cities.csv")


def _must_organise(actor: Actor) -> None:
    if not may_organise(actor):
        raise NotFound("There is no such page for you.")


@router.get("/cities/import")
def ask_for_file(desk: Visitor) -> HTMLResponse:
    """Ask for the spreadsheet."""
    with desk.read() as (_session, actor):
        _must_organise(actor)
        return show("import.html", actor, "cities", report=None, refused=None)


@router.post("/cities/import")
def import_file(desk: Visitor, form: Form) -> HTMLResponse:
    """Look what the spreadsheet would do, or store it."""
    file, how = form.get("file"), _said(form, "how")
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
    cells = {name: _said(form, name) for name in sorted(names)}
    cells["roles"] = ", ".join(str(role) for role in form.getlist("roles"))
    return cells


@router.get("/cities/new")
def new_city(desk: Visitor) -> HTMLResponse:
    """Show an empty form."""
    with desk.read() as (_session, actor):
        _must_organise(actor)
        return _form_page(actor, _NEW, {}, None)


@router.post("/cities/new")
def register_city(desk: Visitor, form: Form) -> Response:
    """Register a city; what is wrong comes back with the form."""
    cells = _cells(form)
    try:
        with desk.write() as (session, actor):
            city, wrong = imports.filled(cells, None, imports.id_of(cells))
            if city is not None:
                cities.add(session, actor, city)
                return _to(f"/cities/{city.id}?saved=1")
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
    cells, read = _cells(form), _said(form, "version")
    with desk.write() as (session, actor):
        row = _own_or(session, actor, city_id)
        city, wrong = imports.filled(cells, row, city_id)
        if city is None:
            told = _by_column(wrong)
            return _form_page(actor, _edit(city_id), cells, row, told, status=422)
        if row is None:
            cities.add(session, actor, city)
            return _to(f"/cities/{city_id}?saved=1")
        row = cities.get(session, city_id, lock=True)
        try:
            Precondition(etag(int(read) if read.isdecimal() else 0)).check(
                row.version, cities.as_city(row).to_dict(), city.to_dict()
            )
        except Stale as error:
            action = _edit(city_id)
            return _form_page(actor, action, cells, row, None, error.errors, 412)
        cities.change(session, actor, row, city)
        return _to(f"/cities/{city_id}?saved=1")


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
    shown = {"saved": False, "wrong": [], "typed": _NO_PRACTICE} | values
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
        **shown,
    )


@router.get("/cities/{city_id}")
def show_city(desk: Visitor, city_id: str, saved: str = "") -> HTMLResponse:
    """Show a city as others see it."""
    with desk.read() as (session, actor):
        return _city_page(session, actor, city_id, saved=bool(saved))


@router.post("/cities/{city_id}/practices")
def add_practice(desk: Visitor, city_id: str, form: Form) -> Response:
    """Add a practice."""
    typed = {name: _said(form, name) for name in _NO_PRACTICE}
    fields: dict[str, Any] = {name: value for name, value in typed.items() if value}
    if fields.get("year", "").isdecimal():
        fields["year"] = int(fields["year"])
    with desk.write() as (session, actor):
        try:
            new = Practice(**fields)
        except ValidationError as error:
            wrong = _findings(error)
            return _city_page(session, actor, city_id, 422, wrong=wrong, typed=typed)
        row = cities.get(session, city_id, lock=True)
        cities.add_practice(session, actor, row, new)
    return _to(f"/cities/{city_id}?saved=1")


@router.post("/cities/{city_id}/practices/{practice_id}/delete")
def delete_practice(
    desk: Visitor, city_id: str, practice_id: str, _form: Form
) -> Response:
    """Delete a practice."""
    with desk.write() as (session, actor):
        row = cities.get(session, city_id, lock=True)
        entry = cities.practice(row, practice_id)
        cities.remove_practice(session, actor, row, entry)
    return _to(f"/cities/{city_id}?saved=1")


# Rounds.


def _rounds_page(
    session: Session, actor: Actor, cursor: str | None, wrong: list[InputError]
) -> HTMLResponse:
    rows, following = rounds.search(session, actor, Cut.at(_PAGE, cursor))
    return show(
        "rounds.html",
        actor,
        "rounds",
        422 if wrong else 200,
        rounds=[rounds.as_round(row) for row in rows],
        following=f"/rounds?{urlencode({'cursor': following})}" if following else None,
        wrong=wrong,
    )


@router.get("/rounds")
def list_rounds(desk: Visitor, cursor: str | None = None) -> HTMLResponse:
    """List the rounds that the visitor may see."""
    with desk.read() as (session, actor):
        return _rounds_page(session, actor, cursor, [])


@router.post("/rounds")
def set_up_round(desk: Visitor, form: Form) -> Response:
    """Set up a round."""
    with desk.write() as (session, actor):
        try:
            new = RoundWrite(
                name=_said(form, "name"), description=_said(form, "description") or None
            )
        except ValidationError as error:
            return _rounds_page(session, actor, None, _findings(error))
        row = rounds.add(session, actor, new)
        return _to(f"/rounds/{row.id}")


@router.get("/rounds/{round_id}")
def show_round(desk: Visitor, answers: TheAnswers, round_id: str) -> HTMLResponse:
    """Show a round: its phase, who takes part, and for organisers all the rest."""
    with desk.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        oversees = may_oversee(actor)
        taking, _ = participants.search(session, round_id, Cut(500))
        names = cities.names(session)
        inside = {one.city_id for one in taking}
        may_enter = _may_enter(actor, row)
        values: dict[str, Any] = {
            "round": rounds.as_round(row),
            "phases": get_args(Phase),
            "oversees": oversees,
            "participants": [participants.as_participant(one, actor) for one in taking],
            "names": names,
            "may_enter": may_enter,
            "others": [
                {"id": city, "name": name}
                for city, name in sorted(names.items(), key=lambda item: item[1])
                if city not in inside and may_enter in {"all", city}
            ],
        }
        if oversees:
            now = runs.as_it_stands(session, actor, row)
            found, _ = runs.search(session, actor, round_id, Cut(20))
            values |= {
                "how": reasons.how(now.policy),
                "runs": [runs.as_run(run) for run in found],
                "moves": _MOVES.get(row.phase, ()),
                "words": _MOVE_WORDS,
            }
    if oversees:
        values |= _readiness(answers, now, names)
    return show("round.html", actor, "rounds", **values)


def _readiness(
    answers: Answers, now: runs.Frozen, names: dict[str, str]
) -> dict[str, Any]:
    """Return what the page says of readiness; without it, the rest is still shown."""
    try:
        found = answers.readiness(now)
    except Busy:
        return {"readiness": None}
    return readiness_values(found, now.policy, names)


def _may_enter(actor: Actor, row: models.Round) -> str:
    """Return whose participation the visitor decides now: `all`, an id, or nobody's."""
    if may_organise(actor) and row.phase in rounds.CHANGEABLE:
        return "all"
    return actor.city or "" if row.phase == "open" else ""


@router.post("/rounds/{round_id}/phase")
def move_round(desk: Visitor, round_id: str, form: Form) -> Response:
    """Bring a round into its next phase."""
    to = _said(form, "to")
    if to not in get_args(Phase):
        raise InvalidInput("There is no such phase.")
    with desk.write() as (session, actor):
        row = rounds.get(session, actor, round_id, lock=True)
        rounds.move(session, actor, row, to, None)
    return _to(f"/rounds/{round_id}")


@router.post("/rounds/{round_id}/participants")
def take_in(desk: Visitor, round_id: str, form: Form) -> Response:
    """Enter a city as its own profile says."""
    with desk.write() as (session, actor):
        row = rounds.get(session, actor, round_id, lock=True)
        city_id = _said(form, "city")
        if participants.find(session, round_id, city_id) is None:
            participants.put(session, actor, row, city_id, ParticipationWrite())
    return _to(f"/rounds/{round_id}")


@router.post("/rounds/{round_id}/participants/{city_id}/delete")
def take_out(desk: Visitor, round_id: str, city_id: str, _form: Form) -> Response:
    """Take a city out."""
    with desk.write() as (session, actor):
        row = rounds.get(session, actor, round_id, lock=True)
        one = participants.find(session, round_id, city_id)
        if one is not None:
            participants.remove(session, actor, row, one)
    return _to(f"/rounds/{round_id}")


@router.post("/rounds/{round_id}/runs")
def propose(desk: Visitor, request: Request, round_id: str, _form: Form) -> Response:
    """Start a run, and lead to it."""
    with desk.write() as (session, actor):
        row = rounds.get(session, actor, round_id, lock=True)
        run = runs.start(session, actor, row, RunWrite())
    request.app.state.worker.wake()
    return _to(f"/runs/{run.id}")


@router.get("/runs/{run_id}.csv")
def take_table(desk: Visitor, run_id: str) -> Response:
    """Give the pairings of a run as a file for a spreadsheet."""
    with desk.read() as (session, actor):
        found = runs.outcome(session, runs.get(session, actor, run_id))
    return _download(solution_csv(found), f"{found.run.round}.csv")


@router.get("/runs/{run_id}.zip")
def take_bundle(desk: Visitor, run_id: str) -> Response:
    """Give all that is needed to compute a run again."""
    with desk.read() as (session, actor):
        found = runs.outcome(session, runs.get(session, actor, run_id))
    return _download(bundle.seal(found), f"{found.run.round}.zip", "application/zip")


@router.get("/runs/{run_id}")
def show_run(desk: Visitor, run_id: str) -> HTMLResponse:
    """Show what a run found, or how far it is."""
    with desk.read() as (session, actor):
        row = runs.get(session, actor, run_id)
        name = session.get_one(models.Round, row.round_id).name
        values: dict[str, Any] = {"waiting": not runs.has_ended(row)}
        if row.state == "succeeded":
            values |= outcome_values(runs.outcome(session, row)) | {"asks": True}
        return show(
            "run.html", actor, "rounds", run=runs.as_run(row), round_name=name, **values
        )
