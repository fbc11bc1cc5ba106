"""Offers are answered by their cities, and moved or withdrawn by an organiser."""

import re
from datetime import UTC, datetime, timedelta
from typing import get_args

from sqlalchemy import select

from app.db import tables
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from schemas import ReasonCode
from tests.fixtures.cities import compute
from tests.web.rounds.forms.trial import MECHELENS, pairing, states
from tests.web.visitor import HTML, Visitor


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
    line = "Mechelen → Brno ↩ withdrawn by an organiser “ Its project"
    assert line in released.text


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
    answer = service.client.get(f"{path}?lang=en", headers=HTML, follow_redirects=False)
    to = f"/sign-in?to={path}%3Flang%3Den"
    assert (answer.status_code, answer.headers["location"]) == (303, to)

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
    sentence = "This was not done Choose a reason; only the organisers see it."
    assert sentence in visitor.text
    (form,) = (one for one in visitor.forms() if one.holds("Decline"))
    assert form.fields["text"] == ["No hands."]
    assert set(states(visitor).values()) == {"offered"}

    visitor.press("Decline", reason_code="timing")

    assert "This pairing will not come about." in visitor.text
    assert visitor.buttons() == []
    assert "No hands." not in visitor.page.text
    assert states(visitor)["mechelen brno"] == "declined"
    visitor.sign_in("organiser").open("/rounds/trial/pairings")
    sentence = f"{MECHELENS} ✕ declined by Mechelen the wrong time “ No hands. ”"
    assert sentence in visitor.text
    assert "1 learner has no mentor: Brno ." in visitor.text


def test_every_reason_code_is_a_choice_and_is_told_to_organisers(released):
    path = pairing(released, MECHELENS)
    officer = released.sign_in("officer").open(path)
    choices = re.findall(r'name="reason_code" value="([^"]*)"', officer.page.text)
    officer.press("Decline", reason_code="other")
    organiser, told = released.sign_in("organiser"), set()
    for code in get_args(ReasonCode):
        with released.service.client.app.state.database.write() as session:
            row = session.get_one(tables.Pairing, path.rpartition("/")[2])
            row.reason_code = code
        board = organiser.open("/rounds/trial/pairings")
        told.add((board.status, board.text))

    assert choices == [*get_args(ReasonCode)]
    assert {status for status, _ in told} == {200}
    assert len(told) == len(choices)


def test_the_reasons_are_told_in_the_language_of_the_reader(released):
    path = pairing(released, MECHELENS)
    dutch = "Mechelen is sterk in alle domeinen waarin Brno hulp nodig heeft"
    french = "Mechelen a des points forts dans tous"
    english = "Mechelen is strong in all that Brno needs"

    def languages_shown(browser: str, lang: str) -> list[bool]:
        headers = HTML | {"Accept-Language": browser}
        text = released.service.client.get(f"{path}{lang}", headers=headers).text
        return [words in text for words in (english, french, dutch)]

    released.sign_in("officer")
    assert languages_shown("de", "") == [True, False, False]
    assert languages_shown("nl-BE,nl;q=0.9,en;q=0.5", "") == [False, False, True]
    assert languages_shown("nl-BE", "?lang=xx") == [False, False, True]
    assert languages_shown("nl-BE", "?lang=fr") == [False, True, False]
    # Without another choice, the language that was chosen last.
    assert languages_shown("nl-BE", "") == [False, True, False]


def test_a_wish_is_told_to_whom_it_belongs_alone(organiser):
    service = organiser.service
    wish = {"wishes": [{"role": "learner", "partners": ["mechelen"]}]}
    service.put("/rounds/trial/participants/brno", wish, tag="*")
    organiser.press("Close the round")
    run = compute(service, "trial")
    printed = organiser.open(f"/runs/{run}").text
    organiser.press("Stage these pairings").press("Release 2 pairings")
    path = pairing(organiser, MECHELENS)

    sentence = "Wish no. 1 of Brno is fulfilled: +1.0 points beside the score."

    assert sentence in printed
    assert sentence in organiser.open(path).text
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
