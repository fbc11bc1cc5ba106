"""Numbers that are very large, or none: an answer, or a refusal that says which."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matching
from matching import (
    Infeasible,
    InvalidPolicy,
    InvalidProblem,
    Policy,
    Problem,
    assign,
    match,
)
from matching._answering.firmness import MOST_TRIALS
from matching._solving.instance import Instance
from schemas import Policy as Shape
from tests.matching import rounds

SOLID = settings(derandomize=True, deadline=None, max_examples=80)
CITIES = [
    rounds.covered_city(one, "mentor", (5, 5), population=100, association="x")
    for one in "ab"
] + [
    rounds.covered_city(one, "learner", (5, 5), population=10**8, country="FR")
    for one in "xyz"
]
PROBLEM = Problem.from_dict({"cities": CITIES})
LARGEST = 2**63 - 1
TOO_LARGE = [2**63, 10**30, 10**400, 1e300]


def at_the_ends(field):
    """Values at both ends of what the JSON Schema of a number allows, and beyond."""
    whole = field["type"] == "integer"
    low = field.get("minimum", field.get("exclusiveMinimum", 0))
    high = field.get(
        "maximum", field.get("exclusiveMaximum", 10**400 if whole else 1e308)
    )
    step = 1 if whole else math.ulp(0.0)
    near = [low, low + step, high, high - step, low - 1, high + 1, 1, 2, 3]
    odd = [
        2**53,
        2**62,
        LARGEST,
        *TOO_LARGE,
        -1,
        0.5,
        math.nan,
        math.inf,
        1e308,
        5e-324,
    ]
    return st.sampled_from([*near, *near, *odd])


def of_schema(schema, kinds):
    """Values of a JSON Schema as Pydantic writes it, numbers mostly at their ends."""
    if "$ref" in schema:
        return of_schema(kinds[schema["$ref"].rpartition("/")[2]], kinds)
    if "anyOf" in schema:
        return st.one_of(*(of_schema(one, kinds) for one in schema["anyOf"]))
    kind = "enum" if "enum" in schema else schema["type"]
    return {
        "enum": lambda: st.sampled_from(schema["enum"]),
        "integer": lambda: at_the_ends(schema),
        "number": lambda: at_the_ends(schema),
        "boolean": st.booleans,
        "null": st.none,
        "string": lambda: st.sampled_from([*"abxyz", "nobody"]),
        "array": lambda: st.lists(of_schema(schema["items"], kinds), max_size=2),
        "object": lambda: of_fields(schema, kinds),
    }[kind]()


def of_fields(schema, kinds):
    parts = {name: of_schema(one, kinds) for name, one in schema["properties"].items()}
    required = {name: parts.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=parts)


SCHEMA = Shape.model_json_schema()


@SOLID
@given(of_schema(SCHEMA, SCHEMA["$defs"]))
def test_any_policy_at_the_ends_of_its_schema_is_answered_or_refused(fields):
    try:
        policy = Policy.from_dict(fields)
        solution = match(PROBLEM, policy)
        matching.what_if(PROBLEM, policy, remove=["a"])
        matching.repair(PROBLEM, policy, [("a", "x")])
        matching.readiness(PROBLEM, policy)
    except (Infeasible, InvalidPolicy, InvalidProblem) as refused:
        said = [message for _, _, message in refused.errors]
        negative = [message for message in said if re.search(r"-\d", message)]
        if not said or negative:
            raise AssertionError(said) from refused
    else:
        json.dumps(solution.to_dict(), allow_nan=False)


@pytest.mark.parametrize("value", TOO_LARGE)
def test_a_limit_has_64_bits(value):
    for fields, pointer in (
        ({"min_load": {"mentor": value}}, "/min_load/mentor"),
        ({"seed": value}, "/seed"),
        ({"caps": [a_cap(value)]}, "/caps/0/max"),
    ):
        with pytest.raises(InvalidPolicy) as refused:
            Policy.from_dict(fields)
        assert [at for at, _, _ in refused.value.errors] == [pointer]


def a_cap(most, per="round", side="mentor"):
    return {"side": side, "by": "country", "per": per, "max": most}


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@pytest.mark.parametrize("most", [10**6, 2**53, 2**62, LARGEST])
def test_a_cap_above_what_is_possible_changes_nothing(most, objective):
    free = match(PROBLEM, Policy(objective=objective))
    caps = [
        a_cap(most, per, side)
        for per in ("round", "partner")
        for side in ("mentor", "learner")
    ]

    capped = match(PROBLEM, Policy(objective=objective, caps=caps))

    assert capped.gap == 0
    for name in ("value", "worst_off", "learners_served", "places_filled"):
        assert getattr(capped.measures, name) == getattr(free.measures, name)


@pytest.mark.parametrize("load", [4, 20_000, 10**8, 2**53, 2**62, LARGEST])
def test_a_load_above_what_is_possible_is_tried_from_what_is(load, monkeypatch):
    solved = []
    solve = Instance.solve

    def count(self, *args):
        solved.append(self.limits.least)
        if len(solved) > 5:  # or a larger load would take days
            pytest.fail(f"tried: {solved}")
        return solve(self, *args)

    monkeypatch.setattr(Instance, "solve", count)
    policy = Policy(min_load={"mentor": load, "only_if_used": True})
    large = [one | {"mentor_capacity": 10_000} for one in CITIES[:2]]
    problem = Problem.from_dict({"cities": [*large, *CITIES[2:]]})

    solution = match(problem, policy)

    assert (solution.pairings, solution.warnings) == ((), ())
    (eased,) = solution.relaxations
    assert (eased.rule, eased.to, eased.learners_gained) == ("min_load", 3, 3)
    # A mentor can have the three learners: what asks for more is not tried.
    assert solved == [4, 3]


@pytest.mark.parametrize("load", [3, 2**53, 2**62, LARGEST])
def test_a_load_that_nobody_can_have_is_told_in_whole_numbers(load):
    with pytest.raises(Infeasible) as refused:
        match(PROBLEM, Policy(min_load={"mentor": load}))

    assert refused.value.errors == [
        ("/min_load", "min_load", f"The minimum load of {load} cannot be kept."),
        (
            "/min_load",
            "shortage",
            (
                f"a, b: places that a minimum load of {load} asks for: {2 * load}; "
                "open to them: 3, with x, y, z."
            ),
        ),
    ]


def test_the_work_of_relaxations_ends_when_it_is_used_up(monkeypatch):
    solved = []
    solve = Instance.solve
    monkeypatch.setattr("matching._answering.doctor._WORK", 20)
    monkeypatch.setattr(
        Instance, "solve", lambda self, *a: solved.append(1) or solve(self, *a)
    )
    bans = [
        {"mentor": mentor, "learner": learner} for mentor in "ab" for learner in "xyz"
    ]

    solution = match(PROBLEM, Policy(bans=bans))

    assert [one.code for one in solution.warnings] == ["search_cut_short"]
    assert len(solved) == 1 + 20 // 6


def test_a_ratio_of_populations_may_be_as_large_as_any_number():
    policy = Policy(rules={"max_size_ratio": 1e308})

    assert match(PROBLEM, policy).pairings == match(PROBLEM).pairings


@pytest.mark.parametrize("trials", [MOST_TRIALS + 1, 2**63, 10**400])
def test_trials_have_an_end(trials):
    def tell(step, *_):
        assert step != "firmness"

    with pytest.raises(ValueError, match="at most 1000000"):
        match(PROBLEM, None, tell, trials=trials)
    with pytest.raises(ValueError, match="at most 1000000"):
        matching.firmness(PROBLEM, trials=trials)


@pytest.mark.parametrize("limit", [2**31, 2**63, 10**400])
def test_a_limit_above_what_there_is_brings_all(limit):
    pairs = [("a", "x")]

    assert len(matching.suggest(PROBLEM, "x", limit=limit)) == 2
    assert matching.repair(PROBLEM, None, pairs, limit=limit) == matching.repair(
        PROBLEM, None, pairs, limit=100
    )


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
def test_scores_whose_sum_is_no_number_are_refused(objective):
    largest = float(np.finfo(np.float64).max)
    with pytest.raises(ValueError, match="sum is not finite"):
        assign(np.full((3, 3), largest), [1, 1, 1], objective=objective)
    with pytest.raises(ValueError, match="finite"):
        assign(np.array([[np.longdouble("1e4000")]]), [1], objective=objective)

    assert assign([[largest]], [1], objective=objective).total == largest
    assert assign([[5e-324]], [1], objective=objective).total == 5e-324


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
@pytest.mark.parametrize("score", [LARGEST, LARGEST - 600, 2**62 + 1, -(2**63)])
def test_whole_scores_have_64_bits(objective, score):
    found = assign([[score, score], [1, score]], [1, 1], objective=objective)

    best = 2 * score if score > 0 else 1
    if objective == "served":
        best = 2 * score if score > 0 else score + 1
    assert abs(found.total - best) <= found.error_bound
    assert found.error_bound < 2.0**30


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
@pytest.mark.parametrize("places", [2**31, 2**62, 2**63 - 1])
def test_more_places_than_partners_are_the_same_as_all(objective, places):
    scores = [[1, 2], [3, 4]]

    def pairs(most):
        return assign(
            scores, [most] * 2, [most] * 2, objective=objective
        ).pairs.tolist()

    assert pairs(places) == pairs(2) == [[0, 0], [0, 1], [1, 0], [1, 1]]
