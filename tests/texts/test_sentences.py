"""Why two are a pair, why a city has no partner, and a policy, in three languages."""

from itertools import product
from typing import get_args

import pytest

from app.texts.catalogue import LANGUAGES, words
from app.texts.matching.left_out import left_out, why_left
from app.texts.matching.pair import CRITERIA, explained, sentence
from app.texts.matching.policy import policy_in_words, warned
from matching import Policy, Problem, explain, match
from schemas import Criterion, Objective, Reason, Rules, Unmatched, Warning  # noqa: A004 -- the word of the contract
from tests.fixtures.cities import INCLUCITIES, city

FULL = [
    city(
        "ghent",
        "mentor",
        name="Ghent",
        languages=["nl", "en", "fr"],
        latitude=51.05,
        longitude=3.72,
        population=262_000,
        migrant_share={"value": 0.41, "definition": "foreign_origin"},
        areas={
            "housing": {"strength": 4},
            "lgbtqi": {"strength": 3},
            "health": {"need": 2},
        },
        practices=[
            {
                "area": "housing",
                "title": "Keys first",
                "summary": "housing for families",
                "language": "en",
            }
        ],
    ),
    city(
        "ieper",
        name="Ieper",
        languages=["fr", "en"],
        latitude=50.85,
        longitude=2.88,
        population=35_000,
        migrant_share={"value": 0.1, "definition": "foreign_origin"},
        areas={
            "housing": {"need": 3},
            "lgbtqi": {"need": 2},
            "gender": {"need": 1},
            "health": {"strength": 3},
        },
        needs_text="housing for families",
    ),
]
BARE = [
    city(
        "ghent",
        "mentor",
        name="Ghent",
        languages=["nl"],
        areas={"housing": {"strength": 4}, "health": {"need": 1}},
    ),
    city("ieper", name="Ieper", languages=["fr"], areas={"data": {"need": 3}}),
]
EMPTY = [
    city("ghent", "mentor", name="Ghent", areas={"housing": {}}),
    city("ieper", name="Ieper", areas={"data": {}}),
]
TEXTS_TOO = Policy.from_dict({"weights": {"practice_text": 5}})
SAID = {
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
SAID_OF_LITTLE = {
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


def pair_of(cities, policy=TEXTS_TOO, **problem):
    given = Problem.from_dict({"cities": cities} | problem)
    return explain(given, policy, mentor="ghent", learner="ieper")


def all_said(cities, language):
    parts = pair_of(cities).contributions
    assert [part.criterion for part in parts] == list(get_args(Criterion))
    return [sentence(part, "Ghent", "Ieper", language) for part in parts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_criterion_is_told(language):
    assert all_said(FULL, language) == SAID[language]
    assert all_said(BARE, language) == SAID_OF_LITTLE[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_criterion_has_a_name(language):
    names = [words(language).say(CRITERIA[one]) for one in get_args(Criterion)]

    assert len({*names}) == len(get_args(Criterion))


def test_one_practice_for_what_is_needed_is_missed():
    bare = [FULL[0] | {"practices": []}, FULL[1]]

    assert [all_said(bare, language)[2] for language in LANGUAGES] == [
        "Ghent names no practice for what Ieper needs.",
        "Ghent ne cite aucune pratique pour les besoins indiqués par Ieper.",
        "Ghent noemt geen praktijk voor wat Ieper nodig heeft.",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pair_is_told_by_its_four_strongest_reasons(language):
    found = pair_of(FULL)
    strongest = sorted(found.contributions, key=lambda part: -part.points)[:4]

    assert explained(found, "Ghent", "Ieper", language) == [
        SAID[language][list(get_args(Criterion)).index(part.criterion)]
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
    told = explained(pair_of(BARE), "Ghent", "Ieper", language)

    assert told == [beginning + words(language).joined(gaps)]


def test_what_counts_for_nothing_is_not_missed():
    policy = Policy.from_dict(
        {"weights": dict.fromkeys(get_args(Criterion), 0) | {"give_back": 3}}
    )

    assert explained(pair_of(EMPTY, policy), "Ghent", "Ieper", "en") == [
        "100 of the 100 points could not be known: needs (Ghent)."
    ]


BESIDE = {
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

    assert sorted(beside) == sorted(BESIDE[language])


def test_a_proposed_pairing_is_told_like_an_explained_pair():
    given = INCLUCITIES.problem()
    found = match(given, INCLUCITIES.policy).pairings[0]
    pair = explain(
        given, INCLUCITIES.policy, mentor=found.mentor, learner=found.learner
    )

    for language in LANGUAGES:
        told = explained(found, "Mechelen", "Capaci", language)
        assert told == explained(pair, "Mechelen", "Capaci", language)
        assert len(told) == 5


REASONS = (
    *Rules.model_fields,
    *("veto", "ban", "role", "all_places_taken", "caps", "min_load", "no_partner"),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_for_one_and_for_more(language):
    told = {
        code: [why_left(Reason(code=code, partners=n), language) for n in (1, 2)]
        for code in REASONS
    }

    alike = told.pop("ban"), told["veto"]
    assert alike[0] == alike[1]
    assert len({tuple(one) for one in told.values()}) == len(told)
    for code, says in told.items():
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


def unmatched(role, considered, **partners):
    return Unmatched(
        city="ieper",
        role=role,
        missing=1,
        partners_considered=considered,
        reasons=tuple(
            Reason(code=code, partners=number) for code, number in partners.items()
        ),
    )


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
    given = Problem.from_dict({"cities": [city("ieper", role, name="Ieper")]})
    (left,) = match(given, Policy()).unmatched

    assert [left_out(left, "Ieper", language) for language in LANGUAGES] == [
        [one] for one in says
    ]


EVERYTHING = Policy.from_dict(
    {
        "objective": "fair",
        "left_out_credit": 0.25,
        "weights": {"practice_text": 3},
        "rules": {
            "different_country": True,
            "shared_language": True,
            "max_distance_km": 1500.5,
            "max_size_ratio": 10,
            "min_score": 20,
            "no_repeat": True,
        },
        "caps": [
            {"side": side, "by": by, "per": per, "max": 1000}
            for side, by, per in product(
                ("mentor", "learner"), ("country", "association"), ("round", "partner")
            )
        ],
        "min_load": {"mentor": 1},
        "pins": [{"mentor": "ghent", "learner": "ieper", "reason": "A secret."}],
        "bans": [{"mentor": "ghent", "learner": "lier", "reason": "A scandal."}],
    }
)
IN_WORDS = {
    "en": [
        "Looked for: the best result for the learner who is worst off, then the next.",
        (
            "Points out of 100: needs met 34; focus 29.1; evidence 9.7; language 9.7; "
            "context 4.9; proximity 4.9; give back 4.9; texts 2.9."
        ),
        (
            "Points beside the score for each earlier round without a partner, two "
            "rounds at most: 0.25."
        ),
        "Never two cities of one country.",
        "Only cities that share a working language.",
        "At most 1,500.5 km apart.",
        "No city more than 10 times the other.",
        "No pairing below 20 points.",
        "Nobody gets the same partner again.",
        "Pairings with mentors of one country: at most 1,000.",
        "Mentors of one country for each learner: at most 1,000.",
        "Pairings with mentors of one association: at most 1,000.",
        "Mentors of one association for each learner: at most 1,000.",
        "Pairings with learners of one country: at most 1,000.",
        "Learners of one country for each mentor: at most 1,000.",
        "Pairings with learners of one association: at most 1,000.",
        "Learners of one association for each mentor: at most 1,000.",
        "Learners of each mentor: at least 1.",
        "Pinned by the organiser: 1.",
        "Banned by the organiser: 1.",
    ],
    "fr": [
        (
            "Objectif : le meilleur résultat pour la ville apprenante la moins bien "
            "lotie, puis pour la suivante."
        ),
        (
            "Points sur 100 : besoins couverts 34 ; spécialisation 29,1 ; preuves 9,7 "
            "; langue 9,7 ; contexte 4,9 ; proximité 4,9 ; retour 4,9 ; textes 2,9."
        ),
        (
            "Points en plus du score pour chaque cycle précédent sans partenaire, deux "
            "cycles au plus : 0,25."
        ),
        "Jamais deux villes d’un même pays.",
        "Seulement des villes qui ont une langue de travail en commun.",
        "Au plus 1 500,5 km entre les deux villes.",
        "Aucune ville avec plus de 10 fois la population de l’autre.",
        "Score minimal d’un binôme : 20.",
        "Personne ne retrouve le même partenaire.",
        "Binômes dont le mentor est d’un même pays : 1 000 au plus.",
        "Mentors d’un même pays pour chaque ville apprenante : 1 000 au plus.",
        "Binômes dont le mentor est d’une même association : 1 000 au plus.",
        "Mentors d’une même association pour chaque ville apprenante : 1 000 au plus.",
        "Binômes dont la ville apprenante est d’un même pays : 1 000 au plus.",
        "Villes apprenantes d’un même pays pour chaque mentor : 1 000 au plus.",
        "Binômes dont la ville apprenante est d’une même association : 1 000 au plus.",
        "Villes apprenantes d’une même association pour chaque mentor : 1 000 au plus.",
        "Villes apprenantes pour chaque mentor : 1 au moins.",
        "Binômes fixés par les organisateurs : 1.",
        "Binômes exclus par les organisateurs : 1.",
    ],
    "nl": [
        (
            "Doel: het beste resultaat voor de lerende stad die er het minst goed "
            "voorstaat, daarna voor de volgende."
        ),
        (
            "Punten op 100: ingevulde behoeften 34; specialisatie 29,1; onderbouwing "
            "9,7; taal 9,7; vergelijkbaarheid 4,9; nabijheid 4,9; wederdienst 4,9; "
            "teksten 2,9."
        ),
        (
            "Punten bovenop de score voor elke eerdere ronde zonder partner, hoogstens "
            "twee rondes: 0,25."
        ),
        "Nooit twee steden uit hetzelfde land.",
        "Alleen steden met een gemeenschappelijke werktaal.",
        "Hoogstens 1.500,5 km uit elkaar.",
        "Geen stad met meer dan 10 keer zoveel inwoners als de andere.",
        "Minimale score van een duo: 20.",
        "Niemand krijgt twee keer dezelfde partner.",
        "Duo’s met mentoren uit één land: hoogstens 1.000.",
        "Mentoren uit één land voor elke lerende stad: hoogstens 1.000.",
        "Duo’s met mentoren van één vereniging: hoogstens 1.000.",
        "Mentoren van één vereniging voor elke lerende stad: hoogstens 1.000.",
        "Duo’s met lerende steden uit één land: hoogstens 1.000.",
        "Lerende steden uit één land voor elke mentor: hoogstens 1.000.",
        "Duo’s met lerende steden van één vereniging: hoogstens 1.000.",
        "Lerende steden van één vereniging voor elke mentor: hoogstens 1.000.",
        "Lerende steden voor elke mentor: minstens 1.",
        "Duo’s vastgezet door de organisatoren: 1.",
        "Duo’s uitgesloten door de organisatoren: 1.",
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_policy_with_everything_is_told(language):
    told = policy_in_words(EVERYTHING, language)

    # French parts thousands and marks with spaces that do not break.
    plain = [one.replace("\xa0", " ").replace("\u202f", " ") for one in told]
    assert plain == IN_WORDS[language]


def test_a_policy_with_nothing_is_told_in_two_sentences():
    assert policy_in_words(Policy(), "en") == [
        "Looked for: the most points in all.",
        (
            "Points out of 100: needs met 35; focus 30; evidence 10; language 10; "
            "context 5; proximity 5; give back 5."
        ),
    ]
    nothing = dict.fromkeys(get_args(Criterion), 0)
    assert policy_in_words(Policy.from_dict({"weights": nothing}), "en") == [
        "Looked for: the most points in all."
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_objective_has_its_words(language):
    told = {
        policy_in_words(Policy(objective=one), language)[0]
        for one in get_args(Objective)
    }

    assert len(told) == len(get_args(Objective))


def test_a_minimum_for_mentors_that_are_used_is_told_as_such():
    policy = Policy.from_dict({"min_load": {"mentor": 2, "only_if_used": True}})

    assert [policy_in_words(policy, language)[-1] for language in LANGUAGES] == [
        "Learners of each mentor that gets any: at least 2.",
        "Villes apprenantes pour chaque mentor qui en reçoit\xa0: 2 au moins.",
        "Lerende steden voor elke mentor die er krijgt: minstens 2.",
    ]


WARNED = {
    "shared_language": [
        (
            "Ghent does not tell what the rule “shared working language” needs: not "
            "applied."
        ),
        (
            "Ghent n’indique pas ce que demande la règle «\xa0langue de travail commune"
            "\xa0»\xa0: elle n’est pas appliquée."
        ),
        (
            "Ghent vermeldt niet wat de regel “gemeenschappelijke werktaal” nodig "
            "heeft: niet toegepast."
        ),
    ],
    "caps/1": [
        (
            "Ghent does not tell what the limit “Mentors of one country for each "
            "learner: at most 1,000” needs: not applied."
        ),
        (
            "Ghent n’indique pas ce que demande la limite «\xa0Mentors d’un même pays "
            "pour chaque ville apprenante\xa0: 1\u202f000 au plus\xa0»\xa0: elle n’est "
            "pas appliquée."
        ),
        (
            "Ghent vermeldt niet wat de limiet “Mentoren uit één land voor elke "
            "lerende stad: hoogstens 1.000” nodig heeft: niet toegepast."
        ),
    ],
}


@pytest.mark.parametrize("rule", WARNED)
def test_what_could_not_be_checked_is_told(rule):
    found = Warning(code="rule_not_checkable", rule=rule, city="ghent")
    names = {"ghent": "Ghent"}

    assert [warned(found, EVERYTHING, names, one) for one in LANGUAGES] == WARNED[rule]


def test_every_rule_that_can_fail_to_be_checked_has_words():
    given = Problem.from_dict({"cities": EMPTY})
    found = match(given, Policy(rules=EVERYTHING.rules)).warnings
    names = {"ghent": "Ghent", "ieper": "Ieper"}

    told = [warned(one, EVERYTHING, names, "en") for one in found]

    assert [one for one in told if one.startswith("Ghent")] == [
        f"Ghent does not tell what the rule “{rule}” needs: not applied."
        for rule in (
            "shared working language",
            "largest distance",
            "largest difference in size",
        )
    ]


def test_a_search_that_was_cut_short_is_told():
    found = Warning(code="search_cut_short", rule="relaxations")

    assert [warned(found, Policy(), {}, language) for language in LANGUAGES] == [
        (
            "Not everything that could help those left out was tried: that would have "
            "taken too long."
        ),
        (
            "Nous n’avons pas essayé tout ce qui pourrait aider les villes sans "
            "partenaire\xa0: cela aurait pris trop de temps."
        ),
        (
            "Niet alles wat de steden zonder partner zou kunnen helpen, is geprobeerd: "
            "dat zou te lang hebben geduurd."
        ),
    ]


@pytest.mark.parametrize("name", ["{x}", "%s", "{0.__class__}", "<b>", "}{"])
def test_a_name_in_a_sentence_is_text(name):
    left = unmatched("learner", 3, veto=3)
    cities = [FULL[0] | {"name": name}, FULL[1]]
    found = pair_of(cities)

    for language in LANGUAGES:
        told = [
            *explained(found, name, "Ieper", language),
            *left_out(left, name, language),
        ]
        plain = [
            *explained(found, "Ghent", "Ieper", language),
            *left_out(left, "Ghent", language),
        ]
        assert told == [one.replace("Ghent", name) for one in plain]
