"""Proposals are compared and staged; an organiser overrides what was staged."""

import pytest

from tests.fixtures.cities import compute
from tests.web.rounds.forms.trial import MECHELENS, pairing, states


def test_every_form_that_is_shown_may_do_its_work_again(organiser):
    for _ in range(2):
        organiser.open("/rounds/trial").press("Propose pairings")

    assert len(organiser.service.get("/rounds/trial/runs").json()["items"]) == 2
    organiser.press_again()
    assert len(organiser.service.get("/rounds/trial/runs").json()["items"]) == 2


def test_proposals_are_laid_side_by_side(staged):
    staged.open("/rounds/trial").press("Compare those ticked")

    assert staged.status == 200
    for row in (
        "1. Free most points 2 2 135.0 67.5 65.0 – staged",
        "2. With Ghent most points 2",
    ):
        assert row in staged.text
    assert "Cork Liège 70.0 Ghent 70.0" in staged.text
    assert "1 pairing that all of them have Mechelen → Brno" in staged.text
    staged.press("Stage no. 2")
    assert "Ghent → Cork" in staged.text
    assert states(staged) == {"mechelen brno": "staged", "ghent cork": "staged"}


@pytest.mark.parametrize(
    ("chosen", "status", "told"),
    [
        (0, 200, "There is no proposal yet."),
        (7, 422, "Choose 1 to 6 proposals."),
        (1, 200, "1 of 1 proposals is still being computed"),
    ],
)
def test_what_cannot_be_compared_is_told_on_the_page(organiser, chosen, status, told):
    runs = [
        organiser.service.post("/rounds/trial/runs", {}).json()["id"]
        for _ in range(chosen)
    ]

    organiser.open("/rounds/trial/scenarios?" + "&".join(f"run={one}" for one in runs))

    assert (organiser.status, told in organiser.text) == (status, True)


def test_a_proposal_is_staged_on_its_own_page(organiser):
    early = compute(organiser.service, "trial", label="Early")
    organiser.open(f"/runs/{early}")
    assert "Early" in organiser.text
    assert organiser.buttons() == ["Why not?"]
    organiser.open("/rounds/trial").press("Close the round")
    organiser.open(f"/runs/{early}").press("Stage these pairings")
    assert organiser.path == "/rounds/trial/pairings"
    assert "These pairings are staged." in organiser.open(f"/runs/{early}").text


def test_a_proposal_that_does_not_fit_any_more_is_refused_on_its_page(organiser):
    run = compute(organiser.service, "trial")
    organiser.press("Take out Mechelen").press("Close the round")

    organiser.open(f"/runs/{run}").press("Stage these pairings")

    assert (organiser.status, organiser.path) == (409, f"/runs/{run}/stage")
    assert "The round has changed since this run" in organiser.text
    assert organiser.service.get("/rounds/trial").json()["phase"] == "closed"


def test_a_staged_pairing_is_taken_out_with_a_reason(staged):
    path = pairing(staged, MECHELENS)
    staged.press("Take it out", reason=" ")
    assert staged.status == 422
    long = "Too long. " * 600
    staged.press("Take it out", reason=long)
    assert staged.status == 422
    forms = [one for one in staged.forms() if one.holds("Take it out")]
    assert [one.fields["reason"] for one in forms] == [[long.strip()], [""]]
    assert set(states(staged).values()) == {"staged"}

    staged.open("/rounds/trial/pairings").press("Take it out", reason="They have met.")

    assert states(staged) == {"mechelen brno": "dismissed", "liege cork": "staged"}
    assert "1 pairing is staged." in staged.text
    assert "1 learner has no mentor: Brno ." in staged.text
    line = "Mechelen → Brno − taken out by an organiser “ They have met. ”"
    assert line in staged.text
    assert "taken out before the release" in staged.open(path).text


def test_an_override_tells_its_price_before_anything_changes(staged):
    before = staged.service.get("/rounds/trial").headers["etag"]
    staged.open("/rounds/trial/override").press(
        "What would it cost?", mentor="ghent", learner="brno", reason="Old friends."
    )

    assert (
        "If Ghent must be the mentor of Brno, the round loses 34.3 points"
        in staged.text
    )
    assert "Brno −34.3 Mechelen Ghent Whole round −34.3" in staged.text
    assert staged.service.get("/rounds/trial").headers["etag"] == before
    staged.press("Decide so")
    assert staged.path == "/rounds/trial/pairings"
    assert "Ghent → Brno" in staged.text
    assert (
        "decided by hand “ Old friends. ” By it the round loses 34.3 points"
        in staged.text
    )
    runs = len(staged.service.get("/rounds/trial/runs").json()["items"])
    staged.press_again()
    assert (staged.status, staged.path) == (200, "/rounds/trial/pairings")
    assert len(staged.service.get("/rounds/trial/runs").json()["items"]) == runs


def test_two_cities_can_be_kept_apart(staged):
    staged.open("/rounds/trial/override").press(
        "What would it cost?",
        decision="ban",
        mentor="mechelen",
        learner="brno",
        reason="A quarrel.",
    )
    assert "If Mechelen must not be the mentor of Brno" in staged.text

    staged.press("Decide so")

    assert states(staged) == {"liege brno": "staged", "ghent cork": "staged"}


def test_an_override_about_another_round_than_was_seen_is_refused(staged):
    typed = {"mentor": "ghent", "learner": "brno", "reason": "Old friends."}
    staged.open("/rounds/trial/override").press("What would it cost?", **typed)
    path = pairing(staged, MECHELENS)
    staged.service.post(f"{path}/dismiss", {"reason": "x"})

    staged.press("Decide so")

    assert staged.status == 412
    assert "Somebody changed the round since this page was shown" in staged.text
    (form,) = (one for one in staged.forms() if one.holds("What would it cost?"))
    assert {name: form.fields[name] for name in typed} == {
        name: [value] for name, value in typed.items()
    }
    assert states(staged) == {"mechelen brno": "dismissed", "liege cork": "staged"}


def test_an_override_that_cannot_be_says_what_clashes(organiser):
    veto = {"vetoes": ["mechelen"]}
    organiser.service.put("/rounds/trial/participants/cork", veto, tag="*")
    organiser.press("Close the round")
    compute(organiser.service, "trial")
    organiser.open("/rounds/trial").press("Stage the newest proposal")

    organiser.open("/rounds/trial/override").press(
        "What would it cost?", mentor="mechelen", learner="cork", reason="Try."
    )

    assert organiser.status == 422
    assert "That cannot be decided so" in organiser.text
    (form,) = (one for one in organiser.forms() if one.holds("What would it cost?"))
    assert (form.fields["learner"], form.fields["reason"]) == (["cork"], ["Try."])
    assert "Decide so" not in organiser.buttons()
