"""Rounds: phases, participants, and whether a round can be matched."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas._wire import (
    Boolean,
    Line,
    NullIsOmitted,
    Number,
    Place,
    Reason,
    Text,
    Wire,
    refuse,
)
from schemas.areas import AreaId, Role
from schemas.bounds import LONG_LIST
from schemas.city import Places, Unique
from schemas.engine.solution import Relaxation
from schemas.engine.what_if import Shortage
from schemas.page import Page
from schemas.stored import Slug

Phase = Literal["draft", "open", "closed", "staged", "released", "archived"]


class RoundWrite(Wire):
    """A round as it is sent to be stored; without an id, one is made of the name."""

    id: Slug | None = None
    name: Line
    description: Text | None = None
    answer_days: Annotated[int, Field(ge=1, le=365), Number, NullIsOmitted] = 14
    """Days that a city has to answer an offer, unless the release says otherwise."""
    public: Annotated[Boolean, NullIsOmitted] = False
    """Whether anybody may read how the pairings were chosen, once released."""
    retention_months: Annotated[int, Field(ge=1, le=120), Number, NullIsOmitted] = 24
    """Months from the archiving until letters, notes and reasons are erased."""


class RoundNew(RoundWrite):
    """A round to be set up, also as a copy of another."""

    copy_of: Slug | None = None
    """A round to take participants and policy from, but for its pins: those were
    decisions about that round's pairings. Cities that are gone are left out."""


class Round(Wire):
    """One matching exercise of the network."""

    id: str
    name: str
    description: str | None
    phase: Phase
    answer_days: int
    public: bool
    copy_of: str | None
    """The round that it was copied from."""
    staged_run: str | None
    """The run whose pairings are staged, or were released."""
    released_at: datetime | None
    answer_by: datetime | None
    """The deadline that the release set."""
    retention_months: int
    archived_at: datetime | None
    texts_until: datetime | None
    """When letters, notes and reasons are erased; null: not archived yet."""
    cleared_at: datetime | None
    """When that was done."""
    created_at: datetime
    updated_at: datetime


class Rounds(Page[Round]):
    """Rounds, by id."""


class PhaseChange(Wire):
    """To which phase, and why; a step back needs a reason."""

    to: Phase
    reason: Reason | None = None


class PartnerWish(Wire):
    """The partners that the city would like, best first, in the role it takes."""

    role: Role
    """The role the wishing city takes: a learner wishes for mentors."""
    partners: Annotated[tuple[Slug, ...], Field(max_length=50), Unique]


class ParticipationWrite(Wire):
    """How a city takes part; what is left out is as the city's profile says."""

    roles: Annotated[tuple[Role, ...], Field(max_length=2), Unique] | None = None
    mentor_capacity: Places | None = None
    learner_demand: Places | None = None
    wishes: Annotated[tuple[PartnerWish, ...], Field(max_length=2)] = ()
    """Seen by organisers and the city itself only."""
    vetoes: Annotated[tuple[Slug, ...], Field(max_length=1000), LONG_LIST, Unique] = ()
    """Cities it will not be paired with; seen by organisers and the city only."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        errors: list[tuple[Place, str, str]] = []
        for field, values in (
            ("roles", self.roles or ()),
            ("vetoes", self.vetoes),
            *(
                (f"wishes/{at}/partners", wish.partners)
                for at, wish in enumerate(self.wishes)
            ),
        ):
            place: Place = tuple(field.split("/"))
            for value, times in Counter[str](values).items():
                if times > 1:
                    errors.append((place, "duplicate", f"`{value}` stands here twice."))
        if len({wish.role for wish in self.wishes}) < len(self.wishes):
            message = "One entry for each role: join the two."
            errors.append((("wishes",), "duplicate", message))
        refuse(*errors)
        return self


class Participant(Wire):
    """A city in a round; what stands here counts."""

    city: str
    roles: tuple[Role, ...]
    mentor_capacity: int
    learner_demand: int
    wishes: tuple[PartnerWish, ...] | None
    """Null for those who may not know."""
    vetoes: tuple[str, ...] | None
    """Null for those who may not know."""


class Participants(Page[Participant]):
    """The cities of a round, by id."""


class AreaBalance(Wire):
    """Supply and demand in one policy area."""

    area: AreaId
    learners: int
    """Learners with a need here."""
    need: int
    """The sum of their needs, 0 to 4 each."""
    mentors: int
    """Mentors with a strength here."""
    strength: int
    """The sum of their strengths, 0 to 4 each."""
    places: int
    """The learners that these mentors could take."""


class RuleBite(Wire):
    """What a rule that is on takes away."""

    rule: str
    pairs: int
    """Pairs of a mentor and a learner that it removes."""
    learners_without: tuple[str, ...]
    """Learners to whom it alone leaves no mentor."""


class Finding(Wire):
    """Something that stands in the way of a good result."""

    code: Literal[
        "clash",
        "conflict",
        "no_mentors",
        "no_learners",
        "too_few_places",
        "thin_area",
        "learner_without_mentor",
        "learner_without_need",
    ]
    message: str
    """One plain English sentence that says what to do."""
    area: AreaId | None = None
    city: str | None = None


class Readiness(Wire):
    """Whether a round can be matched, and what stands in the way."""

    cities: int
    mentors: int
    learners: int
    mentor_places: int
    """Learners that the mentors take, together."""
    learner_places: int
    """Mentors that the learners want, together."""
    pairs: int
    """Pairs of a mentor and another city that learns."""
    admissible_pairs: int
    """Those that no rule, veto or ban removes."""
    areas: tuple[AreaBalance, ...]
    """Every policy area in which somebody needs or offers something."""
    thin_areas: tuple[AreaId, ...]
    """Areas in which more learners ask than places are offered."""
    rules: tuple[RuleBite, ...]
    relaxations: tuple[Relaxation, ...]
    """Single relaxations that would serve more learners, the cheapest first."""
    shortage: Shortage | None
    """Learners and places that cannot add up, where they do not."""
    findings: tuple[Finding, ...]
