"""Cities as they are stored: with an id for URLs, and practices that have ids too."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from schemas._wire import Id
from schemas.city import City, Practice
from schemas.engine.solution import Explanation
from schemas.page import Page

_RESERVED = ("export", "import")


def _is_free(value: str) -> str:
    if value in _RESERVED:
        raise PydanticCustomError(
            "reserved", "`{id}` is a path of its own: choose another id.", {"id": value}
        )
    return value


Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9-]{1,63}$"),
    Field(json_schema_extra={"not": {"enum": list(_RESERVED)}}),
    AfterValidator(_is_free),
]
"""Small letters without accents, digits and hyphens: what an id in a URL may be."""


class CityWrite(City):
    """A city as it is sent to be stored; without an id, one is made of the name."""

    id: Slug | None = None  # type: ignore[assignment]  # may be left out, here alone


class Cities(Page[City]):
    """Cities, by id."""


class StoredPractice(Practice):
    """A practice with the id that its URL ends in."""

    id: Id


class Practices(Page[StoredPractice]):
    """The practices of a city, in its own order; never more than one page."""


class Suggestions(Page[Explanation]):
    """The best partners of a city, best first; never more than one page."""
