"""What the engine answers: pairings, reasons, and what can be said of the whole."""

from typing import Any

from schemas._wire import Wire
from schemas.areas import Role
from schemas.engine.policy import Criterion, Objective


class Contribution(Wire):
    """What one criterion adds to a pair's score: weight x value = points."""

    criterion: Criterion
    weight: float
    """Of the 100 points that all criteria share."""
    value: float
    """Between 0 and 1, to 6 decimals; 0 where it cannot be known."""
    points: float
    known: bool
    facts: dict[str, Any]
    """What the value rests on, as codes, ids and numbers; `missing` when unknown."""


class Adjustment(Wire):
    """Points beside the score: for a wish fulfilled, or for having been left out."""

    code: str
    """`wish` or `left_out`."""
    city: str
    """Whose wish it is, or who was left out."""
    role: Role
    rank: int | None
    """The partner's place on that city's list of wishes, from 1; else null."""
    points: float
    rounds: tuple[str, ...] | None = None
    """The earlier rounds that count, as far as they have a name; null for a wish."""


class Explanation(Wire):
    """A pair with its score and where the score comes from."""

    mentor: str
    learner: str
    score: float
    """The sum of the contributions, 0 to 100."""
    known_weight: float
    """How many of the 100 points could be known."""
    adjustments: tuple[Adjustment, ...]
    contributions: tuple[Contribution, ...]
    excluded_by: tuple[str, ...]
    """The rules and decisions that remove the pair; empty when it is admissible."""


class Alternate(Wire):
    """The next best admissible mentor of a learner, whether or not it has a place."""

    mentor: str
    score: float
    price: float | None
    """Points that the round loses if this pair must be; null where it cannot be, or
    where telling would take too long: `what-if` tells then."""


class Pairing(Wire):
    """One mentor for one learner."""

    mentor: str
    learner: str
    score: float
    known_weight: float
    pinned: bool
    firmness: float | None
    """Share of perturbed trials that it survives; null where none was made."""
    adjustments: tuple[Adjustment, ...]
    contributions: tuple[Contribution, ...]
    alternates: tuple[Alternate, ...]


class Reason(Wire):
    """Why partners are out of reach, and how many."""

    code: str
    """A rule's name, `veto`, `ban`, `role`, `all_places_taken`, `caps`, `min_load`, or
    `no_partner`: there is none, or it would bring no points."""
    partners: int


class Unmatched(Wire):
    """A learner below its demand, or a mentor with no learner."""

    city: str
    role: Role
    missing: int
    """Places that stay empty."""
    partners_considered: int
    """Cities with the other role that are not its partner already."""
    reasons: tuple[Reason, ...]
    """A partner removed by several rules counts under each."""


class Relaxation(Wire):
    """A single thing of the policy that, relaxed, would serve more learners."""

    rule: str
    """A rule's name, `caps/0`, `bans/0`, `pins/0` (by position) or `min_load`."""
    to: float | None
    """The nearest limit that serves more; null: switched off."""
    learners_gained: int
    points: float
    """Change in the value of the whole; below 0: lost."""


class Warning(Wire):  # noqa: A001 -- the word of the contract
    """Something that could not be checked; the pair was kept, or the search ended."""

    code: str
    """`rule_not_checkable`, or `search_cut_short`."""
    rule: str
    """A rule's name or `caps/0`; `relaxations`, where not all of them were tried."""
    city: str | None = None
    """The city that does not tell what the rule needs."""


class Measures(Wire):
    """The whole in figures, over learners with demand; unserved counts as 0."""

    total: float
    """The sum of the scores."""
    value: float
    """The sum of scores and adjustments: what the objectives maximise."""
    mean: float | None
    """Mean over learners of the best pairing's score."""
    worst_off: float | None
    """The lowest best pairing's score."""
    learners_served: int
    learners: int
    places_filled: int
    gini: float | None
    """Gini coefficient of the best pairing's score over learners, 0 = all equal."""
    blocking_pairs: int
    """Pairs that would both rather be together than with whom they have."""


class Solution(Wire):
    """The answer of a matching; the same input gives the same bytes."""

    pairings: tuple[Pairing, ...]
    """Ordered by learner id, then mentor id."""
    unmatched: tuple[Unmatched, ...]
    relaxations: tuple[Relaxation, ...]
    warnings: tuple[Warning, ...]
    measures: Measures
    objective: Objective
    engine: str
    gap: float
    """How far from the optimum the answer may be; 0 is proven optimal. In points, or in
    learners or places if the search ended while it counted these."""
    problem_hash: str
    policy_hash: str
    versions: dict[str, str]
    seed: int
