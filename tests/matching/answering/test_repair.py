"""Repairs and the drop-out drill against every assignment there is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import data as facts
from matching import (
    Infeasible,
    InvalidProblem,
    Policy,
    Problem,
    drill,
    match,
    repair,
)
from tests.matching import rounds
from tests.matching.answering.test_prices import CITIES
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=80)


def pairs(some):
    return {(pair.mentor, pair.learner) for pair in some}


def without(cities, gone):
    return [one for one in cities if one["id"] not in gone]


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
    best = {}
    for one in every:
        undone = len(kept - one)
        best[undone] = max(best.get(undone, -1), table.value(one))
    frontier, reached = {}, -1
    for undone in sorted(best):
        if best[undone] > reached:
            frontier[undone] = reached = best[undone]
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

    best = {}
    for one in every:
        undone = len(stays - one)
        best[undone] = max(best.get(undone, -1), table.value(one))
    frontier, reached = {}, -1
    for undone in sorted(best):
        if best[undone] > reached:
            frontier[undone] = reached = best[undone]
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


def test_the_drill_undoes_what_a_limit_or_too_few_places_ask_for():
    problem = Problem.from_dict({"cities": CITIES})
    full = [("ghent", "arlon"), ("ghent", "namur")]
    two = [("ghent", "arlon"), ("lyon", "namur")]

    over = drill(problem, None, [*full, ("lyon", "arlon")]).items
    loaded = drill(problem, Policy(min_load={"mentor": 1}), two).items

    for one in over:
        left = {*full, ("lyon", "arlon")} - pairs(one.broken) | pairs(one.added)
        table = rounds.table(without(CITIES, {one.city}))
        assert table.is_legal(left)
    # Without arlon or namur two mentors cannot both have a learner.
    assert {one.city: (one.keeps_policy, one.fragile) for one in loaded} == {
        "ghent": (True, True),
        "lyon": (True, True),
        "arlon": (False, True),
        "namur": (False, True),
    }


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


@SOLID
@given(cities=rounds.rounds(), data=st.data())
def test_the_drill_mends_every_drop_out_with_what_is_left(cities, data):
    left_out = data.draw(rounds.left_out(cities))
    table = rounds.table(cities, left_out, left_out_credit=1)
    standing = data.draw(st.sampled_from([sorted(one) for one in table.assignments()]))

    found = drill(table.problem, table.policy, standing)

    assert {one.city for one in found.items} == {c for pair in standing for c in pair}
    for one in found.items:
        left = rounds.table(without(cities, {one.city}), left_out, left_out_credit=1)
        kept = {pair for pair in standing if one.city not in pair}
        assert pairs(one.broken) == set(standing) - kept
        now = kept | pairs(one.added)
        assert left.is_legal(now)
        best = max(left.value(some) for some in left.assignments() if some >= kept)
        assert left.value(now) == best
        assert round(one.points * rounds.MICRO) == best - table.value(standing)
        lost = {p[1] for p in standing} - {p[1] for p in now} - {one.city}
        assert set(one.unserved) == lost
        assert set(one.areas) == lost_areas(table, one.city)
        assert one.fragile == bool(one.unserved or one.areas)
    order = [
        (not one.fragile, -len(one.unserved), one.points, one.city)
        for one in found.items
    ]
    assert order == sorted(order)


def lost_areas(table, city):
    """Areas that others need and only this mentor is strong in."""
    strong = {
        area
        for one in table.mentors
        if one != city
        for area in table.city[one].levels("strength")
    }
    needed = {
        area
        for one in table.learners
        if one != city
        for area in table.city[one].levels("need")
    }
    mine = table.city[city].levels("strength") if city in table.mentors else {}
    return set(mine) & (needed - strong)


def test_the_drill_of_the_best_assignment_marks_the_fragile_cities_first():
    request = facts.inclucities()

    found = drill(request.problem(), request.policy).items

    assert {one.city for one in found} == {
        city
        for pair in pairs_of(match(request.problem(), request.policy))
        for city in pair
    }
    assert [one.fragile for one in found] == sorted(
        (one.fragile for one in found), reverse=True
    )
    mechelen = next(one for one in found if one.city == "mechelen")
    assert (mechelen.unserved, mechelen.fragile) == (("capaci",), True)
    assert (
        mechelen.points == -match(request.problem(), request.policy).pairings[0].score
    )
