"""What would change if something were decided otherwise, and why a pair is not made."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from schemas._wire import Id, NullIsOmitted, Wire
from schemas.bounds import LONG_LIST
from schemas.city import City
from schemas.engine.policy import Rules, Weights
from schemas.engine.solution import Adjustment, Contribution, Solution


def _without_nulls(value: object) -> object:
    """Leave out what is null: to omit a weight is not to set its default."""
    if isinstance(value, dict):
        return {name: given for name, given in value.items() if given is not None}
    return value


class Pair(Wire):
    """A mentor and a learner."""

    mentor: Id
    learner: Id


class ScoredPair(Pair):
    """A pair with its score."""

    score: float


class CityPoints(Wire):
    """By how much a learner's points change, adjustments included."""

    city: str
    points: float
    """Above 0: gained; below 0: lost."""


class Difference(Wire):
    """What one assignment has that another has not."""

    added: tuple[ScoredPair, ...]
    """Pairings of the new one alone, by learner, then mentor."""
    removed: tuple[ScoredPair, ...]
    """Pairings of the old one alone."""
    points: float
    """Value of the new one less value of the old one."""
    gains: tuple[CityPoints, ...]
    """Learners better off, most first. Gains and losses together are `points`."""
    losses: tuple[CityPoints, ...]
    """Learners worse off, most first; their points are below 0."""


class Change(Wire):
    """What to decide otherwise; every field may be left out."""

    force: Annotated[tuple[Pair, ...], Field(max_length=1000), LONG_LIST] = ()
    """Pairs that must be, as if pinned."""
    ban: Annotated[tuple[Pair, ...], Field(max_length=1000), LONG_LIST] = ()
    """Pairs that must not be."""
    remove: Annotated[tuple[Id, ...], Field(max_length=1000), LONG_LIST] = ()
    """Cities that leave, with the pins, bans, wishes and vetoes that name them."""
    add: Annotated[tuple[City, ...], Field(max_length=1000), LONG_LIST] = ()
    """Cities that join."""
    weights: Annotated[Weights, BeforeValidator(_without_nulls), NullIsOmitted] = (
        Weights()
    )
    """Only the weights that are written here change."""
    rules: Annotated[Rules, NullIsOmitted] = Rules()
    """Only the rules that are written here change; null or false switches one off."""


class WhatIf(Wire):
    """The solution after the change, and what is different in it."""

    solution: Solution
    difference: Difference


class Exclusion(Wire):
    """What keeps a pair apart."""

    code: str
    """A rule's name, `veto`, `ban` or `role`; or what it clashes with: `capacity` or
    `demand` (full of pins), `cap`, `min_load`, `pin` and so on."""
    facts: dict[str, Any]
    """What it rests on, as ids and numbers: what `is` and the `limit`, say; of a clash
    `pointer` and `message`."""


class WhyNot(Wire):
    """Why a pair is not proposed: what forbids it, or what it would cost."""

    mentor: str
    learner: str
    proposed: bool
    """Whether it is proposed after all."""
    score: float
    known_weight: float
    adjustments: tuple[Adjustment, ...]
    contributions: tuple[Contribution, ...]
    excluded_by: tuple[Exclusion, ...]
    """What forbids it; empty when it might be made."""
    price: float | None
    """Points that the round loses if the pair must be; null if it cannot be at all."""
    learners_lost: int | None
    """Learners that would have no mentor any more; below 0: learners gained."""
    difference: Difference | None
    """What would change if the pair had to be; null if it cannot be at all."""


class PairFirmness(Wire):
    """How often a pairing survives when answers and weights are a little different."""

    mentor: str
    learner: str
    trials: int
    """Trials in which both cities were present."""
    survived: int
    firmness: float | None
    """The share that it survived; null without a trial."""
    low: float | None
    """95 % Wilson score interval."""
    high: float | None
    replacement: str | None
    """The mentor that most often took this one's place with the learner."""
    replaced: int
    """In how many trials that mentor did."""


class Firmness(Wire):
    """How firm each pairing of the solution is."""

    trials: int
    seed: int
    pairings: tuple[PairFirmness, ...]
    """By learner, then mentor."""


class Repair(Wire):
    """A way to mend pairings after a withdrawal or a decline."""

    id: str | None = None
    """To make it by; null where nothing is stored."""

    changes: int
    """Standing pairings that are no more, broken ones included."""
    points: float
    """Value of what is added less value of what is undone."""
    broken: tuple[Pair, ...]
    """What the withdrawals and declines broke: the same in every repair."""
    undone: tuple[ScoredPair, ...]
    """What the repair takes apart besides."""
    added: tuple[ScoredPair, ...]
    pairings: tuple[ScoredPair, ...]
    """All pairings after the repair, by learner, then mentor."""
    unserved: tuple[str, ...]
    """Learners that would have no mentor."""


class Repairs(Wire):
    """Ways to mend, the one with fewest changes first, then with most points."""

    items: tuple[Repair, ...]


class DropOut(Wire):
    """What happens if one city leaves, and the rest is mended with fewest changes."""

    city: str
    broken: tuple[Pair, ...]
    """Pairings that are no more; the city's own, and what has to be undone besides."""
    added: tuple[ScoredPair, ...]
    points: float
    """Change in the value of the whole; below 0: lost."""
    unserved: tuple[str, ...]
    """Learners that lose their last mentor by it, and find no other."""
    areas: tuple[str, ...]
    """Areas that a remaining learner needs and then no mentor is strong in."""
    keeps_policy: bool
    """Whether anything keeps the policy without it; else nothing is filled."""
    fragile: bool
    """Whether a learner or an area stays without a mentor, or the policy breaks."""


class Drill(Wire):
    """What happens if a city leaves, for every paired one: the fragile ones first."""

    items: tuple[DropOut, ...]


class Shortage(Wire):
    """Learners and places that cannot add up (Hall's theorem)."""

    learners: tuple[str, ...]
    """They can go to these mentors only."""
    mentors: tuple[str, ...]
    places: int
    """What these mentors offer together."""
    wanted: int
    """What these learners need for one mentor each."""
    short: int
    """How many of them must stay without a mentor, whatever is decided."""
