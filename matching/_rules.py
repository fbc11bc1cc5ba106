"""The hard rules: what each of them looks at, and which pairs it removes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from matching._arrays import Bools, Floats, Ints
from matching._scoring.criteria import kilometres, language
from matching._scoring.features import Features
from matching._scoring.score import MICRO
from schemas import City, Problem, Rules


class Sides:
    """Mentors and learners as the rules look at them.

    Args:
        mentors: One row each.
        learners: One column each.
        problem: For its history.
        scores: (mentors, learners) in micro-points.

    """

    def __init__(
        self,
        mentors: Sequence[City],
        learners: Sequence[City],
        problem: Problem,
        scores: Ints,
    ) -> None:
        self.mentors, self.learners = mentors, learners
        self.problem, self.scores = problem, scores

    @cached_property
    def features(self) -> tuple[Features, Features]:
        """The rows of mentors and of learners."""
        return Features(self.mentors), Features(self.learners)

    @cached_property
    def distance(self) -> Floats:
        """(mentors, learners) kilometres along the great circle, NaN if not known."""
        if not (self.mentors and self.learners):
            return np.zeros((len(self.mentors), len(self.learners)))
        distance, known = kilometres(*self.features)
        return np.where(known, distance, np.nan)

    @cached_property
    def sizes(self) -> tuple[Floats, Floats]:
        """(mentors, learners) larger and smaller population, NaN if one is unknown."""
        mentors, learners = (
            np.array([_inhabitants(city) for city in side])
            for side in (self.mentors, self.learners)
        )
        return np.maximum.outer(mentors, learners), np.minimum.outer(mentors, learners)

    def mask(self, pairs: Iterable[tuple[str, str]]) -> Bools:
        """Mark those of the pairs (mentor id, learner id) that are in the table."""
        mask = np.zeros((len(self.mentors), len(self.learners)), np.bool_)
        row = {city.id: at for at, city in enumerate(self.mentors)}
        column = {city.id: at for at, city in enumerate(self.learners)}
        for mentor, learner in pairs:
            if mentor in row and learner in column:
                mask[row[mentor], column[learner]] = True
        return mask


def _inhabitants(city: City) -> float:
    return city.population.value if city.population else np.nan


def _different_country(sides: Sides, _limit: object) -> Bools:
    countries = [
        np.array([city.country for city in side])
        for side in (sides.mentors, sides.learners)
    ]
    return np.asarray(np.equal.outer(*countries))


def _shared_language(sides: Sides, _limit: object) -> Bools:
    shared, known = language(*sides.features)
    return np.asarray(known & ~shared)


def _max_size_ratio(sides: Sides, limit: float) -> Bools:
    larger, smaller = sides.sizes
    with np.errstate(over="ignore"):  # nothing is larger than what has no end
        return np.asarray(larger > limit * smaller)


def _no_repeat(sides: Sides, _limit: object) -> Bools:
    return sides.mask((past.mentor, past.learner) for past in sides.problem.history)


_REMOVES: Mapping[str, Callable[[Sides, Any], Bools]] = {
    "different_country": _different_country,
    "shared_language": _shared_language,
    "max_distance_km": lambda sides, limit: np.asarray(sides.distance > limit),
    "max_size_ratio": _max_size_ratio,
    "min_score": lambda sides, limit: np.asarray(sides.scores < round(limit * MICRO)),
    "no_repeat": _no_repeat,
}
"""For every rule which pairs it removes; what cannot be checked stays."""

MEASURES: Mapping[str, Callable[[Sides], Floats]] = {
    "max_distance_km": lambda sides: sides.distance,
    "max_size_ratio": lambda sides: sides.sizes[0] / sides.sizes[1],
    "min_score": lambda sides: sides.scores / MICRO,
}
"""For every rule with a limit what is held against it, (mentors, learners)."""


def switched_on(rules: Rules) -> dict[str, Any]:
    """Return the limit of every rule that is on, True for those that have none."""
    settings = {rule: getattr(rules, rule) for rule in _REMOVES}
    return {
        rule: limit
        for rule, limit in settings.items()
        if limit is not None and limit is not False
    }


def removes(sides: Sides, rule: str, limit: Any) -> Bools:  # noqa: ANN401 -- as the rule wants
    """Return which pairs, (mentors, learners), the rule removes at this limit."""
    if not (sides.mentors and sides.learners):
        return np.zeros((len(sides.mentors), len(sides.learners)), np.bool_)
    return _REMOVES[rule](sides, limit)
