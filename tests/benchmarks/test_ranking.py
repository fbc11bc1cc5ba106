from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest

from benchmarks.ranking import Place, interval, place

SCORES = {"a": 2, "b": 1, "c": 1, "d": 1, "e": 0, "f": 0}


def ranks(scores, true):
    """Return the rank of `true` in every order that puts no lower score first."""
    return [
        order.index(true) + 1
        for order in permutations(scores)
        if all(scores[x] >= scores[y] for x, y in pairwise(order))
    ]


@pytest.mark.parametrize("true", SCORES)
def test_ties_count_by_the_mean_over_all_their_orders(true):
    orders = ranks(SCORES, true)
    found = place(SCORES, true)

    assert found.reciprocal_rank() == sum(Fraction(1, r) for r in orders) / len(orders)
    for within in range(8):
        hits = sum(rank <= within for rank in orders)
        assert found.hit(within) == Fraction(hits, len(orders))


def test_all_equal_is_chance():
    chance = Place(better=0, equal=8)

    assert chance.reciprocal_rank() == Fraction(761, 2240)  # H(8) / 8
    assert [chance.hit(k) for k in (1, 3, 8)] == [Fraction(1, 8), Fraction(3, 8), 1]


def test_the_interval_is_the_same_each_time_and_holds_the_mean():
    values = np.array([0.0, 0.2, 0.9, 1.0, 0.4, 0.5])
    groups = ["x", "x", "y", "y", "z", "z"]

    low, high = interval(values, groups)

    assert (low, high) == interval(values, groups)
    assert 0.1 <= low < values.mean() < high <= 0.95


def test_whole_groups_are_drawn():
    # Each group is of one value, so drawing single cases would never give the extremes
    # of two groups with 20 cases each; drawing groups does in half of the draws.
    values = np.repeat([0.0, 1.0], 20)

    assert interval(values, ["x"] * 20 + ["y"] * 20) == (0.0, 1.0)


def test_one_group_tells_nothing_of_others():
    values = np.array([0.0, 1.0, 1.0, 1.0])

    assert interval(values, ["x"] * 4) == (0.75, 0.75)
