"""The fixed vocabulary: 17 policy areas, two roles."""

import difflib
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from schemas._wire import Wire

_Area = Literal[
    "education",
    "housing",
    "services",
    "participation",
    "contact",
    "language",
    "employment",
    "health",
    "antidiscrimination",
    "minors",
    "lgbtqi",
    "culture",
    "data",
    "finance",
    "reception",
    "governance",
    "gender",
]
AREA_IDS: tuple[_Area, ...] = get_args(_Area)
"""Every policy area, in the order in which forms show them."""


def _is_area(value: object) -> object:
    if value in AREA_IDS:
        return value
    near = difflib.get_close_matches(str(value), AREA_IDS, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    raise PydanticCustomError(
        "unknown_area",
        "There is no such policy area.{hint} Known areas: {known}.",
        {"hint": hint, "known": ", ".join(AREA_IDS)},
    )


AreaId = Annotated[_Area, BeforeValidator(_is_area)]
Role = Literal["mentor", "learner"]


class Labels(Wire):
    """What an area is called in each language of the pages."""

    en: str
    fr: str
    nl: str


class PolicyArea(Wire):
    """One policy area with its names."""

    id: AreaId
    labels: Labels


class PolicyAreas(Wire):
    """The whole vocabulary; never more than one page."""

    items: tuple[PolicyArea, ...]
    next: None = None
