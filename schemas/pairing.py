"""Pairings of a round: what was decided about each, and what the two cities say."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas._wire import Reason, Text, Wire, refuse
from schemas.areas import Role
from schemas.bounds import LONG_LIST
from schemas.engine.solution import Adjustment, Contribution
from schemas.engine.what_if import Difference, Pair
from schemas.page import Page

PairingState = Literal[
    "staged", "offered", "confirmed", "declined", "expired", "withdrawn", "dismissed"
]
SideAnswer = Literal["pending", "accepted", "declined"]
Origin = Literal["proposal", "override", "repair"]
ReasonCode = Literal[
    "capacity", "timing", "topic", "partner", "language", "travel", "other"
]
"""Why a city declines: no capacity now, the wrong time, the policy areas do not fit,
the partner does not fit, no common language, too far to travel, something else."""
EndedBy = Literal["mentor", "learner", "organiser", "repair", "deadline"]
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


def _nothing(value: object) -> object:
    """Take an empty text for none: forms send it so."""
    return None if isinstance(value, str) and not value.strip() else value


Said = Annotated[Text | None, BeforeValidator(_nothing)]


class RoundPairing(Wire):
    """One mentor, one learner, from the staging to the answers of both."""

    id: str
    round: str
    run: str
    """The run that proposed it, or on which the repair was made."""
    mentor: str
    learner: str
    state: PairingState
    mentor_answer: SideAnswer
    learner_answer: SideAnswer
    score: float
    known_weight: float
    firmness: float | None
    origin: Origin
    price: float | None
    """Points that the round lost by an override; below 0: won."""
    reason: str | None
    """The organisers' reason for an override, dismissal or withdrawal; null also for
    those who may not know."""
    reason_code: ReasonCode | None
    """Why a side declined; null also for those who may not know."""
    mentor_text: str | None
    """What the mentor wrote with its answer; null also for those who may not know."""
    learner_text: str | None
    """Likewise."""
    offered_at: datetime | None
    answer_by: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    """When it was declined, withdrawn or dismissed, or expired."""
    ended_by: EndedBy | None
    """Who or what ended it: the side that declined or left, and so on."""
    created_at: datetime
    updated_at: datetime


class RoundPairings(Page[RoundPairing]):
    """The pairings of a round."""


class StageWrite(Wire):
    """Whose pairings to stage."""

    run: RunId


class ReleaseWrite(Wire):
    """How to release; every field may be left out."""

    answer_by: datetime | None = None
    """The deadline for answers; null: as many days from now as the round says."""


class PairingWrite(Wire):
    """What an organiser may change of an offered pairing."""

    answer_by: datetime
    """The new deadline; an expired pairing is offered again by it."""


class ReasonWrite(Wire):
    """Why an organiser dismisses or withdraws a pairing."""

    reason: Reason


class AnswerWrite(Wire):
    """What one side of an offered pairing says."""

    side: Role
    answer: Literal["accept", "decline"]
    reason_code: ReasonCode | None = None
    """Needed to decline; only organisers see it."""
    text: Said = None
    """In the city's own words; only organisers see it."""

    @model_validator(mode="after")
    def _declines_with_a_reason(self) -> Self:
        if self.answer == "decline" and self.reason_code is None:
            message = "Choose a reason; only the organisers see it."
            refuse((("reason_code",), "needed", message))
        if self.answer == "accept" and self.reason_code is not None:
            message = "To accept needs no reason: leave it out."
            refuse((("reason_code",), "unexpected", message))
        return self


class OverrideWrite(Wire):
    """What organisers decide otherwise than the staged proposal, and why."""

    force: Annotated[tuple[Pair, ...], Field(max_length=100), LONG_LIST] = ()
    """Pairs that must be."""
    ban: Annotated[tuple[Pair, ...], Field(max_length=100), LONG_LIST] = ()
    """Pairs that must not be."""
    reason: Reason
    """It is published with the decision."""

    @model_validator(mode="after")
    def _decides_something(self) -> Self:
        if not self.force and not self.ban:
            refuse((("force",), "needed", "Name a pair to force or to ban."))
        return self


class Override(Wire):
    """What an override changes, and what it costs."""

    run: str | None
    """The run whose pairings are staged now; null: nothing was stored."""
    price: float
    """Points that the round loses by it; below 0: wins."""
    difference: Difference


class RepairWrite(Wire):
    """Which repair of the list to make."""

    repair: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    """Its `id`."""


class PairingExplanation(Wire):
    """Why a pairing is proposed: terms that add up, and sentences."""

    pairing: str
    mentor: str
    learner: str
    language: Literal["en", "fr", "nl"]
    score: float
    known_weight: float
    contributions: tuple[Contribution, ...]
    adjustments: tuple[Adjustment, ...]
    sentences: tuple[str, ...]


Fit = Literal["good", "deciding", "not_a_good_fit"]


class CheckInWrite(Wire):
    """A sign of life of a confirmed pairing: that they met, and how it goes."""

    fit: Fit | None = None
    note: Said = None
    """Seen by the two cities and by organisers."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.fit is None and self.note is None:
            refuse((("fit",), "needed", "Say how it goes, or leave a note."))
        return self


class CheckIn(Wire):
    """What one side, or an organiser, noted."""

    id: str
    pairing: str
    by: Literal["mentor", "learner", "organiser"]
    fit: Fit | None
    note: str | None
    at: datetime


class CheckIns(Page[CheckIn]):
    """What was noted of a pairing, the newest first."""


class QuestionWrite(Wire):
    """What a city asks its organisers about a pairing; or what they answer."""

    text: Reason


class Question(Wire):
    """A question about a pairing, and its answer."""

    id: str
    pairing: str
    side: Role
    """Which of the two cities asks."""
    text: str
    at: datetime
    answer: str | None
    """Null: it waits for one."""
    answered_at: datetime | None


MessageState = Literal[
    "held",
    "queued",
    "sending",
    "sent",
    "failed",
    "unknown",
    "unaddressed",
    "overtaken",
]
MessageKind = Literal[
    "offer",
    "reminder",
    "confirmed",
    "declined",
    "expired",
    "withdrawn",
    "not_placed",
    "to_repair",
]
MessageRole = Literal["mentor", "learner", "organiser"]


class Message(Wire):
    """One message of the outbox."""

    id: str
    round: str
    pairing: str | None
    city: str | None
    """The city it is written to; null: the organisers."""
    account: str | None
    """Who gets it; null: nobody of the city has an account."""
    kind: MessageKind
    role: MessageRole
    language: Literal["en", "fr", "nl"]
    subject: str
    text: str
    state: MessageState
    """`held` until the release; `unknown`: it may have arrived, so that nobody but an
    organiser sends it again; `unaddressed`: there is nobody to send it to; `overtaken`:
    the offer had ended before it could be sent."""
    attempt: int
    due_at: datetime
    error: str | None
    created_at: datetime
    sent_at: datetime | None


class Messages(Page[Message]):
    """Messages of a round, the oldest first."""


class MessageCount(Wire):
    """How many messages of one kind there are."""

    kind: MessageKind
    role: MessageRole
    language: Literal["en", "fr", "nl"]
    state: MessageState
    count: int


class Outbox(Wire):
    """What would be sent, waits, was sent, or could not be."""

    total: int
    counts: tuple[MessageCount, ...]
    would_send: int
    """Messages that a release would send: what is held and has somebody to go to."""
    would_tell: int
    """People whom they go to."""
    unaddressed: tuple[str, ...]
    """Cities that nobody can be written to about: give an officer an account."""


class Waiting(Wire):
    """A city whose answer is missing."""

    pairing: str
    city: str
    side: Role
    offered_at: datetime
    answer_by: datetime
    late: bool
    """Whether less than a quarter of the time is left."""


class Quiet(Wire):
    """A confirmed pairing of which nothing was heard for long."""

    pairing: str
    mentor: str
    learner: str
    heard_at: datetime
    days: int


class BadFit(Wire):
    """A confirmed pairing of which a side says that it does not fit."""

    pairing: str
    mentor: str
    learner: str
    by: Literal["mentor", "learner", "organiser"]
    at: datetime


class Health(Wire):
    """What of a released round needs its organisers."""

    staged: int
    offered: int
    confirmed: int
    declined: int
    expired: int
    withdrawn: int
    dismissed: int
    waiting: tuple[Waiting, ...]
    """Whoever has not answered, the nearest deadline first."""
    quiet: tuple[Quiet, ...]
    """The longest silence first."""
    not_a_good_fit: tuple[BadFit, ...]
    unserved: tuple[str, ...]
    """Learners that take part and have no pairing that stands: a repair may help."""
    undelivered: int
    """Messages that failed, or of which nobody knows whether they arrived."""


class ReleasedDecision(Wire):
    """What was released, and how anybody can check it."""

    round: str
    run: str
    released_at: datetime
    problem_hash: str
    policy_hash: str
    sha256: str
    """Of the sealed bundle, in hexadecimal digits."""


class LedgerEntry(Wire):
    """What the rounds of the network have brought to one city."""

    city: str
    rounds: int
    """Released rounds in which it took part."""
    mentored: int
    """Confirmed pairings as a mentor."""
    learned: int
    """Confirmed pairings as a learner."""
    left_out_as_mentor: tuple[str, ...]
    """Rounds in which it offered to mentor and was given nobody."""
    left_out_as_learner: tuple[str, ...]
    """Rounds in which it asked for a mentor and was given none."""


class Ledger(Page[LedgerEntry]):
    """All cities that took part in a released round, by id."""


class ScenarioRun(Wire):
    """A run beside others, measured by the round's present policy."""

    run: str
    label: str | None
    objective: str
    pairings: int
    total: float
    """Points of its pairings, by one policy for all."""
    worst_off: float | None
    mean: float | None
    learners_served: int
    firm: float | None
    """The mean firmness of its pairings."""


class ScenarioRow(Wire):
    """A learner that does not get the same in all of the runs."""

    learner: str
    mentors: tuple[tuple[str, ...], ...]
    """Its mentors in each run, in the order of the runs."""


class Scenarios(Wire):
    """Runs of one round side by side."""

    runs: tuple[ScenarioRun, ...]
    shared: tuple[Pair, ...]
    """Pairings that all of them have."""
    differing: tuple[ScenarioRow, ...]


class Section(Wire):
    """A part of a text."""

    heading: str
    sentences: tuple[str, ...]


class HowWeChose(Wire):
    """How the released pairings were chosen, for everybody to read."""

    title: str
    language: Literal["en", "fr", "nl"]
    sections: tuple[Section, ...]
    table_heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
