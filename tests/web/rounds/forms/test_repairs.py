"""The page that mends a round from which a pairing is gone."""

import pytest

from tests.web.rounds.forms.trial import MECHELENS, pairing, states


@pytest.mark.parametrize("phase", ["staged", "released"])
def test_a_repair_is_made_by_one_button(staged, phase):
    path = pairing(staged, MECHELENS)
    if phase == "released":
        staged.press("Release 2 pairings").open(path)
        staged.press("Decline for Mechelen", reason_code="capacity")
    else:
        staged.press("Take it out", reason="They have met.")
    staged.open("/rounds/trial/repairs")
    assert "Way 1: nothing is undone" in staged.text
    assert "Ghent → Brno" in staged.text

    staged.press("Do this (way 1)").press_again()

    assert (staged.status, staged.path) == (200, "/rounds/trial/pairings")
    stands = "staged" if phase == "staged" else "offered"
    assert states(staged)["ghent brno"] == stands
    assert "by a repair" in staged.text
    staged.open("/rounds/trial/repairs")
    assert "There is nothing to mend: every learner has a mentor." in staged.text


def test_a_repair_that_is_not_on_the_list_any_more_is_refused(staged):
    staged.press("Take it out", reason="They have met.")
    staged.open("/rounds/trial/repairs")
    staged.service.delete("/rounds/trial/participants/ghent")

    staged.press("Do this (way 1)")

    assert staged.status == 412
    assert "This repair is not on the list any more" in staged.text
    assert set(states(staged)) == {"mechelen brno", "liege cork"}


def test_to_leave_all_as_it_is_is_no_way_to_mend(staged):
    staged.press("Take it out", reason="They have met.")
    staged.service.delete("/rounds/trial/participants/ghent")

    staged.open("/rounds/trial/repairs")

    assert staged.buttons() == ["Do this (way 1)"]
    assert "Way 1: 1 pairing is undone" in staged.text
    staged.press("Do this (way 1)")
    assert states(staged) == {
        "mechelen brno": "dismissed",
        "liege brno": "staged",
        "mechelen cork": "staged",
        "liege cork": "dismissed",
    }


def test_what_cannot_be_mended_is_told_without_a_button(staged):
    for gone in ("mechelen", "ghent", "liege"):
        staged.service.delete(f"/rounds/trial/participants/{gone}")

    staged.open("/rounds/trial/repairs")

    assert staged.buttons() == []
    sentence = "Nothing can be mended: Brno , Cork cannot get a free mentor"
    assert sentence in staged.text


def test_there_is_nothing_to_mend_before_anything_is_staged(organiser):
    organiser.open("/rounds/trial/repairs")

    assert (organiser.status, organiser.buttons()) == (200, [])
    assert "Pairings are mended while they are staged or released." in organiser.text
    organiser.sign_in("officer").open("/rounds/trial/repairs")
    assert organiser.status == 404
