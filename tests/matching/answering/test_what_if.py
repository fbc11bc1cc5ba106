"""What-ifs are the matching of the changed round, told by what differs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import (
    Infeasible,
    InvalidPolicy,
    InvalidProblem,
    Policy,
    Problem,
    match,
    prices,
    what_if,
)
from schemas import City, Weights
from tests.matching import rounds
from tests.matching.answering.answers import attempt, priced
from tests.matching.answering.cities import CITIES
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=40)


@SOLID
@given(cities=rounds.rounds(), data=st.data())
def test_a_what_if_is_the_matching_of_the_changed_round(cities, data):
    table = rounds.table(cities)
    pairs = (
        st.lists(st.sampled_from(sorted(table.worth)), unique=True, max_size=2)
        if table.worth
        else st.just([])
    )
    force, ban = data.draw(pairs), data.draw(pairs)
    gone = data.draw(
        st.lists(st.sampled_from([c["id"] for c in cities]), unique=True, max_size=1)
    )
    named = {one for pair in (*force, *ban) for one in pair}
    gone = [one for one in gone if one not in named]
    new = {
        "id": "new",
        "name": "New",
        "country": "LV",
        "roles": ["mentor"],
        "areas": cities[0]["areas"],
    }
    weights, rules = {"language": 50}, {"different_country": data.draw(st.booleans())}

    def decisions(some):
        return [{"mentor": mentor, "learner": learner} for mentor, learner in some]

    there = [one for one in cities if one["id"] not in gone] + [new]
    policy = {
        "pins": decisions(force),
        "bans": decisions(ban),
        "weights": weights,
        "rules": rules,
    }
    change = {
        "force": force,
        "ban": ban,
        "remove": gone,
        "add": [new],
        "weights": weights,
        "rules": rules,
    }
    there = Problem.from_dict({"cities": there})
    wanted, refusal = attempt(lambda: match(there, Policy.from_dict(policy)))
    if refusal:
        with pytest.raises(Infeasible) as refused:
            what_if(table.problem, **change)
        assert [e[1:] for e in refused.value.errors] == [e[1:] for e in refusal.errors]
        assert all(not e[0].startswith("/pins/") for e in refused.value.errors)
        return

    found = what_if(table.problem, **change)

    before = match(table.problem)
    told = found.difference
    said = found.solution.to_dict()
    for one in said["relaxations"]:
        # Named as the caller named it; here the matching has no other decisions.
        one["rule"] = one["rule"].replace("force/", "pins/").replace("ban/", "bans/")
    assert said == wanted.to_dict()
    assert told.points == pytest.approx(wanted.measures.value - before.measures.value)
    assert {(p.mentor, p.learner) for p in told.added} == pairs_of(wanted) - pairs_of(
        before
    )
    assert {(p.mentor, p.learner) for p in told.removed} == pairs_of(before) - pairs_of(
        wanted
    )

    def points(solution):
        return {
            learner: round(
                sum(p.score for p in solution.pairings if p.learner == learner), 6
            )
            for learner in {p.learner for p in (*before.pairings, *wanted.pairings)}
        }

    old, now = points(before), points(wanted)
    moved = {one: round(now[one] - old[one], 6) for one in old if now[one] != old[one]}
    assert {one.city: one.points for one in (*told.gains, *told.losses)} == moved
    assert all(one.points > 0 for one in told.gains)
    assert all(one.points < 0 for one in told.losses)


def test_a_what_if_with_a_pair_tells_its_price_and_who_pays_it():
    problem = Problem.from_dict({"cities": CITIES})
    before = match(problem)
    assert pairs_of(before) == {("ghent", "arlon"), ("lyon", "namur")}

    found = what_if(problem, Policy(), force=[{"mentor": "lyon", "learner": "arlon"}])

    price = priced(prices(problem))["lyon", "arlon"]
    assert price > 0
    assert found.difference.points == -price
    assert [p.mentor for p in found.difference.added] == ["lyon", "ghent"]
    assert [one.city for one in found.difference.losses] == ["arlon"]
    assert found.difference.to_dict() == json.loads(
        json.dumps(found.difference.to_dict())
    )
    # Only what is named changes; the policy of the caller stays as it is.
    policy = Policy(weights={"focus": 0}, rules={"max_distance_km": 10})
    free = what_if(
        problem, policy, rules={"max_distance_km": None}, weights=Weights(language=20)
    )
    assert (
        free.solution.policy_hash
        == match(problem, Policy(weights={"focus": 0, "language": 20})).policy_hash
    )
    assert (policy.rules.max_distance_km, policy.weights.language) == (10, 10)
    strict = Policy(rules={"different_country": True})
    assert (
        what_if(problem, strict, rules={"different_country": None}).solution == before
    )
    unchanged = what_if(problem, policy, weights={"focus": None, "needs_met": None})
    assert unchanged.solution.policy_hash == match(problem, policy).policy_hash
    # What is suggested is named as the caller named it.
    dropped = what_if(
        problem,
        Policy(bans=[{"mentor": "lyon", "learner": one} for one in ("arlon", "namur")]),
        remove=["arlon"],
        ban=[("ghent", "namur")],
    )
    assert {one.rule for one in dropped.solution.relaxations} == {"bans/1", "ban/0"}
    # A city may come back with another profile.
    again = City(**CITIES[1] | {"areas": {"housing": {"strength": 4}}})
    assert what_if(problem, remove=["lyon"], add=[again]).difference.points > 0


@pytest.mark.parametrize(
    ("change", "kind", "error"),
    [
        (
            {"force": [("x", "arlon")]},
            InvalidPolicy,
            ("/force/0/mentor", "unknown_city"),
        ),
        ({"ban": [("lyon", "lyon")]}, InvalidPolicy, ("/ban/0/learner", "itself")),
        ({"force": [("lyon",)]}, InvalidPolicy, ("/force/0/learner", "missing")),
        ({"force": ["lyon"]}, InvalidPolicy, ("/force/0", "model_type")),
        ({"remove": ["x"]}, InvalidProblem, ("/remove/0", "unknown_city")),
        (
            {"remove": ["lyon"], "force": [("lyon", "arlon")]},
            InvalidPolicy,
            ("/force/0/mentor", "unknown_city"),
        ),
        ({"add": [CITIES[0]]}, InvalidProblem, ("/add/0/id", "duplicate")),
        ({"add": [{"id": "x"}]}, InvalidProblem, ("/add/0/name", "missing")),
        ({"remove": "lyon"}, InvalidProblem, ("/remove", "tuple_type")),
        (
            {"force": [("lyon", "arlon", "namur")]},
            InvalidPolicy,
            ("/force/0/third", "extra_forbidden"),
        ),
        (
            {"remove": ["lyon"], "rules": {"different_country": True}},
            Infeasible,
            ("/pins/1", "different_country"),
        ),
        (
            {"weights": {"language": -1}},
            InvalidPolicy,
            ("/weights/language", "greater_than_equal"),
        ),
        ({"weights": {"luck": 1}}, InvalidPolicy, ("/weights/luck", "extra_forbidden")),
        (
            {"rules": {"max_distance_km": 0}},
            InvalidPolicy,
            ("/rules/max_distance_km", "greater_than"),
        ),
        (
            {"force": [("lyon", "arlon"), ("lyon", "namur")]},
            Infeasible,
            ("/pins", "capacity"),
        ),
        (
            {"force": [("ghent", "arlon")], "rules": {"different_country": True}},
            Infeasible,
            ("/force/0", "different_country"),
        ),
    ],
)
def test_a_wrong_what_if_is_refused_where_it_is_wrong(change, kind, error):
    problem = Problem.from_dict({"cities": CITIES})
    # The first pin goes with lyon: the second one stays the second.
    pinned = [("lyon", "arlon"), ("ghent", "namur")]
    if kind is Infeasible and "remove" not in change:
        pinned = []
    policy = Policy(pins=[{"mentor": m, "learner": one} for m, one in pinned])

    with pytest.raises(kind) as refused:
        what_if(problem, policy, **change)

    assert refused.value.errors[0][:2] == error
