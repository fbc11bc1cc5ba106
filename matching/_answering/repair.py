"""Mending pairings after a withdrawal or a decline, with the least disturbance."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush
from itertools import count, islice

import numpy as np

from matching._answering.changed import AnyPair, Pairs, ids, undecided, without
from matching._answering.conflict import conflict, solve
from matching._arrays import Bools
from matching._errors import Finding, Infeasible, InvalidProblem
from matching._round import Round
from matching._scoring.score import MICRO
from matching._solving.branched import TooHard
from matching._solving.circulation import Impossible
from matching._solving.instance import Instance
from schemas import (
    Decision,
    Drill,
    DropOut,
    Pair,
    Policy,
    Problem,
    Repair,
    ScoredPair,
)

_MOST_PAIRS = 10_000
"""Up to so many mentors × learners, all repairs that undo standing pairings and bring
more points are found; above, those that no mixture of two others could equal."""
_MOST_TRIES = 200
"""Most repairs that are looked at beside the best of each number of changes."""


def repair(  # noqa: PLR0913 -- the contract's
    problem: Problem,
    policy: Policy | None,
    pairs: Iterable[AnyPair],
    *,
    gone: Iterable[str] = (),
    declined: Iterable[AnyPair] = (),
    limit: int = 5,
) -> list[Repair]:
    """Return ways to mend the pairings: fewest changes first, then most points.

    What still stands is kept as long as can be: a repair that undoes more is listed
    only if it brings more points than any that undoes less. Beside the best for each
    number of changes, the list holds the next best that undo nothing. None of them
    leaves a pair open that could simply be added, and none makes a declined pair again.
    The policy's objective plays no part; its rules, caps, pins and bans do, but a
    pairing that stands was agreed to and stays admissible.

    Args:
        problem: The cities as they are now: with newcomers, with or without those that
            are gone.
        policy: Weights, rules, caps, pins and bans; None: the default.
        pairs: The pairings that stand, as (mentor id, learner id) or as they come from
            a solution.
        gone: Ids of cities that have withdrawn.
        declined: (mentor id, learner id) of pairs that will not be.
        limit: Most repairs.

    Raises:
        InvalidProblem: If a pair names an unknown city that is not gone, or stands
            twice.
        InvalidPolicy: As `match` does.
        Infeasible: If nothing keeps the policy without what broke.
        ValueError: If `limit` is negative.

    Examples:
        >>> from matching import Policy, Problem
        >>> def city(id, role):
        ...     return {"id": id, "name": id, "country": "IT", "roles": [role],
        ...             "areas": {"contact": {"need": 2, "strength": 3}}}
        >>> now = Problem.from_dict({"cities": [
        ...     city("mechelen", "mentor"), city("capaci", "learner")]})
        >>> best, = repair(now, None, [("mechelen", "partinico")], gone=["partinico"])
        >>> best.changes, [(pair.mentor, pair.learner) for pair in best.added]
        (1, [('mechelen', 'capaci')])

    """
    if limit < 0:
        raise ValueError(f"limit must not be negative: {limit}")
    standing = _both(pairs)
    left = set(gone)
    refused = set(_both(declined))
    _check(problem, standing, left)
    broken = [pair for pair in standing if pair in refused or left & {pair[0], pair[1]}]
    policy = undecided(policy or Policy(), left, refused)
    bans = [
        Decision(mentor=mentor, learner=learner) for mentor, learner in sorted(refused)
    ]
    there = {city.id for city in problem.cities} - left
    policy = policy.model_copy(
        update={
            "bans": (
                *policy.bans,
                *(ban for ban in bans if {ban.mentor, ban.learner} <= there),
            ),
            "objective": "total",
        }
    )
    bench = _Bench(
        Round(without(problem, left), policy),
        [pair for pair in standing if pair not in broken],
    )
    levels = _levels(bench)
    # Half of the list is for what undoes more, half for what else undoes nothing.
    found = list(islice(levels, max(1, (limit + 1) // 2)))
    if not found:
        raise Infeasible(conflict(bench.found))
    seen = {found[0].tobytes()}
    if not bench.undone(found[0]):
        others = (one for one in _ranked(bench) if one.tobytes() not in seen)
        found += islice(others, max(limit - len(found), 0))
    found += islice(levels, max(limit - len(found), 0))
    return sorted(
        (bench.told(chosen, broken) for chosen in found[:limit]),
        key=lambda one: (one.changes, -one.points),
    )


def _both(pairs: Iterable[AnyPair]) -> list[tuple[str, str]]:
    """Return the pairs as (mentor id, learner id)."""
    return [(mentor, learner) for mentor, learner in map(ids, pairs)]


def _check(
    problem: Problem, standing: list[tuple[str, str]], gone: Collection[str]
) -> None:
    known = {city.id for city in problem.cities} | set(gone)
    findings: list[Finding] = []
    for at, pair in enumerate(standing):
        findings += [
            (f"/pairs/{at}/{role}", "unknown_city", f"No city has the id `{city}`.")
            for role, city in zip(("mentor", "learner"), pair, strict=True)
            if city not in known
        ]
        if pair in standing[:at]:
            message = "This pair stands higher up already: remove one of the two."
            findings.append((f"/pairs/{at}", "duplicate", message))
    if findings:
        raise InvalidProblem(findings)


class _Bench:
    """A round without what broke, and the pairings that stand in it.

    Args:
        found: The round.
        standing: (mentor id, learner id) of what is not broken.

    """

    def __init__(self, found: Round, standing: Pairs) -> None:
        self.found = found
        self.kept: Bools = np.zeros(found.worth.shape, np.bool_)
        self.homeless = []
        for pair in standing:
            place = found.place(*pair)
            if place is None:
                self.homeless.append(pair)
            else:
                self.kept[place] = True
        self.instance = replace(found.instance(), allowed=found.admissible | self.kept)

    @cached_property
    def undisturbed(self) -> Instance:
        """The instance in which all that stands must stay."""
        return replace(self.instance, pinned=self.found.pinned | self.kept)

    def fits(self, pinned: Bools) -> bool:
        """Tell whether everybody has places enough for these pairs."""
        return bool(
            (pinned.sum(axis=1) <= self.found.capacity).all()
            and (pinned.sum(axis=0) <= self.found.demand).all()
        )

    def value(self, chosen: Bools) -> int:
        """Return the micro-points of these pairs, wishes included."""
        return int(self.found.worth[chosen].sum())

    def solved(self, instance: Instance) -> Bools | None:
        """Return the pairs with the most points, or None if nothing is possible."""
        if not self.fits(instance.pinned):
            return None
        try:
            return instance.solve("total").chosen
        except (Impossible, TooHard):
            return None

    def solved_part(self, mentors: Bools, learners: Bools) -> Bools | None:
        """Return the best pairs of some cities alone, of whose own all stay."""
        instance = self.undisturbed.part(mentors, learners)
        try:
            return instance.solve("total").chosen
        except (Impossible, TooHard):
            return None

    @property
    def ceiling(self) -> int:
        """More than the value of any assignment."""
        most = int(min(self.found.capacity.sum(), self.found.demand.sum()))
        return most * int(self.found.worth.max(initial=0)) + 1

    def undone(self, chosen: Bools) -> int:
        """Return how many standing pairings are not among these."""
        return int(np.count_nonzero(self.kept & ~chosen))

    def weighted(self, points: int, stay: int) -> Bools | None:
        """Return the best pairs where standing ones count for more; None if none is.

        Args:
            points: What a micro-point counts.
            stay: What a standing pairing counts besides.

        """
        worth = points * self.found.worth + stay * self.kept
        return self.solved(replace(self.instance, worth=worth))

    def told(self, chosen: Bools, broken: Pairs) -> Repair:
        """Return a repair as it travels."""
        found = self.found
        undone, added = self.kept & ~chosen, chosen & ~self.kept
        homeless = tuple(
            ScoredPair(mentor=mentor, learner=learner, score=0)
            for mentor, learner in self.homeless
        )
        served: Bools = np.logical_or.reduce(chosen, axis=0)
        return Repair(
            changes=len(broken) + int(undone.sum()) + len(homeless),
            points=(self.value(added) - self.value(undone)) / MICRO,
            broken=tuple(
                Pair(mentor=mentor, learner=learner)
                for mentor, learner in sorted(broken, key=lambda pair: pair[::-1])
            ),
            undone=(*self.scored(undone), *homeless),
            added=self.scored(added),
            pairings=self.scored(chosen),
            unserved=tuple(
                city.id
                for city, one in zip(found.learners, served, strict=True)
                if not one
            ),
        )

    def scored(self, pairs: Bools) -> tuple[ScoredPair, ...]:
        """Return pairs with their scores, by learner, then mentor."""
        found = self.found
        columns, rows = np.nonzero(pairs.T)
        return tuple(
            ScoredPair(
                mentor=found.mentors[row].id,
                learner=found.learners[column].id,
                score=int(found.scores.total[row, column]) / MICRO,
            )
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        )


def _levels(bench: _Bench) -> Iterator[Bools]:
    """Yield the best assignment for each number of undone pairings that brings more.

    Those on the upper hull of points over changes are flows, in which a standing
    pairing brings so much more (Everett, Operations Research 11, 1963: what is best at
    a price is best at its own number of changes). Those between are integer programs.
    """
    last = bench.solved(bench.undisturbed)
    if last is None:
        last = bench.weighted(1, bench.ceiling)
    most = bench.weighted(int(bench.kept.sum()) + 1, 1)
    if last is None or most is None:
        return
    yield last
    for corner in (*_corners(bench, last, most), most):
        if bench.kept.size <= _MOST_PAIRS:
            for undone in range(bench.undone(last) + 1, bench.undone(corner)):
                chosen = bench.instance.solve_keeping(bench.kept, undone)
                if chosen is not None and bench.value(chosen) > bench.value(last):
                    last = chosen
                    yield chosen
        if bench.value(corner) > bench.value(last):
            last = corner
            yield corner


def _corners(bench: _Bench, left: Bools, right: Bools) -> Iterator[Bools]:
    """Yield the corners of the upper hull between two of them, fewest undone first."""
    more_undone = bench.undone(right) - bench.undone(left)
    more_points = bench.value(right) - bench.value(left)
    if more_undone <= 1 or more_points <= 0:
        return
    corner = bench.weighted(more_undone, more_points)
    if corner is None:
        return

    def height(chosen: Bools) -> int:
        return more_undone * bench.value(chosen) - more_points * bench.undone(chosen)

    if height(corner) > height(left):
        yield from _corners(bench, left, corner)
        yield corner
        yield from _corners(bench, corner, right)


@dataclass(frozen=True, order=True)
class _Branch:
    """A part of all assignments, by what must and must not be in it."""

    loss: int
    number: int
    chosen: Bools
    instance: Instance


def _ranked(bench: _Bench) -> Iterator[Bools]:
    """Yield the assignments that undo nothing, the one with most points first.

    What is left after the best one is divided into parts by its pairs: all before one
    are in, that one is out (Murty, Operations Research 16, 1968; Lawler, Management
    Science 18, 1972). Assignments to which a pair could simply be added are left out.
    """
    number = count()
    branches: list[_Branch] = []

    def grow(instance: Instance) -> None:
        chosen = bench.solved(instance)
        if chosen is not None:
            branch = _Branch(-bench.value(chosen), next(number), chosen, instance)
            heappush(branches, branch)

    grow(bench.undisturbed)
    for _ in range(_MOST_TRIES):
        if not branches:
            return
        branch = heappop(branches)
        if not _open(bench, branch.chosen).any():
            yield branch.chosen
        pinned = branch.instance.pinned.copy()
        for place in np.argwhere(branch.chosen & ~pinned).tolist():
            allowed = branch.instance.allowed.copy()
            allowed[tuple(place)] = False
            grow(replace(branch.instance, allowed=allowed, pinned=pinned.copy()))
            pinned[tuple(place)] = True


def _open(bench: _Bench, chosen: Bools) -> Bools:
    """Return the pairs that bring points and could simply be added."""
    found = bench.found
    free = bench.instance.allowed & ~chosen & (found.worth > 0)
    free &= (chosen.sum(axis=1) < found.capacity)[:, np.newaxis]
    free &= chosen.sum(axis=0) < found.demand
    if found.limits and free.any():
        for place in np.argwhere(free).tolist():
            more = chosen.copy()
            more[tuple(place)] = True
            held = replace(bench.instance, allowed=more, pinned=more)
            free[tuple(place)] = held.is_possible()
    return free


def drill(
    problem: Problem,
    policy: Policy | None = None,
    pairs: Iterable[AnyPair] | None = None,
) -> Drill:
    """Return what happens if a city leaves, for every city that is paired.

    The rest keeps its pairings; free places are filled with the most points. The
    fragile ones come first, then those that cost most.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Weights, rules, caps, pins and bans; None: the default.
        pairs: The pairings, likewise as `repair` takes them; None: those of the best
            assignment.

    Raises:
        InvalidProblem: If a pair names an unknown city, or stands twice.
        InvalidPolicy: As `match` does.
        Infeasible: As `match` does.

    Examples:
        >>> from matching import Problem
        >>> def city(id, role):
        ...     return {"id": id, "name": id, "country": "IT", "roles": [role],
        ...             "areas": {"contact": {"need": 2, "strength": 3}}}
        >>> first, *_ = drill(Problem.from_dict({"cities": [
        ...     city("mechelen", "mentor"), city("capaci", "learner")]})).items
        >>> first.city, first.unserved, first.areas
        ('mechelen', ('capaci',), ('contact',))

    """
    found = Round(problem, policy or Policy())
    if pairs is None:
        chosen = solve(found).chosen
        standing = [
            (found.mentors[row].id, found.learners[column].id)
            for row, column in np.argwhere(chosen).tolist()
        ]
    else:
        standing = _both(pairs)
    _check(problem, standing, ())
    bench = _Bench(found, standing)
    cities = sorted({city for pair in standing for city in pair})
    items = [_left(bench, city) for city in cities]
    return Drill(
        items=tuple(
            sorted(
                items,
                key=lambda one: (
                    not one.fragile,
                    -len(one.unserved),
                    one.points,
                    one.city,
                ),
            )
        )
    )


def _left(bench: _Bench, city: str) -> DropOut:
    """Return what happens if this city leaves."""
    found = bench.found
    mentors = np.array([one.id != city for one in found.mentors], np.bool_)
    learners = np.array([one.id != city for one in found.learners], np.bool_)
    stays = np.zeros_like(bench.kept)
    part = np.ix_(mentors, learners)
    best = bench.solved_part(mentors, learners)
    stays[part] = bench.kept[part] if best is None else best
    served, before = stays.any(axis=0), bench.kept.any(axis=0)
    unserved = tuple(
        one.id
        for one, lost in zip(found.learners, before & ~served & learners, strict=True)
        if lost
    )
    areas = _lost_areas(found, city)
    return DropOut(
        city=city,
        broken=tuple(
            Pair(mentor=pair.mentor, learner=pair.learner)
            for pair in bench.scored(bench.kept & ~stays)
        ),
        added=bench.scored(stays & ~bench.kept),
        points=(bench.value(stays) - bench.value(bench.kept)) / MICRO,
        unserved=unserved,
        areas=areas,
        fragile=bool(unserved or areas),
    )


def _lost_areas(found: Round, city: str) -> tuple[str, ...]:
    """Return the areas that some learner needs and this mentor alone is strong in."""
    strong, needed = set[str](), set[str]()
    mine: dict[str, int] = {}
    for mentor in found.mentors:
        if mentor.id == city:
            mine = mentor.levels("strength")
        else:
            strong |= mentor.levels("strength").keys()
    for learner in found.learners:
        if learner.id != city:
            needed |= learner.levels("need").keys()
    return tuple(area for area in mine if area in needed - strong)
