"""The page of pairings tells how far each is, and what needs an organiser."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.texts.catalogue import read_in
from app.web.rounds import board
from app.web.rounds.deadlines import time_left
from tests.fixtures.cities import PROPOSED, pairing, say
from tests.web.rounds.five import open_page
from tests.web.visitor import Visitor


def states_shown(visitor: Visitor) -> dict[str, int]:
    nav = visitor.page.text.partition('<nav class="states')[2].partition("</nav>")[0]
    found = re.findall(r"show=(\w+).*?<strong>(\d+)</strong>", nav, re.DOTALL)
    return {state: int(number) for state, number in found}


def titles(visitor: Visitor) -> list[str]:
    return re.findall(r'<article class="card pair" id="p-(\w+)">', visitor.page.text)


def test_the_board_tells_how_far_each_pairing_is_and_shows_those_of_a_state(organiser):
    service = organiser.service
    open_page(organiser, "pairings", phase="released")
    first, second, third = (pairing(service, "trial", *pair) for pair in PROPOSED)
    say(service, first, "mentor", "accept")
    for side in ("mentor", "learner"):
        say(service, second, side, "accept")
    say(service, third, "learner", "decline")

    organiser.open("/rounds/trial/pairings")

    assert states_shown(organiser) == {"one_yes": 1, "confirmed": 1, "declined": 1}
    assert titles(organiser) == [first["id"], second["id"]]
    assert "Answers that are in: 3 of 4." in organiser.text
    for one in (first, second):
        assert f'href="/pairings/{one["id"]}/card"' in organiser.page.text
    assert "(13 days left)" in organiser.text
    for state, one in (("one_yes", first), ("confirmed", second)):
        organiser.open(f"/rounds/trial/pairings?show={state}")
        assert titles(organiser) == [one["id"]]
    organiser.open("/rounds/trial/pairings?show=declined")
    assert titles(organiser) == []
    assert "bruges → evora ✕ declined by evora the wrong time" in organiser.text


def test_what_needs_an_organiser_stands_first(organiser):
    open_page(organiser, "pairings", phase="released")
    assert "What needs you now" not in organiser.text
    one = pairing(organiser.service, "trial", "bruges", "evora")
    say(organiser.service, one, "mentor", "decline")

    text = organiser.open("/rounds/trial/pairings").text

    sentence = "bruges → evora : declined by bruges; evora has no mentor."
    places = [
        text.index(part)
        for part in (
            "What needs you now",
            sentence,
            "Who has not answered",
            "What stands",
        )
    ]
    assert places == sorted(places)


def test_many_pairings_are_lines_that_lead_to_where_they_are_decided(
    organiser, monkeypatch
):
    open_page(organiser, "pairings")
    roomy = organiser.page.text
    monkeypatch.setattr(board, "_ROOMY", 2)

    organiser.open("/rounds/trial/pairings")

    assert roomy.count("/dismiss") > 0
    assert "/dismiss" not in organiser.page.text
    assert len(titles(organiser)) == 3
    assert len(organiser.page.text) < len(roomy) / 1.5


def test_the_board_knows_itself_again_until_something_changes(organiser):
    def pulse() -> str:
        page = organiser.open("/rounds/trial/pairings").page.text
        return re.findall(r'data-pulse="(\w+)"', page)[0]

    open_page(organiser, "pairings", phase="released")
    before = pulse()
    assert pulse() == before
    one = pairing(organiser.service, "trial", "amiens", "celje")
    say(organiser.service, one, "mentor", "accept")
    assert pulse() != before


@pytest.mark.parametrize(
    ("left", "english", "french"),
    [
        (timedelta(days=2), "2 days left", "il reste 2 jours"),
        (timedelta(days=13, hours=23), "13 days left", "il reste 13 jours"),
        (timedelta(hours=47), "47 hours left", "il reste 47 heures"),
        (timedelta(hours=1), "1 hour left", "il reste 1 heure"),
        (
            timedelta(minutes=59),
            "less than an hour left",
            "il reste moins d’une heure",
        ),
        (timedelta(0), "the time is over", "le délai est dépassé"),
    ],
)
def test_a_deadline_is_told_in_words(left, english, french):
    at = datetime(2027, 5, 1, 12, tzinfo=UTC)

    assert time_left(at + left, at) == english
    with read_in("fr"):
        assert time_left(at + left, at) == french
