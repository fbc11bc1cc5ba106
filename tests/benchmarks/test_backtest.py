from fractions import Fraction

import pytest

from benchmarks.backtest import (
    Pairing,
    by_cosine,
    by_default_policy,
    cases,
    leave_one_out,
    leave_programme_out,
    load,
)

HOUSING, HEALTH = frozenset({"housing"}), frozenset({"health"})
PAIRINGS = [
    Pairing("first", "a", "x", HOUSING),
    Pairing("first", "a", "y", HOUSING),
    Pairing("second", "a", "x", HEALTH),
    Pairing("third", "b", "z", HEALTH),
]


def strengths(may_speak):
    return [dict(case.strengths) for case in cases(PAIRINGS, may_speak)]


def test_leave_one_out_hides_the_pairing_only():
    assert strengths(leave_one_out) == [
        {"a": HOUSING | HEALTH, "b": HEALTH},
        {"a": HOUSING | HEALTH, "b": HEALTH},
        {"a": HOUSING, "b": HEALTH},
        {"a": HOUSING | HEALTH, "b": frozenset()},
    ]


def test_leave_programme_out_hides_all_of_the_programme():
    assert strengths(leave_programme_out) == [
        {"a": HEALTH, "b": HEALTH},
        {"a": HEALTH, "b": HEALTH},
        {"a": HOUSING, "b": HEALTH},
        {"a": HOUSING | HEALTH, "b": frozenset()},
    ]


def test_a_learner_is_no_candidate_of_its_own():
    pairings = [*PAIRINGS, Pairing("fourth", "b", "a", HEALTH)]

    *_, last = cases(pairings, leave_one_out)

    assert set(last.strengths) == {"b"}


def test_the_squared_cosine_is_exact():
    both = Pairing("first", "a", "x", HOUSING | HEALTH)
    case, *_ = cases([both, *PAIRINGS[1:]], leave_programme_out)

    assert by_cosine(case, {}) == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


def test_the_history_is_all_there():
    pairings, cities = load()

    assert len(set(pairings)) == 54
    assert len({pairing.mentor for pairing in pairings}) == 8
    assert {c for p in pairings for c in (p.mentor, p.learner)} == set(cities)


@pytest.mark.parametrize("may_speak", [leave_one_out, leave_programme_out])
def test_the_default_policy_ranks_every_candidate(may_speak):
    pairings, cities = load()
    case = next(cases(pairings, may_speak))

    assert set(by_default_policy(case, cities)) == set(case.strengths)
