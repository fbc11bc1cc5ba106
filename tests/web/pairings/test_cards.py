"""Proof cards and the page of an offer, over stored rounds: who sees what, and asks."""

import re
from urllib.parse import quote

import pytest
from defusedxml.ElementTree import fromstring
from sqlalchemy import select, update

from app.db import tables
from app.db.tables.base import now
from app.services.personal_data import retention
from app.services.shared import erasure
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    changing,
    city,
    compute,
    confirm,
    listed,
    open_round,
    pairing,
    released_round,
    say,
)
from tests.web.visitor import HTML, Visitor

BAD = "It rained on the first day."
GREEK = "Λιβαδειά"
KEYS = {"area": "housing", "title": "Keys", "what_went_wrong": BAD}
OTHER = {"area": "health", "title": "Walks", "url": "javascript:alert(1)"}
AMIENS = FIVE[0] | {"practices": [OTHER, KEYS | {"url": "https://keys.example/"}]}


def offered(service) -> dict:
    """Release the round; return the pairing amiens → celje."""
    for one in ("amiens", "celje", "delft"):
        add_officer(service, one)
    round_id = released_round(service, AMIENS, *FIVE[1:])
    return pairing(service, round_id, "amiens", "celje")


@pytest.fixture
def celje(sqlite_service) -> Visitor:
    """Return an officer of Celje who looks at what is offered to it."""
    one = offered(sqlite_service)
    visitor = Visitor(sqlite_service).sign_in("celje")
    return visitor.open(f"/pairings/{one['id']}")


def again(visitor: Visitor, role: str, path: str | None = None) -> Visitor:
    """Look at the same page as somebody else."""
    path = path or visitor.path
    return Visitor(visitor.service).sign_in(role).open(path)


def days(visitor: Visitor) -> list[str]:
    return re.findall(r"14 days left|encore 14 jours|nog 14 dagen", visitor.text)


def test_an_officer_understands_an_offer(celje):
    assert celje.status == 200
    assert "We propose amiens as your mentor" in celje.text
    assert "amiens is strong in all that celje needs: housing." in celje.text
    assert days(celje) == ["14 days left"]
    assert "The practice that fits celje needs very much help in this area" in (
        celje.text
    )
    assert f"Keys Housing What went wrong: {BAD}" in celje.text
    assert 'href="https://keys.example/"' in celje.page.text
    assert "What they may learn from you" in celje.text
    assert "You say yes or no. Only the organisers see a reason." in celje.text
    assert celje.buttons() == ["Yes, we accept", "Decline", "Send the question"]


def test_an_offer_speaks_the_language_of_its_reader(celje):
    headers = HTML | {"Accept-Language": "fr-BE,fr;q=0.9,en;q=0.5"}
    french = celje.service.client.get(celje.path, headers=headers)
    assert "Nous vous proposons amiens comme mentor" in french.text
    assert "encore 14 jours" in french.text

    dutch = celje.open(f"{celje.path}?lang=nl")
    assert "Wij stellen amiens voor als uw mentor" in dutch.text
    assert "Wij stellen amiens voor" in celje.open(celje.path).text  # it is kept


def test_a_script_is_no_link(sqlite_service):
    one = offered(sqlite_service)
    only = FIVE[0] | {"practices": [OTHER | {"area": "housing"}]}
    sqlite_service.put("/cities/amiens", only, "*")

    found = Visitor(sqlite_service).sign_in("celje").open(f"/pairings/{one['id']}")

    assert "Walks" in found.text
    assert "javascript:" not in found.page.text


def test_a_city_accepts_the_other_declines_and_both_read_kindly(celje):
    celje.press("Yes, we accept")
    assert (celje.status, celje.path.startswith("/pairings/")) == (200, True)
    assert "Thank you: your yes is stored." in celje.text
    assert "You have said yes. Thank you." in celje.text
    amiens = again(celje, "amiens")
    assert "We propose you as the mentor of celje" in amiens.text
    assert "celje has said yes." in amiens.text
    amiens.press("Decline", reason_code="timing", text="After the elections.")
    assert "You have declined. Thank you for telling us in time." in amiens.text
    assert amiens.buttons() == []
    celje = again(celje, "celje")
    assert "The other city cannot take part now." in celje.text
    assert "another partner for celje" in celje.text
    assert "elections" not in celje.text
    organiser = again(celje, "organiser")
    assert (
        "amiens declined: “It is the wrong time”. amiens : “After the elections.”"
        in (organiser.text)
    )


def test_to_decline_without_a_reason_keeps_what_was_typed(celje):
    celje.press("Decline", text="So sorry.")

    assert celje.status == 422
    assert "Choose a reason; only the organisers see it." in celje.text
    assert '<a href="#reason-learner">' in celje.page.text
    assert ">So sorry.</textarea>" in celje.page.text
    assert "You have declined" not in celje.text


def test_a_confirmed_pairing_has_an_agenda_with_the_practice(celje):
    for side in ("mentor", "learner"):
        one = {"id": celje.path.rpartition("/")[2]}
        assert say(celje.service, one, side, "accept").is_success

    celje.open(celje.path)

    assert "amiens is your mentor" in celje.text
    assert "The first meeting: 30 minutes" in celje.text
    assert "10 minutes – amiens tells of “Keys”: what worked" in celje.text
    assert "Whom to write to in amiens" in celje.text


# Questions.


def test_a_question_goes_to_the_organisers_and_comes_back_answered(celje):
    celje.press("Send the question", text="May we\r\nbring two people?")

    assert "Your question is stored." in celje.text
    assert "celje asks: May we bring two people? No answer yet" in celje.text
    assert "bring two" not in again(celje, "amiens").text
    assert "bring two" not in again(celje, "delft").text
    assert "bring two" in again(celje, "auditor").text
    assert "Send the answer" not in again(celje, "auditor").buttons()
    organiser = again(celje, "organiser").press("Send the answer", text="Yes, two.")
    assert "Your answer is stored." in organiser.text
    found = again(celje, "celje")
    assert "The organisers answer: Yes, two." in found.text
    assert "No answer yet" not in found.text
    log = listed(celje.service, "/rounds/trial/audit")
    said = [one for one in log if "question" in one["details"]]
    assert [one["action"] for one in said] == [
        "pairing.question_answered",
        "pairing.asked",
    ]
    assert "two" not in str(said)


def test_a_question_needs_words_and_is_sent_once(celje):
    celje.press("Send the question", text=" ")
    assert celje.status == 422
    assert '<a href="#question">' in celje.page.text
    celje.press("Send the question", text="Who pays?")
    celje.press_again()
    assert celje.text.count("Who pays?") == 1


def test_others_ask_and_answer_nothing(celje):
    path, client = celje.path, celje.service.client
    celje.press("Send the question", text="Who pays?")
    with changing(celje.service) as session:
        (asked,) = session.scalars(select(tables.Question.id))
    found = {}
    for role in ("delft", "amiens", "celje", "auditor", "organiser"):
        Visitor(celje.service).sign_in(role)
        ask = client.post(f"{path}/questions", data={"text": "?"}, headers=HTML)
        tell = client.post(
            f"{path}/questions/{asked}", data={"text": "!"}, headers=HTML
        )
        found[role] = (ask.status_code, tell.status_code)

    assert found == {
        "delft": (403, 403),
        "amiens": (200, 403),
        "celje": (200, 403),
        "auditor": (403, 403),
        "organiser": (403, 200),
    }
    elsewhere = client.post(f"{path}/questions/{'0' * 32}", data={"text": "!"})
    assert elsewhere.status_code == 404


def test_there_are_twenty_questions_at_most(celje):
    for at in range(20):
        celje.press("Send the question", text=f"No. {at}")
    celje.press("Send the question", text="One more")

    assert celje.status == 409
    assert "There are 20 questions already: talk to the organisers." in celje.text


def test_nothing_is_asked_about_what_has_come_to_nothing(celje):
    one = {"id": celje.path.rpartition("/")[2]}
    say(celje.service, one, "mentor", "decline")

    celje.press("Send the question", text="Why?")

    assert celje.status == 409


def test_a_question_is_taken_along_forgotten_and_cleared(celje):
    service = celje.service
    text = "Ask Zoë Quackenbosch, z.quackenbosch@celje.example."
    celje.press("Send the question", text=text)
    again(celje, "organiser").press("Send the answer", text="Ask Zoë Quackenbosch.")
    mine = service.get("/account/export", "celje").json()["questions"]
    theirs = service.get("/account/export").json()["questions"]
    assert [(one["side"], one["text"], one["answer"]) for one in mine] == [
        ("learner", text, "Ask Zoë Quackenbosch.")
    ]
    assert theirs == mine
    assert service.get("/account/export", "amiens").json()["questions"] == []

    with changing(service) as session:
        erasure.scrub(session, "z.quackenbosch@celje.example", "Zoë Quackenbosch", [])
    told = again(celje, "celje").text
    assert ("Ask […], […]." in told, "Ask […]." in told) == (True, True)

    service.post("/rounds/trial/phase", {"to": "archived"})
    with changing(service) as session:
        long_ago = now().replace(year=now().year - 3)
        session.execute(update(tables.Round).values(archived_at=long_ago))
    retention.enforce(service.client.app.state.database)
    with changing(service) as session:
        assert session.execute(
            select(tables.Question.text, tables.Question.answer)
        ).all() == [(None, None)]
    assert "celje asks:" not in again(celje, "celje").text


# Cards.


def test_a_card_of_a_pairing_is_seen_by_whoever_sees_the_pairing(sqlite_service):
    service = sqlite_service
    for one in ("celje", "delft"):
        add_officer(service, one)
    open_round(service, *FIVE)
    service.post("/rounds/trial/phase", {"to": "closed"})
    run = compute(service, "trial", trials=True)
    service.post("/rounds/trial/stage", {"run": run})
    path = f"/pairings/{pairing(service, 'trial', 'amiens', 'celje')['id']}"
    before = {
        role: [
            Visitor(service).sign_in(role).open(f"{path}{end}").status
            for end in ("", "/card", "/card.svg")
        ]
        for role in ("celje", "delft", "auditor", "organiser")
    }
    service.post("/rounds/trial/release", {})
    after = Visitor(service).sign_in("delft").open(f"{path}/card")
    organiser = Visitor(service).sign_in("organiser").open(f"{path}/card")

    assert before == {
        "celje": [404] * 3,
        "delft": [404] * 3,
        "auditor": [200] * 3,
        "organiser": [200] * 3,
    }
    assert (after.status, "of 100 trials" in after.text) == (200, False)
    assert re.search(r"it stays in \d+ of 100 trials", organiser.text)


def test_what_is_missing_is_marked_with_the_way_to_add_it(celje):
    link = '<a class="no-print" href="/cities/{}/edit'
    own, other = link.format("celje"), link.format("amiens")

    assert "celje – place on the map Add the place on the map" in celje.text
    assert "amiens – place on the map" in celje.text
    assert (own in celje.page.text, other in celje.page.text) == (True, False)
    assert other in again(celje, "organiser").page.text


@pytest.fixture
def proposal(sqlite_service) -> Visitor:
    """Return an organiser with a staged proposal; its run is `visitor.run`."""
    service = sqlite_service
    names = {"celje": GREEK, "delft": "<b>Delft</b>"}
    cities = [one | {"name": names.get(one["id"], one["id"])} for one in FIVE]
    open_round(
        service,
        *cities,
        city("fulda", "mentor", country="DE", areas={"data": {"strength": 2}}),
        policy={"bans": [{"mentor": "amiens", "learner": "evora", "reason": "No."}]},
    )
    service.post("/rounds/trial/phase", {"to": "closed"})
    run = compute(service, "trial")
    service.post("/rounds/trial/stage", {"run": run})
    return Visitor(service).sign_in("organiser").open(f"/runs/{run}/pairs/amiens/celje")


def test_a_proposed_pair_leads_to_the_next_and_to_decisions(proposal):
    run = proposal.path.split("/")[2]

    assert f"amiens → {GREEK}" in proposal.text
    assert "Proposed pairing 1 of 3" in proposal.text
    assert f'rel="next" href="/runs/{run}/pairs/bruges/delft"' in proposal.page.text
    assert 'rel="prev"' not in proposal.page.text
    assert f'href="/runs/{run}/moves?learner=celje"' in proposal.page.text
    last = proposal.open(f"/runs/{run}/pairs/bruges/evora")
    assert f'rel="prev" href="/runs/{run}/pairs/bruges/delft"' in last.page.text
    assert 'rel="next"' not in last.page.text


def test_a_pair_that_is_not_proposed_says_why_and_what_it_would_cost(proposal):
    run = proposal.path.split("/")[2]
    banned = proposal.open(f"/runs/{run}/pairs/amiens/evora").text
    assert "This pair is not proposed" in banned
    assert "They are not available for each other." in banned
    other = proposal.open(f"/runs/{run}/pairs/bruges/celje")
    assert re.search(r"the whole round would lose [\d.]+ points", other.text)
    assert f'href="/runs/{run}/moves?learner=celje"' in other.page.text


def test_why_not_any_other_city_is_answered_in_place(proposal):
    (form,) = (one for one in proposal.forms() if one.holds("Why not?"))
    assert form.fields == {"instead": [""]}

    proposal.press("Why not?", instead="mentor/bruges")

    assert proposal.path.endswith("/pairs/amiens/celje")
    assert f"bruges → {GREEK} As a pair they would get" in proposal.text
    assert '<option value="mentor/bruges" selected>' in proposal.page.text
    proposal.press("Why not?", instead="learner/evora")
    assert "amiens → evora" in proposal.text
    assert "They are not available for each other." in proposal.text
    assert proposal.open(f"{proposal.path}?instead=mentor/nowhere").status == 200


@pytest.mark.parametrize("end", ["amiens/amiens", "amiens/nowhere", "%3Cb%3E/celje"])
def test_a_pair_that_is_none_is_not_found(proposal, end):
    where = proposal.path.rpartition("/pairs/")[0]

    for path in (f"{where}/pairs/{end}", f"{where}/pairs/{end}/card.svg"):
        assert proposal.open(path).status == 404


def test_cards_of_a_run_are_for_those_who_oversee(proposal):
    service, path = proposal.service, proposal.path
    add_officer(service, "celje")

    found = {
        role: [
            Visitor(service).sign_in(role).open(f"{path}{end}").status
            for end in ("", "/card.svg")
        ]
        for role in ("celje", "auditor")
    }

    assert found == {"celje": [404, 404], "auditor": [200, 200]}


def test_the_picture_stands_alone(proposal):
    path = f"{proposal.path.replace('amiens/celje', 'bruges/delft')}/card.svg"

    answer = proposal.open(f"{path}?lang=fr").page

    root = fromstring(answer.content)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; frame-ancestors 'none'",
        answer.headers["content-security-policy"],
    )
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "bruges → <b>Delft</b>"
    assert root.get("lang") == "fr"
    assert "Pourquoi ces deux villes" in answer.text
    assert quote("<b>") not in answer.text


def test_why_not_is_told_in_the_language_of_its_reader(proposal):
    run = proposal.path.split("/")[2]

    found = proposal.open(f"/runs/{run}/why-not?mentor=bruges&learner=celje&lang=nl")

    assert f"Waarom niet bruges → {GREEK} ?" in found.text
    assert "De punten van dit duo" in found.text
    assert "Wat zou veranderen" in found.text
    wrong = proposal.open(f"/runs/{run}/why-not?mentor=bruges&learner=bruges&lang=en")
    assert wrong.status == 422
    assert "Choose two different cities of this run" in wrong.text


def test_a_confirmed_pairing_is_still_open_to_questions(celje):
    confirm(celje.service, {"id": celje.path.rpartition("/")[2]})

    celje.open(celje.path).press("Send the question", text="What now?")

    assert "celje asks: What now?" in celje.text
