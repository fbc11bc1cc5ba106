"""The pages on which a round is run to its end, form by form."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.db import tables
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from tests.fixtures.cities import city, compute, open_round, register
from tests.web.visitor import HTML, Visitor

NEEDS = {"health": {"need": 3, "strength": 0}, "housing": {"need": 2, "strength": 0}}
MEETS = {"health": {"need": 0, "strength": 4}, "housing": {"need": 0, "strength": 3}}
CITIES = (
    city("mechelen", "mentor", name="Mechelen", languages=["nl", "en"], areas=MEETS),
    city("ghent", "mentor", name="Ghent"),
    city("liege", "mentor", name="Liège"),
    city("brno", name="Brno", country="CZ", areas=NEEDS),
    city("cork", name="Cork", country="IE"),
)
MECHELENS, LIEGES = "Mechelen → Brno", "Liège → Cork"


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    """Return an organiser who looks at an open round."""
    open_round(sqlite_service, *CITIES)
    return Visitor(sqlite_service).sign_in("organiser").open("/rounds/trial")


@pytest.fixture
def staged(organiser) -> Visitor:
    """Return the same with two pairings staged; a mentor is left over."""
    organiser.press("Close the round")
    pinned = {"pins": [{"mentor": "ghent", "learner": "cork"}]}
    compute(organiser.service, "trial", policy=pinned, label="With Ghent")
    compute(organiser.service, "trial", label="Free")
    organiser.open("/rounds/trial").press("Stage the newest proposal")
    assert (organiser.status, organiser.path) == (200, "/rounds/trial/pairings")
    return organiser


@pytest.fixture
def released(staged) -> Visitor:
    """Return the same, the pairings offered."""
    return staged.press("Release 2 pairings")


def pairing(visitor: Visitor, title: str) -> str:
    """Return the path of the newest pairing with this title."""
    mentor, learner = title.lower().replace("è", "e").split(" → ")
    (found,) = (
        one["id"]
        for one in visitor.service.get("/rounds/trial/pairings").json()["items"]
        if (one["mentor"], one["learner"]) == (mentor, learner)
    )
    return f"/pairings/{found}"


def states(visitor: Visitor) -> dict[str, str]:
    found = visitor.service.get("/rounds/trial/pairings").json()["items"]
    return {f"{one['mentor']} {one['learner']}": one["state"] for one in found}


def count(visitor: Visitor, table: type) -> int:
    with visitor.service.client.app.state.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


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
    kept = organiser.service.get("/rounds/trial").json()
    fields = ("name", "description", "answer_days", "public")
    assert [kept[name] for name in fields] == ["Homes", "A year.\nOf visits.", 21, True]
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
    kept = organiser.service.get("/rounds/trial").json()
    assert (kept["name"], kept["description"]) == ("Mine", "Words of mine.")


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
    told = "Mechelen → Brno − taken out by an organiser “ They have met. ”"
    assert told in staged.text
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
    asked = {"mentor": "ghent", "learner": "brno", "reason": "Old friends."}
    staged.open("/rounds/trial/override").press("What would it cost?", **asked)
    path = pairing(staged, MECHELENS)
    staged.service.post(f"{path}/dismiss", {"reason": "x"})

    staged.press("Decide so")

    assert staged.status == 412
    assert "Somebody changed the round since this page was shown" in staged.text
    (form,) = (one for one in staged.forms() if one.holds("What would it cost?"))
    assert {name: form.fields[name] for name in asked} == {
        name: [value] for name, value in asked.items()
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


def test_the_release_tells_how_many_people_it_reaches_and_whom_it_does_not(staged):
    told = "By this 1 person is told , in 1 message that cannot be taken back."
    assert told in staged.text
    nobody = "4 cities have nobody to write to: Brno , Cork , Ghent , Liège ."
    assert nobody in staged.text
    with staged.service.client.app.state.database.write() as session:
        for name in ("one", "two"):
            accounts.add_user(session, f"{name}@example.org", "officer", "brno")
        session.commit()
    staged.open("/rounds/trial").press("Back to closed", reason="x")
    staged.press("Stage the newest proposal")
    assert "By this 3 people are told , in 3 messages" in staged.text
    assert "3 cities have nobody to write to: Cork , Ghent , Liège ." in staged.text


def test_a_release_counts_a_person_once_that_gets_two_messages(organiser):
    service = organiser.service
    service.put("/rounds/trial/participants/mechelen", {"mentor_capacity": 2}, tag="*")
    organiser.press("Close the round")
    pins = [{"mentor": "mechelen", "learner": "cork"}]
    run = compute(service, "trial", policy={"pins": pins})

    organiser.open(f"/runs/{run}").press("Stage these pairings")

    assert "By this 1 person is told , in 2 messages" in organiser.text
    asked = "2 messages to 1 person would be sent by a release"
    assert asked in organiser.open("/rounds/trial/outbox").text


def test_a_release_sets_the_deadline_to_the_end_of_a_day(staged):
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    for wrong, status in (("tomorrow", 422), ("2020-01-01", 422)):
        staged.press("Release 2 pairings", answer_by=wrong)
        assert (staged.status, set(states(staged).values())) == (status, {"staged"})
    (form,) = (one for one in staged.forms() if one.holds("Release 2 pairings"))
    assert form.fields["answer_by"] == ["2020-01-01"]

    staged.press("Release 2 pairings", answer_by=day.isoformat())
    staged.press_again()

    assert (staged.status, staged.path) == (200, "/rounds/trial/pairings")
    kept = staged.service.get("/rounds/trial").json()
    assert (kept["phase"], kept["answer_by"]) == ("released", f"{day}T23:59:00Z")
    assert "at 23:59 UTC" in staged.text


def test_what_changed_since_it_was_looked_at_is_not_released(staged):
    path = pairing(staged, MECHELENS)
    staged.service.post(f"{path}/dismiss", {"reason": "x"})

    staged.press("Release 2 pairings")

    assert staged.status == 412
    assert "It is shown as it is now" in staged.text
    assert staged.service.get("/rounds/trial").json()["phase"] == "staged"
    staged.press("Release 1 pairing")
    assert states(staged) == {"mechelen brno": "dismissed", "liege cork": "offered"}


def test_an_offer_gets_another_deadline_or_is_withdrawn(released):
    day = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    released.press("Set the deadline", answer_by="")
    assert "Choose the day by which the cities answer." in released.text

    released.press("Set the deadline", answer_by=day)
    released.press("Withdraw it", reason="Its project ended.")

    listed = released.service.get("/rounds/trial/pairings").json()["items"]
    assert [(one["state"], one["reason"]) for one in listed] == [
        ("withdrawn", "Its project ended."),
        ("offered", None),
    ]
    assert listed[0]["answer_by"] == f"{day}T23:59:00Z"
    told = "Mechelen → Brno ↩ withdrawn by an organiser “ Its project"
    assert told in released.text


def test_who_has_not_answered_is_reminded_once_a_day(released):
    assert released.text.count("Look at the pairing:") == 4
    released.press("Remind them")
    assert "No reminder was sent" in released.text
    table = tables.Message
    with released.service.client.app.state.database.write() as session:
        for one in session.scalars(select(table).where(table.kind == "offer")):
            one.created_at -= timedelta(days=2)

    released.press("Remind them").press_again()

    assert "4 reminders are on their way." in released.text
    with released.service.client.app.state.database.read() as session:
        kinds = session.scalars(select(table.kind)).all()
    assert kinds.count("reminder") == 4


def test_a_city_answers_from_the_link_in_its_mail(released):
    path = pairing(released, MECHELENS)
    service = released.service
    visitor = Visitor(service)
    service.client.cookies.clear()
    asked = service.client.get(f"{path}?lang=en", headers=HTML, follow_redirects=False)
    to = f"/sign-in?to={path}%3Flang%3Den"
    assert (asked.status_code, asked.headers["location"]) == (303, to)

    visitor.open(to).press("Sign in with the token", token=service.tokens["officer"])

    assert (visitor.path, visitor.page.url.query) == (path, b"lang=en")
    assert "We propose you as the mentor of Brno" in visitor.text
    assert visitor.buttons() == ["Yes, we accept", "Decline", "Send the question"]
    visitor.press("Yes, we accept").press_again()
    assert "Thank you: your yes is stored." in visitor.text
    assert "You have said yes. Thank you. Brno has not answered yet." in visitor.text
    assert visitor.buttons() == ["Decline", "Send the question"]
    released.sign_in("organiser").open(path).press("Accept for Brno")
    assert states(released) == {"mechelen brno": "confirmed", "liege cork": "offered"}
    visitor.sign_in("officer").open(path)
    assert "You are the mentor of Brno Both cities have said yes." in visitor.text
    own = f"Your pairings {MECHELENS} confirmed"
    assert own in visitor.open("/rounds/trial").text


def test_to_decline_needs_a_reason_that_organisers_alone_see(released):
    path = pairing(released, MECHELENS)
    visitor = released.sign_in("officer").open(path)
    visitor.press("Decline", text="No hands.")
    assert visitor.status == 422
    told = "This was not done Choose a reason; only the organisers see it."
    assert told in visitor.text
    (form,) = (one for one in visitor.forms() if one.holds("Decline"))
    assert form.fields["text"] == ["No hands."]
    assert set(states(visitor).values()) == {"offered"}

    visitor.press("Decline", reason_code="timing")

    assert "This pairing will not come about." in visitor.text
    assert visitor.buttons() == []
    assert "No hands." not in visitor.page.text
    assert states(visitor)["mechelen brno"] == "declined"
    visitor.sign_in("organiser").open("/rounds/trial/pairings")
    told = f"{MECHELENS} ✕ declined by Mechelen the wrong time “ No hands. ”"
    assert told in visitor.text
    assert "1 learner has no mentor: Brno ." in visitor.text


def test_the_reasons_are_told_in_the_language_of_the_reader(released):
    path = pairing(released, MECHELENS)
    dutch = "Mechelen is sterk in alle domeinen waarin Brno hulp nodig heeft"
    french = "Mechelen a des points forts dans tous"
    english = "Mechelen is strong in all that Brno needs"

    def told(browser: str, lang: str) -> list[bool]:
        headers = HTML | {"Accept-Language": browser}
        text = released.service.client.get(f"{path}{lang}", headers=headers).text
        return [words in text for words in (english, french, dutch)]

    released.sign_in("officer")
    assert told("de", "") == [True, False, False]
    assert told("nl-BE,nl;q=0.9,en;q=0.5", "") == [False, False, True]
    assert told("nl-BE", "?lang=xx") == [False, False, True]
    assert told("nl-BE", "?lang=fr") == [False, True, False]
    assert told("nl-BE", "") == [False, True, False]  # as was asked for before


def test_a_wish_is_told_to_whom_it_belongs_alone(organiser):
    service = organiser.service
    wish = {"wishes": [{"role": "learner", "partners": ["mechelen"]}]}
    service.put("/rounds/trial/participants/brno", wish, tag="*")
    organiser.press("Close the round")
    run = compute(service, "trial")
    printed = organiser.open(f"/runs/{run}").text
    organiser.press("Stage these pairings").press("Release 2 pairings")
    path = pairing(organiser, MECHELENS)

    told = "Wish no. 1 of Brno is fulfilled: +1.0 points beside the score."

    assert told in printed
    assert told in organiser.open(path).text
    english = Visitor(service).sign_in("officer").open(f"{path}?lang=en").text
    assert "Mechelen is strong in all that Brno needs" in english
    assert "Wish no. 1" not in english


def test_how_it_goes_is_noted_by_those_whom_it_concerns(released):
    path = pairing(released, MECHELENS)
    released.open(path).press("Accept for Brno").press("Accept for Mechelen")
    visitor = released.sign_in("officer").open(path)
    visitor.press("Note it")
    assert "This was not done Say how it goes, or leave a note." in visitor.text

    visitor.press("Note it", fit="not_a_good_fit", note="They never call.")
    visitor.press_again()

    assert visitor.text.count("Mechelen It is not a good fit. They never call.") == 1
    visitor.sign_in("organiser").open("/rounds/trial/pairings")
    assert f"{MECHELENS} : the mentor says that it is not a good fit." in visitor.text
    add_stranger(visitor)
    visitor.sign_in("stranger").open(path)
    assert (visitor.status, "How it goes" in visitor.text) == (200, False)
    assert visitor.buttons() == []


def add_stranger(visitor: Visitor) -> None:
    """Open an account for the officer of a city outside the pairings."""
    with visitor.service.client.app.state.database.write() as session:
        account = accounts.add_user(session, "s@example.org", "officer", "ghent")
        visitor.service.tokens["stranger"] = add_token(session, account)


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
    told = "Nothing can be mended: Brno , Cork cannot get a free mentor"
    assert told in staged.text


def test_there_is_nothing_to_mend_before_anything_is_staged(organiser):
    organiser.open("/rounds/trial/repairs")

    assert (organiser.status, organiser.buttons()) == (200, [])
    assert "Pairings are mended while they are staged or released." in organiser.text
    organiser.sign_in("officer").open("/rounds/trial/repairs")
    assert organiser.status == 404


def test_messages_are_read_counted_and_tried_before_the_release(staged):
    staged.open("/rounds/trial/outbox")
    assert "1 message to 1 person would be sent by a release" in staged.text
    assert "offer mentor Dutch ‖ held until the release 1" in staged.text
    assert "In de ronde “Trial” stellen we Mechelen voor als mentor" in staged.text

    subject = "Please answer: Mechelen is proposed as your mentor"
    staged.press(f"Send me a test of {subject}").press_again()

    assert "A test is on its way to you." in staged.text
    staged.press("Show", state="queued")
    assert "State any held" in staged.text
    tests = [one for one in staged.buttons() if one.startswith("Send me a test")]
    assert tests == [f"Send me a test of [Test] {subject}"]
    assert staged.open("/rounds/trial/outbox?state=sent").text.count("No message") == 1


def test_a_message_that_did_not_arrive_is_sent_again(released):
    table = tables.Message
    with released.service.client.app.state.database.write() as session:
        row = session.scalars(select(table).where(table.state == "queued")).one()
        row.state, row.error, message = "failed", "No such mailbox.", row.id
    released.open("/rounds/trial/pairings")
    assert "1 message has not arrived, or may not have." in released.text
    released.open("/rounds/trial/outbox?state=failed")
    assert "No such mailbox." in released.text
    (button,) = (one for one in released.buttons() if one.startswith("Send again"))

    released.press(button).press_again()

    assert "The message is on its way again." in released.text
    assert released.service.get(f"/messages/{message}").json()["state"] == "queued"
    released.open("/rounds/trial/outbox?state=unaddressed")
    (button, *_) = (one for one in released.buttons() if one.startswith("Send again"))
    assert released.press(button).status == 409
    assert "has an account: open one first." in released.text


def test_how_we_chose_is_for_everybody_if_the_round_is_public(released):
    service = released.service
    decision = service.get("/rounds/trial/decision").json()
    page = released.open("/rounds/trial/how-we-chose")
    assert page.page.text.count(decision["sha256"]) == 2
    bundle = service.client.get("/rounds/trial/bundle.zip")
    assert bundle.content == service.get("/rounds/trial/bundle").content
    french = released.open("/rounds/trial/how-we-chose?lang=fr").text
    assert "Comment nous avons choisi" in french

    service.client.cookies.clear()
    hidden = service.client.get(
        "/rounds/trial/how-we-chose", headers=HTML, follow_redirects=False
    )
    body = {"name": "Trial", "public": True}
    assert service.put("/rounds/trial", body, tag="*").status_code == 200
    service.client.cookies.set("compaan", "of-old")
    shown = released.open("/rounds/trial/how-we-chose")

    assert hidden.headers["location"] == "/sign-in?to=/rounds/trial/how-we-chose"
    assert (shown.status, "How we chose: Trial" in shown.text) == (200, True)
    assert "The sealed bundle" not in shown.text
    out = service.client.get(
        "/rounds/trial/bundle.zip", headers=HTML, follow_redirects=False
    )
    assert out.status_code == 303


def test_nothing_is_told_of_how_we_chose_before_the_release(staged):
    assert staged.open("/rounds/trial/how-we-chose").status == 409
    assert staged.open("/rounds/trial/bundle.zip").status == 409


def test_the_ledger_lists_what_the_rounds_have_brought(released):
    path = pairing(released, MECHELENS)
    released.open(path).press("Accept for Brno").press("Accept for Mechelen")

    released.open("/ledger")

    assert released.status == 200
    for row in ("Brno 1 0 1 none none", "Ghent 1 0 0 Trial none"):
        assert row in released.text
    assert "/ledger" in released.open("/rounds").page.text


def test_a_city_that_leaves_a_released_round_ends_its_pairings(released):
    released.open("/rounds/trial")
    assert "Its pairings end, and the other cities in them are told." in released.text

    released.press("Take out Mechelen for good")

    assert states(released) == {"mechelen brno": "withdrawn", "liege cork": "offered"}


GETS = ("edit", "copy", "scenarios", "pairings", "override", "repairs", "outbox")
GETTING = {"Show", "Compare"}
"""Buttons that change nothing."""
OVERSEERS = ("scenarios?run={run}", "pairings", "repairs", "outbox")


@pytest.mark.parametrize("phase", ["staged", "released"])
def test_pages_of_organisers_are_not_there_for_others(request, phase):
    visitor = request.getfixturevalue(phase)
    run = visitor.service.get("/rounds/trial").json()["staged_run"]
    visitor.sign_in("officer")
    for name in GETS:
        assert visitor.open(f"/rounds/trial/{name}").status == 404, name
    assert visitor.open("/ledger").status == 404
    path = pairing(visitor, LIEGES)
    assert visitor.open(path).status == (200 if phase == "released" else 404)
    assert visitor.open("/rounds/trial/bundle.zip").status == 404

    visitor.sign_in("auditor")

    for name in OVERSEERS:
        visitor.open(f"/rounds/trial/{name}".format(run=run))
        assert (visitor.status, set(visitor.buttons()) <= GETTING) == (200, True), name
    for name in ("edit", "copy", "override"):
        assert visitor.open(f"/rounds/trial/{name}").status == 404, name
    assert visitor.open(path).buttons() == []
    assert visitor.open("/rounds/trial").buttons() == ["Compare those ticked"]


@pytest.mark.parametrize("role", ["officer", "auditor"])
@pytest.mark.parametrize("phase", ["staged", "released"])
def test_forms_of_organisers_are_refused_to_others(request, phase, role):
    visitor = request.getfixturevalue(phase)
    service = visitor.service
    run = service.get("/rounds/trial").json()["staged_run"]
    version = service.get("/rounds/trial").headers["etag"].strip('"')
    message = service.get("/rounds/trial/messages").json()["items"][0]["id"]
    other = pairing(visitor, LIEGES)
    visitor.sign_in(role)
    before = count(visitor, tables.Audit), count(visitor, tables.Message)

    for path, sent in (
        ("/rounds/trial/edit", {"name": "X", "answer_days": "9", "version": version}),
        ("/rounds/trial/copy", {"name": "X"}),
        ("/rounds/trial/phase", {"to": "closed", "reason": "x"}),
        ("/rounds/trial/runs", {}),
        (f"/runs/{run}/stage", {}),
        ("/rounds/trial/release", {"version": version}),
        ("/rounds/trial/override", {"mentor": "ghent", "learner": "brno"}),
        ("/rounds/trial/repairs", {"repair": "0" * 16}),
        ("/rounds/trial/reminders", {}),
        (f"{other}/dismiss", {"reason": "x"}),
        (f"{other}/withdraw", {"reason": "x"}),
        (f"{other}/deadline", {"answer_by": "2030-01-01"}),
        (f"{other}/answer", {"side": "mentor", "answer": "accept"}),
        (f"{other}/check-ins", {"note": "x"}),
        (f"/messages/{message}/test", {}),
        (f"/messages/{message}/send-again", {}),
    ):
        answer = service.client.post(path, data=sent, headers=HTML)
        assert answer.status_code in {403, 404}, (path, answer.text)
    after = count(visitor, tables.Audit), count(visitor, tables.Message)
    assert after == before


def test_forms_of_other_sites_decide_nothing(staged):
    path, fields = "/rounds/trial/release", {"version": "1"}
    foreign = HTML | {"Sec-Fetch-Site": "cross-site"}

    answer = staged.service.client.post(path, data=fields, headers=foreign)

    assert answer.status_code == 403
    assert set(states(staged).values()) == {"staged"}


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
