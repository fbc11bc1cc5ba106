"""Why a city has no partner, in three languages."""

import pytest

from app.texts.catalogue import LANGUAGES
from app.texts.matching.left_out import left_out, why_left
from matching import Policy, Problem, match
from schemas import Reason, Rules
from tests.fixtures.cities import city
from tests.texts.examples import unmatched

REASONS = (
    *Rules.model_fields,
    *("veto", "ban", "role", "all_places_taken", "caps", "min_load", "no_partner"),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_for_one_and_for_more(language):
    by_code = {
        code: [why_left(Reason(code=code, partners=n), language) for n in (1, 2)]
        for code in REASONS
    }

    alike = by_code.pop("ban"), by_code["veto"]
    assert alike[0] == alike[1]
    assert len({tuple(one) for one in by_code.values()}) == len(by_code)
    for code, says in by_code.items():
        assert [one.split()[0] for one in says] == ["1", "2"]
        assert not any(mark in one for one in says for mark in ("_", "{", code + ":"))


def test_reasons_in_english_follow_their_number():
    numbers = {"veto": 1, "no_partner": 1, "role": 2, "all_places_taken": 1, "caps": 3}

    assert [
        why_left(Reason(code=code, partners=number), "en")
        for code, number in numbers.items()
    ] == [
        "1 is not available",
        "1 would bring no points",
        "2 do not take part in the other role",
        "1 has given all its places to others",
        "3 are in a group that has reached its limit",
    ]


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            [
                "12 cities were considered as mentors for Ieper.",
                (
                    "Of these: 7 are in the same country; 3 are not available; "
                    "5 have given all their places to others."
                ),
                "One city may count under several reasons.",
            ],
        ),
        (
            "fr",
            [
                "12 villes ont été envisagées comme mentors pour Ieper.",
                (
                    "Parmi elles\xa0: 7 sont dans le même pays\u202f; 3 ne sont pas "
                    "disponibles\u202f; 5 ont donné toutes leurs places à d’autres."
                ),
                "Une même ville peut compter pour plusieurs raisons.",
            ],
        ),
        (
            "nl",
            [
                "12 steden zijn bekeken als mentor voor Ieper.",
                (
                    "Daarvan: 7 liggen in hetzelfde land; 3 zijn niet beschikbaar; "
                    "5 hebben alle plaatsen aan anderen gegeven."
                ),
                "Eén stad kan bij meerdere redenen meetellen.",
            ],
        ),
    ],
)
def test_vetoes_and_bans_are_added_up_under_one_name(language, says):
    left = unmatched(
        "learner", 12, different_country=7, veto=2, ban=1, all_places_taken=5
    )

    assert left_out(left, "Ieper", language) == says


def test_a_mentor_without_a_learner_is_told_of_learners():
    left = unmatched("mentor", 1, shared_language=1)

    assert [left_out(left, "Ieper", language) for language in LANGUAGES] == [
        [
            "1 city was considered as a learner for Ieper.",
            "Of these: 1 shares no working language.",
        ],
        [
            "1 ville a été envisagée comme ville apprenante pour Ieper.",
            "Parmi elles\xa0: 1 n’a pas de langue de travail en commun.",
        ],
        [
            "1 stad is bekeken als lerende stad voor Ieper.",
            "Daarvan: 1 heeft geen gemeenschappelijke werktaal.",
        ],
    ]


@pytest.mark.parametrize(
    ("role", "says"),
    [
        (
            "learner",
            [
                "No other city takes part as a mentor.",
                "Aucune autre ville ne participe comme mentor.",
                "Er neemt geen andere stad deel als mentor.",
            ],
        ),
        (
            "mentor",
            [
                "No other city takes part as a learner.",
                "Aucune autre ville ne participe comme ville apprenante.",
                "Er neemt geen andere stad deel als lerende stad.",
            ],
        ),
    ],
)
def test_where_nobody_is_there_nothing_else_is_told(role, says):
    problem = Problem.from_dict({"cities": [city("ieper", role, name="Ieper")]})
    (left,) = match(problem, Policy()).unmatched

    assert [left_out(left, "Ieper", language) for language in LANGUAGES] == [
        [one] for one in says
    ]
