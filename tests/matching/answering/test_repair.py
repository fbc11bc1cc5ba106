"""Repairs against every assignment there is, and what they keep."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import data as facts
from matching import Infeasible, Policy, Problem, match, repair
from tests.matching import rounds
from tests.matching.answering.answers import pairs
from tests.matching.answering.cities import CITIES, without
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=80)


def frontier_of(table, every, kept) -> dict[int, object]:
    """Return the best value by how many kept pairs are undone, where more is gained."""
    best = {}
    for one in every:
        undone = len(kept - one)
        best[undone] = max(best.get(undone, -1), table.value(one))
    frontier, reached = {}, -1
    for undone in sorted(best):
        if best[undone] > reached:
            frontier[undone] = reached = best[undone]
    return frontier


@SOLID
@given(cities=rounds.rounds(), limited=st.booleans(), data=st.data())
def test_repairs_are_the_best_of_every_number_of_changes(cities, limited, data):
    policy = {"rules": {"different_country": data.draw(st.booleans())}}
    if limited:
        policy |= {"caps": data.draw(rounds.caps)}
    left_out = data.draw(rounds.left_out(cities))
    policy["left_out_credit"] = data.draw(rounds.credit)
    whole = rounds.table(cities, left_out, **policy)
    legal = [sorted(one) for one in whole.assignments()]
    standing = data.draw(st.sampled_from(legal))
    ids = sorted(whole.city)
    gone = set(data.draw(st.lists(st.sampled_from(ids), max_size=1)))
    declined = set(
        data.draw(st.lists(st.sampled_from(standing), max_size=1)) if standing else []
    )
    table = rounds.table(without(cities, gone), left_out, **policy)
    table.allowed -= declined
    broken = {p for p in standing if p in declined or gone & set(p)}
    kept = set(standing) - broken

    found = repair(
        whole.problem, whole.policy, standing, gone=gone, declined=declined, limit=50
    )

    every = [
        one
        for one in table.assignments()
        if all(table.worth[p] > 0 or p in kept for p in one)
    ]
    frontier = frontier_of(table, every, kept)
    told = {}
    for one in found:
        now = pairs(one.pairings)
        undone = len(kept - now)
        told.setdefault(undone, table.value(now))
        assert now in every
        assert pairs(one.broken) == broken
        assert pairs(one.undone) == kept - now
        assert pairs(one.added) == now - kept
        assert one.changes == len(broken) + undone
        assert round(one.points * rounds.MICRO) == table.value(now) - table.value(kept)
        assert one.unserved == tuple(
            x for x in table.learners if x not in {p[1] for p in now}
        )
    # The best of each number of changes, where more of them bring more points.
    assert told == frontier
    assert [(one.changes, -one.points) for one in found] == sorted(
        (one.changes, -one.points) for one in found
    )
    # And all others that undo nothing and leave no pair open.
    full = {
        frozenset(one)
        for one in every
        if one >= kept
        and not any(
            one | {p} in every and table.worth[p] > 0 for p in table.allowed - one
        )
    }
    assert {frozenset(pairs(one.pairings)) for one in found if not one.undone} == full


@SOLID
@given(cities=rounds.rounds(), caps=rounds.caps, load=rounds.loads, data=st.data())
def test_no_repair_undoes_what_is_to_be_kept(cities, caps, load, data):
    # Agreed upon before there were any rules, and with more places than now.
    free = rounds.table(cities)
    standing = data.draw(st.sampled_from([sorted(p) for p in free.assignments()]))
    some = st.lists(st.sampled_from(standing), unique=True) if standing else st.just([])
    keep, declined = data.draw(some), data.draw(some)[:1]
    gone = set(data.draw(st.lists(st.sampled_from(sorted(free.city)), max_size=1)))
    if data.draw(st.booleans()):
        cities = [
            one | {"mentor_capacity": 1} if one.get("mentor_capacity") else one
            for one in cities
        ]
    policy = {
        "rules": {
            "different_country": data.draw(st.booleans()),
            "min_score": data.draw(st.sampled_from([None, 60])),
        },
        "caps": caps,
        "min_load": load,
    }
    stays = set(standing) - set(declined)
    stays -= {pair for pair in stays if gone & set(pair)}
    must = set(keep) & stays

    def assignments(policy, declined, must):
        """Every assignment that keeps so much of it."""
        table = rounds.table(without(cities, gone), **policy)
        table.allowed = (table.allowed - set(declined)) | stays
        return table, list(table.assignments(must))

    table, every = assignments(policy, declined, must)
    question = {"gone": gone, "declined": declined, "keep": keep, "limit": 50}
    problem = Problem.from_dict({"cities": cities})
    if not every:
        with pytest.raises(Infeasible) as refused:
            repair(problem, table.policy, standing, **question)
        pointers = {e[0] for e in refused.value.errors if e[1] != "shortage"}

        def possible(pointers):
            """Tell whether anything keeps what these point at."""
            rules = policy["rules"].items()
            kept = {
                "rules": {k: v for k, v in rules if f"/rules/{k}" in pointers},
                "caps": [c for at, c in enumerate(caps) if f"/caps/{at}" in pointers],
                "min_load": load if "/min_load" in pointers else {},
            }
            return assignments(
                kept,
                [p for at, p in enumerate(declined) if f"/declined/{at}" in pointers],
                {p for at, p in enumerate(keep) if f"/keep/{at}" in pointers} & stays,
            )[1]

        assert not possible(pointers)
        assert all(possible(pointers - {one}) for one in pointers)
        return

    found = repair(problem, table.policy, standing, **question)

    frontier = frontier_of(table, every, stays)
    told = {}
    for one in found:
        now = pairs(one.pairings)
        assert now in every
        assert must <= now
        assert pairs(one.undone) == stays - now
        assert pairs(one.broken) == set(standing) - stays
        told.setdefault(len(one.undone), table.value(now))
    assert told == frontier


def test_partinico_withdraws_and_capaci_takes_its_place():
    request = facts.inclucities()
    (partinico,) = facts.withdrawn()
    others = tuple(city for city in request.cities if city.id != "capaci")
    first = match(Problem(cities=(*others, partinico)), request.policy)
    assert ("mechelen", "partinico") in pairs_of(first)

    best = repair(
        request.problem(), request.policy, first.pairings, gone=["partinico"]
    )[0]

    assert best.changes == 1
    assert pairs(best.broken) == {("mechelen", "partinico")}
    assert pairs(best.added) == {("mechelen", "capaci")}
    assert (best.undone, best.unserved) == ((), ())
    assert best.points == match(request.problem(), request.policy).pairings[0].score


def test_a_swap_is_listed_after_the_repair_that_disturbs_nobody():
    # lyon cannot take arlon after all; if ghent takes it, lyon can take namur.
    problem = Problem.from_dict({"cities": CITIES})
    standing = [("lyon", "arlon"), ("ghent", "namur")]

    found = repair(problem, None, standing, declined=[("lyon", "arlon")])

    assert [(r.changes, r.unserved, pairs(r.added)) for r in found] == [
        (1, ("arlon",), set()),
        (2, (), {("lyon", "namur"), ("ghent", "arlon")}),
    ]
    assert found[1].points > 0
    assert (
        repair(problem, None, standing, declined=[("lyon", "arlon")], limit=1)
        == found[:1]
    )
    assert repair(problem, None, standing, declined=[("lyon", "arlon")], limit=0) == []


def test_one_change_is_listed_though_two_bring_more_than_twice_as_much():
    cities = [
        rounds.covered_city("a", "mentor", (3, 6, 4)),
        rounds.covered_city("b", "mentor", (4, 3, 0)),
        *(
            rounds.covered_city(name, "learner", [10 * (at == own) for own in range(3)])
            for at, name in enumerate("xyz")
        ),
    ]

    found = repair(
        Problem.from_dict({"cities": cities}),
        Policy(weights=rounds.ONLY_NEEDS),
        [("a", "x"), ("b", "y")],
    )

    assert [(one.changes, one.points, pairs(one.added)) for one in found] == [
        (0, 0, set()),
        (1, 10, {("a", "z")}),
        (2, 40, {("a", "y"), ("b", "x")}),
    ]


def test_a_city_that_takes_fewer_now_loses_what_is_worth_least():
    cities = [CITIES[0] | {"mentor_capacity": 1}, *CITIES[2:]]
    problem = Problem.from_dict({"cities": cities})

    found = repair(problem, None, [("ghent", "arlon"), ("ghent", "namur")])

    # Both score the same but for the distance; Namur is nearer.
    assert [(one.changes, pairs(one.undone)) for one in found] == [
        (1, {("ghent", "arlon")})
    ]


def test_a_newcomer_without_any_withdrawal_is_taken_in():
    problem = Problem.from_dict({"cities": CITIES})

    found = repair(problem, None, [("ghent", "arlon")])

    assert [(one.changes, pairs(one.added), one.broken) for one in found] == [
        (0, {("lyon", "namur")}, ())
    ]


def test_mending_under_a_minimum_load_may_use_pairs_without_points():
    def city(name, role, area):
        level = {"strength": 4} if role == "mentor" else {"need": 3}
        one = {"id": name, "name": name, "country": "BE", "roles": [role]}
        return one | {"areas": {area: level}}

    cities = [
        city("m1", "mentor", "housing"),
        city("m2", "mentor", "contact"),
        city("m3", "mentor", "health"),
        city("l1", "learner", "housing"),
        city("l2", "learner", "contact"),
        city("l3", "learner", "education"),
    ]
    problem = Problem.from_dict({"cities": cities})

    found = repair(
        problem,
        Policy(min_load={"mentor": 1}),
        [("m1", "l2"), ("m2", "l3"), ("m3", "l1")],
        limit=20,
    )

    assert [(one.changes, one.points) for one in found if one.undone] == [
        (2, 65),
        (3, 130),
    ]
    assert all(len(one.pairings) == 3 for one in found)


def test_a_kept_pair_bars_the_swap_that_would_undo_it():
    problem = Problem.from_dict({"cities": CITIES})
    standing = [("lyon", "arlon"), ("ghent", "namur")]
    declined = [("lyon", "arlon")]

    free, kept, broken = (
        repair(problem, None, standing, declined=declined, keep=keep)
        for keep in ([], standing[1:], standing[:1])
    )

    assert [one.changes for one in free] == [1, 2]
    assert kept == free[:1]
    assert broken == free


def test_a_kept_pair_stays_though_everything_forbids_it_today():
    # Ghent and Arlon are both in Belgium; their score is above no such floor.
    veto = [{"city": "arlon", "partner": "ghent"}]
    problem = Problem.from_dict({"cities": CITIES, "vetoes": veto})
    pair = {"mentor": "ghent", "learner": "arlon"}
    rules = {"different_country": True, "min_score": 100}

    found = repair(
        problem, Policy(rules=rules, bans=[pair]), [("ghent", "arlon")], keep=[pair]
    )

    assert [(one.changes, pairs(one.pairings)) for one in found] == [
        (0, {("ghent", "arlon")})
    ]
