"""Whether a round can be matched well, before anybody matches it."""

from collections.abc import Iterator
from functools import reduce
from operator import or_

import numpy as np

from matching._answering.conflict import shortage, solve
from matching._answering.doctor import relaxations
from matching._arrays import Bools
from matching._errors import Infeasible
from matching._round import Round
from schemas import (
    AREA_IDS,
    AreaBalance,
    City,
    Finding,
    Policy,
    Problem,
    Readiness,
    Relaxation,
    RuleBite,
)


def readiness(problem: Problem, policy: Policy | None = None) -> Readiness:
    """Return supply and demand, what the rules remove, and what stands in the way.

    Args:
        problem: The cities with their wishes, vetoes and history.
        policy: Whose rules, limits, pins and bans are looked at; None: the default.

    Raises:
        InvalidPolicy: As `match` does.

    """
    policy = policy or Policy()
    clashes: list[Finding] = []
    relaxed: tuple[Relaxation, ...] = ()
    try:
        found = Round(problem, policy)
    except Infeasible as error:
        clashes = [Finding(code="clash", message=say) for _, _, say in error.errors]
        found = Round(problem, policy.model_copy(update={"pins": ()}))
    else:
        try:
            relaxed, _ = relaxations(found, solve(found))
        except Infeasible as error:
            clashes = [
                Finding(code="conflict", message=say) for _, _, say in error.errors
            ]
    removed: Bools = reduce(or_, found.removed.values(), np.zeros_like(found.apart))
    possible = ~found.apart
    areas = tuple(_balances(found.mentors, found.learners))
    thin = tuple(area.area for area in areas if area.learners > area.places)
    return Readiness(
        cities=len(found.cities),
        mentors=len(found.mentors),
        learners=len(found.learners),
        mentor_places=int(found.capacity.sum()),
        learner_places=int(found.demand.sum()),
        pairs=int(possible.sum()),
        admissible_pairs=int((possible & ~removed).sum()),
        areas=areas,
        thin_areas=thin,
        rules=tuple(_bites(found, possible)),
        relaxations=relaxed,
        shortage=shortage(found),
        findings=(*clashes, *_findings(found, removed, areas)),
    )


def _balances(mentors: list[City], learners: list[City]) -> Iterator[AreaBalance]:
    for area in AREA_IDS:
        needs = [level for city in learners if (level := city.levels("need").get(area))]
        strong = [city for city in mentors if area in city.levels("strength")]
        if needs or strong:
            yield AreaBalance(
                area=area,
                learners=len(needs),
                need=sum(needs),
                mentors=len(strong),
                strength=sum(city.levels("strength")[area] for city in strong),
                places=sum(city.mentor_capacity for city in strong),
            )


def _bites(found: Round, possible: Bools) -> Iterator[RuleBite]:
    for rule, mask in sorted(found.removed.items()):
        bitten = possible & mask
        some, others = _columns(bitten), _columns(possible & ~mask)
        alone = some & ~others
        yield RuleBite(
            rule=rule,
            pairs=int(bitten.sum()),
            learners_without=tuple(
                city.id
                for city, without in zip(found.learners, alone, strict=True)
                if without
            ),
        )


def _findings(
    found: Round, removed: Bools, areas: tuple[AreaBalance, ...]
) -> Iterator[Finding]:
    if not found.mentors:
        message = "No city takes part as a mentor with a place: invite mentors."
        yield Finding(code="no_mentors", message=message)
    if not found.learners:
        message = "No city takes part as a learner: invite learners."
        yield Finding(code="no_learners", message=message)
    places, wanted = int(found.capacity.sum()), int(found.demand.sum())
    if found.mentors and places < wanted:
        message = (
            f"Places wanted: {wanted}, offered: {places}. Ask mentors to take more "
            "learners, or invite more mentors."
        )
        yield Finding(code="too_few_places", message=message)
    for area in areas:
        if area.learners > area.places:
            message = (
                f"Learners who need help with {area.area}: {area.learners}. Places "
                f"with mentors who are strong there: {area.places}."
            )
            yield Finding(code="thin_area", message=message, area=area.area)
    reachable = _columns(~found.apart & ~removed)
    for city, has_mentor in zip(found.learners, reachable, strict=True):
        if not has_mentor and found.mentors:
            message = f"Rules, vetoes and bans leave {city.id} no mentor at all."
            yield Finding(code="learner_without_mentor", message=message, city=city.id)
        if not city.levels("need"):
            message = f"{city.id} states no need: its pairings can bring few points."
            yield Finding(code="learner_without_need", message=message, city=city.id)


def _columns(mask: Bools) -> Bools:
    """Return for each learner whether there is any mentor in the mask."""
    return np.asarray(np.logical_or.reduce(mask, axis=0))
