"""Places as GeoNames has them: what a city may be registered from."""

from typing import Annotated

from pydantic import Field

from schemas._wire import Line, Number, Wire
from schemas.city import CountryCode, Population


class Place(Wire):
    """A populated place; all it says is a suggestion, which the city may correct."""

    geonames_id: Annotated[int, Field(ge=1), Number]
    name: Line
    """As GeoNames writes it: mostly as the place itself does."""
    country: CountryCode
    """ISO 3166-1 alpha-2."""
    latitude: Annotated[float, Field(ge=-90, le=90), Number]
    longitude: Annotated[float, Field(ge=-180, le=180), Number]
    population: Population | None = None
    """As GeoNames has it, of no certain year; null where it has none."""


class Places(Wire):
    """The places that are called so, the likeliest first."""

    items: tuple[Place, ...]
