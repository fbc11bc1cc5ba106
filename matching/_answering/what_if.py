"""What would change if something were decided otherwise."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

import schemas
from matching._answering.changed import (
    AnyPair,
    ids,
    joined,
    placed,
    redecided,
    retold,
    without,
)
from matching._answering.match import match
from matching._errors import Finding, InvalidPolicy, InvalidProblem, Refused, refuse
from matching._input import findings
from matching._scoring.score import MICRO
from schemas import (
    Change,
    City,
    CityPoints,
    Difference,
    Pairing,
    Policy,
    Problem,
    Rules,
    ScoredPair,
    Solution,
    Weights,
    WhatIf,
)


def what_if(  # noqa: PLR0913 -- the contract's
    problem: Problem,
    policy: Policy | None = None,
    *,
    force: Iterable[AnyPair] = (),
    ban: Iterable[AnyPair] = (),
    remove: Iterable[str] = (),
    add: Iterable[City | Mapping[str, Any]] = (),
    weights: Weights | Mapping[str, float] | None = None,
    rules: Rules | Mapping[str, Any] | None = None,
) -> WhatIf:
    """Return the solution of a changed round, and what is different in it.

    Points are counted as each of the two rounds counts them: where weights change,
    scores change with them.

    Args:
        problem: The round.
        policy: Its policy; None: the default.
        force: Pairs that must be, as if pinned.
        ban: Pairs that must not be.
        remove: Ids of cities that leave, with all that names them.
        add: Cities that join.
        weights: The weights that change, others stay.
        rules: The rules that change, others stay; None or False switches one off.

    Raises:
        InvalidProblem: For unknown, doubled or wrong cities; pointers begin at `/add`
            or `/remove`.
        InvalidPolicy: For unknown ids or impossible values; pointers begin at `/force`,
            `/ban`, `/weights` or `/rules`.
        Infeasible: If nothing keeps the changed round.

    Examples:
        >>> from matching import Problem
        >>> def city(id, role, **areas):
        ...     return {"id": id, "name": id, "country": "BE", "roles": [role],
        ...             "areas": areas}
        >>> found = what_if(Problem.from_dict({"cities": [
        ...     city("ghent", "mentor", housing={"strength": 4}),
        ...     city("liege", "mentor", housing={"strength": 1}),
        ...     city("arlon", "learner", housing={"need": 4}),
        ... ]}), force=[("liege", "arlon")])
        >>> found.difference.points, found.difference.added[0].mentor
        (-26.25, 'liege')

    """
    change = _change(
        force=[_pair(pair) for pair in force],
        ban=[_pair(pair) for pair in ban],
        remove=remove if isinstance(remove, str) else list(remove),
        add=list(add),
        weights=weights,
        rules=rules,
    )
    before = match(problem, policy)
    return after(problem, policy or Policy(), before, change)


def after(problem: Problem, policy: Policy, before: Solution, change: Change) -> WhatIf:
    """Return the solution of the changed round, and what is different in it.

    Args:
        problem: The round.
        policy: Its policy.
        before: Its solution.
        change: What is decided otherwise.

    Raises:
        InvalidProblem, InvalidPolicy, Infeasible: As `what_if` does.

    """
    gone = set(change.remove)
    present = [city.id for city in problem.cities]
    refuse(InvalidProblem, _strangers("remove", change.remove, present))
    stay = [one for one in present if one not in gone]
    twice = (
        (f"/add/{at}/id", "duplicate", f"`{city.id}` is in the round already.")
        for at, city in enumerate(change.add)
        if city.id in {*stay, *(other.id for other in change.add[:at])}
    )
    refuse(InvalidProblem, twice)
    known = {*stay, *(city.id for city in change.add)}
    for field in ("force", "ban"):
        pairs = getattr(change, field)
        refuse(InvalidPolicy, _wrong_pairs(field, pairs, known))
    decided, origin = redecided(
        policy,
        gone=gone,
        pins=_places("force", change.force),
        bans=_places("ban", change.ban),
    )
    changed = _policy(
        decided,
        weights=change.weights.model_dump(exclude_unset=True),
        rules=change.rules.model_dump(exclude_unset=True),
    )
    try:
        solution = match(joined(without(problem, gone), change.add), changed)
    except Refused as error:
        raise retold(error, origin) from None
    relaxed = tuple(
        one.model_copy(update={"rule": placed(f"/{one.rule}", origin)[1:]})
        for one in solution.relaxations
    )
    solution = solution.model_copy(update={"relaxations": relaxed})
    return WhatIf(solution=solution, difference=difference(before, solution))


def _places(field: str, pairs: Iterable[schemas.Pair]) -> dict[tuple[str, str], str]:
    """Return where the caller gave each pair."""
    return {
        (pair.mentor, pair.learner): f"/{field}/{at}" for at, pair in enumerate(pairs)
    }


def _change(**fields: Any) -> Change:  # noqa: ANN401 -- whatever was given
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return Change(**given)
    except ValidationError as error:
        found = list(findings(error))
        of_cities = any(at.startswith(("/add", "/remove")) for at, _, _ in found)
        raise (InvalidProblem if of_cities else InvalidPolicy)(found) from None


def _pair(pair: AnyPair) -> Any:  # noqa: ANN401 -- `Change` looks at it
    """Return a pair as `Change` takes it."""
    if isinstance(pair, str | Mapping):
        return pair
    # A third one is refused like every field that is not known.
    return dict(zip(("mentor", "learner", "third"), ids(pair), strict=False))


def _strangers(
    field: str, named: Iterable[str], known: Iterable[str]
) -> Iterator[Finding]:
    there = set(known)
    for at, one in enumerate(named):
        if one not in there:
            yield f"/{field}/{at}", "unknown_city", f"No city has the id `{one}`."


def _wrong_pairs(
    field: str, pairs: Iterable[schemas.Pair], known: set[str]
) -> Iterator[Finding]:
    for at, pair in enumerate(pairs):
        for role in ("mentor", "learner"):
            if getattr(pair, role) not in known:
                message = f"No city has the id `{getattr(pair, role)}`."
                yield f"/{field}/{at}/{role}", "unknown_city", message
        if pair.mentor == pair.learner:
            message = "A city is never its own partner."
            yield f"/{field}/{at}/learner", "itself", message


def _policy(
    policy: Policy, weights: Mapping[str, Any], rules: Mapping[str, Any]
) -> Policy:
    """Return the policy with some of its weights and rules changed."""
    return policy.model_copy(
        update={
            "weights": Weights(**policy.weights.model_dump() | dict(weights)),
            "rules": Rules(**policy.rules.model_dump() | dict(rules)),
        }
    )


def difference(before: Solution, now: Solution) -> Difference:
    """Return what one solution has that the other has not."""
    old, new = (
        {(p.mentor, p.learner): p for p in one.pairings} for one in (before, now)
    )
    change: dict[str, int] = {}
    for pairs, sign in ((old, -1), (new, 1)):
        for pairing in pairs.values():
            learner = pairing.learner
            change[learner] = change.get(learner, 0) + sign * _micro(pairing)
    ordered = sorted(change.items(), key=lambda one: (-abs(one[1]), one[0]))
    moved = [
        CityPoints(city=city, points=points / MICRO)
        for city, points in ordered
        if points
    ]
    return Difference(
        added=_scored(new, old),
        removed=_scored(old, new),
        points=sum(change.values()) / MICRO,
        gains=tuple(one for one in moved if one.points > 0),
        losses=tuple(one for one in moved if one.points < 0),
    )


def _micro(pairing: Pairing) -> int:
    """Return a pairing's value in micro-points, adjustments included."""
    points = [pairing.score, *(one.points for one in pairing.adjustments)]
    return sum(round(one * MICRO) for one in points)


def _scored(
    some: Mapping[tuple[str, str], Pairing], others: Mapping[tuple[str, str], Pairing]
) -> tuple[ScoredPair, ...]:
    """Return the pairings that only the first has, by learner, then mentor."""
    return tuple(
        ScoredPair(mentor=mentor, learner=learner, score=pairing.score)
        for (mentor, learner), pairing in some.items()
        if (mentor, learner) not in others
    )
