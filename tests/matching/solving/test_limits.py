"""Caps, minimum loads and stability against every assignment there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Infeasible, InvalidPolicy, Policy, Problem, assign, match
from matching._answering.conflict import conflict
from matching._round import Round
from tests.matching import rounds
from tests.matching.answering.cities import CITIES
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=80)


def micro(points):
    return round(points * rounds.MICRO)


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@SOLID
@given(cities=rounds.rounds(), caps=rounds.caps, load=rounds.loads, data=st.data())
def test_limits_are_kept_and_nothing_better_keeps_them(
    objective, cities, caps, load, data
):
    round_ = {
        "left_out": data.draw(rounds.left_out(cities)),
        "left_out_credit": data.draw(rounds.credit),
        "objective": objective,
        "caps": caps,
        "min_load": load,
    }
    table = rounds.table(cities, **round_)
    if table.allowed and data.draw(st.booleans()):
        mentor, learner = data.draw(st.sampled_from(sorted(table.allowed)))
        pins = [{"mentor": mentor, "learner": learner}]
        table = rounds.table(cities, **round_, pins=pins)
    wanted = table.best()

    if wanted is None:
        with pytest.raises(Infeasible):
            match(table.problem, table.policy)
        return
    solution = match(table.problem, table.policy)

    pairs = pairs_of(solution)
    assert table.is_legal(pairs)
    assert pairs >= table.pins
    assert pairs <= table.allowed | table.pins
    assert table.key(pairs) == wanted
    assert solution.gap == 0
    assert micro(solution.measures.value) == table.value(pairs)


@pytest.mark.parametrize("most", [1, 2])
@SOLID
@given(data=st.data())
def test_nested_caps_are_fair_by_flows_alone(most, data):
    cities = data.draw(rounds.rounds(most=most))
    caps = data.draw(
        rounds.caps.map(
            lambda caps: [
                cap | {"by": "country"}
                for cap in caps
                if (cap["side"], cap["per"]) != ("mentor", "partner")
            ]
        )
    )
    table = rounds.table(cities, objective="fair", caps=caps)

    solution = match(table.problem, table.policy)

    assert table.key(pairs_of(solution)) == table.best()
    assert solution.engine == "flow"


COUNTRY, ASSOCIATION = (
    {"side": "mentor", "by": by, "per": "round", "max": 2}
    for by in ("country", "association")
)


@pytest.mark.parametrize("demand", [1, 2])
@pytest.mark.parametrize(
    ("caps", "engine"),
    [([], "flow"), ([COUNTRY], "flow"), ([COUNTRY, ASSOCIATION], "milp")],
)
def test_fair_gives_up_points_for_the_worst_off_under_limits_too(caps, engine, demand):
    cities = [
        rounds.covered_city("a", "mentor", (10, 6), association="one"),
        rounds.covered_city("b", "mentor", (6, 3), association="two"),
        rounds.covered_city("c", "mentor", (0, 0), association="two", country="FR"),
        rounds.covered_city("x", "learner", (10, 0), learner_demand=demand),
        rounds.covered_city("y", "learner", (0, 10), learner_demand=demand),
    ]
    problem = Problem.from_dict({"cities": cities})

    def chosen(objective):
        found = match(
            problem,
            Policy(objective=objective, caps=caps, weights=rounds.ONLY_NEEDS),
        )
        return pairs_of(found), found.engine

    dear = {("a", "x"), ("b", "y" if demand == 1 else "x")}
    assert chosen("total") == (dear, engine)
    assert chosen("fair") == ({("a", "y"), ("b", "x")}, engine)


def test_nested_groups_need_a_flow_only_and_overlapping_ones_a_program():
    def city(name, role, country, association=None):
        one = {"id": name, "name": name, "country": country, "roles": [role]}
        areas = {"housing": {"need": 2, "strength": 2}}
        return one | {"areas": areas, "association": association}

    cities = [
        city("a", "mentor", "BE", "VVSG"),
        city("b", "mentor", "BE", "Brulocalis"),
        city("c", "mentor", "FR", "AFCCRE"),
        city("x", "learner", "IT"),
        city("y", "learner", "GR"),
        city("z", "learner", "LV"),
    ]
    caps = [
        {"side": "mentor", "by": by, "per": "round", "max": most}
        for by, most in (("country", 1), ("association", 1))
    ]
    across = [
        one | {"association": "One"} if one["id"] in "ac" else one for one in cities
    ]

    nested = match(Problem.from_dict({"cities": cities}), Policy(caps=caps))
    overlapping = match(Problem.from_dict({"cities": across}), Policy(caps=caps))
    idle = match(
        Problem.from_dict({"cities": cities}),
        Policy(min_load={"mentor": 2, "only_if_used": True}),
    )

    assert (nested.engine, nested.measures.places_filled) == ("flow", 2)
    # One of a and c (one association), one of a and b (one country): b and c.
    assert (overlapping.engine, overlapping.measures.places_filled) == ("milp", 2)
    assert {pair.mentor for pair in overlapping.pairings} == {"b", "c"}
    assert (idle.engine, idle.pairings) == ("milp", ())
    # Whoever is used has one learner at least: no limit, and no pair without points.
    free = Policy(min_load={"mentor": 1, "only_if_used": True})
    assert match(Problem.from_dict({"cities": cities}), free).engine == "flow"
    assert {
        (w.rule, w.city)
        for w in match(
            Problem.from_dict({"cities": cities}),
            Policy(
                caps=[
                    {"side": "learner", "by": "association", "per": "round", "max": 1}
                ]
            ),
        ).warnings
    } == {("caps/0", one) for one in "xyz"}


def test_those_left_out_by_a_limit_learn_which():
    def city(name, role, country="BE"):
        areas = {"housing": {"need": 2, "strength": 2}}
        one = {"id": name, "name": name, "country": country, "roles": [role]}
        return one | {"areas": areas}

    mentors = [city("a", "mentor"), city("b", "mentor")]
    problem = Problem.from_dict({"cities": [*mentors, city("x", "learner", "IT")]})
    more = Problem.from_dict(
        {"cities": [*mentors, *(city(one, "learner", "IT") for one in "xy")]}
    )
    caps = [{"side": "mentor", "by": "country", "per": "round", "max": 1}]

    capped = match(more, Policy(caps=caps))
    loaded = match(problem, Policy(min_load={"mentor": 2, "only_if_used": True}))

    (paired,) = capped.pairings
    assert [
        (one.city, [(why.code, why.partners) for why in one.reasons])
        for one in capped.unmatched
        if one.city not in {paired.mentor, paired.learner}
    ] == [
        ("b" if paired.mentor == "a" else "a", [("all_places_taken", 1), ("caps", 1)]),
        ("y" if paired.learner == "x" else "x", [("all_places_taken", 1), ("caps", 1)]),
    ]
    assert [one.to_dict()["reasons"] for one in loaded.unmatched] == [
        [{"code": "min_load", "partners": 1}],
        [{"code": "min_load", "partners": 1}],
        [{"code": "min_load", "partners": 2}],
    ]


@SOLID
@given(cities=rounds.rounds(), caps=rounds.caps, load=rounds.loads, data=st.data())
def test_what_clashes_clashes_and_none_of_it_can_be_spared(cities, caps, load, data):
    free = rounds.table(cities)
    pins = (
        data.draw(st.sets(st.sampled_from(sorted(free.allowed)), max_size=2))
        if free.allowed
        else set()
    )
    load = load | {"only_if_used": False}
    policy = {
        "caps": caps,
        "min_load": load,
        "pins": [{"mentor": m, "learner": one} for m, one in sorted(pins)],
        "rules": {"different_country": data.draw(st.booleans())},
    }
    try:
        match(free.problem, Policy.from_dict(policy))
    except Infeasible as error:
        errors = [e for e in error.errors if e[1] != "shortage"]
    else:
        return
    if any(
        code in {"different_country", "capacity", "demand"} and at.startswith("/pins")
        for at, code, _ in errors
    ):
        return  # each of these names both sides of one clash

    def possible(pointers):
        kept = {
            "caps": [c for at, c in enumerate(caps) if f"/caps/{at}" in pointers],
            "min_load": load if "/min_load" in pointers else {},
            "pins": [
                p for at, p in enumerate(policy["pins"]) if f"/pins/{at}" in pointers
            ],
            "rules": {"different_country": "/rules/different_country" in pointers},
        }
        return rounds.table(cities, **kept).best() is not None

    pointers = {at for at, _, _ in errors}
    assert not possible(pointers)
    assert all(possible(pointers - {one}) for one in pointers)
    assert all("clashes with" in e[2] or "cannot be kept" in e[2] for e in errors)


@SOLID
@given(cities=rounds.rounds(), data=st.data())
def test_no_pair_blocks_a_stable_assignment_and_learners_get_their_best_one(
    cities, data
):
    wishes = [
        {
            "city": one["id"],
            "role": role,
            "partners": data.draw(
                st.lists(
                    st.sampled_from([c["id"] for c in cities if c is not one]),
                    unique=True,
                    max_size=2,
                )
            ),
        }
        for one in cities
        for role in one["roles"]
        if len(cities) > 1
    ]
    problem = Problem.from_dict({"cities": cities, "wishes": wishes})
    table = rounds.Table(problem, Policy(objective="stable"))
    credited = problem.to_dict() | {"left_out": data.draw(rounds.left_out(cities))}

    solution = match(problem, table.policy)

    pairs = pairs_of(solution)
    # A city prefers partners, and a credit is the same with all of them.
    assert pairs == pairs_of(
        match(
            Problem.from_dict(credited), Policy(objective="stable", left_out_credit=1)
        )
    )
    assert table.is_legal(pairs)
    assert pairs <= table.allowed
    assert solution.measures.blocking_pairs == 0
    assert not blocking(table, pairs)
    assert solution.engine == "deferred_acceptance"
    if max(table.demand.values()) == 1 == max(table.capacity.values()):
        # Of all stable assignments the one that every learner likes best.
        for other in table.assignments():
            if not blocking(table, other):
                for learner in table.learners:
                    mine, theirs = (
                        [
                            likes(table, "learner", learner)(m)
                            for m, one in some
                            if one == learner
                        ]
                        for some in (pairs, other)
                    )
                    assert mine >= theirs


def likes(table, role, city):
    """Return how the city ranks a partner: by score and own wish, then by id."""
    wish = {
        partner: round(rounds.MICRO / rank)
        for one in table.problem.wishes
        if (one.city, one.role) == (city, role)
        for rank, partner in enumerate(one.partners, 1)
    }

    def rank(partner):
        mentor, learner = (city, partner) if role == "mentor" else (partner, city)
        own = table.score[mentor, learner] + wish.get(partner, 0)
        return own, [-ord(letter) for letter in partner]

    return rank


def blocking(table, pairs):
    """Return every pair that both would rather have, by the definition."""
    found = set()
    for mentor, learner in table.allowed - pairs:
        would = True
        for role, city, partner, most in (
            ("mentor", mentor, learner, table.capacity[mentor]),
            ("learner", learner, mentor, table.demand[learner]),
        ):
            rank = likes(table, role, city)
            mine = [
                one if role == "mentor" else m
                for m, one in pairs
                if (m if role == "mentor" else one) == city
            ]
            would &= len(mine) < most or rank(partner) > min(map(rank, mine))
        if would:
            found.add((mentor, learner))
    return found


@pytest.mark.parametrize(
    "limit",
    [
        {"caps": [{"side": "mentor", "by": "country", "per": "round", "max": 1}]},
        {"min_load": {"mentor": 1}},
    ],
)
def test_stable_knows_no_limits(limit):
    with pytest.raises(InvalidPolicy) as refused:
        match(
            Problem.from_dict({"cities": []}),
            Policy.from_dict({"objective": "stable"} | limit),
        )

    assert [e[:2] for e in refused.value.errors] == [
        (f"/{next(iter(limit))}", "not_with_stable")
    ]


def test_no_clash_is_told_of_a_round_that_can_be_matched():
    # As where the search for an assignment ended before it found one.
    problem = Problem.from_dict({"cities": CITIES})
    pins = [{"mentor": "ghent", "learner": "arlon"}]

    told = conflict(Round(problem, Policy(pins=pins, min_load={"mentor": 1})))

    assert [error[:2] for error in told] == [("", "too_hard")]


def test_mentors_that_cannot_all_have_their_load_are_named():
    def city(name, role, **more):
        one = {"id": name, "name": name, "country": "BE", "roles": [role]}
        return one | {"areas": {"housing": {"need": 2, "strength": 2}}} | more

    cities = [
        city("a", "mentor", mentor_capacity=2),
        city("b", "mentor", mentor_capacity=2),
        city("x", "learner"),
        city("y", "learner"),
        city("z", "learner"),
    ]

    with pytest.raises(Infeasible) as refused:
        match(Problem.from_dict({"cities": cities}), Policy(min_load={"mentor": 2}))

    says = "places that a minimum load of 2 asks for: 4; open to them: 3"
    assert refused.value.errors == [
        ("/min_load", "min_load", "The minimum load of 2 cannot be kept."),
        ("/min_load", "shortage", f"a, b: {says}, with x, y, z."),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_assign_finds_stable_pairs_of_any_matrix(seed):
    random = np.random.default_rng(seed)
    scores = random.integers(-1, 5, (7, 9))
    capacity, demand = random.integers(0, 3, 7), random.integers(0, 3, 9)

    pairs = {
        tuple(p)
        for p in assign(scores, capacity, demand, objective="stable").pairs.tolist()
    }

    for i, j in np.argwhere(scores > 0).tolist():
        if (i, j) not in pairs:
            learners = [(scores[i, c], -c) for r, c in pairs if r == i]
            mentors = [(scores[r, j], -r) for r, c in pairs if c == j]
            assert (
                len(learners) == capacity[i]
                and (scores[i, j], -j) < min(learners, default=(99,))
            ) or (
                len(mentors) == demand[j]
                and (scores[i, j], -i) < min(mentors, default=(99,))
            )


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@pytest.mark.parametrize("roles", ["", "mm", "ll"])
@pytest.mark.parametrize("by", ["country", "association"])
def test_limits_on_one_side_alone_or_on_nobody(objective, roles, by):
    names = {"m": "mentor", "l": "learner"}
    cities = [
        {
            "id": f"{at}",
            "name": "x",
            "country": "BE",
            "roles": [names[role]],
            "areas": {"housing": {"need": 1, "strength": 1}},
        }
        for at, role in enumerate(roles)
    ]
    caps = [
        {"side": side, "by": by, "per": per, "max": 1}
        for side in ("mentor", "learner")
        for per in ("round", "partner")
    ]
    loads = [{"mentor": 0}, {"mentor": 2, "only_if_used": True}]

    for load in loads:
        policy = {"objective": objective, "caps": caps, "min_load": load}
        solution = match(
            Problem.from_dict({"cities": cities}), Policy.from_dict(policy)
        )
        assert (solution.pairings, len(solution.unmatched)) == ((), len(roles))
