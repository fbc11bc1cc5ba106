"""The outbox sends again what failed, and nothing before the release."""

from tests.fixtures.cities import add_officer, listed, pairing
from tests.web.rounds.five import fail_all, open_page


def test_all_that_failed_is_sent_again_but_not_what_is_too_late(organiser):
    service = organiser.service
    for name in ("bruges", "celje"):
        add_officer(service, name)
    open_page(organiser, "outbox", phase="released")
    assert "Send all again that failed" not in organiser.buttons()
    fail_all(organiser)
    late = pairing(service, "trial", "bruges", "evora")
    service.post(f"/pairings/{late['id']}/withdraw", {"reason": "x"})

    organiser.open("/rounds/trial/outbox?state=failed")
    assert "3 messages failed." in organiser.text
    organiser.press("Send all again that failed").press_again()

    assert "Those that failed are on their way again." in organiser.text
    offers = [
        (one["city"], one["pairing"] == late["id"], one["state"])
        for one in listed(service, "/rounds/trial/messages")
        if one["kind"] == "offer" and one["account"]
    ]
    assert sorted(offers) == [
        ("bruges", False, "queued"),
        ("bruges", True, "failed"),
        ("celje", False, "queued"),
    ]
    organiser.press("Send all again that failed")
    assert organiser.status == 409
    assert "No message that failed can be sent again." in organiser.text


def test_nothing_is_sent_before_the_release_and_the_page_says_so(organiser):
    add_officer(organiser.service, "bruges")
    open_page(organiser, "outbox")

    assert "Nothing is ever sent before the release." in organiser.text
    sent = listed(organiser.service, "/rounds/trial/messages")
    assert {one["state"] for one in sent} == {"held"}
    assert organiser.open("/rounds/trial/outbox?kind=reminder&state=x").status == 200
    assert "No message is like that." in organiser.text
