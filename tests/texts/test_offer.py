"""Where a pairing stands, as its cities read it."""

from datetime import UTC, datetime

import pytest

from app.texts.catalogue import LANGUAGES, words
from app.texts.matching import offer
from schemas import RoundPairing

EN = words("en")


def moment(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 12, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "at", "asks", "says"),
    [
        (
            moment(14, 23),
            moment(4, 1),
            True,
            "Please answer until Monday 14 December 2026: 10 days left.",
        ),
        (
            moment(5, 1),
            moment(4, 23),
            True,
            "Please answer until Saturday 5 December 2026: 1 day left.",
        ),
        (
            moment(4, 23),
            moment(4, 1),
            True,
            "Please answer today, Friday 4 December 2026: it is the last day.",
        ),
        (
            moment(4, 23),
            moment(4, 1),
            False,
            "Answers are due today, Friday 4 December 2026.",
        ),
        (
            moment(6),
            moment(4),
            False,
            "Answers are due until Sunday 6 December 2026: 2 days left.",
        ),
        (moment(4, 1), moment(4, 2), True, "The time for answers is over."),
    ],
)
def test_a_deadline_is_a_day_and_how_many_are_left(until, at, asks, says):
    assert offer.deadline(until, at, EN, asks=asks) == says


def test_a_deadline_is_told_in_every_language():
    sentences = [
        offer.deadline(
            moment(1, 23), moment(1, 1).replace(month=11), words(one), asks=True
        )
        for one in LANGUAGES
    ]

    assert sentences == [
        "Please answer until Tuesday 1 December 2026: 30 days left.",
        "Merci de répondre jusqu’au mardi 1er décembre 2026\xa0: encore 30 jours.",
        "Antwoord a.u.b. tot en met dinsdag 1 december 2026: nog 30 dagen.",
    ]


def pairing_in(state: str, mentor: str = "pending", learner: str = "pending"):
    empty = dict.fromkeys(RoundPairing.model_fields)
    own = {"state": state, "mentor_answer": mentor, "learner_answer": learner}
    given_ = {"id": "1", "round": "r", "run": "x", "mentor": "m", "learner": "l"}
    at = {"created_at": moment(1), "updated_at": moment(1), "answer_by": moment(14)}
    figures = {"score": 50.0, "known_weight": 90.0, "origin": "proposal"}
    return RoundPairing(**empty | own | given_ | at | figures)


def standing(state: str, side: str | None, **answers: str) -> offer.Standing:
    found = pairing_in(state, **answers)
    return offer.Offer(
        pairing=found,
        mentor="Ghent",
        learner="Ieper",
        side=side,
        is_open=state == "offered",
        at=moment(4),
        told=EN,
    ).standing()


LOOKING = (
    "You need not do anything now. The organisers are looking for another partner for "
    "Ieper, and will write to you when there is news."
)


@pytest.mark.parametrize(
    ("state", "answers", "heading", "says"),
    [
        (
            "offered",
            {},
            "We propose Ghent as your mentor",
            (
                "It begins when both cities have said yes.",
                "Ghent has not answered yet.",
                "Please answer until Monday 14 December 2026: 10 days left.",
            ),
        ),
        (
            "offered",
            {"learner": "accepted"},
            "We propose Ghent as your mentor",
            (
                "You have said yes. Thank you.",
                "Ghent has not answered yet.",
                "Answers are due until Monday 14 December 2026: 10 days left.",
            ),
        ),
        (
            "confirmed",
            {},
            "Ghent is your mentor",
            ("Both cities have said yes. Good luck to both of you.",),
        ),
        (
            "declined",
            {"learner": "declined"},
            "Ghent → Ieper",
            (
                "This pairing will not come about.",
                "You have declined. Thank you for telling us in time.",
                LOOKING,
            ),
        ),
        (
            "declined",
            {"mentor": "declined"},
            "Ghent → Ieper",
            (
                "This pairing will not come about.",
                (
                    "The other city cannot take part now. This is not a judgement of "
                    "your city."
                ),
                LOOKING,
            ),
        ),
        (
            "expired",
            {},
            "Ghent → Ieper",
            (
                (
                    "This pairing was not answered by both in time, and will not come "
                    "about."
                ),
                (
                    "Do you still want it? Write to the organisers: they can offer it "
                    "again."
                ),
                LOOKING,
            ),
        ),
        (
            "withdrawn",
            {},
            "Ghent → Ieper",
            ("This pairing was withdrawn.", LOOKING),
        ),
    ],
)
def test_every_state_is_told_kindly(state, answers, heading, says):
    found = standing(state, "learner", **answers)

    assert (found.heading, found.says) == (heading, says)


def test_whoever_is_not_asked_reads_of_both():
    found = standing("offered", None, mentor="accepted")

    assert found == offer.Standing(
        heading="Ghent → Ieper",
        says=(
            (
                "We propose Ghent as the mentor of Ieper. It begins when both have "
                "said yes."
            ),
            "Ghent has said yes.",
            "Ieper has not answered yet.",
            "Answers are due until Monday 14 December 2026: 10 days left.",
        ),
        then=(),
    )


def test_the_steps_are_those_that_are_left():
    both = standing("offered", "mentor").then
    waits = standing("offered", "mentor", mentor="accepted").then

    assert both[0] == "You say yes or no. Only the organisers see a reason."
    assert waits == both[1:]
    assert both[1] == "The other city says yes or no, too: Ieper."
    assert standing("confirmed", "mentor").then == ()
