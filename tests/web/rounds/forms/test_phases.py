"""The forms that set up a round, change it and lead it from phase to phase."""

import pytest

from tests.fixtures.cities import city, compute, register
from tests.web.rounds.forms.trial import CITIES, MECHELENS, pairing, states


def test_the_page_of_a_round_leads_from_phase_to_phase(organiser):
    service = organiser.service
    draft = service.post("/rounds", {"name": "Draft"}).json()["id"]

    assert "Take in the cities below, then open" in organiser.open("/rounds/draft").text
    organiser.press("Open the round")
    assert service.get(f"/rounds/{draft}").json()["phase"] == "open"
    assert "What is proposed before that is a trial." in organiser.text
    organiser.open("/rounds/trial").press("Close the round")
    assert "Propose pairings, and look at what comes out." in organiser.text
    compute(service, "trial")
    assert "stage the one you choose" in organiser.open("/rounds/trial").text
    organiser.press("Stage the newest proposal").press("Release 2 pairings")
    assert organiser.path == "/rounds/trial/pairings"
    organiser.open("/rounds/trial")
    assert "4 answers are missing; 0 pairings are confirmed." in organiser.text
    organiser.press("Put into the archive")
    assert "in the archive and stays as it is" in organiser.text
    assert organiser.buttons() == ["Compare those ticked"]
    assert set(states(organiser).values()) == {"withdrawn"}
    for name in ("pairings", "repairs", "outbox"):
        organiser.open(f"/rounds/trial/{name}")
        assert (organiser.status, "Do this" in organiser.text) == (200, False)
    assert organiser.open(pairing(organiser, MECHELENS)).buttons() == []


def test_a_step_back_needs_a_reason(staged):
    staged.open("/rounds/trial").press("Back to closed", reason=" ")

    assert staged.status == 422
    assert "A step back needs a reason" in staged.text
    assert len(states(staged)) == 2
    staged.press("Back to closed", reason="The committee wants another.")
    assert (staged.status, states(staged)) == (200, {})
    log = staged.service.get("/rounds/trial/audit").json()["items"]
    assert log[0]["details"]["reason"] == "The committee wants another."


def test_a_round_is_changed_with_its_form(organiser):
    organiser.open("/rounds/trial/edit").press(
        "Save",
        name="Homes",
        description="A year.\r\nOf visits.",
        answer_days="21",
        public="yes",
    )

    assert (organiser.status, organiser.path) == (200, "/rounds/trial")
    stored = organiser.service.get("/rounds/trial").json()
    fields = ("name", "description", "answer_days", "public")
    assert [stored[name] for name in fields] == [
        "Homes",
        "A year.\nOf visits.",
        21,
        True,
    ]
    version = organiser.service.get("/rounds/trial").headers["etag"]
    organiser.open("/rounds/trial/edit").press("Save")
    assert organiser.service.get("/rounds/trial").headers["etag"] == version


def test_a_round_that_somebody_has_changed_meanwhile_shows_what_differs(organiser):
    organiser.open("/rounds/trial/edit")
    theirs = {"name": "Theirs", "answer_days": 30}
    organiser.service.put("/rounds/trial", theirs, tag="*")

    organiser.press("Save", name="Mine", description="Words of mine.")

    assert organiser.status == 412
    assert "Somebody else has changed this round meanwhile" in organiser.text
    assert 'Name : It is "Theirs" now; you sent "Mine".' in organiser.text
    assert "Days to answer an offer : It is 30 now; you sent 14." in organiser.text
    assert organiser.service.get("/rounds/trial").json()["name"] == "Theirs"
    organiser.press("Save")
    stored = organiser.service.get("/rounds/trial").json()
    assert (stored["name"], stored["description"]) == ("Mine", "Words of mine.")


@pytest.mark.parametrize("does", ["edit", "copy"])
def test_what_is_wrong_in_the_form_of_a_round_comes_back_with_it(organiser, does):
    button = "Save" if does == "edit" else "Set up"
    organiser.open(f"/rounds/trial/{does}").press(
        button, name="", description="Kept", answer_days="400"
    )

    assert organiser.status == 422
    assert "This could not be saved" in organiser.text
    (form,) = (one for one in organiser.forms() if one.holds(button))
    assert form.fields["description"] == ["Kept"]
    assert form.fields["answer_days"] == ["400"]
    assert len(organiser.service.get("/rounds").json()["items"]) == 1


def test_a_round_is_copied_once_however_often_it_is_clicked(organiser):
    organiser.open("/rounds/trial/copy").press("Set up", name="Next year")
    first = organiser.path

    organiser.press_again()

    assert first == organiser.path == "/rounds/next-year"
    listed = organiser.service.get("/rounds").json()["items"]
    assert [one["id"] for one in listed] == ["next-year", "trial"]
    assert listed[0]["copy_of"] == "trial"
    taking = organiser.service.get("/rounds/next-year/participants").json()["items"]
    assert len(taking) == len(CITIES)


def test_a_city_that_leaves_a_released_round_ends_its_pairings(released):
    released.open("/rounds/trial")
    assert "Its pairings end, and the other cities in them are told." in released.text

    released.press("Take out Mechelen for good")

    assert states(released) == {"mechelen brno": "withdrawn", "liege cork": "offered"}


def test_a_form_is_anothers_for_another_account(organiser):
    """Keys are kept by account: what one has sent is no answer to somebody else."""
    organiser.open("/rounds/trial/copy").press("Set up", name="Next year")
    organiser.sign_in("administrator").press_again()

    assert organiser.path == "/rounds/next-year-2"


def test_setting_up_a_round_keeps_what_was_typed(organiser):
    organiser.open("/rounds").press("Set up", name="", description="A year of visits.")

    assert organiser.status == 422
    (form,) = (one for one in organiser.forms() if one.holds("Set up"))
    assert form.fields["description"] == ["A year of visits."]
    organiser.press("Set up", name="Visits").press_again()
    assert organiser.path == "/rounds/visits"
    assert organiser.service.get("/rounds/visits").json()["description"]


def test_a_late_city_may_be_taken_in_for_a_repair(released):
    register(released.service, city("turku", "mentor", name="Turku"))
    released.open("/rounds/trial").press("Take in", city="turku")

    taking = released.service.get("/rounds/trial/participants").json()["items"]
    assert "turku" in [one["city"] for one in taking]
