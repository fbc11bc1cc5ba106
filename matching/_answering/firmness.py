"""How firm the pairings are: solved again and again, a little different each time."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import sklearn

from matching._answering.conflict import solve
from matching._arrays import Bools, Floats, Ints
from matching._round import Round
from matching._scoring.criteria import OF_LEVELS
from matching._scoring.features import Features
from matching._scoring.score import MICRO, tabulate
from matching._solving.branched import TooHard
from matching._solving.circulation import Impossible
from matching._solving.instance import Solved
from schemas import Firmness, PairFirmness, Policy, Problem

TRIALS = 500
MOST_TRIALS = 1_000_000
"""Most trials that may be asked for."""
_TELL = 50
_WEIGHTS = 0.2
"""By how much of itself a weight may change, up or down."""
_TIE = 1_000
"""Micro-points below which two scores count as the same in a trial."""
_Z = 1.959963984540054
"""The normal deviate of a two-sided 95 % interval."""


def firmness(
    problem: Problem, policy: Policy | None = None, *, trials: int = TRIALS
) -> Firmness:
    """Return how often each pairing survives when the round is a little different.

    In every trial each weight changes by up to 20 %, each stated need and strength by a
    level up, down or not at all, one city leaves, and chance breaks ties. A pairing's
    share is that of the trials in which both its cities were present; its interval is
    Wilson's score interval (J. Amer. Statist. Assoc. 22, 1927). A trial without an
    assignment that keeps the policy counts as one that no pairing survives.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: With the seed of the trials; None: the default.
        trials: How many; 500 take an interval of about ± 4 points.

    Raises:
        InvalidPolicy: As `match` does.
        Infeasible: As `match` does.
        ValueError: If `trials` is not positive, or above `MOST_TRIALS`.

    Examples:
        >>> from matching import Problem
        >>> def city(id, role, **areas):
        ...     return {"id": id, "name": id, "country": "BE", "roles": [role],
        ...             "areas": areas}
        >>> found = firmness(Problem.from_dict({"cities": [
        ...     city("ghent", "mentor", housing={"strength": 3}),
        ...     city("liege", "mentor", housing={"strength": 2}),
        ...     city("namur", "mentor", housing={"strength": 1}),
        ...     city("arlon", "learner", housing={"need": 3}),
        ... ]}), trials=200).pairings[0]
        >>> found.mentor, found.replacement, found.low < found.firmness < found.high
        ('ghent', 'liege', True)

    """
    if trials < 1:
        raise ValueError(f"trials must be positive: {trials}")
    check_trials(trials)
    found = Round(problem, policy or Policy())
    solved = solve(found)
    return Firmness(
        trials=trials,
        seed=found.policy.seed,
        pairings=tuple(survival(found, solved, trials)),
    )


def check_trials(trials: int) -> None:
    """Refuse more trials than may be asked for.

    Raises:
        ValueError: If there are more than `MOST_TRIALS`.

    """
    if trials > MOST_TRIALS:
        raise ValueError(f"trials must be at most {MOST_TRIALS}")


def survival(
    found: Round,
    solved: Solved,
    trials: int,
    done: Callable[[int], None] = lambda _: None,
) -> Iterator[PairFirmness]:
    """Yield the firmness of every pairing, by learner, then mentor.

    Args:
        found: The round.
        solved: Its optimum.
        trials: How many.
        done: Called with the number of trials made so far, now and then.

    """
    columns, rows = np.nonzero(solved.chosen.T)
    seen, survived = np.zeros(rows.size, np.int64), np.zeros(rows.size, np.int64)
    instead = np.zeros((rows.size, len(found.mentors)), np.int64)
    for number, trial in enumerate(_trials(found, trials)):
        if number % _TELL == 0:
            done(number)
        here = trial.mentors[rows] & trial.learners[columns]
        stays = trial.chosen[rows, columns]
        seen += here
        survived += here & stays
        others = trial.chosen[:, columns].T & ~solved.chosen[:, columns].T
        instead += others & (here & ~stays)[:, np.newaxis]
    for at, (row, column) in enumerate(
        zip(rows.tolist(), columns.tolist(), strict=True)
    ):
        count, kept = int(seen[at]), int(survived[at])
        low, high = wilson(kept, count) if count else (None, None)
        most = int(instead[at].argmax())
        replaced = int(instead[at, most])
        yield PairFirmness(
            mentor=found.mentors[row].id,
            learner=found.learners[column].id,
            trials=count,
            survived=kept,
            firmness=round(kept / count, 6) if count else None,
            low=low,
            high=high,
            replacement=found.mentors[most].id if replaced else None,
            replaced=replaced,
        )


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share.

    Examples:
        >>> wilson(8, 10)
        (0.490162, 0.943318)

    """
    share, factor = successes / trials, _Z**2 / trials
    middle = share + factor / 2
    half = sqrt(share * (1 - share) * factor + factor**2 / 4)
    low, high = ((middle + sign * half) / (1 + factor) for sign in (-1, 1))
    return round(max(low, 0.0), 6), round(min(high, 1.0), 6)


@dataclass(frozen=True, eq=False)
class _Trial:
    """What came of one trial.

    Attributes:
        chosen: (mentors, learners) pairs that were made.
        mentors: Which mentors were present.
        learners: Which learners were.

    """

    chosen: Bools
    mentors: Bools
    learners: Bools


class _Perturbed:
    """The round's tables, and how to make them a little different.

    Args:
        found: The round.

    """

    def __init__(self, found: Round) -> None:
        self.found = found
        self.sides = Features(found.mentors), Features(found.learners)
        for side in self.sides:
            for block in ("need", "strength", "proven"):
                side[block]  # made once, shared by all trials
        tables = found.scores.tables
        self.weights: Floats = np.array([t.weight for t in tables.values()], float)
        # Where a city stands in both roles it gives the same answers in both.
        ids = [city.id for city in (*found.mentors, *found.learners)]
        self.city_of = {name: at for at, name in enumerate(dict.fromkeys(ids))}
        self.cities = np.array([self.city_of[name] for name in ids], np.int64)
        self.rest: Bools = found.forceable

    def trial(self, random: np.random.Generator) -> _Trial:
        """Return what comes of one trial."""
        found = self.found
        scores = self._scores(random)
        gone = random.integers(len(self.city_of))
        stays = self.cities != gone
        mentors, learners = np.split(stays, [len(found.mentors)])
        floor = found.policy.rules.min_score
        allowed = self.rest
        if floor is not None:
            allowed = allowed & (scores >= round(floor * MICRO))
        chosen = np.zeros(scores.shape, np.bool_)
        part = np.ix_(mentors, learners)
        # Levels are whole, so many trials have ties: chance decides, not the solver.
        apart = random.integers(_TIE, size=scores.shape) * (scores > 0)
        instance = found.instance_of(scores + apart, allowed).part(mentors, learners)
        with suppress(Impossible, TooHard):
            chosen[part] = instance.solve_small(found.policy.objective)
        return _Trial(chosen, mentors, learners)

    def _scores(self, random: np.random.Generator) -> Ints:
        """Return (mentors, learners) scores in micro-points."""
        weights = self.weights * random.uniform(
            1 - _WEIGHTS, 1 + _WEIGHTS, self.weights.size
        )
        weights = np.rint(weights * (100 * MICRO / weights.sum()))
        sides = self._answers(random)
        total = np.zeros(self.found.worth.shape)
        for weight, (name, table) in zip(
            weights, self.found.scores.tables.items(), strict=True
        ):
            if weight:
                values = (
                    tabulate(name, *sides)[0] if name in OF_LEVELS else table.values
                )
                total += np.rint(values * (weight / MICRO))
        return total.astype(np.int64)

    def _answers(self, random: np.random.Generator) -> tuple[Features, Features]:
        """Return both sides with every stated level a little different."""
        mentors = len(self.found.mentors)
        changed: list[dict[str, Any]] = [{}, {}]
        for kind in ("need", "strength"):
            both = np.concatenate([side[kind] for side in self.sides])
            shift = random.integers(-1, 2, (len(self.city_of), both.shape[1]))
            moved = np.clip(both + shift[self.cities], 0, 4) * (both > 0)
            for side, levels in zip(
                changed, np.split(moved.astype(np.float32), [mentors]), strict=True
            ):
                side[kind] = levels
        first, second = (
            side.changed(blocks)
            for side, blocks in zip(self.sides, changed, strict=True)
        )
        return first, second


def _trials(found: Round, trials: int) -> Iterator[_Trial]:
    """Yield so many trials, the same for the same seed."""
    if not (found.mentors and found.learners):
        return
    random = np.random.default_rng(found.policy.seed)
    perturbed = _Perturbed(found)
    # All numbers come from tables that were checked when they were first made.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for _ in range(trials):
            yield perturbed.trial(random)
