"""Routes under /api/v1/cities."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.convertors import StringConvertor, register_url_convertor

from app import data
from app.errors import (
    AlreadyThere,
    Conflict,
    Forbidden,
    InUse,
    InvalidInput,
    KeyReused,
    NoPrecondition,
    NotFound,
    NotJson,
    Stale,
    TooLarge,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import (
    ApiSession,
    IfMatch,
    IfMatchOrNew,
    OnlyOnce,
    RequestedPage,
    json_response,
    next_page,
    require_json,
)
from app.http.openapi import ETAG, PLACED, merge_patch_of
from app.http.problems import answers, refusals
from app.http.updated_since import UpdatedSince
from app.permissions import Actor
from app.services.cities import directory, profiles
from app.services.log import audit
from app.services.rounds import problem_builder
from app.services.shared.rows import CityRow, PracticeRow
from schemas import (
    AreaId,
    AuditLog,
    Cities,
    City,
    CityWrite,
    Practice,
    Practices,
    Role,
    StoredPractice,
    Suggestions,
)
from schemas.city import CountryCode


class _CityConvertor(StringConvertor):
    """Leaves `import` and `export` to the routes that are called so."""

    regex = "(?!(?:import|export)(?:/|$))[^/]+"


register_url_convertor("city", _CityConvertor())
CityId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,63}$", examples=["mechelen"])]
PracticeId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_BODY = (NotJson, TooLarge, WrongType, InvalidInput)


def filter_of(
    country: Annotated[CountryCode | None, Query(examples=["BE"])] = None,
    area: Annotated[
        AreaId | None,
        Query(description="Who needs help or is strong in it; see `role`."),
    ] = None,
    role: Annotated[
        Role | None,
        Query(description="With `area`: mentors strong, learners in need there."),
    ] = None,
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="A part of the name; accents and capitals do not matter.",
        ),
    ] = None,
    updated_since: UpdatedSince = None,
) -> directory.Filter:
    """Return which cities are wanted."""
    return directory.Filter(country, area, role, q, updated_since)


Wanted = Annotated[directory.Filter, Depends(filter_of)]


def _place(city_id: str) -> str:
    return f"/api/v1/cities/{city_id}"


def _response(row: CityRow, status: int = 200) -> Response:
    location = _place(row.id) if status == 201 else None  # noqa: PLR2004
    return json_response(
        profiles.as_city(row), status, version=row.version, location=location
    )


def router() -> APIRouter:
    """Return the routes; the example of a city is Mechelen as IncluCities had it."""
    routes = APIRouter(route_class=Route, prefix="/cities", tags=["cities"])
    example: dict[str, Any] = next(
        city.model_dump(mode="json", exclude_none=True)
        for city in data.inclucities().cities
        if city.id == "mechelen"
    )

    @routes.get("", response_model=Cities, responses=refusals(InvalidInput))
    def list_cities(
        tx: ApiSession, wanted: Wanted, page: RequestedPage, request: Request
    ) -> Response:
        """List cities by id."""
        with tx.read() as (session, _actor):
            rows, cursor = directory.search(session, wanted, page)
            items = tuple(map(profiles.as_city, rows))
        return json_response(Cities(items=items, next=next_page(request, cursor)))

    @routes.post(
        "",
        status_code=201,
        response_model=City,
        dependencies=[Depends(require_json)],
        responses=answers(
            {201: {"headers": ETAG | PLACED}},
            *_BODY,
            Forbidden,
            AlreadyThere,
            KeyReused,
        ),
    )
    def register_city(
        tx: ApiSession,
        once: OnlyOnce,
        new: Annotated[CityWrite, Body(examples=[example]), CHECKED],
    ) -> Response:
        """Register a city; without an `id`, one is made of the name."""
        return once.answer(
            tx,
            lambda session, actor: _response(
                profiles.add(session, actor, profiles.named(new)), 201
            ),
        )

    @routes.get(
        "/{city_id:city}",
        response_model=City,
        responses=answers({200: {"headers": ETAG}}, NotFound),
    )
    def read_city(tx: ApiSession, city_id: CityId) -> Response:
        """Read a city."""
        with tx.read() as (session, _actor):
            return _response(profiles.get(session, city_id))

    @routes.put(
        "/{city_id:city}",
        response_model=City,
        dependencies=[Depends(require_json)],
        responses=answers(
            {
                200: {"headers": ETAG},
                201: {"headers": ETAG | PLACED, "model": City},
            },
            *_BODY,
            Forbidden,
            Conflict,
            Stale,
            NoPrecondition,
        ),
    )
    def put_city(
        tx: ApiSession,
        city_id: CityId,
        new: Annotated[CityWrite, Body(examples=[example]), CHECKED],
        if_match: IfMatchOrNew,
    ) -> Response:
        """Replace a city, or register it under this id.

        `If-Match` is required when the city exists.
        """
        with tx.write() as (session, actor):
            city = profiles.named(new, city_id)
            row = profiles.find(session, city_id, lock=True)
            if row is None:
                if_match.must_be_absent()
                return _response(profiles.add(session, actor, city), 201)
            if_match.check(row.version, profiles.as_city(row).to_dict(), city.to_dict())
            profiles.change(session, actor, row, city)
            return _response(row)

    @routes.patch(
        "/{city_id:city}",
        response_model=City,
        dependencies=[Depends(require_json)],
        responses=answers(
            {200: {"headers": ETAG}}, *_BODY, Forbidden, NotFound, Stale, NoPrecondition
        ),
        openapi_extra=merge_patch_of(
            CityWrite, {"areas": {"housing": {"need": 3}}, "mentor_capacity": 2}
        ),
    )
    def patch_city(
        tx: ApiSession,
        city_id: CityId,
        patch: Annotated[
            dict[str, Any], Body(media_type="application/merge-patch+json"), CHECKED
        ],
        if_match: IfMatch,
    ) -> Response:
        """Change some fields of a city (JSON merge patch, RFC 7396; null removes).

        A role that comes or goes takes its places with it, unless the patch names them.
        """
        with tx.write() as (session, actor):
            row = profiles.get(session, city_id, lock=True)
            city = profiles.patched(row, patch)
            if_match.check(row.version, profiles.as_city(row).to_dict(), city.to_dict())
            profiles.change(session, actor, row, city)
            return _response(row)

    @routes.delete(
        "/{city_id:city}",
        status_code=204,
        responses=refusals(
            InvalidInput, Forbidden, NotFound, InUse, Stale, NoPrecondition
        ),
    )
    def delete_city(tx: ApiSession, city_id: CityId, if_match: IfMatch) -> None:
        """Delete a city that takes part in no round."""
        with tx.write() as (session, actor):
            row = profiles.get(session, city_id, lock=True)
            if_match.check(row.version, profiles.as_city(row).to_dict())
            profiles.remove(session, actor, row)

    @routes.get(
        "/{city_id:city}/suggestions", responses=refusals(InvalidInput, NotFound)
    )
    def suggest_partners(
        tx: ApiSession,
        city_id: CityId,
        role: Annotated[Role, Query(description="Whom the city looks for.")] = "mentor",
        limit: Annotated[int, Query(ge=1, le=200)] = 5,
    ) -> Suggestions:
        """List the best partners of a city with reasons, outside any round."""
        with tx.read() as (session, _actor):
            city = profiles.as_city(profiles.get(session, city_id))
            found = problem_builder.suggestions(session, city, role, limit)
            return Suggestions(items=tuple(found))

    @routes.get("/{city_id:city}/audit", responses=refusals(InvalidInput, NotFound))
    def read_city_log(
        tx: ApiSession, city_id: CityId, page: RequestedPage, request: Request
    ) -> AuditLog:
        """List what was done with a city, the newest first."""
        with tx.read() as (session, actor):
            rows, cursor = audit.of_city(session, actor, city_id, page)
            return AuditLog(
                items=tuple(map(audit.as_entry, rows)),
                next=next_page(request, cursor),
            )

    _add_practices(routes)
    return routes


def _add_practices(routes: APIRouter) -> None:
    example = {"area": "housing", "title": "Rent guarantee for newcomers", "year": 2021}

    def _practice(row: CityRow, entry: PracticeRow, status: int = 200) -> Response:
        place = f"{_place(row.id)}/practices/{entry.id}"
        location = place if status == 201 else None  # noqa: PLR2004
        body = profiles.as_stored_practice(entry)
        return json_response(body, status, version=row.version, location=location)

    @routes.get(
        "/{city_id:city}/practices",
        response_model=Practices,
        responses=answers({200: {"headers": ETAG}}, NotFound),
    )
    def list_practices(tx: ApiSession, city_id: CityId) -> Response:
        """List the practices of a city, in its own order."""
        with tx.read() as (session, _actor):
            row = profiles.get(session, city_id)
            items = tuple(map(profiles.as_stored_practice, row.practices))
            return json_response(Practices(items=items), version=row.version)

    @routes.post(
        "/{city_id:city}/practices",
        status_code=201,
        response_model=StoredPractice,
        dependencies=[Depends(require_json)],
        responses=answers(
            {201: {"headers": ETAG | PLACED}},
            *_BODY,
            Forbidden,
            NotFound,
            Conflict,
            KeyReused,
        ),
    )
    def add_practice(
        tx: ApiSession,
        once: OnlyOnce,
        city_id: CityId,
        new: Annotated[Practice, Body(examples=[example]), CHECKED],
    ) -> Response:
        """Add a practice; the city gets a new version."""

        def work(session: Session, actor: Actor) -> Response:
            row = profiles.get(session, city_id, lock=True)
            return _practice(row, profiles.add_practice(session, actor, row, new), 201)

        return once.answer(tx, work)

    @routes.get(
        "/{city_id:city}/practices/{practice_id}",
        response_model=StoredPractice,
        responses=answers({200: {"headers": ETAG}}, NotFound),
    )
    def read_practice(
        tx: ApiSession, city_id: CityId, practice_id: PracticeId
    ) -> Response:
        """Read a practice; its ETag is the city's."""
        with tx.read() as (session, _actor):
            row = profiles.get(session, city_id)
            return _practice(row, profiles.practice(row, practice_id))

    @routes.put(
        "/{city_id:city}/practices/{practice_id}",
        response_model=StoredPractice,
        dependencies=[Depends(require_json)],
        responses=answers(
            {200: {"headers": ETAG}}, *_BODY, Forbidden, NotFound, Stale, NoPrecondition
        ),
    )
    def change_practice(
        tx: ApiSession,
        city_id: CityId,
        practice_id: PracticeId,
        new: Annotated[Practice, Body(examples=[example]), CHECKED],
        if_match: IfMatch,
    ) -> Response:
        """Replace a practice; the city gets a new version."""
        with tx.write() as (session, actor):
            row = profiles.get(session, city_id, lock=True)
            entry = profiles.practice(row, practice_id)
            now = profiles.as_stored_practice(entry).to_dict()
            if_match.check(row.version, now, {"id": entry.id} | new.to_dict())
            profiles.change_practice(session, actor, row, entry, new)
            return _practice(row, entry)

    @routes.delete(
        "/{city_id:city}/practices/{practice_id}",
        status_code=204,
        responses=refusals(InvalidInput, Forbidden, NotFound, Stale, NoPrecondition),
    )
    def delete_practice(
        tx: ApiSession, city_id: CityId, practice_id: PracticeId, if_match: IfMatch
    ) -> None:
        """Delete a practice; the city gets a new version."""
        with tx.write() as (session, actor):
            row = profiles.get(session, city_id, lock=True)
            entry = profiles.practice(row, practice_id)
            if_match.check(row.version, {})
            profiles.remove_practice(session, actor, row, entry)
