"""Cities to look through: all of them, those like one, and two side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from app.errors import InvalidInput
from app.permissions import may_edit_city
from app.pictures.city_map import city_map
from app.pictures.profile import profile
from app.services.cities import comparison, directory, profiles, similar_cities
from app.services.shared.paging import PageRequest
from app.texts.catalogue import Words, here, message, reading, unaccented
from app.texts.matching import pair, reasons
from app.web.layout import show
from app.web.session import PageSession
from schemas import AREA_IDS, AreaId, City, Explanation, InputError, Role

router = APIRouter(include_in_schema=False)
ROLES: tuple[Role, ...] = get_args(Role)
SIDES: tuple[directory.Side, ...] = get_args(directory.Side)
SIZES: Mapping[str, tuple[int, int | None]] = {
    "-20000": (0, 20_000),
    "20000-50000": (20_000, 50_000),
    "50000-100000": (50_000, 100_000),
    "100000-250000": (100_000, 250_000),
    "250000-": (250_000, None),
}
"""Bands of inhabitants as they stand in the address."""
_PAGE = 50
_LIKE = 12
_CHOICES = 8
_MOST_NAMES = 300
"""With more cities than these, names are typed without a list to choose from."""
_LONGEST = 200


def top(city: City, kind: directory.Side) -> str:
    """Return the first areas of a city's strengths or needs in words."""
    return reasons.listed(here().areas(_by_level(city, kind)))


def every_area(city: City, kind: directory.Side) -> str:
    """Return all areas of a city's strengths or needs in words."""
    return here().joined(here().areas(_by_level(city, kind)))


def _by_level(city: City, kind: directory.Side) -> list[str]:
    levels = sorted(city.levels(kind).items(), key=lambda item: -item[1])
    return [area for area, _ in levels]


def _typed(text: str) -> str:
    return "".join(filter(str.isprintable, text)).strip()[:_LONGEST]


def _area(text: str | None) -> AreaId | None:
    return next((one for one in AREA_IDS if one == text), None)


def _wanted(given: Mapping[str, str]) -> directory.Filter:
    """Return what the address asks for; what a filter cannot be is left out."""
    language = given.get("language", "")
    return directory.Filter(
        country=given.get("country", "")[:2].upper() or None,
        area=_area(given.get("area")),
        role=next((one for one in ROLES if one == given.get("role")), None),
        q=_typed(given.get("q", "")) or None,
        side=next((one for one in SIDES if one == given.get("side")), None),
        language=language if language.isalpha() and len(language) == 2 else None,  # noqa: PLR2004 -- ISO 639-1
        size=SIZES.get(given.get("size", "")),
    )


def _sizes(told: Words) -> dict[str, str]:
    """Return what the bands of inhabitants are called."""
    return {code: _size(told, *band) for code, band in SIZES.items()}


def _size(told: Words, least: int, over: int | None) -> str:
    if over is None:
        return told.say("{number} and more", number=told.number(least))
    if not least:
        return told.say("fewer than {number}", number=told.number(over))
    return told.say(
        "{least} to {most}", least=told.number(least), most=told.number(over)
    )


def _sorted(names: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(names.items(), key=lambda item: unaccented(item[1])))


@router.get("/cities")
def list_cities(tx: PageSession, request: Request) -> HTMLResponse:
    """List cities, with filters, on a map and as cards."""
    given = {k: v for k, v in request.query_params.items() if v and k != "lang"}
    wanted = _wanted(given)
    told = here()
    with tx.read() as (session, actor):
        cut = PageRequest(_PAGE, given.get("cursor"))
        rows, cursor = directory.search(session, wanted, cut)
        following = f"/cities?{urlencode(given | {'cursor': cursor})}"
        homes = directory.countries(session) | ({wanted.country} - {None})
        spoken = directory.languages(session) | ({wanted.language} - {None})
        found = [profiles.as_city(row) for row in rows]
        return show(
            "cities/cities.html",
            actor,
            "cities",
            cities=[(city, profile(city, wanted.area)) for city in found],
            picture=city_map(directory.map_points(session, wanted)),
            following=following if cursor else None,
            is_later=cut.cursor is not None,
            wanted=wanted,
            size=given.get("size") if wanted.size else None,
            filtered=wanted != directory.Filter(),
            countries=_sorted({code: told.country(code) for code in homes if code}),
            languages=_sorted({code: told.language(code) for code in spoken if code}),
            sizes=_sizes(told),
            top=top,
            every_area=every_area,
        )


@dataclass(frozen=True)
class Meant:
    """A city as somebody typed it.

    Attributes:
        typed: The text.
        city: Which it is, or None: nobody knows.
        others: The cities that it may be, if there are several.

    """

    typed: str
    city: City | None = None
    others: tuple[City, ...] = ()


def _meant(session: Session, typed: str) -> Meant:
    typed = _typed(typed)
    if not typed:
        return Meant("")
    rows = directory.find_by_name(session, typed, _CHOICES)
    found = tuple(profiles.as_city(row) for row in rows)
    if len(found) == 1:
        return Meant(found[0].name, found[0])
    return Meant(typed, None, found)


_NOBODY = message("No city is called “{name}”.")
_SEVERAL = message("Several cities may be meant by “{name}”: choose one.")
_SAME = message("Choose two different cities.")


def _amiss(one: Meant, other: Meant) -> InvalidInput | None:
    """Return what keeps the two from being compared, in the reader's language."""
    errors = [
        InputError(
            pointer=pointer,
            code="several" if meant.others else "unknown_city",
            message=here().say(_SEVERAL if meant.others else _NOBODY, name=meant.typed),
        )
        for pointer, meant in (("/a", one), ("/b", other))
        if meant.typed and meant.city is None
    ]
    if one.city is not None and other.city is not None and one.city == other.city:
        said = here().say(_SAME)
        errors.append(InputError(pointer="/b", code="itself", message=said))
    return InvalidInput(errors[0].message, errors) if errors else None


@router.get("/cities/compare")
def compare_cities(tx: PageSession, a: str = "", b: str = "") -> HTMLResponse:
    """Show two cities side by side."""
    with tx.read() as (session, actor):
        one, other = _meant(session, a), _meant(session, b)
        amiss = _amiss(one, other)
        found = None
        if amiss is None and one.city is not None and other.city is not None:
            found = comparison.compare(one.city, other.city)
        names = directory.names(session)
        return show(
            "cities/explorer_compare.html",
            actor,
            "cities",
            amiss.status if amiss else 200,
            a=one,
            b=other,
            refused=amiss,
            found=found,
            names=sorted(set(names.values())) if len(names) <= _MOST_NAMES else [],
            explained=_explained,
            within=lambda areas: here().listed(here().areas(areas)),
        )


def _explained(why: Explanation, mentor: City, learner: City) -> list[str]:
    return pair.explained(why, mentor.name, learner.name, reading())


@router.get("/cities/{city_id}/like")
def show_like(tx: PageSession, city_id: str, area: str = "") -> HTMLResponse:
    """Show cities that are like one and have solved what it needs help in."""
    with tx.read() as (session, actor):
        city = profiles.as_city(profiles.get(session, city_id))
        needs = similar_cities.needs(city)
        chosen = _area(area) or next((one for one, _ in needs), None)
        found: Sequence[similar_cities.Like] = ()
        if chosen is not None:
            found = similar_cities.like(session, city, chosen, _LIKE)
        return show(
            "cities/explorer_like.html",
            actor,
            "cities",
            city=city,
            own=may_edit_city(actor, city_id),
            needs=needs,
            area=chosen,
            found=found,
            said=_alike,
        )


def _alike(one: similar_cities.Like, name: str) -> list[str]:
    """Return how alike two cities are, a sentence for each thing that was weighed."""
    return [
        pair.sentence(part, one.city.name, name, reading())
        for part in one.why.contributions
        if part.weight
    ]
