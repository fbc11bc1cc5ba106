"""Sentences in three languages, and catalogues that have all of them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.texts import ended
from app.texts.catalogue import LANGUAGES, words
from app.texts.matching.why_not import sentences
from matching import Policy, Problem, why_not
from tests.fixtures.cities import INCLUCITIES, city
from tests.texts import missing

LEFT_UNSAID = {"{kind}"}
"""What Pydantic says in English alone: the name of a Python type."""
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def messages() -> Iterator[tuple[str, ...]]:
    """Yield every text that is said in the code and in the templates: one, or two."""
    return missing.said()


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{\w*\}", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_text_and_no_other(language):
    said = missing.catalogue(language)

    assert set(said) == set(messages())
    for source, one in said.items():
        translated = one.string if isinstance(one.string, tuple) else (one.string,)
        assert not one.fuzzy
        assert len(translated) == len(source)
        assert all(translated)
        for text in translated:
            assert placeholders(source[0]) - placeholders(text) <= LEFT_UNSAID, text
            assert placeholders(text) <= placeholders(source[0]), text
        same = {*translated} & {*source}
        assert same <= missing.ALIKE[language], same


def told_in(language: str) -> set[str]:
    """Return every text of the language as it stands in the code or the catalogue."""
    if language == "en":
        return {text for source in messages() for text in source}
    said = [one.string for one in missing.catalogue(language).values()]
    return {
        text
        for one in said
        for text in (one if isinstance(one, tuple) else (one,))
        if text
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_shouts_or_has_marks_of_a_typewriter(language):
    assert {text for text in told_in(language) if set("!'\"") & set(text)} == set()


def test_french_has_the_spaces_of_french():
    wrong = re.compile("[^\xa0\u202f][:;?»]|«[^\xa0]|} km|n° ")

    assert {text for text in told_in("fr") if wrong.search(text)} == set()


def test_no_french_word_before_a_name_would_have_to_change_with_it():
    """It is d’Anvers, qu’Anvers, au Havre: no name may follow de, que, à, le."""
    names = "mentor|learner|city|helper|helped|round|new|old"
    before = "de|du|des|à|au|aux|le|la|les|que|lorsque|puisque|jusque|ne|se|je|me|te"
    wrong = re.compile(rf"(?:\b(?:{before})\s|’){{(?:{names})}}", re.IGNORECASE)

    assert wrong.search("la ville de {city}")
    assert {text for text in told_in("fr") if wrong.search(text)} == set()


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            ["Saturday 1 May 2027 at 17:00 UTC", "Sunday 31 January 2027 at 23:30 UTC"],
        ),
        (
            "fr",
            [
                "samedi 1er mai 2027 à 17:00 UTC",
                "dimanche 31 janvier 2027 à 23:30 UTC",
            ],
        ),
        (
            "nl",
            [
                "zaterdag 1 mei 2027 om 17:00 uur UTC",
                "zondag 31 januari 2027 om 23:30 uur UTC",
            ],
        ),
    ],
)
def test_a_moment_is_a_day_an_hour_and_utc_wherever_it_is_from(language, says):
    brussels = timezone(timedelta(hours=1))
    moments = [
        datetime(2027, 5, 1, 17, tzinfo=UTC),
        datetime(2027, 2, 1, 0, 30, tzinfo=brussels),
    ]

    assert [words(language).moment(one) for one in moments] == says


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "LGBTQI+ inclusion; housing; data and evidence; 2 more"),
        (
            "fr",
            (
                "inclusion des personnes LGBTQI+\u202f; logement\u202f; "
                "données et évaluation\u202f; 2 autres"
            ),
        ),
        (
            "nl",
            ("inclusie van lgbtqi+-personen; huisvesting; data en onderbouwing; nog 2"),
        ),
    ],
)
def test_areas_in_a_sentence_are_few_and_have_small_letters(language, says):
    say = words(language)
    areas = say.areas(["lgbtqi", "housing", "data", "health", "gender"])

    assert say.shortened(areas) == says
    assert say.shortened(areas[:2]) == say.joined(areas[:2])


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["1,432 km", "1.0 points", "0.0 points", "A, B and C", "1 thing"]),
        ("fr", ["1\u202f432 km", "1,0 point", "0,0 point", "A, B et C", "1 thing"]),
        ("nl", ["1.432 km", "1,0 punten", "0,0 punten", "A, B en C", "1 thing"]),
    ],
)
def test_numbers_lists_and_plurals_are_the_languages_own(language, told):
    say = words(language)
    points = "{number} point", "{number} points"

    assert [
        f"{say.number(1432.4)} km",
        say.count(*points, 0.96, 1),
        say.count(*points, 0, 1),
        say.listed(["A", "B", "C"]),
        say.count("{number} thing", "{number} things", 1),
    ] == told


def test_a_name_is_no_template():
    assert words("fr").say("without {old}", old="{new}") == "sans {new}"


PAIR = [
    city(
        "ghent",
        "mentor",
        name="Ghent",
        languages=["nl", "en"],
        latitude=51.05,
        longitude=3.72,
        population=262_000,
    ),
    city(
        "ieper",
        name="Ieper",
        languages=["fr"],
        latitude=40.0,
        longitude=-3.7,
        population=10_000,
        areas={"health": {"need": 2}},
    ),
]
NOT = {
    "en": "Ghent cannot be the mentor of Ieper.",
    "fr": "Ghent ne peut pas accompagner Ieper comme mentor.",
    "nl": "Ghent kan geen mentor van Ieper zijn.",
}


def told(policy, language, **problem):
    given = Problem.from_dict({"cities": PAIR} | problem)
    found = why_not(given, Policy.from_dict(policy), mentor="ghent", learner="ieper")
    return sentences(found, given.cities, language)


RULES = {
    "different_country": (
        True,
        "Both are in the same country (Belgium); a pair must be of two countries.",
        (
            "Les deux villes sont dans le même pays (Belgique)\u202f; "
            "un binôme doit réunir deux pays."
        ),
        (
            "Beide steden liggen in hetzelfde land (België); "
            "een duo moet uit twee landen komen."
        ),
    ),
    "shared_language": (
        True,
        (
            "Ghent works in Dutch and English, Ieper in French: "
            "they have no language in common."
        ),
        (
            "Ghent travaille en néerlandais et anglais, Ieper en français\xa0: "
            "il n’y a pas de langue commune."
        ),
        (
            "Ghent werkt in het Nederlands en Engels, Ieper in het Frans: "
            "ze hebben geen gemeenschappelijke taal."
        ),
    ),
    "max_distance_km": (
        1000,
        "They are 1,356 km apart; at most 1,000 km are allowed.",
        "1\u202f356\xa0km les séparent\u202f; la limite est de 1\u202f000\xa0km.",
        "Ze liggen 1.356 km uit elkaar; hoogstens 1.000 km is toegestaan.",
    ),
    "max_size_ratio": (
        2.5,
        (
            "One city has 26.2 times as many inhabitants as the other; "
            "at most 2.5 times are allowed."
        ),
        (
            "L’une des villes compte 26,2 fois le nombre d’habitants de l’autre"
            "\u202f; la limite est de 2,5 fois."
        ),
        (
            "De ene stad heeft 26,2 keer zoveel inwoners als de andere; "
            "hoogstens 2,5 keer is toegestaan."
        ),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_forbids_a_pair_is_told_with_its_figures(rule):
    value, *expected = RULES[rule]

    found = [told({"rules": {rule: value}}, language) for language in LANGUAGES]

    assert found == [
        [NOT[language], sentence]
        for language, sentence in zip(LANGUAGES, expected, strict=True)
    ]


def test_partners_of_before_are_told():
    history = [{"mentor": "ghent", "learner": "ieper", "round": "2025"}]

    assert told({"rules": {"no_repeat": True}}, "nl", history=history) == [
        NOT["nl"],
        (
            "Ghent was al eerder mentor van Ieper; niemand krijgt twee keer dezelfde "
            "partner."
        ),
    ]


def test_a_veto_and_a_ban_are_told_alike_and_once():
    ban = {"bans": [{"mentor": "ghent", "learner": "ieper", "reason": "a scandal"}]}
    vetoes = [{"city": "ieper", "partner": "ghent"}]
    swapped = [{"city": "ghent", "partner": "ieper"}]
    alike = [NOT["en"], "They are not available for each other."]

    assert told(ban, "en") == alike
    assert told({}, "en", vetoes=vetoes) == alike
    assert told({}, "en", vetoes=swapped) == alike
    assert told(ban, "en", vetoes=[*vetoes, *swapped]) == alike


def test_a_city_without_the_role_is_named():
    given = Problem.from_dict({"cities": PAIR})
    found = why_not(given, Policy(), mentor="ieper", learner="ghent")

    assert sentences(found, given.cities, "fr") == [
        "Ieper ne peut pas accompagner Ghent comme mentor.",
        "Ieper n’offre aucune place de mentor.",
        "Ghent n’a aucune place comme ville apprenante.",
    ]


def test_all_places_pinned_are_told():
    cities = [*PAIR, city("third", name="Third")]
    policy = {"pins": [{"mentor": "ghent", "learner": "third"}]}

    assert told(policy, "en", cities=cities) == [
        NOT["en"],
        "Pairings that are pinned fill all places of Ghent.",
    ]


def priced(language, policy=None, mentor="schaerbeek", learner="capaci"):
    given = INCLUCITIES.problem()
    policy = Policy.from_dict(policy or INCLUCITIES.policy.to_dict())
    found = why_not(given, policy, mentor=mentor, learner=learner)
    return sentences(found, given.cities, language)


def test_a_pair_that_is_possible_is_told_by_its_price():
    assert priced("en") == [
        "As a pair they would get 34.5 points of the 95.0 that can be known.",
        "It is possible, but the whole round would lose 18.2 points.",
        "Capaci would lose 27.7 points (Schaerbeek instead of Mechelen).",
        "Jelgava would gain 9.5 points (Mechelen instead of Schaerbeek).",
    ]
    assert priced("fr", mentor="brussels", learner="jelgava") == [
        (
            "Ce binôme obtiendrait 33,2 points sur les 95,0 que permettent les données "
            "connues."
        ),
        "C’est possible, mais l’ensemble des binômes perdrait 35,9 points.",
        (
            "Saint-Jean-de-la-Ruelle perdrait 36,5 points (Fuenlabrada et non plus "
            "Brussels (City of))."
        ),
        "Jelgava perdrait 1,2 point (Brussels (City of) et non plus Schaerbeek).",
        "Livadia gagnerait 1,9 point (Schaerbeek et non plus Fuenlabrada).",
    ]
    assert priced("nl") == [
        (
            "Als duo zouden ze 34,5 punten halen, van de 95,0 die met de bekende "
            "gegevens mogelijk zijn."
        ),
        "Het kan, maar de hele ronde zou 18,2 punten verliezen.",
        "Capaci zou 27,7 punten verliezen (Schaerbeek in plaats van Mechelen).",
        "Jelgava zou 9,5 punten winnen (Mechelen in plaats van Schaerbeek).",
    ]


def test_a_pair_with_more_points_loses_to_the_goal_of_the_round():
    found = priced("en", {"objective": "fair"}, "mechelen", "capaci")

    assert found[1:3] == [
        (
            "The whole round would gain 24.1 points, but the goal of the round comes "
            "before points."
        ),
        "Jelgava would lose 9.5 points (Schaerbeek instead of Mechelen).",
    ]


def test_a_pair_below_the_lowest_score_may_still_be_pinned():
    assert told({"rules": {"min_score": 40}}, "en") == [
        "Points of this pair: 1.8. Every pair needs at least 40.",
        "An organiser may still pin this pair.",
        "As a pair they would get 1.8 points of the 90.0 that can be known.",
        "The whole round would gain 1.8 points.",
        "1 more learner would have a mentor.",
        "Ieper would gain 1.8 points (Ghent as a mentor).",
    ]


def test_what_is_wrong_is_seen_in_the_decimals():
    found = told({"rules": {"max_distance_km": 1356}}, "en")

    assert found[1] == "They are 1,356.2 km apart; at most 1,356 km are allowed."


def test_a_learner_that_would_lose_its_mentor_is_told_so():
    cities = [*PAIR, city("third", name="Third", languages=["nl"])]

    assert told({}, "en", cities=cities) == [
        "As a pair they would get 1.8 points of the 90.0 that can be known.",
        "It is possible, but the whole round would lose 78.2 points.",
        "Third would lose 80.0 points (without Ghent).",
        "Ieper would gain 1.8 points (Ghent as a mentor).",
    ]


def test_a_pair_that_is_proposed_is_told_so():
    given = Problem.from_dict({"cities": PAIR})
    found = why_not(given, Policy(), mentor="ghent", learner="ieper")

    assert [sentences(found, given.cities, each) for each in LANGUAGES] == [
        ["Ghent is proposed as the mentor of Ieper."],
        ["Le binôme Ghent – Ieper figure dans la proposition."],
        ["Ghent wordt voorgesteld als mentor van Ieper."],
    ]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("Undone by a repair.", "Ongedaan gemaakt door een reparatie."),
        ("The round was archived.", "De ronde is gearchiveerd."),
        ("celje has left the round.", "celje heeft de ronde verlaten."),
        ("Everybody has left the round.", "Everybody has left the round."),
    ],
)
def test_reasons_of_the_service_are_told_and_those_of_people_stay(written, says):
    assert ended.reason(written, words("nl")) == says


def test_a_template_leaves_colons_to_the_language():
    templates = (missing.ROOT / "templates").rglob("*.html")
    wrong = re.compile(r"(?:\}\}|</(?:a|strong|bdi|span)>): ")
    found = {place.name for place in templates if wrong.search(place.read_text())}

    assert found == set()
