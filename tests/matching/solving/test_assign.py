"""The bare solver against enumeration and other solvers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp

from matching import Infeasible, assign
from matching._solving.total import WHOLE
from tests.matching import reference

SOLID = settings(derandomize=True, deadline=None, max_examples=150)


@st.composite
def instances(draw):
    rows, columns = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    scores = st.sampled_from([-3, 0, 1, 2, 2.5, 7, 1e-9, 1e6])

    def table(cells):
        line = st.lists(cells, min_size=columns, max_size=columns)
        return draw(st.lists(line, min_size=rows, max_size=rows))

    capacity = draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    demand = draw(st.lists(st.integers(0, 2), min_size=columns, max_size=columns))
    allowed = table(st.sampled_from([True, True, True, False]))
    cells = [
        (i, j)
        for i in range(rows)
        for j in range(columns)
        if allowed[i][j] and capacity[i] and demand[j]
    ]
    pins = [draw(st.sampled_from(cells))] if cells and draw(st.booleans()) else []
    shape = (rows, columns)
    return (
        np.array(table(scores), float).reshape(shape),
        np.array(allowed, bool).reshape(shape),
        capacity,
        demand,
        pins,
    )


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@SOLID
@given(instance=instances())
def test_assign_is_as_good_as_enumeration(objective, instance):
    scores, allowed, capacity, demand, pins = instance

    found = assign(
        scores,
        np.array(capacity, int),
        np.array(demand, int),
        allowed=allowed,
        pins=pins,
        objective=objective,
    )

    pairs = [tuple(pair) for pair in found.pairs.tolist()]
    reached = reference.key(objective, scores, demand, pairs, pins)
    wanted = reference.best(objective, scores, allowed, capacity, demand, pins)
    assert reached is not None
    assert reached[:-1] == wanted[:-1]
    assert reached[-1] == pytest.approx(wanted[-1], abs=found.error_bound + 1e-9)
    assert found.total == math.fsum(scores[pair] for pair in pairs)
    assert set(pins) <= set(pairs)
    assert all(allowed[pair] for pair in pairs)
    assert pairs == sorted(set(pairs))
    assert (
        np.bincount([i for i, _ in pairs], minlength=len(capacity)) <= capacity
    ).all()
    assert (np.bincount([j for _, j in pairs], minlength=len(demand)) <= demand).all()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("objective", ["total", "served"])
def test_assign_is_as_good_as_milp(objective, seed):
    random = np.random.default_rng(seed)
    rows, columns = random.integers(3, 12, 2)
    scores = random.integers(1, [4, 1000][seed % 2], (rows, columns))
    allowed = random.random((rows, columns)) < 0.5
    capacity, demand = random.integers(0, 4, rows), random.integers(0, 3, columns)
    by_row = np.kron(np.eye(rows), np.ones(columns))
    by_column = np.kron(np.ones(rows), np.eye(columns))
    # Small whole numbers: here one large bonus does separate the goals exactly.
    served, place = (10**9, 10**5) if objective == "served" else (0, 0)
    goal = np.r_[-(scores + place).ravel(), np.full(columns, -served)]
    limits = [
        LinearConstraint(np.c_[by_row, np.zeros((rows, columns))], ub=capacity),
        LinearConstraint(np.c_[by_column, np.zeros((columns, columns))], ub=demand),
        LinearConstraint(np.c_[by_column, -np.eye(columns)], lb=0),
    ]
    upper = np.r_[allowed.ravel(), np.ones(columns)].astype(float)
    wanted = milp(
        goal.astype(float),
        constraints=limits,
        bounds=Bounds(0, upper),
        integrality=np.ones(goal.size),
        options={"mip_rel_gap": 0},
    )

    found = assign(scores, capacity, demand, allowed=allowed, objective=objective)

    learners_served = len(set(found.pairs[:, 1].tolist()))
    reached = found.total + place * len(found.pairs) + served * learners_served
    assert reached == round(-wanted.fun)
    assert found.error_bound == 0


@pytest.mark.parametrize("shape", [(200, 200), (400, 300), (150, 250)])
@pytest.mark.parametrize("hubs", [False, True])
def test_assign_is_as_good_as_linear_sum_assignment(shape, hubs):
    random = np.random.default_rng(shape[0])
    scores = random.random(shape)
    if hubs:
        taste = random.random((shape[0], 8)) ** 4
        scores = taste @ random.random((8, shape[1])) ** 4
    rows, columns = linear_sum_assignment(-scores)

    found = assign(scores, np.ones(shape[0], int))

    assert scores.size > WHOLE  # so the pairs come in by their prices
    assert len(found.pairs) == min(shape)
    best = math.fsum(scores[rows, columns])
    assert found.total == pytest.approx(best, abs=found.error_bound + 1e-12)
    assert found.error_bound < 1e-9


def test_assign_takes_the_stored_entries_of_a_sparse_matrix():
    scores = sparse.csr_array(
        (np.array([5.0, 0.0, 2.0]), (np.array([0, 1, 1]), np.array([0, 0, 1])))
    )

    total = assign(scores, [1, 1])
    served = assign(scores, [1, 1], [2, 1], objective="served")

    assert total.pairs.tolist() == [[0, 0], [1, 1]]
    assert served.pairs.tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e12, 1e300])
def test_assign_does_not_mind_the_scale(scale):
    scores = np.array([[3.0, 2.0], [2.5, 1.0]]) * scale
    scores.flags.writeable = False

    found = assign(scores, [1, 1])

    assert found.pairs.tolist() == [[0, 1], [1, 0]]
    assert found.total == math.fsum([scores[0, 1], scores[1, 0]])


def test_assign_says_how_far_rounding_may_lead_it_astray():
    exact = assign([[3, 5], [2, 1]], [1, 1])
    mixed = assign([[1e18, 0.3], [0.2, 0.1]], [1, 1])

    assert exact.error_bound == 0
    assert mixed.error_bound > 0


def test_fair_raises_the_worst_off_before_the_total():
    scores = [[9.0, 5.0], [4.0, 1.0]]

    total = assign(scores, [1, 1])
    fair = assign(scores, [1, 1], objective="fair")

    assert total.pairs.tolist() == [[0, 0], [1, 1]]
    assert fair.pairs.tolist() == [[0, 1], [1, 0]]


def test_fair_settles_every_level_of_a_middling_problem():
    random = np.random.default_rng(3)
    scores = random.integers(1, 9, (40, 40))
    found = assign(scores, np.ones(40, int), objective="fair")
    reached = np.sort(scores[found.pairs[:, 0], found.pairs[:, 1]])

    # Level by level: fewest learners at or below it, given the levels before.
    weights = np.zeros(9)
    for lowest in range(1, 9):
        weights[lowest] = 41.0 ** (8 - lowest)
    rows, columns = linear_sum_assignment(weights[scores])
    wanted = np.sort(scores[rows, columns])
    assert reached.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([[math.nan]], [1]), "finite"),
        (([[math.inf]], [1]), "finite"),
        (([1.0], [1]), "shape|mentors, learners"),
        (([[1.0]], [1, 1]), "mentor_capacity must have shape"),
        (([[1.0]], [-1]), "must not be negative"),
        (([[1.0]], [1.5]), "whole numbers"),
        (([["a"]], [1]), "numbers"),
    ],
)
def test_assign_refuses_wrong_input(arguments, says):
    with pytest.raises(ValueError, match=says):
        assign(*arguments)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pins": [(0, 5)]}, ValueError),
        ({"pins": [(0, 0), (0, 0)]}, ValueError),
        ({"pins": [(0, 0)], "allowed": [[False, True]]}, Infeasible),
        ({"pins": [(0, 0), (0, 1)]}, Infeasible),
        ({"objective": "best"}, ValueError),
        ({"allowed": [[1, 0]]}, ValueError),
    ],
)
def test_assign_refuses_wrong_options(options, error):
    with pytest.raises(error):
        assign([[1.0, 2.0]], [1], **options)
