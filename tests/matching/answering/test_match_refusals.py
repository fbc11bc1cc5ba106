"""Policies and cities that are wrong, and pins that cannot be, are refused."""

import pytest

from matching import Infeasible, InvalidPolicy, InvalidProblem, Policy, Problem, match
from tests.matching import reference
from tests.matching.answering.cities import city


@pytest.mark.parametrize(
    ("policy", "at", "code"),
    [
        ({"objective": "best"}, "/objective", "literal_error"),
        ({"weights": {"focus": -1}}, "/weights/focus", "greater_than_equal"),
        ({"rules": {"nonsense": True}}, "/rules/nonsense", "extra_forbidden"),
        ({"pins": [{"mentor": "x", "learner": "l"}]}, "/pins/0/mentor", "unknown_city"),
        ({"bans": [{"mentor": "m", "learner": "m"}]}, "/bans/0/learner", "itself"),
        ({"pins": [{"mentor": "m", "learner": "l"}] * 2}, "/pins/1", "duplicate"),
        (
            {"caps": [{"side": "city", "by": "country", "per": "round", "max": 1}]},
            "/caps/0/side",
            "literal_error",
        ),
        ({"min_load": {"mentor": -1}}, "/min_load/mentor", "greater_than_equal"),
    ],
)
def test_a_wrong_policy_is_refused_where_it_is_wrong(policy, at, code):
    problem = Problem.from_dict({"cities": [city("m", "mentor"), city("l", "learner")]})

    with pytest.raises(InvalidPolicy) as refused:
        match(problem, Policy.from_dict(policy))

    assert [error[:2] for error in refused.value.errors] == [(at, code)]


def test_weights_that_are_all_zero_are_refused():
    zero = dict.fromkeys(reference.WEIGHTS, 0)

    with pytest.raises(InvalidPolicy) as refused:
        match(Problem.from_dict({"cities": []}), Policy(weights=zero))

    assert refused.value.errors[0][:2] == ("/weights", "all_zero")


@pytest.mark.parametrize(
    ("more", "policy", "code"),
    [
        ({}, {"rules": {"different_country": True}}, "different_country"),
        ({}, {"bans": [{"mentor": "m", "learner": "l"}]}, "ban"),
        ({"vetoes": [{"city": "l", "partner": "m"}]}, {}, "veto"),
    ],
)
def test_a_pin_against_a_rule_is_infeasible_and_names_both(more, policy, code):
    cities = [city("m", "mentor"), city("l", "learner")]
    pins = [{"mentor": "m", "learner": "l"}]

    with pytest.raises(Infeasible) as refused:
        match(
            Problem.from_dict({"cities": cities} | more),
            Policy.from_dict({"pins": pins} | policy),
        )

    ((at, found, message),) = refused.value.errors
    assert (at, found) == ("/pins/0", code)
    assert "m – l" in message


def test_pins_that_need_more_places_than_there_are_are_infeasible():
    cities = [city("m", "mentor"), city("k", "learner"), city("l", "learner")]
    pins = [{"mentor": "m", "learner": one} for one in "kl"]

    with pytest.raises(Infeasible) as refused:
        match(Problem.from_dict({"cities": cities}), Policy(pins=pins))

    assert [error[:2] for error in refused.value.errors] == [("/pins", "capacity")]


@pytest.mark.parametrize(
    ("change", "at", "code"),
    [
        ({"areas": {"houzing": {}}}, "/cities/0/areas/houzing", "unknown_area"),
        (
            {"areas": {"housing": {"need": 7}}},
            "/cities/0/areas/housing/need",
            "less_than_equal",
        ),
        ({"areas": {}}, "/cities/0/areas", "too_short"),
        ({"mentor_capacity": -1}, "/cities/0/mentor_capacity", "greater_than_equal"),
        ({"learner_demand": 1}, "/cities/0/learner_demand", "places_without_role"),
        ({"population": float("nan")}, "/cities/0/population/value", "finite_number"),
        ({"latitude": 50.0}, "/cities/0/longitude", "half_a_place"),
        ({"mayor": "x"}, "/cities/0/mayor", "extra_forbidden"),
        ({"id": "l"}, "/cities/1/id", "duplicate"),
    ],
)
def test_a_wrong_city_is_refused_where_it_is_wrong(change, at, code):
    cities = [city("m", "mentor") | change, city("l", "learner")]

    with pytest.raises(InvalidProblem) as refused:
        Problem.from_dict({"cities": cities})

    assert [error[:2] for error in refused.value.errors] == [(at, code)]
