"""How a round is to be matched; every field may be left out."""

from typing import Annotated, Literal

from pydantic import Field

from schemas._wire import Boolean, Id, NullIsOmitted, Number, Switch, Text, Wire
from schemas.bounds import LONG_LIST

Objective = Literal["total", "served", "fair", "stable"]
Criterion = Literal[
    "needs_met",
    "focus",
    "evidence",
    "language",
    "context",
    "proximity",
    "give_back",
    "practice_text",
]
Weight = Annotated[
    Annotated[float, Field(ge=0, le=1e9), Number],
    NullIsOmitted,
]


class Weights(Wire):
    """What each criterion may contribute; normalised once to sum to 100."""

    needs_met: Weight = 35.0
    """The share of the learner's need that the mentor's strength covers."""
    focus: Weight = 30.0
    """How alike need and strength are in shape: a specialist in just this wins."""
    evidence: Weight = 10.0
    """The share of the covered need that a practice backs."""
    language: Weight = 10.0
    """A shared working language."""
    context: Weight = 5.0
    """Likeness in population and in share of migrants."""
    proximity: Weight = 5.0
    """Nearness on the globe."""
    give_back: Weight = 5.0
    """The share of the mentor's own need that the learner's strength covers."""
    practice_text: Weight = 0.0
    """Words that the learner's needs and the mentor's practices have in common."""


class Rules(Wire):
    """Hard rules: a pair that breaks one is not admissible. None is on by itself."""

    different_country: Switch = False
    shared_language: Switch = False
    max_distance_km: Annotated[float, Field(gt=0), Number] | None = None
    max_size_ratio: Annotated[float, Field(ge=1), Number] | None = None
    """Most times that one population may be the other."""
    min_score: Annotated[float, Field(ge=0, le=100), Number] | None = None
    no_repeat: Switch = False
    """Not the same mentor for the same learner as in the history."""


Whole = Annotated[int, Field(ge=0, lt=2**63), Number]
"""A whole number of 64 bits; a limit above what is possible limits nothing."""


class Cap(Wire):
    """At most `max` pairings per country or association of one side."""

    side: Literal["mentor", "learner"]
    by: Literal["country", "association"]
    per: Literal["round", "partner"]
    max: Whole


class MinLoad(Wire):
    """The fewest learners a mentor is given."""

    mentor: Whole = 0
    only_if_used: Boolean = False


class Decision(Wire):
    """An organiser's decision about one pair, with the reason."""

    mentor: Id
    learner: Id
    reason: Text | None = None


class Policy(Wire):
    """Objective, weights, rules, pins and bans of a matching."""

    objective: Objective = "total"
    """`total`: most points; `served`: most learners; `fair`: best for the worst off;
    `stable`: no two that would rather have each other."""
    seed: Whole = 0
    weights: Annotated[Weights, NullIsOmitted] = Weights()
    left_out_credit: Annotated[
        Annotated[float, Field(ge=0, le=1), Number], NullIsOmitted
    ] = 0.0
    """Points beside the score for each earlier round in which a city was left out, at
    most two rounds a city and role; 0: off."""
    rules: Annotated[Rules, NullIsOmitted] = Rules()
    caps: Annotated[tuple[Cap, ...], Field(max_length=100), LONG_LIST] = ()
    min_load: Annotated[MinLoad, NullIsOmitted] = MinLoad()
    pins: Annotated[tuple[Decision, ...], Field(max_length=10_000), LONG_LIST] = ()
    """Pairs that must be."""
    bans: Annotated[tuple[Decision, ...], Field(max_length=100_000), LONG_LIST] = ()
    """Pairs that must not be."""
