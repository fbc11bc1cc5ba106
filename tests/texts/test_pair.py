"""Why two cities are a pair, in three languages."""

from typing import get_args

import pytest

from app.texts.catalogue import LANGUAGES, words
from app.texts.matching.left_out import left_out
from app.texts.matching.pair import CRITERIA, explained, sentence
from matching import Policy, explain, match
from schemas import Criterion
from tests.fixtures.cities import INCLUCITIES, city
from tests.texts.examples import BARE, EMPTY, FULL, pair_of, unmatched

SENTENCES = {
    "en": [
        (
            "Ghent is strong in 2 of the 3 areas that Ieper needs: housing; "
            "LGBTQI+ inclusion."
        ),
        (
            "What Ghent is good at looks like what Ieper asks for: housing; "
            "LGBTQI+ inclusion."
        ),
        "Ghent can show what it does in housing: Keys first.",
        "Both teams work in English and French.",
        (
            "In size and people: one city is 7.5 times the other, their shares of "
            "migrants differ by 31 points."
        ),
        "They are 63 km apart.",
        (
            "In return: Ieper is strong in all that Ghent needs: health and mental "
            "health."
        ),
        "The practices of Ghent use the words in which Ieper tells its needs.",
    ],
    "fr": [
        (
            "Ghent a des points forts dans 2 des 3 domaines où Ieper a besoin d’aide"
            "\xa0: logement\u202f; inclusion des personnes LGBTQI+."
        ),
        (
            "Les points forts indiqués par Ghent ressemblent à ce que demande Ieper"
            "\xa0: logement\u202f; inclusion des personnes LGBTQI+."
        ),
        "Ghent peut montrer des exemples (logement)\xa0: Keys first.",
        "Les deux équipes travaillent en anglais et français.",
        (
            "Taille et population\xa0: l’une des villes compte 7,5 fois la population "
            "de l’autre, l’écart entre leurs parts de personnes migrantes est de 31 "
            "points de pourcentage."
        ),
        "63\xa0km les séparent.",
        (
            "En retour\xa0: Ieper a des points forts dans tous les domaines où Ghent a "
            "besoin d’aide\xa0: santé et santé mentale."
        ),
        (
            "Les pratiques présentées par Ghent emploient les mots avec lesquels Ieper "
            "décrit ses besoins."
        ),
    ],
    "nl": [
        (
            "Ghent is sterk in 2 van de 3 domeinen waarin Ieper hulp nodig heeft: "
            "huisvesting; inclusie van lgbtqi+-personen."
        ),
        (
            "Waar Ghent goed in is, lijkt op wat Ieper vraagt: huisvesting; inclusie "
            "van lgbtqi+-personen."
        ),
        "Ghent kan voorbeelden tonen (huisvesting): Keys first.",
        "Beide teams werken in het Engels en Frans.",
        (
            "Omvang en bevolking: de ene stad telt 7,5 keer zoveel inwoners als de "
            "andere, hun aandelen migranten verschillen 31 procentpunten."
        ),
        "Ze liggen 63 km uit elkaar.",
        (
            "Omgekeerd: Ieper is sterk in alle domeinen waarin Ghent hulp nodig heeft: "
            "gezondheid en geestelijke gezondheid."
        ),
        (
            "De praktijken van Ghent gebruiken de woorden waarmee Ieper de eigen "
            "behoeften beschrijft."
        ),
    ],
}
SENTENCES_OF_LITTLE = {
    "en": [
        "Ghent is not strong where Ieper needs help.",
        "What Ghent is good at is not what Ieper asks for.",
        "Not known: the two have no area in common.",
        "The two teams share no working language.",
        "Not known: number of inhabitants; share of migrants.",
        "Not known: place on the map.",
        "In return: Ieper is not strong where Ghent needs help.",
        "Not known: needs in its own words; practices told in the same language.",
    ],
    "fr": [
        "Ghent n’a pas de point fort là où Ieper a besoin d’aide.",
        "Les points forts indiqués par Ghent ne sont pas ce que demande Ieper.",
        "Inconnu\xa0: aucun domaine en commun.",
        "Les deux équipes n’ont pas de langue de travail commune.",
        "Inconnu\xa0: nombre d’habitants\u202f; part de personnes migrantes.",
        "Inconnu\xa0: situation sur la carte.",
        "En retour\xa0: Ieper n’a pas de point fort là où Ghent a besoin d’aide.",
        (
            "Inconnu\xa0: besoins décrits en mots\u202f; pratiques décrites dans la "
            "même langue."
        ),
    ],
    "nl": [
        "Ghent is niet sterk waar Ieper hulp nodig heeft.",
        "Waar Ghent goed in is, is niet wat Ieper vraagt.",
        "Niet bekend: geen gemeenschappelijk domein.",
        "De twee teams hebben geen gemeenschappelijke werktaal.",
        "Niet bekend: aantal inwoners; aandeel migranten.",
        "Niet bekend: ligging op de kaart.",
        "Omgekeerd: Ieper is niet sterk waar Ghent hulp nodig heeft.",
        "Niet bekend: behoeften in eigen woorden; praktijken in dezelfde taal.",
    ],
}


def sentences_of(cities, language):
    parts = pair_of(cities).contributions
    assert [part.criterion for part in parts] == list(get_args(Criterion))
    return [sentence(part, "Ghent", "Ieper", language) for part in parts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_criterion_is_told(language):
    assert sentences_of(FULL, language) == SENTENCES[language]
    assert sentences_of(BARE, language) == SENTENCES_OF_LITTLE[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_criterion_has_a_name(language):
    names = [words(language).say(CRITERIA[one]) for one in get_args(Criterion)]

    assert len({*names}) == len(get_args(Criterion))


def test_one_practice_for_what_is_needed_is_missed():
    bare = [FULL[0] | {"practices": []}, FULL[1]]

    assert [sentences_of(bare, language)[2] for language in LANGUAGES] == [
        "Ghent names no practice for what Ieper needs.",
        "Ghent ne cite aucune pratique pour les besoins indiqués par Ieper.",
        "Ghent noemt geen praktijk voor wat Ieper nodig heeft.",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pair_is_told_by_its_four_strongest_reasons(language):
    found = pair_of(FULL)
    strongest = sorted(found.contributions, key=lambda part: -part.points)[:4]

    assert explained(found, "Ghent", "Ieper", language) == [
        SENTENCES[language][list(get_args(Criterion)).index(part.criterion)]
        for part in strongest
    ]


@pytest.mark.parametrize(
    ("language", "beginning", "gaps"),
    [
        (
            "en",
            "23.8 of the 100 points could not be known: ",
            [
                "place on the map (Ghent and Ieper)",
                "number of inhabitants (Ghent and Ieper)",
                "share of migrants (Ghent and Ieper)",
                "needs in its own words (Ieper)",
                "practices told in the same language (Ghent)",
                "the two have no area in common.",
            ],
        ),
        (
            "fr",
            "Points impossibles à connaître\xa0: 23,8 sur 100 – ",
            [
                "situation sur la carte (Ghent et Ieper)",
                "nombre d’habitants (Ghent et Ieper)",
                "part de personnes migrantes (Ghent et Ieper)",
                "besoins décrits en mots (Ieper)",
                "pratiques décrites dans la même langue (Ghent)",
                "aucun domaine en commun.",
            ],
        ),
        (
            "nl",
            "Niet te bepalen: 23,8 van de 100 punten – ",
            [
                "ligging op de kaart (Ghent en Ieper)",
                "aantal inwoners (Ghent en Ieper)",
                "aandeel migranten (Ghent en Ieper)",
                "behoeften in eigen woorden (Ieper)",
                "praktijken in dezelfde taal (Ghent)",
                "geen gemeenschappelijk domein.",
            ],
        ),
    ],
)
def test_what_could_not_be_known_is_told_with_who_leaves_it_out(
    language, beginning, gaps
):
    sentences = explained(pair_of(BARE), "Ghent", "Ieper", language)

    assert sentences == [beginning + words(language).joined(gaps)]


def test_what_counts_for_nothing_is_not_missed():
    policy = Policy.from_dict(
        {"weights": dict.fromkeys(get_args(Criterion), 0) | {"give_back": 3}}
    )

    assert explained(pair_of(EMPTY, policy), "Ghent", "Ieper", "en") == [
        "100 of the 100 points could not be known: needs (Ghent)."
    ]


BESIDE_THE_SCORE = {
    "en": [
        "Wish no. 1 of Ghent is fulfilled: +1.0 points beside the score.",
        (
            "Ghent had no partner in an earlier round (2024 and 2025): +1.0 points "
            "beside the score."
        ),
        "Wish no. 2 of Ieper is fulfilled: +0.5 points beside the score.",
        "Ieper had no partner before: +0.5 points beside the score.",
    ],
    "fr": [
        "Vœu n°\xa01 exaucé (Ghent)\xa0: +1,0 point en plus du score.",
        (
            "Ghent n’avait pas de partenaire lors d’un cycle précédent (2024 et 2025)"
            "\xa0: +1,0 point en plus du score."
        ),
        "Vœu n°\xa02 exaucé (Ieper)\xa0: +0,5 point en plus du score.",
        "Ieper n’avait pas de partenaire auparavant\xa0: +0,5 point en plus du score.",
    ],
    "nl": [
        "Wens nr. 1 van Ghent komt uit: +1,0 punten bovenop de score.",
        (
            "Ghent had in een eerdere ronde geen partner (2024 en 2025): +1,0 punten "
            "bovenop de score."
        ),
        "Wens nr. 2 van Ieper komt uit: +0,5 punten bovenop de score.",
        "Ieper had eerder geen partner: +0,5 punten bovenop de score.",
    ],
}


def adjusted():
    """Return a pair in which both wished and both were left out before."""
    third = city("third", "mentor", name="Third")
    return pair_of(
        [*BARE, third],
        Policy.from_dict({"left_out_credit": 0.5}),
        wishes=[
            {"city": "ghent", "role": "mentor", "partners": ["ieper"]},
            {"city": "ieper", "role": "learner", "partners": ["third", "ghent"]},
        ],
        left_out=[
            {"city": "ghent", "role": "mentor", "round": "2024"},
            {"city": "ghent", "role": "mentor", "round": "2025"},
            {"city": "ieper", "role": "learner"},
        ],
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_points_beside_the_score_are_told_with_what_they_are_for(language):
    *beside, _ = explained(adjusted(), "Ghent", "Ieper", language)

    assert sorted(beside) == sorted(BESIDE_THE_SCORE[language])


def test_a_proposed_pairing_is_told_like_an_explained_pair():
    problem = INCLUCITIES.problem()
    found = match(problem, INCLUCITIES.policy).pairings[0]
    pair = explain(
        problem, INCLUCITIES.policy, mentor=found.mentor, learner=found.learner
    )

    for language in LANGUAGES:
        sentences = explained(found, "Mechelen", "Capaci", language)
        assert sentences == explained(pair, "Mechelen", "Capaci", language)
        assert len(sentences) == 5


@pytest.mark.parametrize("name", ["{x}", "%s", "{0.__class__}", "<b>", "}{"])
def test_a_name_in_a_sentence_is_text(name):
    left = unmatched("learner", 3, veto=3)
    cities = [FULL[0] | {"name": name}, FULL[1]]
    found = pair_of(cities)

    for language in LANGUAGES:
        with_name = [
            *explained(found, name, "Ieper", language),
            *left_out(left, name, language),
        ]
        with_ghent = [
            *explained(found, "Ghent", "Ieper", language),
            *left_out(left, "Ghent", language),
        ]
        assert with_name == [one.replace("Ghent", name) for one in with_ghent]
