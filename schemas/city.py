"""A city: the one participant there is."""

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)

from schemas._wire import (
    Id,
    LanguageCode,
    Line,
    NullIsOmitted,
    Number,
    Place,
    Text,
    Wire,
    Year,
    refuse,
)
from schemas.areas import AreaId, Role
from schemas.bounds import LONG_LIST

Level = Annotated[Annotated[int, Field(ge=0, le=4), Number], NullIsOmitted]
Places = Annotated[Annotated[int, Field(ge=0, le=10_000), Number], NullIsOmitted]

# Eurostat's own codes for two countries; everybody else follows ISO 3166-1.
_EUROSTAT = {"EL": "GR", "UK": "GB"}


def _from_eurostat(value: object) -> object:
    return _EUROSTAT.get(value, value) if isinstance(value, str) else value


CountryCode = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")],
    BeforeValidator(_from_eurostat),
]


def _plain_number(value: object) -> object:
    """Take `87000` for `{"value": 87000}`."""
    return value if isinstance(value, dict | Population) else {"value": value}


class Population(Wire):
    """How many people live in the city. Unknown is absent, never zero."""

    value: Annotated[int, Field(ge=1, le=100_000_000), Number]
    year: Year | None = None
    source: Text | None = None


Unique = Field(json_schema_extra={"uniqueItems": True})
ShareDefinition = Literal[
    "foreign_born",
    "foreign_citizens",
    "third_country_nationals",
    "foreign_origin",
    "migration_background",
    "ethnic_minority",
    "other",
]


class MigrantShare(Wire):
    """The share of migrants, compared only where defined alike."""

    value: Annotated[float, Field(ge=0, le=1), Number]
    """Between 0 and 1: 32 % is 0.32."""
    definition: ShareDefinition
    year: Year | None = None
    source: Text | None = None


def _in_order(areas: dict[AreaId, "AreaLevels"]) -> dict[AreaId, "AreaLevels"]:
    """Return the areas in one order, so that equal profiles are equal bytes."""
    return dict(sorted(areas.items()))


class AreaLevels(Wire):
    """What the city says of one policy area, from 0 (none) to 4 (very strong)."""

    need: Level = 0
    strength: Level = 0


class Practice(Wire):
    """A good practice that backs a strength."""

    area: AreaId
    title: Line
    summary: Text | None = None
    result: Text | None = None
    what_went_wrong: Text | None = None
    url: Text | None = None
    language: LanguageCode | None = None
    """The language of the texts (ISO 639-1)."""
    year: Year | None = None


class City(Wire):
    """A municipality with its profile."""

    id: Id
    name: Line
    country: CountryCode
    """ISO 3166-1 alpha-2."""
    association: Line | None = None
    """The umbrella organisation that supports the city."""
    population: (
        Annotated[
            Population,
            BeforeValidator(_plain_number, json_schema_input_type=Population | int),
        ]
        | None
    ) = None
    migrant_share: MigrantShare | None = None
    latitude: Annotated[float, Field(ge=-90, le=90), Number] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180), Number] | None = None
    languages: Annotated[tuple[LanguageCode, ...], Field(max_length=50), Unique] = ()
    """The team's working languages (ISO 639-1)."""
    roles: Annotated[tuple[Role, ...], Field(max_length=2), Unique]
    mentor_capacity: Places = Field(
        default_factory=lambda data: int("mentor" in data["roles"])
    )
    """Most learners it takes; omitted: 1 for a mentor, else 0."""
    learner_demand: Places = Field(
        default_factory=lambda data: int("learner" in data["roles"])
    )
    """Mentors it wants; omitted: 1 for a learner, else 0."""
    areas: Annotated[
        dict[AreaId, AreaLevels], Field(min_length=1), AfterValidator(_in_order)
    ]
    """Need and strength per policy area; an area left out means 0 and 0."""
    practices: Annotated[tuple[Practice, ...], Field(max_length=200), LONG_LIST] = ()
    needs_text: Text | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        errors: list[tuple[Place, str, str]] = []
        for field, role in (
            ("mentor_capacity", "mentor"),
            ("learner_demand", "learner"),
        ):
            if getattr(self, field) and role not in self.roles:
                errors.append(
                    (
                        (field,),
                        "places_without_role",
                        f"Add `{role}` to `roles`, or leave `{field}` out.",
                    )
                )
        for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
            if getattr(self, one) is not None and getattr(self, other) is None:
                errors.append(
                    ((other,), "half_a_place", f"Send `{other}` with `{one}`.")
                )
        for field in ("roles", "languages"):
            values = getattr(self, field)
            if len(set(values)) < len(values):
                twice = next(one for one in values if values.count(one) > 1)
                errors.append(((field,), "duplicate", f"`{twice}` stands here twice."))
        refuse(*errors)
        return self

    def places(self, role: Role) -> int:
        """Return how many partners the city takes in this role."""
        return self.mentor_capacity if role == "mentor" else self.learner_demand

    def levels(self, kind: Literal["need", "strength"]) -> dict[str, int]:
        """Return the areas in which the level is above 0."""
        return {
            area: level
            for area, levels in self.areas.items()
            if (level := getattr(levels, kind))
        }
