"""Three looks at a proposal: what is drawn is what is proposed, and nothing else."""

from itertools import pairwise
from math import isnan

import pytest
from hypothesis import given, settings

from app.pictures.columns import MOST_DOTS, columns, crossings, shortened, uncrossed
from app.pictures.heat import heat, order, parts
from app.pictures.moves import moves
from app.pictures.slopes import slopes, spread
from app.texts.catalogue import LANGUAGES, read_in
from matching import Policy, Problem, explain, match, prices, table
from tests.fixtures.cities import INCLUCITIES, city
from tests.matching.rounds import rounds

RULES = Policy.from_dict(
    {
        "rules": {"different_country": True, "shared_language": True, "min_score": 30},
        "bans": [{"mentor": "mechelen", "learner": "livadia"}],
    }
)
BANNED = Policy.from_dict({"bans": [{"mentor": "mechelen", "learner": "livadia"}]})
LETTERS = {
    "different_country": "C",
    "shared_language": "L",
    "max_distance_km": "D",
    "max_size_ratio": "S",
    "min_score": "M",
    "no_repeat": "R",
    "veto": "N",
    "ban": "N",
}


def drawn(cities, policy=None):
    problem = Problem.from_dict({"cities": cities})
    found = match(problem, policy or Policy())
    return problem, found, columns(problem.cities, found.pairings)


@settings(max_examples=25, deadline=None)
@given(rounds())
def test_every_pairing_is_one_line_and_every_place_one_dot(cities):
    problem, found, picture = drawn(cities)
    at = {
        side: {row.id: row.y for row in getattr(picture, side)}
        for side in ("mentors", "learners")
    }

    pairs = [(one.mentor, one.learner) for one in found.pairings]
    lines = [(line.pairing.mentor, line.pairing.learner) for line in picture.lines]
    assert lines == pairs
    for line in picture.lines:
        y1, y2 = line.path.split("C")[0].split()[1], line.path.split()[-1]
        one = line.pairing
        ends = float(y1), float(y2)
        assert ends == (at["mentors"][one.mentor], at["learners"][one.learner])
    for role, side in (("mentor", "mentors"), ("learner", "learners")):
        rows = getattr(picture, side)
        assert {row.id for row in rows} == {
            one.id for one in problem.cities if one.places(role)
        }
        for row in rows:
            own = next(one for one in problem.cities if one.id == row.id)
            used = sum(pair[role == "learner"] == row.id for pair in pairs)
            assert [dot.filled for dot in row.dots] == [
                nth < used for nth in range(own.places(role))
            ]
            assert row.is_unmatched == (used == 0)
        heights = sorted(row.y for row in rows)
        assert all(b - a >= 28 for a, b in pairwise(heights))
        assert not heights or 0 < heights[0] <= heights[-1] < picture.height


@settings(max_examples=25, deadline=None)
@given(rounds(mentors=4, learners=4))
def test_no_more_lines_cross_than_in_the_order_of_names(cities):
    problem, found, picture = drawn(cities)
    edges = [(one.mentor, one.learner) for one in found.pairings]

    ours = crossings(
        [row.id for row in picture.mentors],
        [row.id for row in picture.learners],
        edges,
    )

    by_name = [
        sorted(one.id for one in problem.cities if one.places(role))
        for role in ("mentor", "learner")
    ]
    assert ours <= crossings(*by_name, edges)


def test_crossing_lines_are_put_in_order():
    edges = [("a", "z"), ("b", "y"), ("c", "x")]

    left, right = uncrossed(["a", "b", "c"], ["x", "y", "z"], edges)

    assert crossings(["a", "b", "c"], ["x", "y", "z"], edges) == 3
    assert crossings(left, right, edges) == 0


def test_width_grows_with_the_score_and_a_toss_up_is_dashed():
    found = match(INCLUCITIES_PROBLEM, INCLUCITIES.policy, trials=50)
    picture = columns(INCLUCITIES_PROBLEM.cities, found.pairings)

    lines = sorted(picture.lines, key=lambda line: line.pairing.score)

    assert [line.width for line in lines] == sorted(line.width for line in lines)
    assert lines[0].width < lines[-1].width
    assert [line.is_toss_up for line in picture.lines] == [
        one.firmness < 0.6 for one in found.pairings
    ]
    assert any(line.is_toss_up for line in lines)
    assert not all(line.is_toss_up for line in lines)
    assert {(one.mentor, one.learner) for one in picture.alternates} == {
        (one.alternates[0].mentor, one.learner) for one in found.pairings
    }


INCLUCITIES_PROBLEM = Problem.from_dict(
    {"cities": [one.to_dict() for one in INCLUCITIES.cities]}
)


def test_many_places_are_told_in_figures_and_long_names_are_cut():
    many = city("hub", "mentor", name="x" * 200, mentor_capacity=MOST_DOTS + 1)
    _, _, picture = drawn([many, city("one", name="一" * 40)])

    (hub,), (one,) = picture.mentors, picture.learners
    assert (hub.dots, hub.places, hub.used) == ((), MOST_DOTS + 1, 1)
    assert (hub.name, hub.full) == ("x" * 23 + "…", "x" * 200)
    assert one.name == "一" * 11 + "…"
    assert shortened("Jelgava") == "Jelgava"


def shown(policy=RULES, **asked):
    found = match(INCLUCITIES_PROBLEM, policy)
    names = {one.id: one.name for one in INCLUCITIES_PROBLEM.cities}
    given = table(INCLUCITIES_PROBLEM, policy)
    return found, heat(given, found.pairings, names, **asked)


def test_cells_are_what_the_engine_says_of_each_pair():
    found, picture = shown()

    chosen = {(one.mentor, one.learner) for one in found.pairings}
    seen = {
        (mentor, cell.learner): cell for mentor, cells in picture.rows for cell in cells
    }
    assert len(seen) == picture.total[0] * picture.total[1] == 16
    assert {pair for pair, cell in seen.items() if cell.pairing} == chosen
    for (mentor, learner), cell in seen.items():
        why = explain(INCLUCITIES_PROBLEM, RULES, mentor=mentor, learner=learner)
        letters = dict.fromkeys(LETTERS[rule] for rule in why.excluded_by)
        assert cell.excluded == "".join(letters)
        assert cell.score == why.score
        assert cell.shade == min(5, 1 + int(why.score // 20))
    assert {letter for letter, _ in picture.legend} == set(
        "".join(cell.excluded for cell in seen.values())
    )
    assert len(picture.legend) > 2
    assert picture.barred == sum(bool(cell.excluded) for cell in seen.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_tell_rules_apart_in_every_language(language):
    rules = {
        "different_country": True,
        "shared_language": True,
        "max_distance_km": 1,
        "max_size_ratio": 1,
        "min_score": 100,
        "no_repeat": True,
    }
    pair = [
        city(f"{role}", role, languages=[tongue], latitude=at, longitude=0,
             population=10_000 * (1 + at))
        for role, tongue, at in (("mentor", "nl", 50), ("learner", "fr", 40))
    ]  # fmt: skip
    given = Problem.from_dict(
        {
            "cities": pair,
            "history": [{"mentor": "mentor", "learner": "learner"}],
            "vetoes": [{"city": "mentor", "partner": "learner"}],
        }
    )
    with read_in(language):
        picture = heat(
            table(given, Policy.from_dict({"rules": rules})),
            (),
            {"mentor": "M", "learner": "L"},
        )

    assert len({letter for letter, _ in picture.legend}) == len(picture.legend) == 7
    (cell,) = picture.rows[0][1]
    assert sorted(cell.excluded) == sorted(letter for letter, _ in picture.legend)


def test_parts_have_every_city_once_and_every_pairing_is_in_one():
    found, whole = shown(Policy())
    seen = []
    for row in range(2):
        for column in range(2):
            _, part = shown(Policy(), row=row, column=column, at_once=2)
            assert (len(part.rows), len(part.learners)) == (2, 2)
            inside = [
                (mentor, cell.learner)
                for mentor, cells in part.rows
                for cell in cells
                if cell.pairing
            ]
            assert len(inside) + part.outside == len(found.pairings)
            seen += inside
    assert sorted(seen) == sorted((one.mentor, one.learner) for one in found.pairings)
    for one in found.pairings:
        _, part = shown(Policy(), city=one.learner, at_once=1)
        assert [mentor for mentor, _ in part.rows] == [one.mentor]
        assert part.learners == (one.learner,)
    _, beyond = shown(Policy(), row=99, column=99, at_once=2)
    assert (beyond.row, beyond.column) == (1, 1)
    assert whole.outside == 0


def test_learners_stand_in_the_order_of_their_mentors():
    found, _ = shown(Policy())
    names = {one.id: one.name for one in INCLUCITIES_PROBLEM.cities}
    given = table(INCLUCITIES_PROBLEM, Policy())

    mentors, learners = order(given, found.pairings, names)

    by = {one.learner: one.mentor for one in found.pairings}
    assert [names[one] for one in mentors] == sorted(names[one] for one in mentors)
    assert [by[one] for one in learners] == mentors
    assert [(one.start, one.stop) for one in parts(list("abcde"), dict.fromkeys("abcde", ""), 2)] == [(0, 1), (1, 3), (3, 5)]  # fmt: skip  # noqa: E501


def test_moves_have_the_prices_of_the_engine():
    found = match(INCLUCITIES_PROBLEM, BANNED)
    cities = {one.id: one for one in INCLUCITIES_PROBLEM.cities}
    cost = prices(INCLUCITIES_PROBLEM, BANNED)
    asked = cities["capaci"]

    seen = moves(
        asked,
        "learner",
        table(INCLUCITIES_PROBLEM, BANNED),
        cost,
        found.pairings,
        cities,
    )

    column = cost.learners.index("capaci")
    price = {
        mentor: cost.points[row, column] for row, mentor in enumerate(cost.mentors)
    }
    assert [one.mentor for one in seen.now] == [
        one.mentor for one in found.pairings if one.learner == "capaci"
    ]
    assert {one.mentor: one.price for one in seen.possible} == {
        mentor: value
        for mentor, value in price.items()
        if not isnan(value) and mentor not in {one.mentor for one in seen.now}
    }
    assert len({one.price for one in seen.possible}) > 1
    assert [one.price for one in seen.possible] == sorted(
        one.price for one in seen.possible
    )
    assert len(seen.now) + len(seen.possible) + len(seen.barred) == len(cost.mentors)
    back = moves(
        cities["mechelen"],
        "mentor",
        table(INCLUCITIES_PROBLEM, BANNED),
        cost,
        found.pairings,
        cities,
    )
    why = {one.learner: one.why for one in back.barred}
    assert "not available for each other" in why["livadia"]
    taken = {one.partner: one.taken for one in back.possible}
    held = {one.learner: (one.mentor,) for one in found.pairings}
    assert taken == {learner: held.get(learner, ()) for learner in taken}


def test_slopes_rise_with_the_points_and_no_two_names_meet():
    points = {"a": (80.0, 20.0), "b": (79.5, 79.5), "c": (20.0, 90.0), "d": (79.8, 0.0)}
    picture = slopes(points, {one: one.upper() for one in points})

    assert {one.learner: one.way for one in picture.rises} == {
        "a": "down",
        "b": "level",
        "c": "up",
        "d": "down",
    }
    for one in picture.rises:
        (_, first), (_, last) = one.dots
        assert (first < last) == (one.points[0] > one.points[1])
    heights = [one.label[1] for one in picture.rises]
    assert [one.learner for one in picture.rises] == ["a", "d", "b", "c"]
    assert all(b - a >= 16.9 for a, b in pairwise(heights))
    crowded = spread([50.0] * 4, 40, 100)
    assert crowded == sorted(crowded)
    assert crowded[-1] <= 100
