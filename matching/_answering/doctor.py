"""Which single thing of the policy, relaxed, would serve more learners."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any

import numpy as np

from matching._answering.effort import factor
from matching._arrays import Bools, Floats
from matching._round import Round
from matching._rules import MEASURES, removes, switched_on
from matching._scoring.score import MICRO
from matching._solving.branched import TooHard
from matching._solving.circulation import Impossible
from matching._solving.hall import deficiency
from matching._solving.instance import Instance, Solved
from schemas import Relaxation

_WORK = 10_000_000
"""Up to so many pairs, over all the assignments that are tried, relaxations are looked
for; the rules come first, single decisions last."""
_EASED = 3
"""By how many a cap is raised before it is lifted."""
_SCAN = 40
"""Limits of a rule that are tried one by one before it is switched off."""
_STEPS = {"max_distance_km": 1.0, "max_size_ratio": 0.1, "min_score": -0.1}
"""To what a limit is rounded, away from what is held against it."""


class _WorkUsedUp(Exception):
    """No more relaxations may be tried."""


@dataclass(frozen=True, eq=False)
class _Found:
    """What an attempt came to: learners gained, and the change in value."""

    gained: int
    points: int


class _Doctor:
    """Tries relaxations of one round, as long as the work allows.

    Args:
        found: The round.
        solved: Its optimum.

    """

    def __init__(self, found: Round, solved: Solved) -> None:
        self.found = found
        self.instance = found.instance()
        self.served = int(np.count_nonzero(solved.chosen.any(axis=0)))
        self.value = int(found.worth[solved.chosen].sum())
        cost = factor(found.policy, branched=solved.engine == "milp")
        self.left = _WORK // (cost * max(found.worth.size, 1))

    def attempt(self, **changes: Any) -> _Found | None:  # noqa: ANN401 -- `Instance`'s
        """Solve the changed instance; None if it serves nobody more.

        Raises:
            _WorkUsedUp: If no work is left for it.

        """
        if self.left <= 0:
            raise _WorkUsedUp
        self.left -= 1
        changed: Instance = replace(self.instance, **changes)
        try:
            chosen = changed.solve(self.found.policy.objective).chosen
        except (Impossible, TooHard):
            return None
        gained = int(np.count_nonzero(chosen.any(axis=0))) - self.served
        points = int(self.found.worth[chosen].sum()) - self.value
        return _Found(gained, points) if gained > 0 else None

    def without(self, rule: str) -> Bools:
        """Return the pairs that everything but this rule admits."""
        masks = (mask for name, mask in self.found.removed.items() if name != rule)
        allowed: Bools = ~reduce(or_, masks, self.found.apart)
        return allowed


def relaxations(found: Round, solved: Solved) -> tuple[tuple[Relaxation, ...], bool]:
    """Return the single relaxations that serve more learners, the cheapest first.

    And whether all of them could be tried within the work allowed.

    That is the fewest points lost per learner gained, then the most learners, then the
    most points. Vetoes are the cities' own and are not looked at. For a rule with a
    limit it is the nearest limit, to a whole kilometre or a tenth, that serves more.

    Args:
        found: The round.
        solved: Its optimum.

    """
    doctor = _Doctor(found, solved)
    # Where there is no pair of two cities, nothing serves anybody.
    if doctor.served == len(found.learners) or found.apart.all():
        return (), True
    told: list[Relaxation] = []
    all_tried = True
    try:
        for rule, to, one in _tried(doctor):
            gained, points = one.gained, one.points / MICRO
            told.append(
                Relaxation(rule=rule, to=to, learners_gained=gained, points=points)
            )
    except _WorkUsedUp:
        all_tried = False
    told.sort(
        key=lambda one: (
            max(-one.points, 0) / one.learners_gained,
            -one.learners_gained,
            -one.points,
            one.rule,
        )
    )
    return tuple(told), all_tried


def _tried(doctor: _Doctor) -> Iterator[tuple[str, float | None, _Found]]:
    """Yield what helps: its name, to what it is relaxed, and what comes of it."""
    policy = doctor.found.policy
    for rule in switched_on(policy.rules):
        if rule in MEASURES:
            yield from _nearest(doctor, rule)
        elif one := doctor.attempt(allowed=doctor.without(rule)):
            yield rule, None, one
    yield from _eased_limits(doctor)
    for at, pin in enumerate(policy.pins):
        pinned = doctor.found.pinned.copy()
        pinned[doctor.found.row[pin.mentor], doctor.found.column[pin.learner]] = False
        if one := doctor.attempt(pinned=pinned):
            yield f"pins/{at}", None, one
    unbanned = doctor.without("ban")
    for at, ban in enumerate(policy.bans):
        place = doctor.found.place(ban.mentor, ban.learner)
        if place and unbanned[place]:
            allowed = doctor.found.admissible.copy()
            allowed[place] = True
            if one := doctor.attempt(allowed=allowed):
                yield f"bans/{at}", None, one


def _nearest(doctor: _Doctor, rule: str) -> Iterator[tuple[str, float | None, _Found]]:
    """Yield the nearest limit of a rule that serves more learners."""
    found = doctor.found
    others = doctor.without(rule)
    for limit in islice(_limits(doctor, rule, others), _SCAN):
        allowed = others & ~removes(found.sides, rule, limit)
        if one := doctor.attempt(allowed=allowed):
            yield rule, limit, one
            return
    if one := doctor.attempt(allowed=others):
        yield rule, None, one


def _limits(doctor: _Doctor, rule: str, others: Bools) -> Iterator[float]:
    """Yield the limits that can serve more learners at all, the nearest first."""
    found = doctor.found
    step = _STEPS[rule]
    held: Floats = MEASURES[rule](found.sides)[others & found.removed[rule]]
    # Rounded so that a limit admits what is held against it, and reads well.
    steps = np.ceil(np.unique(held) / step)
    # Where rounding errors speak against a limit, the one beside it does.
    limits = np.round(np.union1d(steps, steps + 1) * step, 6).tolist()
    want = np.ones(len(found.learners), np.int64)

    def servable(limit: float) -> int:
        can = (others & ~removes(found.sides, rule, limit)) | found.pinned
        return want.size - deficiency(can.T, want, found.capacity).short

    low, high = 0, len(limits)
    while low < high:
        middle = (low + high) // 2
        if servable(limits[middle]) > doctor.served:
            high = middle
        else:
            low = middle + 1
    yield from limits[low:]


def _eased_limits(doctor: _Doctor) -> Iterator[tuple[str, float | None, _Found]]:
    """Yield the smallest easing of each cap and of the minimum load that helps."""
    limits = doctor.found.limits
    for at, cap in enumerate(limits.caps):
        others = limits.caps[:at], limits.caps[at + 1 :]
        for raised in range(1, _EASED + 1):
            eased = replace(cap, most=cap.most + raised)
            caps = (*others[0], eased, *others[1])
            if one := doctor.attempt(limits=replace(limits, caps=caps)):
                yield f"caps/{at}", eased.most, one
                break
        else:
            lifted = (*others[0], *others[1])
            if one := doctor.attempt(limits=replace(limits, caps=lifted)):
                yield f"caps/{at}", None, one
    for least in range(limits.least - 1, -1, -1):
        if one := doctor.attempt(limits=replace(limits, least=least)):
            yield "min_load", least, one
            break
