"""The proof card: figures that add up, and what it says beside the reasons."""

from typing import get_args
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pictures import card as cards
from app.pictures import card_picture
from app.templates.pages import page
from app.texts.catalogue import read_in, words
from app.texts.matching import card as told_of
from matching import Policy, Problem, explain
from schemas import Alternate, City, Contribution, Criterion, Explanation
from tests.fixtures.cities import city

CRITERIA = get_args(Criterion)
EN = words("en")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert(1)</script>&"\u202eab\x00c\ud800\ufffe😀' + "W" * 500


def pair_of(
    parts: list[tuple[float, float, bool]], name: str = "Ghent"
) -> tuple[Explanation, City, City]:
    """Return a pair whose criteria have these weights and values, known or not."""
    total = sum(weight for weight, _, _ in parts)
    contributions = tuple(
        Contribution(
            criterion=criterion,
            weight=100 * weight / total,
            value=value if known else 0,
            points=100 * weight / total * value if known else 0,
            known=known,
            facts=FACTS.get(criterion, {}) if known else {"missing": []},
        )
        for criterion, (weight, value, known) in zip(CRITERIA, parts, strict=False)
    )
    why = Explanation(
        mentor="ghent",
        learner="ieper",
        score=sum(one.points for one in contributions),
        known_weight=sum(one.weight for one in contributions if one.known),
        adjustments=(),
        contributions=contributions,
        excluded_by=(),
    )
    mentor = City(**city("ghent", "mentor", name="Ghent")).model_copy(
        update={"name": name}
    )
    return why, mentor, City(**city("ieper", name="Ieper"))


FACTS = {
    "needs_met": {"areas": [{"area": "housing", "strength": 3}]},
    "focus": {"areas": ["housing"]},
    "evidence": {"areas": ["housing"], "practices": ["Keys"]},
    "language": {"shared": ["nl"]},
    "context": {"population_ratio": 2.0, "share_difference": None},
    "proximity": {"km": 63.0},
    "give_back": {"areas": [{"area": "health", "strength": 0}]},
}
PARTS = st.lists(
    st.tuples(st.floats(0.01, 50), st.floats(0, 1), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(PARTS)
def test_the_figures_of_a_card_add_up_to_what_it_shows(parts):
    why, mentor, learner = pair_of(parts)

    shown = cards.card(why, mentor, learner, "en")

    def tenths(*values: float) -> int:
        return sum(round(10 * value) for value in values)

    assert EN.number(shown.score, 1) == EN.number(why.score, 1)
    assert EN.number(shown.known, 1) == EN.number(why.known_weight, 1)
    known = [bar for bar in shown.bars if bar.known]
    assert tenths(*(bar.points for bar in shown.bars)) == tenths(shown.score)
    assert tenths(*(bar.most for bar in known)) == tenths(shown.known)
    assert tenths(*(bar.most for bar in shown.bars)) == 1000
    by_criterion = {part.criterion: part for part in why.contributions}
    for bar in shown.bars:
        part = by_criterion[bar.criterion]
        assert 0 <= bar.points <= bar.most
        assert abs(bar.points - part.points) <= 0.15
        assert abs(bar.most - part.weight) <= 0.15
    # In the picture one bar begins where the one before it ends.
    end = 0.0
    for bar in known:
        assert bar.x == pytest.approx(end)
        end += bar.points
    gone = [bar for bar in shown.bars if not bar.known]
    if gone:
        assert gone[0].x == pytest.approx(shown.known)
        assert gone[-1].x + gone[-1].most == pytest.approx(100)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            (0.5, 1.0),
            "75.0 points of the 100.0 that can be known. What brings most: Focus.",
        ),
        ((0, 0), "0.0 points of the 100.0 that can be known."),
    ],
)
def test_the_picture_is_told_in_a_sentence(values, says):
    why, mentor, learner = pair_of([(1, value, True) for value in values])

    assert cards.card(why, mentor, learner, "en").takeaway == says


def test_what_is_left_over_goes_to_the_largest_remainders():
    assert cards.shares([1.06, 1.09, 0.85], 30) == [11, 11, 8]
    assert cards.shares([33.33, 33.33, 33.34], 1000) == [333, 333, 334]
    assert cards.shares([0.04, 0.04, 0.0], 1) == [1, 0, 0]
    assert cards.shares([5.09, 1.06], 62, [50, 20]) == [50, 12]


AREAS = {
    "housing": {"need": 2},
    "health": {"need": 4},
    "data": {"need": 4},
    "gender": {},
}
LEARNER = City(**city("ieper", name="Ieper", areas=AREAS))


def mentor_with(*practices: tuple[str, str, str | None], **fields) -> City:
    fields_of_practices = [
        {"area": area, "title": title} | ({"what_went_wrong": bad} if bad else {})
        for area, title, bad in practices
    ]
    areas = {"health": {"strength": 2}, "data": {"strength": 3}}
    own = {"name": "Ghent", "areas": areas, "practices": fields_of_practices} | fields
    return City(**city("ghent", "mentor", **own))


@pytest.mark.parametrize(
    ("practices", "title"),
    [
        # The area that is needed most wins, of these the mentor's strongest.
        ((("housing", "A", None), ("health", "B", None), ("data", "C", None)), "C"),
        ((("housing", "A", "x"), ("health", "B", None)), "B"),
        # Of one area, the practice that tells what went wrong; else the first.
        ((("data", "A", None), ("data", "B", "It rained.")), "B"),
        ((("data", "A", None), ("data", "B", None)), "A"),
        # What nobody needs is shown to nobody.
        ((("gender", "A", "x"),), None),
        ((), None),
    ],
)
def test_the_practice_that_fits_is_in_the_area_that_is_needed_most(practices, title):
    found = told_of.fitting(mentor_with(*practices), LEARNER)

    assert (found.practice.title if found else None) == title
    assert (found.need if found else None) == (None if title is None else 4)


def test_it_is_told_why_a_practice_fits_or_that_there_is_none():
    found = told_of.fitting(mentor_with(("data", "A", None)), LEARNER)

    assert told_of.why_it_fits(found, "Ghent", "Ieper", EN) == (
        "Ieper needs very much help in this area: data and evidence."
    )
    assert told_of.why_it_fits(None, "Ghent", "Ieper", EN) == (
        "Ghent has told no practice yet in what Ieper needs. Ask about it at the first "
        "meeting."
    )


@pytest.mark.parametrize(
    ("needs", "says"),
    [
        (
            {"housing": {"need": 2}, "health": {"need": 3}, "data": {"need": 4}},
            (
                "Ieper is strong where Ghent needs help: health and mental health; "
                "housing."
            ),
        ),
        (
            {"data": {"need": 4}},
            ("Nothing that we know of: Ieper is not strong where Ghent needs help."),
        ),
        (
            {"data": {"strength": 4}},
            (
                "Ghent says of no area that it needs help. So we cannot tell what it "
                "may learn; many mentors say that they learn by explaining."
            ),
        ),
    ],
)
def test_what_the_mentor_may_learn_is_told_honestly(needs, says):
    strong = {"housing": {"strength": 4}, "health": {"strength": 2}}
    learner = City(**city("ieper", name="Ieper", areas=strong))

    assert told_of.in_return(mentor_with(areas=needs), learner, EN) == says


@pytest.mark.parametrize(
    ("share", "language", "says"),
    [
        (0.96, "en", "Firm: it stays in 96 of 100 trials."),
        (0.6, "en", "Fairly firm: it stays in 60 of 100 trials."),
        (0.41, "en", "Toss-up with Turku: the pairing stays in 41 of 100 trials."),
        (0.96, "fr", "Solide\xa0: il tient dans 96 essais sur 100."),
        (
            0.41,
            "nl",
            "Twijfelgeval met Turku: het duo blijft in 41 van de 100 proeven.",
        ),
    ],
)
def test_firmness_is_told_in_words(share, language, says):
    assert told_of.firm(share, "Turku", words(language)) == says


def test_a_toss_up_names_the_mentor_that_would_cost_least():
    others = [("a", 3.0), ("b", 1.0), ("c", None)]
    found = [Alternate(mentor=one, score=50, price=price) for one, price in others]

    assert told_of.rival(found) == "b"
    assert told_of.rival(found[2:]) is None
    assert told_of.firm(0.2, None, EN) == "Toss-up: it stays in 20 of 100 trials."


def test_what_is_not_known_is_told_once_for_each_city():
    bare = [
        city("ghent", "mentor", name="Ghent", languages=["nl"]),
        city("ieper", name="Ieper", latitude=50.0, longitude=3.0),
    ]
    given_ = Problem.from_dict({"cities": bare})
    why = explain(given_, Policy(), mentor="ghent", learner="ieper")

    found = told_of.missing(why.contributions, EN)

    assert [(one.city, one.says, one.add) for one in found] == [
        ("ghent", "place on the map", "Add the place on the map"),
        ("ghent", "share of migrants", "Add the share of migrants"),
        ("ghent", "number of inhabitants", "Add the number of inhabitants"),
        ("ieper", "working languages", "Add working languages"),
        ("ieper", "share of migrants", "Add the share of migrants"),
        ("ieper", "number of inhabitants", "Add the number of inhabitants"),
    ]


# The picture.


def picture(parts, tongue="en", name="Ghent") -> Element:
    why, mentor, learner = pair_of(parts, name)
    with read_in(tongue):
        shown = cards.card(why, mentor, learner, tongue)
        drawing = card_picture.drawing(shown, words(tongue))
        text = page(
            "pairings/card.svg", drawing=drawing, card=shown, style=card_picture.STYLE
        )
    return fromstring(text.encode())


ALL = [(1, value / 10, value != 4) for value in range(8)]


def test_the_picture_has_a_bar_for_each_criterion_and_its_figure_as_text():
    why, mentor, learner = pair_of(ALL)
    shown = cards.card(why, mentor, learner, "en")

    root = picture(ALL)

    texts = [one.text for one in root.iter(f"{SVG}text")]
    for bar in shown.bars:
        assert bar.name in texts
        figure = f"{bar.points} of {bar.most}" if bar.known else "not known"
        assert figure in texts
    assert f"Score: {shown.score} of {shown.known}" in texts
    looks = [one.get("class") for one in root.iter(f"{SVG}rect")]
    assert looks.count("unknown") == 2
    assert root.find(f"{SVG}title").text == "Ghent → Ieper"
    assert root.get("lang") == "en"
    across = sum(
        float(one.get("width"))
        for one in root.iter(f"{SVG}rect")
        if one.get("height") == "20" and one.get("class") in CRITERIA
    )
    assert across == pytest.approx(shown.score * 7.36, abs=0.5)


def test_the_picture_speaks_its_readers_language():
    texts = [one.text for one in picture(ALL, "fr").iter(f"{SVG}text")]

    assert "Pourquoi ces deux villes" in texts
    assert "inconnu" in texts


def test_names_are_text_in_the_picture_and_do_not_burst_it():
    root = picture(ALL, name=HOSTILE)

    title = root.find(f"{SVG}title").text
    assert title.startswith('</text><script>alert(1)</script>&"abc😀WWW')
    assert len(title) > 500
    assert not list(root.iter(f"{SVG}script"))
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert texts[0] == "</text><script>alert(1)</… → Ieper"
    assert max(map(len, texts)) <= 100


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=60))
def test_any_name_makes_a_picture_that_parses(name):
    root = picture(ALL, name=name)

    assert root.find(f"{SVG}title").text.endswith("→ Ieper")


def test_lines_are_wrapped_and_long_words_divided():
    assert card_picture.wrapped("one two three", 7) == ["one two", "three"]
    assert card_picture.wrapped("abcdefghij k", 4) == ["abcd", "efgh", "ij k"]
    assert card_picture.wrapped("漢字漢字", 4) == ["漢字", "漢字"]
    assert card_picture.wrapped("", 4) == []
    assert card_picture.wrapped("un deux\u202f; trois", 8) == [
        "un",
        "deux\u202f;",
        "trois",
    ]
