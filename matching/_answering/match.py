"""The whole way from a problem and a policy to an explained solution."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version

import numpy as np

from matching._admissible import warnings
from matching._answering.conflict import solve
from matching._answering.doctor import relaxations
from matching._answering.explain import contributions
from matching._answering.firmness import check_trials, survival
from matching._answering.measure import measures
from matching._answering.prices import some_prices
from matching._arrays import Bools, Ints
from matching._canonical import policy_hash, problem_hash
from matching._round import Round
from matching._scoring.facts import Profile
from matching._scoring.score import MICRO
from matching._scoring.wishes import ROLES
from matching._solving.instance import Solved
from matching._version import __version__
from schemas import (
    Alternate,
    City,
    Pairing,
    Policy,
    Problem,
    Reason,
    Role,
    Solution,
    Unmatched,
    Warning,  # noqa: A004 -- the word of the contract
)

Progress = Callable[[str, int, int], None]
"""Called with the step, how much of it is done, and of how much."""

ALTERNATES = 3
"""Most alternates of a pairing."""


_CUT_SHORT = Warning(code="search_cut_short", rule="relaxations")


def _silent(step: str, done: int, of: int) -> None:
    """Tell nobody how far the engine is."""


def match(
    problem: Problem,
    policy: Policy | None = None,
    progress: Progress | None = None,
    *,
    trials: int = 0,
) -> Solution:
    """Return the best assignment under the policy, proven and explained.

    The answer depends on the arguments and the installed versions only: not on the
    order of the cities, on the clock, or on chance.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Objective, weights, rules, pins and bans; None: the default.
        progress: Called as (step, done, of); the steps are `scores`, `assignment` and
            `explanation`, then `firmness` if there are trials.
        trials: How many perturbed rounds are solved to tell how firm each pairing is,
            as `firmness` does; 0: none.

    Raises:
        InvalidPolicy: For unknown ids or what this version does not have.
        Infeasible: If a pin clashes with a rule, a veto, a ban or the places, or if
            nothing keeps all caps, loads and pins: with a smallest set that clashes.
        ValueError: If there are more than a million trials.

    Examples:
        >>> from matching import Problem
        >>> def city(id, role, **areas):
        ...     return {"id": id, "name": id, "country": "BE", "roles": [role],
        ...             "areas": areas}
        >>> solution = match(Problem.from_dict({"cities": [
        ...     city("ghent", "mentor", housing={"strength": 4}),
        ...     city("liege", "mentor", health={"strength": 4}),
        ...     city("arlon", "learner", housing={"need": 3}, health={"need": 1}),
        ... ]}))
        >>> [(pair.mentor, pair.learner, pair.score) for pair in solution.pairings]
        [('ghent', 'arlon', 54.71049)]

    """
    check_trials(trials)
    policy = policy or Policy()
    tell = progress or _silent
    tell("scores", 0, 1)
    found = Round(problem, policy)
    learners = len(found.learners)
    tell("assignment", 0, learners)
    solved = solve(found, lambda done: tell("assignment", done, learners))
    chosen = solved.chosen
    tell("explanation", 0, 1)
    with _no_collection():
        pairings = tuple(_pairings(found, solved))
    relaxed, all_tried = relaxations(found, solved)
    solution = Solution(
        pairings=pairings,
        unmatched=tuple(_unmatched(found, chosen)),
        relaxations=relaxed,
        warnings=warnings(
            [
                city
                for city in found.cities
                if city.mentor_capacity or city.learner_demand
            ],
            policy,
        )
        + (() if all_tried else (_CUT_SHORT,)),
        measures=measures(found, chosen),
        objective=policy.objective,
        engine=solved.engine,
        gap=solved.gap if solved.counts else solved.gap / MICRO,
        problem_hash=problem_hash(problem),
        policy_hash=policy_hash(policy),
        versions=_versions(),
        seed=policy.seed,
    )
    tell("explanation", 1, 1)
    if trials < 1:
        return solution
    shares = survival(found, solved, trials, lambda at: tell("firmness", at, trials))
    return solution.model_copy(
        update={
            "pairings": tuple(
                pairing.model_copy(update={"firmness": one.firmness})
                for pairing, one in zip(solution.pairings, shares, strict=True)
            )
        }
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the garbage collector back while only lasting objects are made.

    It would walk through everything the program holds, several times, and find
    nothing: at 1,000 × 1,000 that took a third of the whole time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _versions() -> dict[str, str]:
    used = ("numpy", "ortools", "scikit-learn", "scipy")
    return {"compaan": __version__} | {name: version(name) for name in used}


def _pairings(found: Round, solved: Solved) -> Iterator[Pairing]:
    """Yield the pairings by learner, then mentor."""
    chosen = solved.chosen
    columns, rows = np.nonzero(chosen.T)
    givers = {row: Profile(found.mentors[row]) for row in np.unique(rows).tolist()}
    takers = {at: Profile(found.learners[at]) for at in np.unique(columns).tolist()}
    places = list(zip(rows.tolist(), columns.tolist(), strict=True))
    explained = contributions(
        found.scores, rows, columns, [(givers[row], takers[at]) for row, at in places]
    )
    others = _alternates(found, solved, np.unique(columns))
    for (row, column), (parts, known_weight) in zip(places, explained, strict=True):
        mentor, learner = found.mentors[row].id, found.learners[column].id
        yield Pairing(
            mentor=mentor,
            learner=learner,
            score=int(found.scores.total[row, column]) / MICRO,
            known_weight=known_weight,
            pinned=bool(found.pinned[row, column]),
            firmness=None,
            adjustments=found.adjustments(mentor, learner),
            contributions=parts,
            alternates=others[column],
        )


def _alternates(
    found: Round, solved: Solved, columns: Ints
) -> dict[int, tuple[Alternate, ...]]:
    """Return each learner's best admissible mentors besides its own, ties by id."""
    mentors = len(found.mentors)
    # A line per learner: partitions want their line in one piece.
    rank = np.ascontiguousarray(found.scores.total.T[columns]) * mentors
    # The earlier mentor wins a tie; what is out of question comes last.
    rank += np.arange(mentors)[::-1]
    rank[(~found.admissible | solved.chosen).T[columns]] = -1
    count = min(ALTERNATES, mentors)
    best = np.argpartition(rank, mentors - count, axis=1)[:, mentors - count :]
    keys = np.take_along_axis(rank, best, axis=1)
    order = np.argsort(-keys, axis=1)
    best, keys = (np.take_along_axis(table, order, axis=1) for table in (best, keys))
    rows = [
        [row for row, key in zip(*line, strict=True) if key >= 0]
        for line in zip(best.tolist(), keys.tolist(), strict=True)
    ]
    listed = dict(zip(columns.tolist(), rows, strict=True))
    price = some_prices(
        found, solved, [(row, at) for at, rows in listed.items() for row in rows]
    )
    return {
        column: tuple(
            Alternate(
                mentor=found.mentors[row].id,
                score=int(found.scores.total[row, column]) / MICRO,
                price=price[row, column],
            )
            for row in rows
        )
        for column, rows in listed.items()
    }


def _unmatched(found: Round, chosen: Bools) -> Iterator[Unmatched]:
    """Yield every learner below its demand and every mentor with no learner, by id."""
    sides: dict[Role, tuple[Sequence[City], int, Ints, Ints]] = {
        "mentor": (found.mentors, 0, found.capacity, chosen.sum(axis=1)),
        "learner": (found.learners, 1, found.demand, chosen.sum(axis=0)),
    }
    rows = []
    shut = found.limits.full(chosen)
    # With both sides free and no cap in the way, only a minimum load keeps these apart.
    useful = (found.worth > 0) & (found.limits.least > 0)
    for role, other in zip(ROLES, ROLES[::-1], strict=True):
        cities, axis, places, taken = sides[role]
        _, _, other_places, other_taken = sides[other]
        full = other_taken >= other_places
        closed = [
            city.id
            for city in found.cities
            if other in city.roles and not city.places(other)
        ]
        short = (taken == 0) if role == "mentor" else (taken < places)
        for at in np.flatnonzero(short).tolist():
            partners = ~(found.apart | chosen).take(at, axis=axis)
            admissible = found.admissible.take(at, axis=axis) & partners
            counts = {
                name: int(np.count_nonzero(mask.take(at, axis=axis) & partners))
                for name, mask in found.removed.items()
            }
            counts["role"] = sum(city != cities[at].id for city in closed)
            considered = int(np.count_nonzero(partners)) + counts["role"]
            left: Bools = np.asarray(admissible)
            for code, mask in (
                ("all_places_taken", full),
                ("caps", shut.take(at, axis=axis)),
                ("min_load", useful.take(at, axis=axis)),
            ):
                counts[code] = int(np.count_nonzero(left & mask))
                left = left & ~mask
            counts["no_partner"] = int(np.count_nonzero(left))
            rows.append(
                Unmatched(
                    city=cities[at].id,
                    role=role,
                    missing=int(places[at] - taken[at]),
                    partners_considered=considered,
                    reasons=tuple(
                        Reason(code=code, partners=count)
                        for code, count in counts.items()
                        if count or (code == "no_partner" and not considered)
                    ),
                )
            )
    yield from sorted(rows, key=lambda row: (row.city, row.role))
