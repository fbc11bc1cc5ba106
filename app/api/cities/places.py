"""Routes under /api/v1/places."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.errors import InvalidInput
from app.http.body import Route
from app.http.deps import ApiSession, GazetteerDep
from app.http.problems import refusals
from schemas import Places
from schemas.city import CountryCode

router = APIRouter(route_class=Route, prefix="/places", tags=["cities"])


@router.get("", responses=refusals(InvalidInput))
def find_places(
    tx: ApiSession,
    places: GazetteerDep,
    q: Annotated[
        str,
        Query(
            max_length=200,
            description="The beginning of its name, in whatever language, without "
            "accents if you like; nothing is found by fewer than two letters.",
            examples=["Lodz"],
        ),
    ],
    country: Annotated[CountryCode | None, Query(examples=["PL"])] = None,
) -> Places:
    """Find a city by its name, to register it: what GeoNames knows of it.

    At most eight, the likeliest first, of the countries of the Council of Europe.
    """
    with tx.read():
        pass  # whoever asks is let in; the places are not in the database
    return Places(items=places.search(q, country))
