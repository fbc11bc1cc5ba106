"""Mending pairings after a withdrawal or a decline, with the least disturbance."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from sys import maxsize
from typing import Any

import numpy as np

from matching._answering.changed import AnyPair, Pairs, ids, redecided, retold, without
from matching._answering.conflict import Agreed, conflict, solve
from matching._answering.standing import Standing, levels, ranked
from matching._arrays import Bools
from matching._errors import Finding, Infeasible, InvalidProblem, Refused
from matching._round import Round
from matching._scoring.score import MICRO
from matching._scoring.wishes import ROLES
from schemas import Drill, DropOut, Pair, Policy, Problem, Repair, ScoredPair

_Wrong = Callable[[str, tuple[str, ...]], Iterable[Finding]]
"""Returns what is wrong with a pair that the caller gave at this place."""


def repair(  # noqa: PLR0913 -- the contract's
    problem: Problem,
    policy: Policy | None,
    pairs: Iterable[AnyPair],
    *,
    gone: Iterable[str] = (),
    declined: Iterable[AnyPair] = (),
    keep: Iterable[AnyPair] = (),
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
        gone: Ids of cities that have withdrawn, paired or not.
        declined: (mentor id, learner id) of pairs that will not be.
        keep: Those of the pairings that no repair may undo, as where both cities have
            said yes; one that is gone or declined is broken all the same.
        limit: Most repairs.

    Raises:
        InvalidProblem: If a pair names an unknown city that is not gone, or stands
            twice; likewise for what is declined. If what is to be kept does not stand.
        InvalidPolicy: As `match` does.
        Infeasible: If nothing keeps the policy, and what is to be kept, without what
            broke.
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
    limit = min(limit, maxsize)
    pairings, left, refused, held = _checked(problem, pairs, gone, declined, keep)
    broken = [pair for pair in pairings if pair in refused or left & {*pair}]
    there = {city.id for city in problem.cities} - left
    changed, origin = redecided(
        policy or Policy(),
        gone=left,
        lifted=refused,
        bans={
            pair: f"/declined/{at}"
            for at, pair in enumerate(refused)
            if there.issuperset(pair)
        },
    )
    try:
        found = Round(
            without(problem, left), changed.model_copy(update={"objective": "total"})
        )
    except Refused as error:
        raise retold(error, origin) from None
    bench = _Bench(
        found,
        [pair for pair in pairings if pair not in broken],
        _places(
            found,
            {f"/keep/{at}": pair for at, pair in enumerate(held) if pair not in broken},
        ),
    )
    standing = bench.standing
    by_changes = levels(standing)
    # Half of the list is for what undoes more, half for what else undoes nothing.
    repairs = list(islice(by_changes, max(1, (limit + 1) // 2)))
    if not repairs:
        raise retold(Infeasible(conflict(found, bench.agreed)), origin)
    if not standing.undone(repairs[0]):
        first = repairs[0].tobytes()
        others = (one for one in ranked(standing) if one.tobytes() != first)
        repairs += islice(others, max(limit - len(repairs), 0))
    repairs += islice(by_changes, max(limit - len(repairs), 0))
    return sorted(
        (bench.told(chosen, broken) for chosen in repairs[:limit]),
        key=lambda one: (one.changes, -one.points),
    )


def _checked(
    problem: Problem,
    pairs: Iterable[AnyPair],
    gone: Iterable[str] = (),
    declined: Iterable[AnyPair] = (),
    keep: Iterable[AnyPair] = (),
) -> tuple[
    list[tuple[str, str]], set[str], list[tuple[str, str]], list[tuple[str, str]]
]:
    """Return pairs, cities gone, pairs declined and kept, or raise `InvalidProblem`."""
    if isinstance(gone, str):
        raise InvalidProblem([("/gone", "ids", "Name cities by a list of ids.")])
    left = set(gone)
    here = {city.id for city in problem.cities}
    findings: list[Finding] = []

    def read(field: str, some: Iterable[AnyPair], wrong: _Wrong) -> list[Any]:
        seen: list[tuple[str, ...]] = []
        for at, pair in enumerate(map(ids, some)):
            place = f"/{field}/{at}"
            if len(pair) != len(ROLES):
                message = "A pair is a mentor's id and a learner's id."
                findings.append((place, "pair", message))
                continue
            findings.extend(wrong(place, pair))
            if pair in seen:
                message = "This pair stands higher up already: remove one of the two."
                findings.append((place, "duplicate", message))
            seen.append(pair)
        return seen

    pairings = read("pairs", pairs, partial(_wrong_cities, here | left))
    known = here.union(left, *pairings)
    refused = read("declined", declined, partial(_wrong_cities, known))
    held = read("keep", keep, partial(_not_standing, pairings))
    if findings:
        raise InvalidProblem(findings)
    return pairings, left, refused, held


def _wrong_cities(
    known: set[str], place: str, pair: tuple[str, ...]
) -> Iterator[Finding]:
    for role, city in zip(ROLES, pair, strict=True):
        if city not in known:
            yield f"{place}/{role}", "unknown_city", f"No city has the id `{city}`."
    if pair[0] == pair[1]:
        yield f"{place}/learner", "itself", "A city is never its own partner."


def _not_standing(
    pairings: Pairs, place: str, pair: tuple[str, ...]
) -> Iterator[Finding]:
    if pair not in pairings:
        message = "Only what stands can be kept: add the pair to `pairs`, or remove it."
        yield place, "not_standing", message


def _places(
    found: Round, keep: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[int, int]]:
    """Return row and column of each pair that is to be kept.

    Raises:
        Infeasible: If one of its cities has no place in its role any more.

    """
    findings: list[Finding] = []
    for pointer, pair in keep.items():
        says = f"The pairing to keep {' – '.join(pair)} clashes with the roles"
        for role, city, there in zip(
            ROLES, pair, (found.row, found.column), strict=True
        ):
            if city not in there:
                message = f"{says}: {city} has no place as a {role}."
                findings.append((f"{pointer}/{role}", "role", message))
    if findings:
        raise Infeasible(findings)
    return {
        pointer: (found.row[mentor], found.column[learner])
        for pointer, (mentor, learner) in keep.items()
    }


class _Bench:
    """A round without what broke, and the pairings that stand in it.

    Args:
        found: The round.
        pairs: (mentor id, learner id) of what is not broken.
        keep: Those that must stay, as `Agreed` has them.

    Attributes:
        standing: The same as numbers.
        agreed: The same as `conflict` takes it.
        homeless: Pairs of which a city has no place in its role any more.

    """

    def __init__(
        self, found: Round, pairs: Pairs, keep: Mapping[str, tuple[int, int]]
    ) -> None:
        self.found = found
        kept: Bools = np.zeros(found.worth.shape, np.bool_)
        self.homeless = []
        for pair in pairs:
            place = found.place(*pair)
            if place is None:
                self.homeless.append(pair)
            else:
                kept[place] = True
        pinned = found.pinned.copy()
        for place in keep.values():
            pinned[place] = True
        self.standing = Standing(replace(found.instance(), pinned=pinned), kept)
        self.agreed = Agreed(kept, keep)

    def told(self, chosen: Bools, broken: Pairs) -> Repair:
        """Return a repair as it travels."""
        found, standing = self.found, self.standing
        undone, added = standing.kept & ~chosen, chosen & ~standing.kept
        homeless = tuple(
            ScoredPair(mentor=mentor, learner=learner, score=0)
            for mentor, learner in self.homeless
        )
        served: Bools = np.logical_or.reduce(chosen, axis=0)
        return Repair(
            changes=len(broken) + int(undone.sum()) + len(homeless),
            points=(standing.value(added) - standing.value(undone)) / MICRO,
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


def drill(
    problem: Problem,
    policy: Policy | None = None,
    pairs: Iterable[AnyPair] | None = None,
) -> Drill:
    """Return what happens if a city leaves, for every city that is paired.

    The rest is mended as the first repair does: what stands is kept as far as can be,
    and free places are filled with the most points. The fragile ones come first, then
    those that cost most.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Weights, rules, caps, pins and bans; None: the default.
        pairs: The pairings, likewise as `repair` takes them; None: those of the best
            assignment.

    Raises:
        InvalidProblem: If a pair names a city that is unknown or has no place in its
            role, or stands twice.
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
        pairings = [
            (found.mentors[row].id, found.learners[column].id)
            for row, column in np.argwhere(chosen).tolist()
        ]
    else:
        pairings, *_ = _checked(problem, pairs)
    bench = _Bench(found, pairings, keep={})
    if bench.homeless:
        message = "One of the two has no place in its role."
        raise InvalidProblem(
            [(f"/pairs/{pairings.index(p)}", "role", message) for p in bench.homeless]
        )
    cities = sorted({city for pair in pairings for city in pair})
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
    found, standing = bench.found, bench.standing
    mentors = np.array([one.id != city for one in found.mentors], np.bool_)
    learners = np.array([one.id != city for one in found.learners], np.bool_)
    stays = np.zeros_like(standing.kept)
    part = np.ix_(mentors, learners)
    best = next(levels(standing.part(mentors, learners)), None)
    stays[part] = standing.kept[part] if best is None else best
    served, before = stays.any(axis=0), standing.kept.any(axis=0)
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
            for pair in bench.scored(standing.kept & ~stays)
        ),
        added=bench.scored(stays & ~standing.kept),
        points=(standing.value(stays) - standing.value(standing.kept)) / MICRO,
        unserved=unserved,
        areas=areas,
        keeps_policy=best is not None,
        fragile=bool(unserved or areas or best is None),
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
