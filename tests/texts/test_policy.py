"""A policy and its warnings, in three languages."""

from typing import get_args

import pytest

from app.texts.catalogue import LANGUAGES
from app.texts.matching.policy import policy_in_words, warned
from matching import Policy, Problem, match
from schemas import Criterion, Objective, Warning  # noqa: A004 -- the word of the contract
from tests.texts.examples import EMPTY, EVERYTHING

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
    sentences = policy_in_words(EVERYTHING, language)

    # French parts thousands and marks with spaces that do not break.
    plain = [one.replace("\xa0", " ").replace("\u202f", " ") for one in sentences]
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
    first_sentences = {
        policy_in_words(Policy(objective=one), language)[0]
        for one in get_args(Objective)
    }

    assert len(first_sentences) == len(get_args(Objective))


def test_a_minimum_for_mentors_that_are_used_is_told_as_such():
    policy = Policy.from_dict({"min_load": {"mentor": 2, "only_if_used": True}})

    assert [policy_in_words(policy, language)[-1] for language in LANGUAGES] == [
        "Learners of each mentor that gets any: at least 2.",
        "Villes apprenantes pour chaque mentor qui en reçoit\xa0: 2 au moins.",
        "Lerende steden voor elke mentor die er krijgt: minstens 2.",
    ]


WARNINGS = {
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


@pytest.mark.parametrize("rule", WARNINGS)
def test_what_could_not_be_checked_is_told(rule):
    found = Warning(code="rule_not_checkable", rule=rule, city="ghent")
    names = {"ghent": "Ghent"}

    sentences = [warned(found, EVERYTHING, names, one) for one in LANGUAGES]
    assert sentences == WARNINGS[rule]


def test_every_rule_that_can_fail_to_be_checked_has_words():
    problem = Problem.from_dict({"cities": EMPTY})
    found = match(problem, Policy(rules=EVERYTHING.rules)).warnings
    names = {"ghent": "Ghent", "ieper": "Ieper"}

    sentences = [warned(one, EVERYTHING, names, "en") for one in found]

    assert [one for one in sentences if one.startswith("Ghent")] == [
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
