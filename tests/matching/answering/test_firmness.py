"""Firmness: reproducible, bounded, and what it claims on rounds that are clear."""

import pytest

from matching import Policy, Problem, firmness, match
from matching._answering.firmness import wilson
from tests.matching.answering.cities import CITIES


def city(name, role, levels, **more):
    kind = "strength" if role == "mentor" else "need"
    areas = {area: {kind: level} for area, level in levels.items()}
    one = {"id": name, "name": name, "country": "BE", "roles": [role], "areas": areas}
    return one | more


CLEAR = [
    city("a", "mentor", {"housing": 4}),
    city("b", "mentor", {"health": 4}),
    city("x", "learner", {"housing": 4}),
    city("y", "learner", {"health": 4}),
]


def test_a_clear_pairing_survives_everything_and_a_toss_up_half_of_it():
    even = [
        city("a", "mentor", {"housing": 2}),
        city("b", "mentor", {"housing": 2}),
        city("c", "mentor", {"housing": 2}),
        city("x", "learner", {"housing": 4}),
    ]

    clear = firmness(Problem.from_dict({"cities": CLEAR}), trials=400)
    toss = firmness(Problem.from_dict({"cities": even}), trials=400).pairings[0]

    assert [(p.mentor, p.learner, p.firmness) for p in clear.pairings] == [
        ("a", "x", 1),
        ("b", "y", 1),
    ]
    # One of four cities leaves in each trial: both are there in about half of them.
    assert all(150 < pair.trials < 250 for pair in clear.pairings)
    assert all(pair.replacement is None for pair in clear.pairings)
    # Where one of the three left, two alike remain.
    assert 0.4 < toss.firmness < 0.6
    assert toss.low < toss.firmness < toss.high
    assert toss.replacement in {"a", "b", "c"} - {toss.mentor}
    assert 0 < toss.replaced <= toss.trials - toss.survived
    assert toss.firmness == round(toss.survived / toss.trials, 6)


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
def test_firmness_follows_from_its_seed_and_from_nothing_else(objective):
    problem = Problem.from_dict({"cities": CITIES})
    turned = Problem.from_dict({"cities": CITIES[::-1]})
    policies = [Policy(objective=objective, seed=seed) for seed in (0, 0, 7)]

    found = [firmness(problem, policy, trials=60) for policy in policies]

    assert found[0] == found[1] == firmness(turned, policies[0], trials=60)
    assert (found[2].seed, found[2].trials) == (7, 60)
    assert [p.trials for p in found[2].pairings] != [
        p.trials for p in found[0].pairings
    ]
    pairs = [(p.mentor, p.learner) for p in match(problem, policies[0]).pairings]
    assert [(p.mentor, p.learner) for p in found[0].pairings] == pairs


def test_a_matching_with_trials_tells_the_same_firmness_and_nothing_else_changes():
    problem = Problem.from_dict({"cities": CITIES})
    steps = []

    solution = match(problem, progress=lambda *step: steps.append(step), trials=120)

    shares = {
        (p.mentor, p.learner): p.firmness
        for p in firmness(problem, trials=120).pairings
    }
    assert {(p.mentor, p.learner): p.firmness for p in solution.pairings} == shares
    assert all(p.firmness is None for p in match(problem).pairings)
    body, plain = solution.to_dict(), match(problem).to_dict()
    for pairing in body["pairings"]:
        pairing["firmness"] = None
    assert body == plain
    assert ("firmness", 100, 120) in steps


def test_rules_pins_and_caps_hold_in_every_trial():
    even = [city(name, "mentor", {"housing": 2}) for name in "abc"]
    cities = [*even, city("x", "learner", {"housing": 4})]
    pinned = Policy(pins=[{"mentor": "c", "learner": "x"}])
    banned = Policy(bans=[{"mentor": "b", "learner": "x"}])
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 1}
    low = Policy(rules={"min_score": 20})

    def first(policy):
        found = firmness(Problem.from_dict({"cities": cities}), policy, trials=300)
        return found.pairings[0]

    assert (first(pinned).mentor, first(pinned).firmness) == ("c", 1)
    assert {first(banned).mentor, first(banned).replacement} == {"a", "c"}
    # One of two alike is taken as often as the other, whichever solver takes it.
    for policy in (Policy(), Policy(caps=[cap]), Policy(objective="fair")):
        assert first(policy).low < 0.5 < first(policy).high
    # A floor that a level less stays above, and one that it does not.
    clear = Problem.from_dict({"cities": CLEAR})
    assert firmness(clear, low, trials=200).pairings[0].firmness == 1
    strict = Policy(rules={"min_score": 60})
    weaker = [
        city("a", "mentor", {"housing": 4}),
        city("x", "learner", {"housing": 4}),
        city("z", "mentor", {"data": 1}),
    ]
    assert (
        0
        < firmness(Problem.from_dict({"cities": weaker}), strict, trials=200)
        .pairings[0]
        .firmness
        < 1
    )


def test_firmness_of_nothing_is_nothing_and_trials_must_be_positive():
    assert firmness(Problem.from_dict({"cities": []}), trials=3).pairings == ()
    with pytest.raises(ValueError, match="positive"):
        firmness(Problem.from_dict({"cities": []}), trials=0)


def test_the_interval_is_wilsons():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
