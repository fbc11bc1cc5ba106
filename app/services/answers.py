"""What the engine is asked while somebody waits: within limits, and nothing stored."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import structlog

import matching
from app.compute import child, engine, previewing
from app.compute.engine import Pairs
from app.errors import Busy, ComputationDied, Refusal, TooSlow
from app.services import bridge, overrides, repairs
from app.services.overrides import OverrideBasis
from app.services.repairs import RepairBasis
from app.services.runs import Frozen
from app.services.runs import trials as trials_of
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
_WAITING = 8
"""Most requests that wait for their turn; each of them holds a thread."""


class Turns:
    """Has children compute: so many at once, and each so long.

    Args:
        at_once: Most computations at the same time.
        seconds: Most time that one may take, and that it may wait for its turn.

    """

    def __init__(self, at_once: int, seconds: float) -> None:
        self._seconds = seconds
        self._turns = threading.BoundedSemaphore(at_once)
        self._line = threading.BoundedSemaphore(at_once + _WAITING)

    def ask(
        self,
        question: Callable[..., T],
        refused: Callable[[engine.Refused], Refusal] = bridge.refusal,
    ) -> T:
        """Return the answer.

        Args:
            question: As `child.run` takes it.
            refused: Makes what the engine refuses one of our refusals.

        Raises:
            Busy: If no turn came up in time.
            TooSlow: If the computation took too long.
            Died: If the computation ended without an answer.
            InvalidProblem, InvalidPolicy, Infeasible: As the engine refuses.

        """
        with self.turn():
            try:
                return child.run(question, self._seconds)
            except (
                matching.InvalidProblem,
                matching.InvalidPolicy,
                matching.Infeasible,
            ) as error:
                raise refused(error) from error
            except child.ChildTimeout as error:
                detail = f"The computation was ended. {error}"
                raise TooSlow(detail, retry_after=60) from error
            except child.ChildDied as error:
                structlog.get_logger("compaan").error("child-died", reason=str(error))
                raise ComputationDied(
                    "The computation died.", retry_after=10
                ) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it while the block lasts; or raise `Busy`."""
        if not self._line.acquire(blocking=False):
            raise Busy("Too many are waiting already.", retry_after=5)
        try:
            if not self._turns.acquire(timeout=self._seconds):
                raise Busy("No turn came up in time.", retry_after=5)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._line.release()


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
        """Return what would be if something were decided otherwise."""
        return self._turns.ask(
            partial(engine.what_if, frozen.problem, frozen.policy, change)
        )

    def why_not(self, frozen: Frozen, mentor: str, learner: str) -> WhyNot:
        """Return why a pair is not proposed."""
        asked = partial(
            matching.why_not,
            frozen.problem,
            frozen.policy,
            mentor=mentor,
            learner=learner,
        )
        return self._turns.ask(asked, bridge.refusal_in_query)

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
        asked = partial(
            matching.repair,
            standing.problem,
            standing.policy,
            standing.pairs,
            gone=standing.gone,
            declined=standing.declined,
            keep=standing.keep,
            limit=limit,
        )
        found = self._turns.ask(asked, bridge.refusal_in_query)
        if not standing.stored:
            return Repairs(items=tuple(found))
        changing = (one for one in found if one.added or one.undone)
        return Repairs(items=tuple(map(repairs.named, changing)))

    def explained(self, frozen: Frozen, pairs: Pairs) -> tuple[Explanation, ...]:
        """Return where the score of each pair comes from."""
        asked = partial(engine.explained, frozen.problem, frozen.policy, pairs)
        return self._turns.ask(asked)

    def tabled(self, frozen: Frozen, solution: Solution) -> engine.Tabled:
        """Return what every pair of a run scores, and costs if that is told at once.

        Args:
            frozen: What the run was computed from.
            solution: What came of it: where it is no flow, each price is a matching of
                its own, and there are none here.

        """
        asked = partial(
            engine.tabled,
            frozen.problem,
            frozen.policy,
            priced=solution.engine == "flow"
            and solution.objective in {"total", "served"},
        )
        return asked() if _is_quick(frozen) else self._turns.ask(asked)

    def scored(self, frozen: Frozen) -> matching.Table:
        """Return what every pair scores."""
        asked = partial(matching.table, frozen.problem, frozen.policy)
        return asked() if _is_quick(frozen) else self._turns.ask(asked)

    def override(
        self, start: OverrideBasis, new: OverrideWrite, *, tried: bool = True
    ) -> engine.Overridden:
        """Return what would be after an override, and what differs.

        Args:
            start: What stands.
            new: What is decided.
            tried: Whether it is found out how firm the pairings would be: that takes
                longer, and nobody who asks for the price wants it.

        """
        policy = overrides.with_decision(start.policy, new)
        trials = trials_of(start.problem, policy) if tried else 0
        asked = partial(engine.override, start.problem, start.policy, policy, trials)
        refused = bridge.refusal_of_override(
            pins=len(policy.pins) - len(set(new.force)),
            bans=len(policy.bans) - len(set(new.ban)),
        )
        return self._turns.ask(asked, refused)

    def measured(
        self, policy: Policy, scenarios: Sequence[tuple[Problem, Pairs]]
    ) -> tuple[Measures, ...]:
        """Return the measures of several sets of pairs under one policy."""
        return self._turns.ask(partial(engine.measured, policy, scenarios))

    def preview(self, now: Frozen, policy: Policy) -> previewing.Preview:
        """Return what another policy would bring the round, and what its rules cost."""
        asked = partial(previewing.preview, now.problem, now.policy, policy)
        return self._turns.ask(asked)

    def readiness(self, now: Frozen) -> Readiness:
        """Return what stands in the way of matching the round."""
        asked = partial(matching.readiness, now.problem, now.policy)
        return asked() if _is_quick(now) else self._turns.ask(asked)


def _is_quick(now: Frozen) -> bool:
    """Tell whether readiness is found out faster than a child is started.

    A round of this size takes some tenths of a second at the most, and every look of an
    organiser at a round asks for it.
    """
    return matching.effort(now.problem, now.policy) <= _MOST_QUICK
