"""Rounds in which one side is missing, or both: nothing is paired, nothing breaks."""

from contextlib import suppress
from itertools import combinations

import numpy as np
import pytest

import matching
from matching import Infeasible, InvalidPolicy, Policy, Problem
from matching._rules import MEASURES, Sides
from matching._solving.instance import Instance
from tests.matching import rounds

PLACE = {"latitude": 50.8, "longitude": 4.3, "population": 90_000, "languages": ["fr"]}
MENTOR = rounds.covered_city("m", "mentor", (5,), **PLACE)
LEARNER = rounds.covered_city("l", "learner", (5,), **PLACE)
EMPTY = {
    "nobody": [],
    "a learner": [LEARNER],
    "a mentor": [MENTOR],
    "learners": [LEARNER | {"id": one} for one in "xyz"],
    "mentors": [MENTOR | {"id": one} for one in "abc"],
    "a mentor without places": [MENTOR | {"mentor_capacity": 0}, LEARNER],
    "a learner without places": [MENTOR, LEARNER | {"learner_demand": 0}],
    "itself": [MENTOR | {"roles": ["mentor", "learner"]}],
    "without a role": [MENTOR | {"roles": []}],
}
RULES = {
    "different_country": True,
    "shared_language": True,
    "max_distance_km": 500,
    "max_size_ratio": 2,
    "min_score": 50,
    "no_repeat": True,
}
CAPS = [
    {"side": side, "by": by, "per": per, "max": 1}
    for side in ("mentor", "learner")
    for by in ("country", "association")
    for per in ("round", "partner")
]
POLICIES = [
    {"rules": RULES},
    {"rules": RULES, "caps": CAPS, "min_load": {"mentor": 3, "only_if_used": True}},
    {"rules": RULES, "caps": CAPS[:2], "min_load": {"mentor": 1}},
]


def calls(problem, policy):
    """Every public function that takes a round, called for it."""
    ids = [city.id for city in problem.cities]
    yield lambda: matching.match(problem, policy, trials=2)
    yield lambda: matching.firmness(problem, policy, trials=2)
    yield lambda: matching.readiness(problem, policy)
    yield lambda: matching.prices(problem, policy)
    yield lambda: matching.table(problem, policy)
    yield lambda: matching.drill(problem, policy)
    yield lambda: matching.repair(problem, policy, [])
    yield lambda: matching.measure(problem, policy, [])
    yield lambda: matching.effort(problem, policy)
    yield lambda: matching.what_if(problem, policy, remove=ids)
    yield lambda: matching.repair(problem, policy, combinations(ids, 2), gone=ids)
    for role in ("mentor", "learner"):
        for one in ids[:1]:
            yield lambda: matching.suggest(problem, one, role, policy=policy)  # noqa: B023
    for mentor, learner in (ids[:2], ids[1::-1]) if len(ids) > 1 else ():
        pair = {"mentor": mentor, "learner": learner}
        yield lambda: matching.why_not(problem, policy, **pair)  # noqa: B023
        yield lambda: matching.explain(problem, policy, **pair)  # noqa: B023


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
@pytest.mark.parametrize("cities", EMPTY.values(), ids=EMPTY)
def test_a_round_without_pairs_is_answered_whatever_is_asked_under_any_policy(
    cities, objective
):
    problem = Problem.from_dict({"cities": cities})
    for fields in POLICIES:
        policy = Policy.from_dict(fields | {"objective": objective})
        for call in calls(problem, policy):
            # What is refused is refused in our words; any other error is a fault.
            with suppress(Infeasible, InvalidPolicy):
                call()


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
@pytest.mark.parametrize("rule", RULES)
def test_where_nobody_could_be_a_partner_that_is_the_reason(
    rule, objective, monkeypatch
):
    solved = []
    solve = Instance.solve
    monkeypatch.setattr(
        Instance, "solve", lambda self, *a: solved.append(self) or solve(self, *a)
    )
    policy = Policy(objective=objective, rules={rule: RULES[rule]})
    for cities in (EMPTY["learners"], EMPTY["mentors"]):
        solution = matching.match(Problem.from_dict({"cities": cities}), policy)

        assert solution.pairings == solution.relaxations == ()
        assert [
            [(reason.code, reason.partners) for reason in one.reasons]
            for one in solution.unmatched
        ] == [[("no_partner", 0)]] * 3
    assert len(solved) == 2  # nothing is relaxed where there is nobody to pair


@pytest.mark.parametrize("rule", MEASURES)
@pytest.mark.parametrize("sides", ["", "m", "l"])
def test_what_a_limit_is_held_against_is_a_table_also_without_pairs(sides, rule):
    problem = Problem.from_dict({"cities": [MENTOR, LEARNER]})
    mentors, learners = (
        [city for city in problem.cities if city.id == one and one in sides]
        for one in "ml"
    )
    shape = len(mentors), len(learners)
    scores = np.zeros(shape, np.int64)

    held = MEASURES[rule](Sides(mentors, learners, problem, scores))

    assert held.shape == shape


@pytest.mark.parametrize("gone", ["m", "l"])
def test_the_last_of_a_side_may_leave(gone):
    problem = Problem.from_dict({"cities": [MENTOR, LEARNER]})
    policy = Policy(rules={"max_distance_km": 500, "max_size_ratio": 2})

    after = matching.what_if(problem, policy, remove=[gone])

    assert after.solution.pairings == ()
    assert [pair.mentor for pair in after.difference.removed] == ["m"]
    best, *_ = matching.repair(problem, policy, [("m", "l")], gone=[gone])
    assert (best.changes, best.added) == (1, ())
