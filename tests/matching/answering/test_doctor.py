"""The rule doctor, shortages and readiness against enumeration."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Infeasible, Policy, Problem, match, readiness
from tests.matching import rounds
from tests.matching.answering.answers import attempt
from tests.matching.answering.cities import CITIES

SOLID = settings(derandomize=True, deadline=None, max_examples=80)


def relaxed(policy, rule, to):
    """The policy with one thing relaxed, by the name that a relaxation gives it."""
    body = policy.to_dict()
    kind, _, at = rule.partition("/")
    match kind:
        case "min_load":
            body["min_load"]["mentor"] = to
        case "caps" if to is None:
            del body["caps"][int(at)]
        case "caps":
            body["caps"][int(at)]["max"] = to
        case "pins" | "bans":
            del body[kind][int(at)]
        case _:
            body["rules"][rule] = to if to is not None else None
            if isinstance(getattr(policy.rules, rule), bool):
                body["rules"][rule] = False
    return Policy.from_dict(body)


@pytest.mark.parametrize("objective", ["total", "served", "fair", "stable"])
@SOLID
@given(data=st.data())
def test_every_relaxation_gains_what_it_says_and_none_is_missed(objective, data):
    cities = data.draw(rounds.rounds())
    places = st.tuples(st.integers(40, 60), st.integers(0, 20))
    for one in cities:
        one["latitude"], one["longitude"] = data.draw(places)
        one["population"] = data.draw(st.sampled_from([10_000, 25_000, 300_000]))
    free = rounds.table(cities, data.draw(rounds.left_out(cities)))
    bans = data.draw(
        st.lists(st.sampled_from(sorted(free.worth)), unique=True, max_size=2)
        if free.worth
        else st.just([])
    )
    policy = {
        "objective": objective,
        "rules": {
            "different_country": data.draw(st.booleans()),
            "max_distance_km": data.draw(st.sampled_from([None, 300, 900])),
            "max_size_ratio": data.draw(st.sampled_from([None, 2])),
            "min_score": data.draw(st.sampled_from([None, 50])),
        },
        "bans": [{"mentor": m, "learner": one} for m, one in bans],
        "left_out_credit": data.draw(rounds.credit),
    }
    if objective != "stable":
        policy["caps"] = data.draw(rounds.caps.map(lambda caps: caps[:1]))
    policy = Policy.from_dict(policy)
    before, refusal = attempt(lambda: match(free.problem, policy))
    assert refusal is None

    found = {one.rule: one for one in before.relaxations}

    def gain(rule, to):
        now = match(free.problem, relaxed(policy, rule, to)).measures
        served = now.learners_served - before.measures.learners_served
        return served, round(now.value - before.measures.value, 6)

    for one in found.values():
        assert gain(one.rule, one.to) == (one.learners_gained, one.points)
        assert one.learners_gained > 0
    switches = ["different_country"] if policy.rules.different_country else []
    switches += [f"bans/{at}" for at in range(len(policy.bans))]
    for rule in switches:
        assert (rule in found) == (gain(rule, None)[0] > 0)
    for rule in ("max_distance_km", "max_size_ratio", "min_score"):
        limit = getattr(policy.rules, rule)
        if limit is not None and rule not in found:
            assert gain(rule, None)[0] <= 0
        elif limit is not None and found[rule].to is not None:
            step = {"max_distance_km": 1, "max_size_ratio": 0.1, "min_score": -0.1}
            nearer = round(found[rule].to - step[rule], 6)
            assert (nearer < limit) != (step[rule] < 0) or gain(rule, nearer)[0] <= 0
    for at, cap in enumerate(policy.caps):
        tried = [*range(cap.max + 1, cap.max + 4), None]
        helping = [most for most in tried if gain(f"caps/{at}", most)[0] > 0]
        told = [one.to for one in before.relaxations if one.rule == f"caps/{at}"]
        assert told == helping[:1]
    order = [
        (max(-one.points, 0) / one.learners_gained, -one.learners_gained, -one.points)
        for one in before.relaxations
    ]
    assert order == sorted(order)


def test_relaxations_of_a_known_round():
    problem = Problem.from_dict({"cities": CITIES})
    policy = Policy(rules={"max_distance_km": 300, "different_country": True})

    far = match(problem, Policy(rules={"max_distance_km": 300}))
    both = match(problem, policy)

    # Ghent has one place; Lyon lies 440.2 km from Arlon and 522.7 km from Namur.
    assert [(one.rule, one.to, one.learners_gained) for one in far.relaxations] == [
        ("max_distance_km", 441, 1)
    ]
    assert {one.rule for one in both.relaxations} == {
        "max_distance_km",
        "different_country",
    }
    assert match(problem).relaxations == ()


@SOLID
@given(cities=rounds.rounds(), strict=st.booleans())
def test_a_shortage_is_deficient_and_as_large_as_it_must_be(cities, strict):
    rules = {"different_country": strict}
    table = rounds.table(cities, rules=rules, objective="served")
    most = table.best()[0]

    found = readiness(table.problem, table.policy).shortage

    if found is None:
        assert most == len(table.learners)
        return
    reach = {m for m, one in table.allowed if one in found.learners}
    assert reach == set(found.mentors)
    assert found.places == sum(table.capacity[one] for one in reach)
    assert found.wanted == len(found.learners)
    assert found.short == found.wanted - found.places == len(table.learners) - most
    # It is the smallest set that is short by so many.
    for size in range(len(found.learners)):
        for some in combinations(found.learners, size):
            near = {m for m, one in table.allowed if one in some}
            assert size - sum(table.capacity[one] for one in near) < found.short


def test_readiness_tells_what_clashes_and_what_to_relax():
    problem = Problem.from_dict({"cities": CITIES})
    near = Policy(rules={"max_distance_km": 300})
    loaded = Policy(min_load={"mentor": 2})

    relaxable = readiness(problem, near)
    clashing = readiness(problem, loaded)

    assert relaxable.relaxations == match(problem, near).relaxations
    assert relaxable.shortage.to_dict() == {
        "learners": ["arlon", "namur"],
        "mentors": ["ghent"],
        "places": 1,
        "wanted": 2,
        "short": 1,
    }
    with pytest.raises(Infeasible) as refused:
        match(problem, loaded)
    assert [f.message for f in clashing.findings if f.code == "conflict"] == [
        message for _, _, message in refused.value.errors
    ]
    assert clashing.relaxations == ()
