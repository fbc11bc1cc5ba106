"""How we chose: the public text of a released round."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.texts.catalogue import LANGUAGES
from app.texts.matching.how_we_chose import Chosen, Override, how_we_chose
from matching import Policy, Problem, explain, match
from tests.fixtures.cities import INCLUCITIES, city
from tests.texts.examples import EVERYTHING

DIGEST = "ab" * 32
_CITIES = [one.to_dict() for one in INCLUCITIES.cities if one.id != "brussels"]


def chosen(policy=None, cities=_CITIES, problem=None, **fields):
    """Return a released round: by itself IncluCities without Brussels."""
    given = Problem.from_dict({"cities": cities} | (problem or {}))
    policy = Policy.from_dict(
        {"rules": {"different_country": True}} if policy is None else policy
    )
    solution = match(given, policy)
    known = {
        "round_name": "IncluCities 2027",
        "released_at": datetime(2027, 5, 1, 17, tzinfo=UTC),
        "policy": policy,
        "problem": given,
        "solution": solution,
        "released": tuple((one.mentor, one.learner) for one in solution.pairings),
        "overrides": (),
        "dismissed": 0,
        "added": 0,
        "bundle": DIGEST,
    }
    return Chosen(**known | fields)


def sections(found, language="en"):
    told = how_we_chose(found, language)
    return {one.heading: list(one.sentences) for one in told.sections}


BY_HAND = {
    "policy": {
        "rules": {"different_country": True},
        "pins": [{"mentor": "schaerbeek", "learner": "jelgava"}],
    },
    "overrides": (Override("schaerbeek", "jelgava", "Both work\nwith {CAMIM}.", 1.26),),
    "dismissed": 1,
}


def test_a_round_is_told_from_who_took_part_to_how_to_check():
    found = chosen(**BY_HAND)
    found = replace(found, released=found.released[::-1])
    solution = found.solution
    told = how_we_chose(found, "en")

    assert told.title == "How we chose: IncluCities 2027"
    assert sections(found) == {
        "Who took part": [
            (
                "Cities: 7. Countries: Belgium (2), France (1), Greece (1), Italy (1), "
                "Latvia (1) and Spain (1)."
            ),
            "Cities that offered to be a mentor: 3; learners they can take: 3.",
            "Cities that looked for a mentor: 4; mentors they wanted: 4.",
            "The pairings were released on Saturday 1 May 2027 at 17:00 UTC.",
        ],
        "What counts": [
            "Every possible pairing gets up to 100 points:",
            (
                "Needs met (35): the share of the learner’s needs that the mentor’s "
                "strengths cover."
            ),
            (
                "Focus (30): how alike needs and strengths are in shape; a specialist "
                "in just these areas does best."
            ),
            (
                "Evidence (10): the share of the covered needs for which the mentor "
                "names a practice."
            ),
            "Language (10): a shared working language.",
            (
                "Context (5): how alike the cities are in inhabitants and share of "
                "migrants."
            ),
            "Proximity (5): how near the cities are.",
            (
                "Give back (5): the share of the mentor’s own needs that the learner’s "
                "strengths cover."
            ),
            "What is not known brings no points.",
        ],
        "Hard rules": [
            "Never two cities of one country.",
            (
                "Cities could say in confidence with whom they cannot be paired. This "
                "is respected, and not published."
            ),
        ],
        "The aim": [
            "Looked for: the most points in all.",
            (
                "It is proven that under these rules no other set of pairings reaches "
                "this aim better."
            ),
            "Pairings were changed by hand after that: see below.",
        ],
        "What came out": [
            "Pairings: 3. Learning cities with a mentor: 3 of 4.",
            "Points of a pairing: 45.0 on average, 34.4 the lowest, 62.2 the highest.",
        ],
        "Decided by hand": [
            "Pinned by the organiser: 1.",
            "Proposed pairings that were taken out: 1.",
            (
                "Schaerbeek as the mentor of Jelgava: “Both work with {CAMIM}.” (The "
                "whole round loses 1.3 points by it.)"
            ),
        ],
        "Who has no partner": [
            "Learning cities without a mentor: 1. Mentors without a learner: 0.",
            (
                "Why their possible partners were out of reach, counted for each of "
                "these cities: 3 have given all their places to others."
            ),
        ],
        "How to check it": [
            (
                "Organisers and auditors have a sealed file with all that was "
                f"computed. With it and Compaan {solution.versions['compaan']}, "
                "“compaan verify” computes it again and tells whether it is the same, "
                "byte for byte."
            ),
            f"Fingerprint of the file (SHA-256): {DIGEST}.",
            (
                f"Fingerprint of the data: {solution.problem_hash}. Fingerprint of the "
                f"rules: {solution.policy_hash}."
            ),
        ],
    }
    assert told.table_heading == "The pairings"
    assert told.columns == (
        "Learning city",
        "Mentor city",
        "Points of 100",
        "Strongest criteria",
    )
    assert told.rows == (
        ("Capaci", "Mechelen", "62.2", "Needs met; Focus; Evidence"),
        ("Jelgava", "Schaerbeek", "34.4", "Needs met; Focus; Evidence"),
        (
            "Saint-Jean-de-la-Ruelle",
            "Fuenlabrada",
            "38.5",
            "Focus; Needs met; Evidence",
        ),
    )


@pytest.mark.parametrize(
    ("language", "hand", "row"),
    [
        (
            "fr",
            [
                "Binômes fixés par les organisateurs\xa0: 1.",
                "Binômes proposés puis retirés\xa0: 1.",
                (
                    "Schaerbeek comme mentor pour Jelgava\xa0: «\xa0Both work with "
                    "{CAMIM}.\xa0» (L’ensemble des binômes y perd 1,3 point.)"
                ),
            ],
            (
                "Capaci",
                "Mechelen",
                "62,2",
                "Besoins couverts\u202f; Spécialisation\u202f; Preuves",
            ),
        ),
        (
            "nl",
            [
                "Duo’s vastgezet door de organisatoren: 1.",
                "Voorgestelde duo’s die zijn weggehaald: 1.",
                (
                    "Schaerbeek als mentor van Jelgava: “Both work with {CAMIM}.” (De "
                    "hele ronde verliest er 1,3 punten bij.)"
                ),
            ],
            (
                "Capaci",
                "Mechelen",
                "62,2",
                "Ingevulde behoeften; Specialisatie; Onderbouwing",
            ),
        ),
    ],
)
def test_what_was_decided_by_hand_is_told_with_its_price(language, hand, row):
    told = how_we_chose(chosen(**BY_HAND), language)

    assert list(told.sections[5].sentences) == hand
    assert told.rows[0] == row


@pytest.mark.parametrize("language", ["fr", "nl"])
def test_nothing_is_left_in_english(language):
    found = chosen(policy=_ALLOWED, problem=_SECRETS, added=1, dismissed=1)
    texts = [how_we_chose(found, one) for one in ("en", language)]
    lines = [
        {
            text
            for told in one.sections
            for text in (one.title, told.heading, *told.sentences)
        }
        for one in texts
    ]

    assert lines[0] & lines[1] == set()
    assert [len(one.sections) for one in texts] == [8, 8]
    assert {*texts[0].columns} & {*texts[1].columns} == set()
    assert texts[0].table_heading != texts[1].table_heading


_SECRETS = {
    "vetoes": [{"city": "livadia", "partner": "fuenlabrada"}],
    "wishes": [{"city": "livadia", "role": "learner", "partners": ["mechelen"]}],
}
_ALLOWED = {
    "bans": [{"mentor": "schaerbeek", "learner": "livadia", "reason": "A scandal."}]
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_vetoed_banned_or_left_out_is_never_told(language):
    found = chosen(policy=_ALLOWED, problem=_SECRETS)
    (left,) = found.solution.unmatched
    assert (left.city, {one.code for one in left.reasons}) == (
        "livadia",
        {"veto", "ban", "all_places_taken"},
    )

    told = how_we_chose(found, language)

    everything = f"{told}"
    for secret in ("Livadia", "livadia", "scandal", "veto", "available", "beschikbaar"):
        assert secret not in everything
    assert "disponible" not in everything.replace("disposent", "")
    counted = told.sections[6].sentences[1]
    assert sum(mark.isdigit() for mark in counted) == 1


def test_wishes_and_credit_are_told_as_rules_for_all():
    found = chosen(
        policy={"left_out_credit": 0.5, "rules": {"min_score": 20}}, problem=_SECRETS
    )
    told = sections(found)

    assert told["What counts"][-2:] == [
        "A wish that comes true adds up to 1 point for each city.",
        (
            "Points beside the score for each earlier round without a partner, two "
            "rounds at most: 0.5."
        ),
    ]
    assert told["Hard rules"][0] == "No pairing below 20 points."
    assert told["Decided by hand"] == [
        "Nothing: the pairings are as they were computed."
    ]


def test_a_pairing_that_nobody_computed_is_told_with_its_score():
    found = chosen()
    assert [left.city for left in found.solution.unmatched] == ["jelgava"]
    swapped = (("mechelen", "jelgava"),)
    pair = explain(found.problem, found.policy, mentor="mechelen", learner="jelgava")

    told = how_we_chose(replace(found, released=swapped, added=1), "en")

    assert [row[:3] for row in told.rows] == [
        ("Jelgava", "Mechelen", f"{pair.score:.1f}")
    ]
    assert told.sections[3].sentences[-1] == (
        "Pairings were changed by hand after that: see below."
    )
    assert told.sections[4].sentences == (
        "Pairings: 1. Learning cities with a mentor: 1 of 4.",
        (
            f"Points of a pairing: {pair.score:.1f} on average, {pair.score:.1f} the "
            f"lowest, {pair.score:.1f} the highest."
        ),
    )
    assert told.sections[5].sentences == ("Pairings that a repair put in: 1.",)
    # The one that had no partner has one now; why, was told of no other.
    assert told.sections[6].sentences == (
        "Learning cities without a mentor: 3. Mentors without a learner: 2.",
    )


@pytest.mark.parametrize(
    ("price", "says"),
    [
        (None, ""),
        (0.04, " (The whole round loses nothing by it.)"),
        (-2, " (The whole round gains 2.0 points by it.)"),
    ],
)
def test_the_price_of_a_decision_is_what_it_is(price, says):
    made = Override("schaerbeek", "jelgava", "So be it.", price)

    (told,) = sections(chosen(overrides=(made,)))["Decided by hand"]

    assert told == f"Schaerbeek as the mentor of Jelgava: “So be it.”{says}"


@pytest.mark.parametrize(
    ("objective", "gap", "says"),
    [
        (
            "total",
            3.14,
            (
                "The search ended at its limit: another set of pairings may be "
                "better, by 3.1 points at most."
            ),
        ),
        (
            "served",
            2.0,
            (
                "The search ended at its limit: another set of pairings may be "
                "better, by 2 at most (learners, places or points, whichever it was "
                "counting)."
            ),
        ),
    ],
)
def test_what_is_not_proven_is_told_as_such(objective, gap, says):
    found = chosen(policy={"objective": objective})
    assert found.solution.gap == 0
    ended = found.solution.model_copy(update={"gap": gap})

    assert sections(replace(found, solution=ended))["The aim"][1] == says


def test_a_round_in_which_all_have_a_partner_says_so():
    pair = [city("a", "mentor", name="A"), city("b", name="B")]
    told = sections(chosen(cities=pair, policy={}))

    assert told["Hard rules"][0] == "None beyond the number of places of each city."
    assert told["Who has no partner"] == [
        "Nobody: every learner has a mentor, every mentor a learner."
    ]


def test_a_round_without_pairings_is_told_too():
    told = how_we_chose(chosen(cities=[city("b", name="B")], policy={}), "en")

    assert told.rows == ()
    assert told.sections[4].sentences == (
        "Pairings: 0. Learning cities with a mentor: 0 of 1.",
    )
    assert told.sections[6].sentences == (
        "Learning cities without a mentor: 1. Mentors without a learner: 0.",
    )


def test_pinned_pairings_may_be_below_the_lowest_score():
    policy = {"rules": {"min_score": 90}, "pins": BY_HAND["policy"]["pins"]}

    assert sections(chosen(policy=policy))["Hard rules"][:2] == [
        "No pairing below 90 points.",
        "A pairing decided by hand may have fewer points.",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sixty_pairings_under_every_rule_take_two_pages(language):
    cities = [
        city(
            f"{role}-{at}",
            role,
            name=f"{role}-{at}",
            country=("BE", "FR", "NL", "DE", "IT", "ES")[(at + (role == "mentor")) % 6],
        )
        for at in range(60)
        for role in ("mentor", "learner")
    ]
    policy = EVERYTHING.to_dict() | {
        "rules": {"different_country": True},
        "pins": [],
        "bans": [],
    }
    found = chosen(policy=policy, cities=cities)
    all_rules = replace(
        found, policy=Policy.from_dict(policy | {"rules": EVERYTHING.rules.to_dict()})
    )

    told = how_we_chose(all_rules, language)

    sentences = [text for one in told.sections for text in one.sentences]
    lines = sum(math.ceil(len(text) / 100) for text in sentences)
    headings = 2 * len(told.sections) + len((told.title, told.table_heading))
    # A page has 66 lines of 100 characters in small print.
    assert lines + headings + len(told.rows) <= 2 * 66
    assert len(told.rows) == 60
    assert not set("{}\n") & set("".join(sentences))
