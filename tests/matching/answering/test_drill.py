"""The drill: what each city that drops out would break, and how it would be mended."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app import data as facts
from matching import Policy, Problem, drill, match
from tests.matching import rounds
from tests.matching.answering.answers import pairs
from tests.matching.answering.cities import CITIES, without
from tests.matching.rounds import pairs_of

SOLID = settings(derandomize=True, deadline=None, max_examples=80)


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
    own = table.city[city].levels("strength") if city in table.mentors else {}
    return set(own) & (needed - strong)


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
