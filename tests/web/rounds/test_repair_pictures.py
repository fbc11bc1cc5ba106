"""Repairs are drawn as they were and as they would be, and told in sentences."""

import re
from collections import defaultdict
from html import unescape

import pytest

from app.pictures.mending import mending
from app.pictures.pair_lines import turn
from schemas import Pair, Repair, ScoredPair
from tests.fixtures.cities import FIVE, INCLUCITIES, city, listed, released_round, say
from tests.web.rounds.five import NAMES


def drawn(
    page: str, ids: dict[str, str]
) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return the pairs of each kind in each picture, by (picture, kind)."""
    found = defaultdict(set)
    for picture, svg in re.findall(
        r'aria-labelledby="(way-\d+-\w+)">(.*?)</svg>', page, re.DOTALL
    ):
        for kind, title in re.findall(
            r'<g class="pair-line (\w+)"><title>([^<]*)</title>', svg
        ):
            mentor, learner = unescape(title).split(" → ")
            found[picture, kind].add((ids[mentor], ids[learner]))
    return dict(found)


def as_pairs(pairs) -> set[tuple[str, str]]:
    return {(one["mentor"], one["learner"]) for one in pairs}


SPARE = [
    city(name, "mentor", areas={"housing": {"strength": 2 + at}})
    for at, name in enumerate(("ghent", "leuven"))
]
FREE = (*FIVE, *SPARE), {}, ("amiens", "celje"), [0, 0]
FULL = (
    [one.to_dict() for one in INCLUCITIES.cities],
    INCLUCITIES.policy.to_dict(),
    ("fuenlabrada", "livadia"),
    [1],
)


@pytest.mark.parametrize(("cities", "policy", "broken", "undone"), [FREE, FULL])
def test_the_pictures_of_a_repair_have_exactly_the_pairs_that_differ(
    organiser, cities, policy, broken, undone
):
    service = organiser.service
    released_round(service, *cities, policy=policy)
    for one in listed(service, "/rounds/trial/pairings"):
        if (one["mentor"], one["learner"]) == broken:
            say(service, one, "learner", "decline")

    page = organiser.open("/rounds/trial/repairs").page.text

    ids = {one["name"]: one["id"] for one in cities}
    ways = service.get("/rounds/trial/repairs?limit=5").json()["items"]
    assert [len(way["undone"]) for way in ways][: len(undone)] == undone
    expected = {}
    for no, way in enumerate(ways, 1):
        kept = as_pairs(way["pairings"]) - as_pairs(way["added"])
        ended = as_pairs(way["undone"]) | as_pairs(way["broken"])
        expected |= {
            (f"way-{no}-before", "kept"): kept,
            (f"way-{no}-before", "removed"): ended,
            (f"way-{no}-after", "kept"): kept,
            (f"way-{no}-after", "added"): as_pairs(way["added"]),
        }
    assert drawn(page, ids) == {key: pairs for key, pairs in expected.items() if pairs}
    assert page.count("+ is new") == sum(len(way["added"]) for way in ways)


def scored(mentor: str, learner: str, score: float) -> ScoredPair:
    return ScoredPair(mentor=mentor, learner=learner, score=score)


CHANGE = Repair(
    id="0" * 16,
    changes=2,
    points=-7.5,
    broken=(Pair(mentor="amiens", learner="celje"),),
    undone=(scored("bruges", "evora", 60.0), scored("bruges", "delft", 50.0)),
    added=(scored("bruges", "celje", 40.0), scored("amiens", "evora", 62.5)),
    pairings=(scored("bruges", "celje", 40.0), scored("amiens", "evora", 62.5)),
    unserved=("delft",),
)


def test_a_repair_is_told_in_sentences_of_who_gains_and_who_loses():
    sentences = mending(CHANGE, NAMES, "released")

    assert sentences.takeaway == (
        "In short: 2 pairings are new; 2 pairings are undone; "
        "the round loses 7.5 points."
    )
    assert sentences.gains == (
        "celje: bruges as a mentor (+40.0 points).",
        "evora: amiens instead of bruges (+2.5 points).",
    )
    assert sentences.losses == ("delft: without bruges (−50.0 points).",)
    assert sentences.told == (
        "A new offer goes to: amiens, bruges, celje and evora.",
        "That their offer is withdrawn is told to: bruges, delft and evora.",
    )
    assert mending(CHANGE, NAMES, "staged").told == (
        "Nobody is told: the round is staged.",
    )


def test_before_and_after_have_each_city_in_the_same_place():
    pictures = turn([("a", "x")], [("b", "y")], [("b", "z")], _Same(), ["y"])

    spots = [
        {dot.city: (dot.x, dot.y) for dot in (*one.mentors, *one.learners)}
        for one in (pictures.before, pictures.after)
    ]
    alone = [
        {dot.city for dot in (*one.mentors, *one.learners) if dot.alone}
        for one in (pictures.before, pictures.after)
    ]
    assert spots[0] == spots[1]
    assert set(spots[0]) == {"a", "b", "x", "y", "z"}
    assert len(set(spots[0].values())) == 5
    assert alone == [{"b", "y", "z"}, {"y"}]
    for line in (*pictures.before.lines, *pictures.after.lines):
        (x1, y1), (x2, y2) = spots[0][line.mentor.city], spots[0][line.learner.city]
        share = (line.at[0] - x1) / (x2 - x1)
        assert 0.2 < share < 0.8
        assert line.at[1] == pytest.approx(y1 + share * (y2 - y1), abs=0.1)


class _Same(dict):
    """Calls each city by its id."""

    def __missing__(self, key: str) -> str:
        return key


def test_of_a_large_round_only_what_changes_is_drawn():
    unchanged = [(f"m{n}", f"l{n}") for n in range(200)]

    pictures = turn(unchanged, [("m0", "x")], [("m1", "x")], _Same())

    pairs = {(line.mentor.city, line.learner.city) for line in pictures.before.lines}
    assert pairs == {("m0", "l0"), ("m1", "l1"), ("m0", "x")}
    assert pictures.hidden == 198
