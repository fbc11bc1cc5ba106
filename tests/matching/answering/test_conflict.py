"""What clashes: bounded work and bounded text, however many decisions there are."""

import pytest

from matching import Infeasible, InvalidPolicy, InvalidProblem, Policy, Problem, match
from matching._answering import conflict
from matching._errors import MORE_ERRORS, MOST_ERRORS
from matching._solving.branched import NODES, Program
from matching._solving.instance import Instance
from tests.matching import rounds

LONGEST = 1_000
"""Characters that a message about cities with short ids has at the most."""


def pinned(cities, most):
    """A round of so many mentors and learners, all pairs pinned, under one cap."""
    sides = {
        role: [f"{role[0]}{at:03}" for at in range(cities)]
        for role in ("mentor", "learner")
    }
    problem = {
        "cities": [
            rounds.covered_city(one, role, (5,), **{places: cities})
            for (role, ids), places in zip(
                sides.items(), ("mentor_capacity", "learner_demand"), strict=True
            )
            for one in ids
        ]
    }
    cap = {"side": "mentor", "by": "country", "per": "round", "max": most}
    pins = [
        {"mentor": mentor, "learner": learner}
        for mentor in sides["mentor"]
        for learner in sides["learner"]
    ]
    return Problem.from_dict(problem), {"caps": [cap], "pins": pins}


def clash(problem, policy):
    with pytest.raises(Infeasible) as refused:
        match(problem, Policy.from_dict(policy))
    return refused.value.errors


@pytest.fixture
def tried(monkeypatch):
    """The number of sets of decisions that were tried, counted."""
    counted = []
    possible = Instance.is_possible

    def count(self, *args):
        counted.append(self)
        return possible(self, *args)

    monkeypatch.setattr(Instance, "is_possible", count)
    return counted


def test_a_clash_of_hundreds_names_a_few_and_counts_the_others():
    problem, policy = pinned(15, 200)

    errors = clash(problem, policy)

    # The cap, and the last 201 pins: no fewer are too many.
    assert [at for at, _, _ in errors[:2]] == ["/caps/0", "/pins/24"]
    assert errors[0][2] == (
        "The cap of 200 pairings in the round for mentors of one country clashes with "
        "the pin m001 – l009 and the pin m001 – l010 and the pin m001 – l011 and the "
        "pin m001 – l012 and the pin m001 – l013 and 196 more."
    )
    assert errors[1][2].startswith("The pin m001 – l009 clashes with the cap of 200")
    assert errors[1][2].endswith(" and 196 more.")
    assert len(errors) <= MOST_ERRORS
    assert errors[-1] == MORE_ERRORS
    assert max(len(message) for _, _, message in errors) < LONGEST


def test_what_can_be_spared_goes_at_once(tried):
    problem, policy = pinned(15, 224)
    policy["pins"] = [*policy["pins"][1:], policy["pins"][0]]
    policy["caps"] = [{"side": "learner", "by": "country", "per": "partner", "max": 0}]

    errors = clash(problem, policy)

    # The cap and the last pin: of 226 decisions 224 go in a few steps.
    assert [at for at, _, _ in errors] == ["/caps/0", "/pins/224"]
    assert len(tried) < 300  # 226 of them for clashes of one decision


def test_a_search_that_is_too_long_ends_and_says_so(monkeypatch, tried):
    monkeypatch.setattr(conflict, "WORK", 20 * conflict.LEAST_WORK)
    # Half of what one more set takes stays over.
    monkeypatch.setattr(conflict, "MORE_WORK", 10.5 * conflict.LEAST_WORK)
    problem, policy = pinned(12, 120)

    errors = clash(problem, policy)

    assert len(tried) == conflict.LEAST_TRIES + 10
    assert errors[0][:2] == ("/caps/0", "cap")
    assert errors[-1] == (
        "",
        "search_cut_short",
        (
            "Perhaps fewer of these clash already: there were too many to try each of "
            "them."
        ),
    )


def test_caps_that_cannot_bind_are_not_looked_at(tried):
    cities = [
        rounds.covered_city(f"{role[0]}{at}", role, (5,))
        for role in ("mentor", "learner")
        for at in range(4)
    ]
    slack = [
        {"side": side, "by": "country", "per": per, "max": 4}
        for side in ("mentor", "learner")
        for per in ("round", "partner")
    ]
    bans = [{"mentor": "m0", "learner": f"l{at}"} for at in range(4)]
    policy = {"caps": 25 * slack, "bans": bans, "min_load": {"mentor": 1}}

    errors = clash(Problem.from_dict({"cities": cities}), policy)

    assert [code for _, code, _ in errors] == ["min_load", *["ban"] * 4, "shortage"]
    assert len(tried) < 50  # with the caps there were 62,500


@pytest.mark.parametrize("by", ["country", "association"])
def test_a_cap_that_can_bind_is_part_of_the_clash(by):
    cities = [
        rounds.covered_city(f"{role[0]}{at}", role, (5,), association="one")
        for role in ("mentor", "learner")
        for at in range(4)
    ]
    caps = [{"side": "learner", "by": by, "per": "round", "max": 3}]
    policy = {"caps": [*caps, *caps], "min_load": {"mentor": 1}}

    errors = clash(Problem.from_dict({"cities": cities}), policy)

    assert [at for at, _, _ in errors] == ["/min_load", "/caps/1"]


def test_a_search_is_held_by_the_nodes_it_takes(monkeypatch):
    given = []
    possible = Instance.is_possible

    def watch(self, nodes, counted):
        given.append(nodes)
        counted(conflict.NODES)
        return possible(self, nodes, counted)

    monkeypatch.setattr(Instance, "is_possible", watch)
    problem, policy = pinned(4, 10)

    errors = clash(problem, policy)

    # One set, and nothing is left for a second one.
    assert given == [conflict.WORK // conflict.LEAST_WORK - 1, 999]
    assert errors[-1][1] == "search_cut_short"


def test_branch_and_bound_gets_the_nodes_that_are_left(monkeypatch):
    given = []
    make_most = Program.make_most

    def watch(self, *args):
        given.append(self.most_nodes)
        make_most(self, *args)

    monkeypatch.setattr(Program, "make_most", watch)
    monkeypatch.setattr(conflict, "WORK", 0)
    cities = [
        rounds.covered_city("a", "mentor", (5,), association="one"),
        rounds.covered_city("b", "mentor", (5,), association="two"),
        rounds.covered_city("c", "mentor", (5,), association="two", country="FR"),
        *(rounds.covered_city(one, "learner", (5,)) for one in "xyz"),
    ]
    caps = [
        {"side": "mentor", "by": by, "per": "round", "max": 1}
        for by in ("country", "association")
    ]

    clash(
        Problem.from_dict({"cities": cities}), {"caps": caps, "min_load": {"mentor": 1}}
    )

    # The answer itself was looked for with all of them.
    assert given[:2] == [NODES, conflict.LEAST_TRIES - 1]
    assert given[2:] == sorted(given[2:], reverse=True)


def test_loads_that_many_cannot_have_name_a_few_of_them():
    cities = [
        rounds.covered_city(f"m{at:02}", "mentor", (5,), mentor_capacity=2)
        for at in range(40)
    ] + [rounds.covered_city(f"l{at:02}", "learner", (5,)) for at in range(40)]

    errors = clash(Problem.from_dict({"cities": cities}), {"min_load": {"mentor": 2}})

    assert errors[-1][2] == (
        "m00, m01, m02, m03, m04 and 35 more: places that a minimum load of 2 asks "
        "for: 80; open to them: 40, with l00, l01, l02, l03, l04 and 35 more."
    )


def test_a_load_above_all_places_is_short_of_what_it_asks_for():
    cities = [
        rounds.covered_city("m", "mentor", (5,)),
        *(rounds.covered_city(one, "learner", (5,)) for one in "xy"),
    ]

    errors = clash(Problem.from_dict({"cities": cities}), {"min_load": {"mentor": 30}})

    assert errors[-1][2] == (
        "m: places that a minimum load of 30 asks for: 30; open to them: 2, with "
        "nobody."
    )


def test_a_refusal_has_a_hundred_entries_at_the_most():
    cities = [rounds.covered_city(one, "mentor", (5,)) for one in "ab"]
    unknown = [{"mentor": "nobody", "learner": f"{at}"} for at in range(300)]
    problem = Problem.from_dict({"cities": cities})

    with pytest.raises(InvalidPolicy) as of_policy:
        match(problem, Policy(bans=unknown))
    with pytest.raises(InvalidProblem) as of_problem:
        Problem.from_dict({"cities": 300 * [{}]})
    with pytest.raises(InvalidPolicy) as of_shape:
        Policy.from_dict({"bans": 300 * [{}]})

    for refused in (of_policy, of_problem, of_shape):
        errors = refused.value.errors
        assert len(errors) == MOST_ERRORS
        assert errors[-1] == MORE_ERRORS
        assert MORE_ERRORS not in errors[:-1]
        # Told once more, as with other pointers, it is the same.
        assert type(refused.value)(errors).errors == errors
