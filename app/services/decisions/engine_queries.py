"""What the engine is asked while somebody waits: within limits, and nothing stored."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import matching
from app.compute import engine, previewing
from app.compute.engine import Pairs
from app.services.decisions import overrides, repairs
from app.services.decisions.overrides import OverrideBasis
from app.services.decisions.repairs import RepairBasis
from app.services.rounds import problem_builder
from app.services.runs.runs import Frozen
from app.services.runs.runs import trials as trials_of
from app.services.runs.turns import Turns
from app.settings import Settings
from schemas import (
    Change,
    Drill,
    Explanation,
    Measures,
    OverrideWrite,
    Policy,
    Problem,
    Readiness,
    Repairs,
    Solution,
    WhatIf,
    WhyNot,
)

T = TypeVar("T")

_MOST_QUICK = 10_000
"""Most effort of a round whose readiness is found out on the spot."""


class EngineQueries:
    """What can be asked about a run or a round.

    Each question is asked with frozen values, after the transaction that read them:
    no connection is held while it is computed.

    Args:
        settings: Where the limits stand. They are not those of callers without an
            account, who could keep an organiser waiting.

    """

    def __init__(self, settings: Settings) -> None:
        self._turns = Turns(settings.answers_at_once, settings.answer_seconds)

    def what_if(self, frozen: Frozen, change: Change) -> WhatIf:
        """Return how the outcome would change if something were decided otherwise."""
        return self._turns.ask(
            partial(engine.what_if, frozen.problem, frozen.policy, change)
        )

    def why_not(self, frozen: Frozen, mentor: str, learner: str) -> WhyNot:
        """Return why a pair is not proposed."""
        question = partial(
            matching.why_not,
            frozen.problem,
            frozen.policy,
            mentor=mentor,
            learner=learner,
        )
        return self._turns.ask(question, problem_builder.refusal_in_query)

    def drill(self, frozen: Frozen, solution: Solution) -> Drill:
        """Return what happens if one city leaves, for every one that is paired."""
        pairs = repairs.pairs_of(solution)
        return self._turns.ask(
            partial(matching.drill, frozen.problem, frozen.policy, pairs)
        )

    def repairs(self, standing: RepairBasis, limit: int) -> Repairs:
        """Return how to mend pairings; in a stored round, each way with an id.

        Args:
            standing: What stands, what broke, and what must not be undone.
            limit: Most repairs.

        """
        question = partial(
            matching.repair,
            standing.problem,
            standing.policy,
            standing.pairs,
            gone=standing.gone,
            declined=standing.declined,
            keep=standing.keep,
            limit=limit,
        )
        found = self._turns.ask(question, problem_builder.refusal_in_query)
        if not standing.stored:
            return Repairs(items=tuple(found))
        changing = (one for one in found if one.added or one.undone)
        return Repairs(items=tuple(map(repairs.named, changing)))

    def explained(self, frozen: Frozen, pairs: Pairs) -> tuple[Explanation, ...]:
        """Return where the score of each pair comes from."""
        question = partial(engine.explained, frozen.problem, frozen.policy, pairs)
        return self._turns.ask(question)

    def tabled(self, frozen: Frozen, solution: Solution) -> engine.Tabled:
        """Return what every pair of a run scores, and costs if that is told at once.

        Args:
            frozen: What the run was computed from.
            solution: What came of it: where it is no flow, each price is a matching of
                its own, and there are none here.

        """
        question = partial(
            engine.tabled,
            frozen.problem,
            frozen.policy,
            priced=solution.engine == "flow"
            and solution.objective in {"total", "served"},
        )
        return question() if _is_quick(frozen) else self._turns.ask(question)

    def scored(self, frozen: Frozen) -> matching.Table:
        """Return what every pair scores."""
        question = partial(matching.table, frozen.problem, frozen.policy)
        return question() if _is_quick(frozen) else self._turns.ask(question)

    def override(
        self, start: OverrideBasis, new: OverrideWrite, *, tried: bool = True
    ) -> engine.Overridden:
        """Return the outcome after an override, and what differs.

        Args:
            start: What stands.
            new: What is decided.
            tried: Whether it is found out how firm the pairings would be: that takes
                longer, and nobody who asks for the price wants it.

        """
        policy = overrides.with_decision(start.policy, new)
        trials = trials_of(start.problem, policy) if tried else 0
        question = partial(engine.override, start.problem, start.policy, policy, trials)
        refused = problem_builder.refusal_of_override(
            pins=len(policy.pins) - len(set(new.force)),
            bans=len(policy.bans) - len(set(new.ban)),
        )
        return self._turns.ask(question, refused)

    def measured(
        self, policy: Policy, scenarios: Sequence[tuple[Problem, Pairs]]
    ) -> tuple[Measures, ...]:
        """Return the measures of several sets of pairs under one policy."""
        return self._turns.ask(partial(engine.measured, policy, scenarios))

    def preview(self, now: Frozen, policy: Policy) -> previewing.Preview:
        """Return what another policy would bring the round, and what its rules cost."""
        question = partial(previewing.preview, now.problem, now.policy, policy)
        return self._turns.ask(question)

    def readiness(self, now: Frozen) -> Readiness:
        """Return what stands in the way of matching the round."""
        question = partial(matching.readiness, now.problem, now.policy)
        return question() if _is_quick(now) else self._turns.ask(question)


def _is_quick(now: Frozen) -> bool:
    """Tell whether the engine answers faster than a child process starts.

    A round of this size takes some tenths of a second at the most, and every look of an
    organiser at a round asks for it.
    """
    return matching.effort(now.problem, now.policy) <= _MOST_QUICK
