"""Letters in three languages: whole ones, and what all of them must keep to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.texts.catalogue import LANGUAGES
from app.texts.letters import Facts, Kind, letter

KINDS: tuple[Kind, ...] = get_args(Kind)
LINK = "https://compaan.example/pairings/1"
ROUND = "IncluCities 2027"
ANSWER_BY = datetime(2027, 5, 14, 17, tzinfo=UTC)


def facts(role="learner", **fields):
    """Return facts about Mechelen, a mentor, and Capaci."""
    sides = {"mentor": "Mechelen", "learner": "Capaci"}
    other = "learner" if role == "mentor" else "mentor"
    known = {
        "round_name": ROUND,
        "link": LINK,
        "role": role,
        "city": sides[role],
        "partner": sides[other],
        "answer_by": ANSWER_BY,
        "answer_code": "declined",
    }
    return Facts(**known | fields)


OFFERS = {
    "en": (
        "Please answer: Mechelen is proposed as your mentor",
        f"""Hello,

In the round “IncluCities 2027” we propose Mechelen as the mentor of Capaci.

Why this pairing:
- One.
- Two.

If both cities say yes, Mechelen helps you with what it knows: you meet, you ask \
questions, you see how it is done there.

Please answer by Friday 14 May 2027 at 17:00 UTC, here:
{LINK}

The pairing starts only when both cities have said yes. You are free to say no: only \
the organisers see your reason. If an answer is still missing then, the proposal ends.

Kind regards,
IncluCities 2027""",
    ),
    "fr": (
        "Merci de répondre\xa0: nous vous proposons Mechelen comme mentor",
        f"""Bonjour,

Dans le cycle «\xa0IncluCities 2027\xa0», nous proposons Mechelen comme mentor pour \
Capaci.

Pourquoi ce binôme\xa0:
- One.
- Two.

Si les deux villes disent oui, Mechelen vous fait profiter de son expérience\xa0: vous \
vous rencontrez, vous posez vos questions, vous voyez comment cela se fait sur place.

Merci de répondre au plus tard le vendredi 14 mai 2027 à 17:00 UTC, ici\xa0:
{LINK}

Le binôme ne démarre que si les deux villes disent oui. Vous pouvez dire non en toute \
liberté\xa0: seuls les organisateurs verront votre raison. S’il manque encore une \
réponse à ce moment-là, la proposition prend fin.

Cordialement,
IncluCities 2027""",
    ),
    "nl": (
        "Graag uw antwoord: Mechelen wordt voorgesteld als uw mentor",
        f"""Goedendag,

In de ronde “IncluCities 2027” stellen we Mechelen voor als mentor van Capaci.

Waarom dit duo:
- One.
- Two.

Als beide steden ja zeggen, deelt Mechelen de eigen ervaring met u: u ontmoet elkaar, \
u stelt vragen, u ziet hoe het daar gaat.

Antwoord graag uiterlijk op vrijdag 14 mei 2027 om 17:00 uur UTC, hier:
{LINK}

Het duo gaat pas van start als beide steden ja hebben gezegd. U mag gerust nee zeggen: \
alleen de organisatoren zien uw reden. Als er dan nog een antwoord ontbreekt, vervalt \
het voorstel.

Met vriendelijke groet,
IncluCities 2027""",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_offer_tells_who_why_until_when_and_what_then(language):
    written = letter("offer", facts(reasons=("One.", "Two.")), language)

    assert (written.subject, written.text) == OFFERS[language]


def test_a_mentor_is_asked_as_a_mentor():
    written = letter("offer", facts("mentor", answer_by=None), "en")

    assert written.subject == "Please answer: you are proposed as the mentor of Capaci"
    assert written.text == (
        "Hello,\n\n"
        "In the round “IncluCities 2027” we propose Mechelen as the mentor of "
        "Capaci.\n\n"
        "If both cities say yes, you help Capaci with what you know: you meet, you "
        "answer questions, you show how you do it.\n\n"
        f"Please answer here:\n{LINK}\n\n"
        "The pairing starts only when both cities have said yes. You are free to say "
        "no: only the organisers see your reason.\n\n"
        "Kind regards,\nIncluCities 2027"
    )


NOT_PLACED = {
    ("mentor", "en"): (
        "No learner for Mechelen this time",
        f"""Hello,

In the round “IncluCities 2027” we found no learner for Mechelen. We are sorry, and we \
thank you for your offer. All cities were looked at together. This is not a judgement \
of your city.

Why:
- One.

A place may still become free. Then the organisers write to you; you need not do \
anything now.

What helps next time:
- Complete your profile: what we do not know brings no points.
- Name all the languages in which your team can work.
- Add a practice to each of your strengths: that brings points, too.

You find the round and what you entered here:
{LINK}

Kind regards,
IncluCities 2027""",
    ),
    ("learner", "fr"): (
        "Pas de mentor pour Capaci cette fois-ci",
        f"""Bonjour,

Dans le cycle «\xa0IncluCities 2027\xa0», nous n’avons pas trouvé de mentor pour \
Capaci. Nous le regrettons. Toutes les villes ont été examinées ensemble. Ce n’est pas \
un jugement sur votre ville.

Pourquoi\xa0:
- One.

Une place peut encore se libérer. Dans ce cas, les organisateurs vous écriront\u202f; \
vous n’avez rien à faire pour le moment.

Ce qui aide pour la prochaine fois\xa0:
- Complétez votre profil\xa0: ce que nous ne savons pas n’apporte aucun point.
- Indiquez toutes les langues dans lesquelles votre équipe peut travailler.
- Indiquez les villes que vous aimeriez avoir comme mentor\xa0: un vœu exaucé apporte \
aussi des points.

Vous trouverez le cycle et vos réponses ici\xa0:
{LINK}

Cordialement,
IncluCities 2027""",
    ),
}


@pytest.mark.parametrize(("role", "language"), NOT_PLACED)
def test_who_is_left_out_is_told_why_and_what_helps(role, language):
    written = letter("not_placed", facts(role, reasons=("One.",)), language)

    assert (written.subject, written.text) == NOT_PLACED[role, language]


def test_both_are_told_the_next_step_in_the_same_words():
    to_mentor = letter("confirmed", facts("mentor"), "nl")

    assert to_mentor == letter("confirmed", facts("learner"), "nl")
    assert to_mentor.subject == "Bevestigd: Mechelen is de mentor van Capaci"
    assert to_mentor.text == (
        "Goedendag,\n\n"
        "Goed nieuws: beide steden hebben ja gezegd. Mechelen is nu de mentor van "
        "Capaci.\n\n"
        "De volgende stap is een eerste ontmoeting. Spreek een datum af; een uur "
        "online is genoeg.\n\n"
        "Drie vragen voor die ontmoeting:\n"
        "- Wat wil Capaci als eerste veranderen?\n"
        "- Wat kan Mechelen laten zien, en wat ging er onderweg mis?\n"
        "- Hoe vaak wilt u elkaar ontmoeten, en tot wanneer?\n\n"
        f"U vindt het duo hier:\n{LINK}\n\n"
        "Met vriendelijke groet,\nIncluCities 2027"
    )


@pytest.mark.parametrize(
    ("kind", "subject", "happened"),
    [
        (
            "declined",
            "The pairing Mechelen – Capaci will not come about",
            "The pairing Mechelen – Capaci that we proposed will not come about.",
        ),
        (
            "expired",
            "The pairing Mechelen – Capaci will not come about",
            (
                "The pairing Mechelen – Capaci was not answered by both cities in "
                "time. So it will not come about."
            ),
        ),
        (
            "withdrawn",
            "The pairing Mechelen – Capaci was withdrawn",
            "The pairing Mechelen – Capaci was withdrawn. It does not go on.",
        ),
    ],
)
def test_the_other_city_is_told_that_and_never_why(kind, subject, happened):
    written = letter(kind, facts(reasons=("A secret.",)), "en")

    assert written.subject == subject
    assert written.text == (
        f"Hello,\n\n{happened}\n\n"
        "You need not do anything now. The organisers are looking for another partner "
        "for Capaci, and will write to you when there is news.\n\n"
        f"You find the pairing here:\n{LINK}\n\n"
        "Kind regards,\nIncluCities 2027"
    )


@pytest.mark.parametrize(
    ("code", "subject", "happened"),
    [
        (
            "declined",
            "À réparer\xa0: binôme Mechelen – Capaci refusé",
            "Le binôme Mechelen → Capaci a été refusé.",
        ),
        (
            "expired",
            "À réparer\xa0: binôme Mechelen – Capaci resté sans réponse",
            "Le binôme Mechelen → Capaci n’a pas reçu de réponse à temps.",
        ),
        (
            "withdrawn",
            "À réparer\xa0: binôme Mechelen – Capaci retiré",
            "Le binôme Mechelen → Capaci a été retiré.",
        ),
    ],
)
def test_organisers_are_told_what_needs_mending(code, subject, happened):
    written = letter(
        "to_repair",
        Facts(
            round_name=ROUND,
            link=LINK,
            mentor="Mechelen",
            learner="Capaci",
            answer_code=code,
        ),
        "fr",
    )

    assert written.subject == subject
    assert written.text == (
        f"Bonjour,\n\n{happened}\n\n"
        "Des réparations qui changent peu d’autres binômes sont prêtes ici\xa0:\n"
        f"{LINK}\n\nCordialement,\nIncluCities 2027"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["mentor", "learner"])
def test_no_line_of_a_letter_is_left_in_english(kind, role):
    texts = {language: letter(kind, facts(role), language) for language in LANGUAGES}
    same = {"", LINK, ROUND}

    for one, other in (("en", "fr"), ("en", "nl"), ("fr", "nl")):
        lines = [set(texts[language].text.split("\n")) for language in (one, other)]
        assert lines[0] & lines[1] == same
        assert texts[one].subject != texts[other].subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["mentor", "learner"])
def test_every_letter_has_its_names_one_link_and_a_short_subject(kind, role, language):
    given = facts(role, reasons=("One.",))
    written = letter(kind, given, language)
    named = {given.city} if kind == "not_placed" else {"Mechelen", "Capaci"}

    assert {name for name in ("Mechelen", "Capaci") if name in written.text} == named
    assert written.text.count(LINK) == 1
    assert LINK in written.text.split("\n")
    assert written.text.endswith(f"\n{ROUND}")
    assert not set("{}") & set(written.subject + written.text)
    assert not any(line != line.strip() for line in written.text.split("\n"))
    assert len(written.subject) < 100
    dated = "2027 " in written.text.replace(ROUND, "")
    assert dated == (kind in {"offer", "reminder"})


# As the wire takes names: anything but control characters.
NAMES = st.one_of(
    st.sampled_from(["{x}", "%s", "{0.__class__}", "{}", "<b>", "a\u2028b", "100 %"]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40),
)


@given(NAMES, NAMES, NAMES, st.sampled_from(KINDS), st.sampled_from(LANGUAGES))
def test_a_name_is_text_whatever_it_looks_like(mentor, learner, name, kind, language):
    plain = letter(kind, facts(mentor="Mmm", learner="Lll", city="Lll"), language)
    written = letter(
        kind,
        facts(mentor=mentor, learner=learner, city=learner, round_name=name),
        language,
    )
    expected = (
        plain.text.replace("Mmm", "\0")
        .replace("Lll", "\1")
        .replace(ROUND, "\2")
        .replace("\0", mentor)
        .replace("\1", learner)
        .replace("\2", name)
    )

    assert written.text == expected
    assert len(written.subject.splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("offer", replace(facts(), role=None), "`role`"),
        ("not_placed", Facts(round_name=ROUND, link=LINK, city="A"), "`role`"),
        ("declined", Facts(round_name=ROUND, link=LINK, city="A"), "`mentor`"),
        ("to_repair", facts(answer_code="pending"), "`answer_code`"),
    ],
)
def test_facts_that_leave_open_what_to_say_are_refused(kind, given, says):
    with pytest.raises(ValueError, match=says):
        letter(kind, given, "en")
