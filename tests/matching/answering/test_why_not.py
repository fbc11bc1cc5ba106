"""Why two cities are no pair: what forbids it, or what it would cost."""

import pytest

from matching import InvalidProblem, Policy, Problem, prices, what_if, why_not
from tests.matching.answering.answers import priced
from tests.matching.answering.cities import CITIES


@pytest.mark.parametrize(
    ("policy", "more", "pair", "excluded"),
    [
        (
            {"rules": {"different_country": True}},
            {},
            "ghent-arlon",
            [("different_country", {"country": "BE"})],
        ),
        (
            {"rules": {"shared_language": True}},
            {},
            "ghent-arlon",
            [("shared_language", {"mentor": ("nl",), "learner": ("fr",)})],
        ),
        (
            {"rules": {"max_distance_km": 100}},
            {},
            "lyon-namur",
            [("max_distance_km", {"is": 522.66939, "limit": 100})],
        ),
        (
            {"rules": {"max_size_ratio": 2}},
            {},
            "lyon-namur",
            [("max_size_ratio", {"is": 4.727273, "limit": 2})],
        ),
        (
            {"rules": {"no_repeat": True}},
            {"history": [{"mentor": "lyon", "learner": "arlon", "round": "2024"}]},
            "lyon-arlon",
            [("no_repeat", {"rounds": ["2024"]})],
        ),
        (
            {},
            {"vetoes": [{"city": "arlon", "partner": "lyon"}]},
            "lyon-arlon",
            [("veto", {"by": ["arlon"]})],
        ),
        (
            {"bans": [{"mentor": "lyon", "learner": "arlon", "reason": "Too far."}]},
            {},
            "lyon-arlon",
            [("ban", {"reason": "Too far."})],
        ),
        (
            {},
            {},
            "arlon-lyon",
            [
                (
                    "role",
                    {
                        "cities": [
                            {"city": "arlon", "role": "mentor"},
                            {"city": "lyon", "role": "learner"},
                        ]
                    },
                )
            ],
        ),
    ],
)
def test_why_not_names_what_forbids_a_pair_and_what_it_rests_on(
    policy, more, pair, excluded
):
    mentor, learner = pair.split("-")
    problem = Problem.from_dict({"cities": CITIES} | more)

    found = why_not(problem, Policy.from_dict(policy), mentor=mentor, learner=learner)

    assert [(one.code, one.facts) for one in found.excluded_by] == excluded
    assert (found.proposed, found.price, found.learners_lost, found.difference) == (
        False,
        None,
        None,
        None,
    )


def test_why_not_tells_the_price_and_whom_it_would_cost():
    problem = Problem.from_dict({"cities": CITIES})

    dear = why_not(problem, mentor="lyon", learner="arlon")
    proposed = why_not(problem, mentor="ghent", learner="arlon")
    low = why_not(
        problem, Policy(rules={"min_score": 60}), mentor="lyon", learner="arlon"
    )

    assert dear.price == priced(prices(problem))["lyon", "arlon"]
    assert dear.difference == what_if(problem, force=[("lyon", "arlon")]).difference
    assert (dear.proposed, dear.excluded_by, dear.learners_lost) == (False, (), 0)
    assert (proposed.proposed, proposed.price, proposed.difference.added) == (
        True,
        0,
        (),
    )
    # A pin overrides the lowest score, so there is a price as well.
    assert [(e.code, e.facts) for e in low.excluded_by] == [
        ("min_score", {"is": low.score, "limit": 60})
    ]
    assert (low.learners_lost, low.price > 0) == (0, True)


def test_why_not_tells_that_pins_or_limits_leave_no_place():
    problem = Problem.from_dict({"cities": CITIES})
    pins = [{"mentor": "lyon", "learner": "namur"}]
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 0}

    full = why_not(problem, Policy(pins=pins), mentor="lyon", learner="arlon")
    capped = why_not(problem, Policy(caps=[cap]), mentor="lyon", learner="arlon")

    assert [(e.code, e.facts["pointer"]) for e in full.excluded_by] == [
        ("capacity", "/pins")
    ]
    assert [(e.code, e.facts["pointer"]) for e in capped.excluded_by] == [
        ("cap", "/caps/0")
    ]
    assert full.price is capped.price is None


def test_why_not_of_an_unknown_city_is_refused():
    problem = Problem.from_dict({"cities": CITIES})

    with pytest.raises(InvalidProblem) as refused:
        why_not(problem, mentor="x", learner="arlon")

    assert refused.value.errors[0][:2] == ("/mentor", "unknown_city")
