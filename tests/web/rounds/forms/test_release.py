"""The form that releases a round, its outbox, and what everybody may read then."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.db import tables
from app.services.accounts import accounts
from tests.fixtures.cities import compute
from tests.web.rounds.forms.trial import MECHELENS, pairing, states
from tests.web.visitor import HTML


def test_the_release_tells_how_many_people_it_reaches_and_whom_it_does_not(staged):
    reached = "By this 1 person is told , in 1 message that cannot be taken back."
    assert reached in staged.text
    unreached = "4 cities have nobody to write to: Brno , Cork , Ghent , Liège ."
    assert unreached in staged.text
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
    summary = "2 messages to 1 person would be sent by a release"
    assert summary in organiser.open("/rounds/trial/outbox").text


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
    stored = staged.service.get("/rounds/trial").json()
    assert (stored["phase"], stored["answer_by"]) == ("released", f"{day}T23:59:00Z")
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
