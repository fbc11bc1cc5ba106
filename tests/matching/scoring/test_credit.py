"""What those left out before bring to a pair: bounded, explained, and off by itself."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import (
    InvalidPolicy,
    InvalidProblem,
    Policy,
    Problem,
    Solution,
    drill,
    explain,
    firmness,
    match,
    measure,
    policy_hash,
    problem_hash,
    readiness,
    repair,
    suggest,
    what_if,
    why_not,
)
from matching.__main__ import read
from tests.matching import reference, rounds
from tests.matching.answering.answers import attempt
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=60)
CREDIT = Policy(left_out_credit=1)


def city(name, role, **fields):
    kind = {"mentor": "strength", "learner": "need"}[role]
    one = {"id": name, "name": name, "country": "BE", "roles": [role]}
    return one | {"areas": {"housing": {kind: 2}}} | fields


def left_out(name, role="learner", *names):
    return [{"city": name, "role": role, "round": one} for one in names or [None]]


# Two learners alike and one place.
CITIES = [city("m", "mentor"), city("x", "learner"), city("y", "learner")]


def problem(*entries, cities=CITIES, **more):
    return Problem.from_dict({"cities": cities, "left_out": [*entries]} | more)


def adjustments(*entries, policy=CREDIT, **more):
    pair = explain(problem(*entries, **more), policy, mentor="m", learner="y")
    return [one.to_dict() for one in pair.adjustments]


@SOLID
@given(cities=rounds.rounds(), each=st.floats(0, 1), data=st.data())
def test_a_credit_is_bounded_and_stands_beside_the_score(cities, each, data):
    entries = data.draw(rounds.left_out(cities))
    plain = Problem.from_dict({"cities": cities})
    credited = Problem.from_dict({"cities": cities, "left_out": entries})
    policy = Policy(left_out_credit=each)

    for mentor in (one["id"] for one in cities):
        for learner in {one["id"] for one in cities} - {mentor}:
            ids = {"mentor": mentor, "learner": learner}
            pair = explain(credited, policy, **ids)
            gained = [round(one.points * rounds.MICRO) for one in pair.adjustments]

            assert sum(gained) == reference.beside(credited, each, mentor, learner)
            assert all(0 < points <= 2 * rounds.MICRO for points in gained)
            assert len({one.role for one in pair.adjustments}) == len(gained) <= 2
            assert pair == explain(plain, policy, **ids).model_copy(
                update={"adjustments": pair.adjustments}
            )


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
@SOLID
@given(cities=rounds.rounds(), each=st.floats(0, 1), data=st.data())
def test_without_credit_or_without_anybody_left_out_all_is_as_before(
    objective, cities, each, data
):
    entries = data.draw(rounds.left_out(cities))
    plain = Problem.from_dict({"cities": cities})
    before = match(plain, Policy(objective=objective)).to_dict()

    off = match(
        Problem.from_dict({"cities": cities, "left_out": entries}),
        Policy(objective=objective, left_out_credit=0),
    ).to_dict()
    nobody = match(plain, Policy(objective=objective, left_out_credit=each)).to_dict()

    def told(solution, but):
        return json.dumps(solution | {but: None})

    assert told(off, "problem_hash") == told(before, "problem_hash")
    assert told(nobody, "policy_hash") == told(before, "policy_hash")
    assert (off["problem_hash"] == before["problem_hash"]) == (not entries)
    assert (nobody["policy_hash"] == before["policy_hash"]) == (each == 0)


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@SOLID
@given(cities=rounds.rounds(), data=st.data())
def test_a_credit_never_costs_its_city_its_only_partner(objective, cities, data):
    policy = {
        "objective": objective,
        "left_out_credit": data.draw(st.sampled_from([0.25, 1])),
        "caps": data.draw(rounds.caps),
        "min_load": data.draw(rounds.loads),
    }
    entries = data.draw(rounds.left_out(cities))
    role, name = data.draw(
        st.sampled_from([(role, one["id"]) for one in cities for role in one["roles"]])
    )
    more = left_out(name, role, *data.draw(st.sampled_from([["1999"], [None, None]])))
    policy = Policy.from_dict(policy)
    before, _ = attempt(lambda: match(problem(*entries, cities=cities), policy))
    after, _ = attempt(lambda: match(problem(*entries, *more, cities=cities), policy))

    # Whether the policy can be kept is no matter of points.
    assert (before is None) == (after is None)
    if before and after:
        had, has = (
            sum(getattr(pair, role) == name for pair in one.pairings)
            for one in (before, after)
        )
        assert bool(has) >= bool(had)
        if objective != "fair":
            assert has >= had


def test_the_one_left_out_before_gets_the_only_place():
    for name in ("x", "y"):
        found = match(problem(*left_out(name, "learner", "2024")), CREDIT)

        (pair,) = found.pairings
        assert pair.learner == name
        assert [one.to_dict() for one in pair.adjustments] == [
            {
                "code": "left_out",
                "city": name,
                "role": "learner",
                "rank": None,
                "points": 1.0,
                "rounds": ["2024"],
            }
        ]
        assert found.measures.total == pair.score
        assert found.measures.value == pair.score + 1
        assert found.measures == measure(
            problem(*left_out(name)), CREDIT, [("m", name)]
        )


@pytest.mark.parametrize(
    ("entries", "points", "names"),
    [
        (left_out("y", "learner", "2024", "2024"), 0.5, ["2024"]),
        (left_out("y", "learner", "2024", None), 1.0, ["2024"]),
        (left_out("y", "learner", None, None, None), 1.0, []),
        (left_out("y", "learner", None, "2023", None, "2024"), 1.0, ["2023", "2024"]),
        (left_out("y", "learner", "2024", "2022", "2023"), 1.0, ["2023", "2024"]),
    ],
)
def test_a_round_counts_once_and_two_rounds_count(entries, points, names):
    for some in (entries, entries[::-1]):
        (told,) = adjustments(*some, policy=Policy(left_out_credit=0.5))

        assert (told["points"], told["rounds"]) == (points, names)


def test_both_sides_may_have_a_credit_and_it_is_listed_after_the_wishes():
    wishes = [{"city": "y", "role": "learner", "partners": ["x", "m"]}]
    entries = (*left_out("y"), *left_out("m", "mentor"), *left_out("m", "learner"))

    told = adjustments(*entries, wishes=wishes)

    assert [
        (one["code"], one["city"], one["role"], one["points"], one["rank"])
        for one in told
    ] == [
        ("wish", "y", "learner", 0.5, 2),
        ("left_out", "m", "mentor", 1.0, None),
        ("left_out", "y", "learner", 1.0, None),
    ]
    assert [one["rounds"] for one in told] == [None, [], []]
    paired = match(problem(*entries, wishes=wishes), CREDIT).pairings
    assert [
        [one.to_dict() for one in pair.adjustments]
        for pair in paired
        if pair.learner == "y"
    ] == [told]
    # Whoever is suggested is told as the pair is explained.
    best = suggest(problem(*entries, wishes=wishes), "y", policy=CREDIT)
    assert [one.to_dict() for one in best[0].adjustments] == told


def test_a_credit_too_small_to_count_is_not_listed():
    assert adjustments(*left_out("y"), policy=Policy(left_out_credit=1e-7)) == []


def test_the_lowest_score_is_held_against_the_score_alone():
    score = explain(problem(), Policy(), mentor="m", learner="y").score
    policy = Policy(left_out_credit=1, rules={"min_score": round(score + 0.1, 1)})

    assert match(problem(*left_out("y")), policy).pairings == ()


def test_every_answer_counts_the_credit_as_value():
    entries = (*left_out("y", "learner", "2023", "2024"), *left_out("m", "mentor"))
    round_ = problem(*entries)
    assert pairs_of(match(round_, CREDIT)) == {("m", "y")}

    forced = what_if(round_, CREDIT, force=[("m", "x")])
    assert forced.difference.points == -2
    assert {one.city: one.points for one in forced.difference.losses} == {
        "y": -(forced.solution.pairings[0].score + 3)
    }
    told = why_not(round_, CREDIT, mentor="m", learner="x")
    assert (told.price, [one.points for one in told.adjustments]) == (2, [1])
    # Who leaves takes its places along; that somebody was left out stays true.
    again = what_if(round_, CREDIT, remove=["x"]).solution.pairings
    assert again == match(problem(*entries, cities=CITIES[::2]), CREDIT).pairings
    assert [one.points for one in again[0].adjustments] == [1, 2]
    back = what_if(round_, CREDIT, remove=["y"], add=[CITIES[2]])
    assert back.difference.to_dict() == {
        "added": [],
        "removed": [],
        "points": 0.0,
        "gains": [],
        "losses": [],
    }

    mended, other = repair(round_, CREDIT, [("m", "x")])
    assert (mended.changes, mended.points) == (0, 0)
    assert (other.changes, other.points, other.unserved) == (1, 2, ("x",))
    lost = {one.city: one.points for one in drill(round_, CREDIT).items}
    assert lost["y"] == -2
    far = Policy(left_out_credit=1, rules={"different_country": True})
    assert [(one.rule, one.points) for one in readiness(round_, far).relaxations] == [
        ("different_country", match(round_, CREDIT).measures.value)
    ]


def test_trials_keep_the_credit_as_it_is():
    # All pairs score 100 in every trial; one city leaves, and two learners remain.
    weights = dict.fromkeys(reference.WEIGHTS, 0) | {"language": 1}
    three = (*CITIES, city("z", "learner"))
    cities = [one | {"languages": ["nl"]} for one in three]

    def share(name, credit):
        policy = Policy(weights=weights, left_out_credit=credit)
        round_ = problem(*left_out(name), cities=cities)
        (pair,) = firmness(round_, policy, trials=200).pairings
        (same,) = match(round_, policy, trials=200).pairings
        assert (same.learner, same.firmness) == (pair.learner, pair.firmness)
        return pair.learner, pair.firmness

    assert [share(name, 0.01) for name in "xyz"] == [("x", 1), ("y", 1), ("z", 1)]
    assert all(0.3 < share(name, 0)[1] < 0.7 for name in "xyz")


@pytest.mark.parametrize(
    ("credit", "code"),
    [
        (-0.1, "greater_than_equal"),
        (1.1, "less_than_equal"),
        (float("nan"), "finite_number"),
        (True, "number"),
        ("1", "number"),
    ],
)
def test_a_credit_that_is_none_is_refused(credit, code):
    with pytest.raises(InvalidPolicy) as refused:
        Policy(left_out_credit=credit)

    assert [error[:2] for error in refused.value.errors] == [("/left_out_credit", code)]


def test_who_was_left_out_is_read_strictly_and_need_not_take_part():
    wrong = [
        {"city": "", "role": "learner"},
        {"city": "y", "role": "both"},
        {"city": "y", "role": "learner", "year": 2024},
    ]

    with pytest.raises(InvalidProblem) as refused:
        problem(*wrong)

    assert [error[:2] for error in refused.value.errors] == [
        ("/left_out/0/city", "string_too_short"),
        ("/left_out/1/role", "literal_error"),
        ("/left_out/2/year", "extra_forbidden"),
    ]
    elsewhere = match(problem(*left_out("z")), CREDIT)
    assert elsewhere.pairings == match(problem()).pairings
    assert Policy(left_out_credit=None).left_out_credit == 0


def test_a_body_of_post_match_may_have_both():
    body = {"cities": CITIES, "left_out": left_out("y", "learner", "2024")}

    found = match(*read(json.dumps(body | {"policy": {"left_out_credit": 1}}).encode()))
    with pytest.raises(InvalidPolicy) as refused:
        read(json.dumps(body | {"policy": {"left_out_credit": 2}}).encode())

    assert pairs_of(found) == {("m", "y")}
    assert [e[0] for e in refused.value.errors] == ["/policy/left_out_credit"]


def test_hashes_of_rounds_without_credit_are_those_of_old_bundles():
    old = Problem.from_dict(
        {
            "cities": [
                city("m", "mentor"),
                city("l", "learner", country="FR"),
            ],
            "wishes": [{"city": "l", "role": "learner", "partners": ["m"]}],
            "history": [{"mentor": "m", "learner": "x", "round": "2024"}],
        }
    )
    cap = {"side": "mentor", "by": "country", "per": "round", "max": 2}
    strict = {"objective": "fair", "rules": {"no_repeat": True}, "caps": [cap]}

    # Computed before there were credits.
    assert problem_hash(old) == (
        "sha256:ada4e48368127a8e3f433df0cfd86bfb9e86a493fc2dece59b3a6c048e63cc66"
    )
    assert policy_hash(Policy.from_dict(strict | {"left_out_credit": 0})) == (
        "sha256:728eb471dbf127503cb1eabe6ea2884fc1ae33252d076ec60ae3a995ae347df2"
    )
    assert policy_hash(Policy()) == (
        "sha256:a7a7933ccc8a04c604cea25e43d37c7c5c0384d4f9ed13657339eed3e6c3c777"
    )


def test_a_solution_from_before_there_were_credits_reads_as_the_same():
    wishes = [{"city": "y", "role": "learner", "partners": ["m"]}]
    now = match(problem(wishes=wishes))
    then = now.to_dict()
    assert then["pairings"][0]["adjustments"][0].pop("rounds") is None

    assert Solution.model_validate_json(json.dumps(then)) == now


def test_hashes_see_who_was_left_out_and_not_in_which_order():
    one, other = left_out("x", "learner", "2024"), left_out("y", "mentor")

    assert problem_hash(problem(*one, *other)) == problem_hash(problem(*other, *one))
    hashes = {
        problem_hash(problem(*entries))
        for entries in ([], one, other, [*one, *other], left_out("x"))
    }
    assert len(hashes) == 5
    assert len({policy_hash(Policy(left_out_credit=x)) for x in (0, 0.5, 1)}) == 3
