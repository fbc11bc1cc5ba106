"""Prices, what-ifs and why-nots against solving anew."""

import json

import numpy as np
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
    why_not,
)
from schemas import City, Weights
from tests.matching import rounds
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=40)


def forced(table, base, mentor, learner):
    """The price of a pair by enumeration, None where no assignment has it."""
    if (mentor, learner) not in table.worth:
        return None
    best = table.best([(mentor, learner)])
    return None if best is None else (base - best[-1]) / rounds.MICRO


def priced(found):
    return {
        (mentor, learner): None if np.isnan(price) else round(float(price), 6)
        for mentor, row in zip(found.mentors, found.points, strict=True)
        for learner, price in zip(found.learners, row, strict=True)
    }


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@pytest.mark.parametrize("limited", [False, True])
@SOLID
@given(data=st.data())
def test_prices_are_what_enumeration_loses_by_the_pair(objective, limited, data):
    cities = data.draw(rounds.rounds())
    policy = {
        "objective": objective,
        "rules": {"min_score": data.draw(st.sampled_from([None, 40]))},
        "left_out_credit": data.draw(rounds.credit),
    }
    if limited:
        policy |= {"caps": data.draw(rounds.caps), "min_load": data.draw(rounds.loads)}
    table = rounds.table(cities, data.draw(rounds.left_out(cities)), **policy)
    best = table.best()
    if best is None:
        with pytest.raises(Infeasible):
            prices(table.problem, table.policy)
        return

    found = prices(table.problem, table.policy)

    # A pin overrides the lowest score, and so does being forced.
    assert priced(found) == {
        pair: forced(table, best[-1], *pair)
        for pair in ((m, one) for m in found.mentors for one in found.learners)
    }
    told = {
        (other.mentor, pair.learner): other.price
        for pair in match(table.problem, table.policy).pairings
        for other in pair.alternates
    }
    assert told == {pair: priced(found)[pair] for pair in told}


@pytest.mark.parametrize("objective", ["total", "served"])
def test_prices_of_a_larger_round_are_those_of_hundreds_of_pins(objective):
    random = np.random.default_rng(4)
    areas = ["housing", "health", "language", "culture", "data", "finance"]

    def city(role, kind, at):
        some = random.choice(areas, 3, replace=False)
        levels = {str(area): {kind: int(random.integers(1, 5))} for area in some}
        places = {
            f"{'mentor_capacity' if role == 'mentor' else 'learner_demand'}": int(
                random.integers(1, 3)
            )
        }
        country = str(random.choice(["BE", "FR", "IT", "GR"]))
        return {
            "id": f"{role}{at:02}",
            "name": role,
            "country": country,
            "roles": [role],
            "areas": levels,
        } | places

    cities = [city("mentor", "strength", at) for at in range(14)]
    cities += [city("learner", "need", at) for at in range(16)]
    rules = {"different_country": True}
    pins = [{"mentor": "mentor03", "learner": "learner06"}]
    wishes = [
        {"city": "learner02", "role": "learner", "partners": ["mentor07", "mentor01"]}
    ]
    problem = Problem.from_dict({"cities": cities, "wishes": wishes})
    base = Policy.from_dict({"objective": objective, "rules": rules, "pins": pins})
    value = match(problem, base).measures.value

    found = priced(prices(problem, base))

    wanted = {}
    for mentor, learner in found:
        pin = {"mentor": mentor, "learner": learner}
        more = pins if pin in pins else [*pins, pin]
        try:
            now = match(
                problem,
                base.model_copy(update={"pins": Policy.from_dict({"pins": more}).pins}),
            )
        except Infeasible:
            wanted[mentor, learner] = None
        else:
            wanted[mentor, learner] = round(value - now.measures.value, 6)
    assert found == wanted
    assert len({price for price in found.values() if price}) > 50


def attempt(task):
    """What the task gives, and the refusal if there is one."""
    try:
        return task(), None
    except Infeasible as error:
        return None, error


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


CITIES = [
    {
        "id": "ghent",
        "name": "Ghent",
        "country": "BE",
        "roles": ["mentor"],
        "areas": {"housing": {"strength": 4}},
        "latitude": 51.0,
        "longitude": 3.7,
        "population": 260_000,
        "languages": ["nl"],
    },
    {
        "id": "lyon",
        "name": "Lyon",
        "country": "FR",
        "roles": ["mentor"],
        "areas": {"housing": {"strength": 1}},
        "latitude": 45.8,
        "longitude": 4.8,
        "population": 520_000,
        "languages": ["fr"],
    },
    {
        "id": "arlon",
        "name": "Arlon",
        "country": "BE",
        "roles": ["learner"],
        "areas": {"housing": {"need": 4}},
        "latitude": 49.7,
        "longitude": 5.8,
        "population": 30_000,
        "languages": ["fr"],
    },
    {
        "id": "namur",
        "name": "Namur",
        "country": "BE",
        "roles": ["learner"],
        "areas": {"housing": {"need": 2}},
        "latitude": 50.5,
        "longitude": 4.9,
        "population": 110_000,
        "languages": ["fr"],
    },
]


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
