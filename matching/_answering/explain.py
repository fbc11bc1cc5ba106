"""Why a pair scores what it scores, and the best partners of one city."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

import numpy as np

from matching._admissible import check, removed
from matching._arrays import Bools, Ints
from matching._errors import InvalidProblem
from matching._rules import Sides
from matching._scoring.credit import Credit
from matching._scoring.facts import Profile, facts
from matching._scoring.score import MICRO, Scores
from matching._scoring.wishes import ROLES, Wishes
from schemas import City, Contribution, Explanation, Policy, Problem, Role


def contributions(
    scores: Scores, rows: Ints, columns: Ints, pairs: Sequence[tuple[Profile, Profile]]
) -> Iterator[tuple[tuple[Contribution, ...], float]]:
    """Yield each pair's contributions and how many points could be known.

    Args:
        scores: The tables to read from.
        rows: The mentor's row, one per pair.
        columns: The learner's column, one per pair.
        pairs: Mentor and learner, one per pair.

    """
    at = rows, columns
    read = [
        (
            name,
            table.weight,
            table.values[at].tolist(),
            table.points(at).tolist(),
            table.known[at].tolist(),
        )
        for name, table in scores.tables.items()
    ]
    for place, (mentor, learner) in enumerate(pairs):
        parts = tuple(
            Contribution(
                criterion=name,
                weight=weight / MICRO,
                value=values[place] / MICRO,
                points=points[place] / MICRO,
                known=known[place],
                facts=facts(name, mentor, learner, known=known[place]),
            )
            for name, weight, values, points, known in read
        )
        known_weight = sum(weight for _, weight, _, _, known in read if known[place])
        yield parts, known_weight / MICRO


def _explanations(
    problem: Problem, policy: Policy, mentors: Sequence[City], learners: Sequence[City]
) -> Iterator[Explanation]:
    """Yield an explanation of every pair of one side with the other, in their order."""
    check(problem, policy)
    scores = Scores(mentors, learners, policy.weights)
    masks = removed(Sides(mentors, learners, problem, scores.total), policy)
    wishes = Wishes(problem.wishes)
    credit = Credit(problem.left_out, policy.left_out_credit)
    rows, columns = np.indices(scores.total.shape).reshape(2, -1)
    givers, takers = ([Profile(city) for city in side] for side in (mentors, learners))
    pairs = [
        (givers[row], takers[column]) for row, column in zip(rows, columns, strict=True)
    ]
    explained = contributions(scores, rows, columns, pairs)
    for row, column, (parts, known_weight) in zip(
        rows, columns, explained, strict=True
    ):
        mentor, learner = mentors[row], learners[column]
        excluded = [name for name, mask in masks.items() if mask[row, column]]
        if not (mentor.mentor_capacity and learner.learner_demand):
            excluded.append("role")
        yield Explanation(
            mentor=mentor.id,
            learner=learner.id,
            score=int(scores.total[row, column]) / MICRO,
            known_weight=known_weight,
            adjustments=(
                *wishes.fulfilled(mentor.id, learner.id),
                *credit.given(mentor.id, learner.id),
            ),
            contributions=parts,
            excluded_by=tuple(excluded),
        )


def _city(problem: Problem, name: str, given: str) -> City:
    for city in problem.cities:
        if city.id == given:
            return city
    raise InvalidProblem(
        [(f"/{name}", "unknown_city", f"No city has the id `{given}`.")]
    )


def explain(
    problem: Problem, policy: Policy, *, mentor: str, learner: str
) -> Explanation:
    """Return one pair's score with its reasons, whether or not it is admissible.

    Raises:
        InvalidProblem: If there is no such city, or both are the same.
        InvalidPolicy: As `match` does.

    """
    sides = _city(problem, "mentor", mentor), _city(problem, "learner", learner)
    if mentor == learner:
        message = "A city is never its own partner."
        raise InvalidProblem([("/learner", "itself", message)])
    return next(_explanations(problem, policy, [sides[0]], [sides[1]]))


def suggest(
    problem: Problem,
    city: str,
    role: Role = "mentor",
    limit: int = 5,
    policy: Policy | None = None,
) -> list[Explanation]:
    """Return the best partners of one city, as if nobody else were looking.

    Args:
        problem: The cities to choose from.
        city: Who is looking; it need not have a place of its own.
        role: What is looked for: `mentor` or `learner`, with at least one place.
        limit: Most suggestions.
        policy: Weights and hard rules; None: the default.

    Raises:
        InvalidProblem: If there is no such city.
        InvalidPolicy: As `match` does.
        ValueError: If `role` or `limit` is not what it must be.

    """
    if role not in ROLES:
        raise ValueError(f"role must be one of {ROLES}, not {role!r}")
    if limit < 0:
        raise ValueError(f"limit must not be negative: {limit}")
    asking = [_city(problem, "city", city)]
    offered = [
        other
        for other in sorted(problem.cities, key=lambda other: other.id)
        if other.id != city and other.places(role)
    ]
    sides = (offered, asking) if role == "mentor" else (asking, offered)
    policy = policy or Policy()
    check(problem, policy)
    scores = Scores(*sides, policy.weights).total
    masks = removed(Sides(*sides, problem, scores), policy)
    barred: Bools = reduce(or_, masks.values(), np.zeros(scores.shape, np.bool_))
    # Only the best are explained; of equals the first by id, in which they stand.
    order = np.argsort(-scores.ravel(), kind="stable")
    best = [offered[at] for at in order[~barred.ravel()[order]][:limit]]
    sides = (best, asking) if role == "mentor" else (asking, best)
    return list(_explanations(problem, policy, *sides))
