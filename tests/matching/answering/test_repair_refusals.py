"""Repairs and drills that cannot be are refused, and what clashes is named."""

import pytest

from matching import Infeasible, InvalidProblem, Policy, Problem, drill, repair
from tests.matching.answering.cities import CITIES


def test_refusals_point_at_what_the_caller_gave():
    problem = Problem.from_dict({"cities": CITIES})
    pins = [{"mentor": "ghent", "learner": one} for one in ("arlon", "namur")]
    strict = Policy(pins=pins[1:], rules={"different_country": True})

    with pytest.raises(Infeasible) as pinned:
        repair(
            problem,
            Policy(pins=[pins[0], *strict.pins], rules=strict.rules),
            [("lyon", "arlon")],
            gone=["arlon"],
        )
    with pytest.raises(Infeasible) as loaded:
        repair(
            problem,
            Policy(min_load={"mentor": 1}),
            [("lyon", "namur")],
            declined=[("lyon", "arlon"), ("lyon", "namur")],
        )

    assert [e[:2] for e in pinned.value.errors] == [("/pins/1", "different_country")]
    assert {e[0] for e in loaded.value.errors} == {
        "/min_load",
        "/declined/0",
        "/declined/1",
    }


def test_what_keeps_a_pair_from_being_kept_is_named():
    problem = Problem.from_dict({"cities": CITIES})
    full = [("ghent", "arlon"), ("ghent", "namur")]
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 0}

    def refusal(pairings, keep, policy=None, cities=problem):
        with pytest.raises(Infeasible) as refused:
            repair(cities, policy, pairings, keep=keep)
        return refused.value.errors

    assert refusal(full, full[::-1]) == [
        (
            f"/keep/{at}",
            "keep",
            f"The pairing to keep {one} clashes with the pairing to keep {other}.",
        )
        for at, (one, other) in enumerate(
            [("ghent – namur", "ghent – arlon"), ("ghent – arlon", "ghent – namur")]
        )
    ]
    pin = Policy(pins=[{"mentor": "ghent", "learner": "namur"}])
    assert [e[:2] for e in refusal(full[:1], full[:1], pin)] == [
        ("/pins/0", "pin"),
        ("/keep/0", "keep"),
    ]
    assert [e[:2] for e in refusal(full[:1], full[:1], Policy(caps=[cap]))] == [
        ("/caps/0", "cap"),
        ("/keep/0", "keep"),
    ]
    # Lyon mentors no more.
    idle = Problem.from_dict(
        {"cities": [CITIES[0], CITIES[1] | {"mentor_capacity": 0}, *CITIES[2:]]}
    )
    (homeless,) = refusal([("lyon", "arlon")], [("lyon", "arlon")], cities=idle)
    assert homeless[:2] == ("/keep/0/mentor", "role")
    assert homeless[2].endswith("with the roles: lyon has no place as a mentor.")


def test_a_clash_counts_on_what_stands_in_spite_of_the_rules():
    # Ghent keeps Arlon, which the rule forbids to all who are not paired yet.
    cities = [CITIES[0], CITIES[1] | {"country": "BE"}, CITIES[2]]
    problem = Problem.from_dict({"cities": [*cities, CITIES[3] | {"country": "FR"}]})
    strict = Policy(min_load={"mentor": 1}, rules={"different_country": True})
    standing = [("ghent", "arlon"), ("lyon", "namur")]

    with pytest.raises(Infeasible) as declined:
        repair(problem, strict, standing, declined=standing[1:])
    with pytest.raises(Infeasible) as gone:
        repair(problem, strict, standing, gone=["namur"])

    assert [e[:2] for e in declined.value.errors[:-1]] == [
        ("/min_load", "min_load"),
        ("/rules/different_country", "different_country"),
        ("/declined/0", "ban"),
    ]
    assert [e[:2] for e in gone.value.errors[:-1]] == [("/min_load", "min_load")]
    for refused in (declined, gone):
        at, code, message = refused.value.errors[-1]
        assert (at, code) == ("/min_load", "shortage")
        assert message.startswith("lyon: ")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"keep": [("ghent", "arlon")]}, ("/keep/0", "not_standing")),
        ({"keep": [("lyon", "x")]}, ("/keep/0", "not_standing")),
        ({"keep": [("lyon", "arlon"), ("lyon",)]}, ("/keep/1", "pair")),
        ({"keep": [("lyon", "arlon")] * 2}, ("/keep/1", "duplicate")),
        ({"gone": "lyon"}, ("/gone", "ids")),
        ({"declined": [("lyon", "x")]}, ("/declined/0/learner", "unknown_city")),
        ({"declined": [("lyon",)]}, ("/declined/0", "pair")),
    ],
)
def test_wrong_withdrawals_are_refused(more, error):
    problem = Problem.from_dict({"cities": CITIES})

    with pytest.raises(InvalidProblem) as refused:
        repair(problem, None, [("lyon", "arlon")], **more)

    assert [e[:2] for e in refused.value.errors] == [error]


def test_the_drill_refuses_a_pair_without_a_place():
    problem = Problem.from_dict({"cities": CITIES})

    with pytest.raises(InvalidProblem) as refused:
        drill(problem, None, [("lyon", "arlon"), ("arlon", "namur")])

    assert [e[:2] for e in refused.value.errors] == [("/pairs/1", "role")]


@pytest.mark.parametrize(
    ("standing", "error"),
    [
        ([("x", "arlon")], ("/pairs/0/mentor", "unknown_city")),
        ([("lyon", "arlon"), ("lyon", "arlon")], ("/pairs/1", "duplicate")),
        ([("lyon", "lyon")], ("/pairs/0/learner", "itself")),
        ([{"mentor": "lyon"}], ("/pairs/0", "pair")),
    ],
)
def test_wrong_pairs_are_refused(standing, error):
    problem = Problem.from_dict({"cities": CITIES})

    for ask in (repair, drill):
        with pytest.raises(InvalidProblem) as refused:
            ask(problem, Policy(), standing)
        assert [e[:2] for e in refused.value.errors] == [error]


def test_a_repair_that_nothing_allows_is_infeasible():
    problem = Problem.from_dict({"cities": CITIES})

    with pytest.raises(Infeasible) as refused:
        repair(
            problem,
            Policy(min_load={"mentor": 1}),
            [("ghent", "arlon")],
            gone=["arlon", "namur"],
        )

    assert refused.value.errors[0][:2] == ("/min_load", "min_load")
