"""The developer desk: every example on it is carried out, as it stands there."""

import json
import re
import shlex
import time
from html import unescape
from types import SimpleNamespace

import pytest

from app.db import tables
from app.services.background import send_webhooks
from app.texts import audit as log
from app.texts.catalogue import LANGUAGES, words
from app.texts.events import EVENTS
from schemas import AuditEntry, EventType
from tests.fixtures.cities import city, register
from tests.texts.test_refusals import PLACES
from tests.web.visitor import HTML, Visitor

HOSTILE = '<img src=x onerror=alert(1)> \u202e😀 "quoted"'


def samples(page) -> dict[str, str]:
    """Return what can be copied from the page, by its id."""
    found = re.findall(r'<pre id="(\w+)".*?<code>(.*?)</code></pre>', page, re.DOTALL)
    return {name: unescape(text) for name, text in found}


def carry_out(service, command, **environment):
    """Send what a `curl` command sends, to the service under test."""
    command = command.replace("$COMPAAN_TOKEN", environment.get("token", ""))
    program, url, *options = shlex.split(command.replace("\\\n", " "))
    assert program == "curl"
    given = dict(zip(options[::2], options[1::2], strict=True))
    headers = dict([given["-H"].split(": ")]) if "-H" in given else {}
    path = re.sub("^https?://[^/]+", "", url)
    if "-d" in given:
        return service.client.post(path, content=given["-d"], headers=headers)
    return service.client.get(path, headers=headers)


def test_the_first_calls_work_without_an_account_as_they_stand_there(sqlite_service):
    found = samples(Visitor(sqlite_service).open("/developers").page.text)

    areas = carry_out(sqlite_service, found["areas"])
    matched = carry_out(sqlite_service, found["match"])

    assert (areas.status_code, matched.status_code) == (200, 200)
    assert "housing" in [area["id"] for area in areas.json()["items"]]
    (told,) = json.loads(found["answer"])["pairings"]
    (pair,) = matched.json()["pairings"]
    assert told.pop("…") == "…"
    assert {name: pair[name] for name in told} == told


def test_the_call_with_a_token_lists_the_cities(sqlite_service):
    register(sqlite_service, city("amiens", name="Amiens"))
    found = samples(Visitor(sqlite_service).open("/developers").page.text)

    token = sqlite_service.tokens["auditor"]
    answer = carry_out(sqlite_service, found["token"], token=token)

    assert [one["name"] for one in answer.json()["items"]] == ["Amiens"]
    assert carry_out(sqlite_service, found["token"]).status_code == 401


def test_the_check_of_a_signature_trusts_what_is_ours_and_fresh_alone(sqlite_service):
    page = Visitor(sqlite_service).open("/developers").page.text
    found: dict = {}
    exec(samples(page)["check"], found)  # noqa: S102 -- it is our own page
    secret, other = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0", "whsec_b3RoZXJvdGhlcm90aGVy"
    body, moment = '{"type": "city.created", "name": "Liège"}', int(time.time())

    def told(*, at=moment, by=(secret,), said=body):
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": str(at),
            "webhook-signature": " ".join(
                send_webhooks.signature(one, "evt_1", at, body) for one in by
            ),
        }
        return found["is_from_compaan"](secret, headers, said.encode())

    assert told()
    assert told(by=(other, secret))  # while a new secret takes over
    assert not told(by=(other,))
    assert not told(said=body + " ")
    assert not told(at=moment - 301)


def test_the_client_sample_has_ten_lines_and_this_address(sqlite_service):
    """It is carried out against a server in `tests/e2e/test_developers.py`."""
    page = Visitor(sqlite_service).open("/developers").page.text
    sample = samples(page)["client"]

    assert sqlite_service.client.app.state.settings.public_url in sample
    assert len([line for line in sample.splitlines() if line]) == 10


def test_tokens_are_made_on_the_desk_with_words_and_keep_what_was_typed(
    sqlite_service,
):
    tx = Visitor(sqlite_service).sign_in("officer").open("/developers")
    for words_of_scope in log.SCOPES.values():
        assert words_of_scope in tx.text

    tx.press("Make it", name=HOSTILE, scope="cities:write", days="0")
    form = next(form for form in tx.forms() if form.holds("Make it"))
    refused = tx.status, form.fields["name"], form.fields["scope"]
    tx.press("Make it", days="9")

    assert refused == (422, [HOSTILE], ["cities:write"])
    assert tx.status == 200
    assert HOSTILE in tx.text
    (token,) = re.findall(r"cmp_[\w-]{30,}", tx.text)
    answer = sqlite_service.client.get(
        "/api/v1/cities", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200
    assert token not in tx.open("/developers").text
    assert "2 tokens let programs act" in tx.open("/account").text


def test_a_guest_sees_no_tokens_and_makes_none(sqlite_service):
    tx = Visitor(sqlite_service).open("/developers")

    assert [one for one in tx.buttons() if "Make" in one] == []
    made = sqlite_service.client.post(
        "/developers/tokens", data={"name": "x"}, headers=HTML, follow_redirects=False
    )
    assert (made.status_code, made.headers["location"]) == (303, "/sign-in?to=/")


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "What may be refused"),
        ("fr", "Ce qui peut être refusé"),
        ("nl", "Wat kan worden geweigerd"),
    ],
)
def test_the_pages_about_the_api_speak_the_readers_language(
    sqlite_service, language, title
):
    visitor = Visitor(sqlite_service)

    assert title in visitor.open(f"/problems?lang={language}").text
    assert title in visitor.open("/developers").text
    assert title in visitor.open("/problems/not-found").text


# Webhooks.


def test_a_webhook_is_changed_by_whoever_has_seen_its_last_version(idle_service):
    service = idle_service
    visitor = Visitor(service).sign_in("organiser").open("/webhooks")
    visitor.press("Add", url="https://hooks.example.org/a", description="Website")
    (made,) = service.get("/webhooks").json()["items"]
    page = f"/webhooks/{made['id']}"
    changed = {"url": "https://hooks.example.org/b", "events": ["city.deleted"]}

    visitor.open(page).press("Save", description="", **changed)
    (after,) = service.get("/webhooks").json()["items"]
    first = visitor.status, visitor.text
    visitor.press("Save", url="http://hooks.example.org/c")
    refused = visitor.status, visitor.page.text
    late = Visitor(service).open(page)
    stale = next(form for form in late.forms() if form.holds("Save"))
    late.press("Save", description="Mine")
    late.sent = (stale.action, stale.sent("Save", {"description": "Late"}))
    late.press_again()

    assert {name: after[name] for name in (*changed, "description", "active")} == {
        **changed,
        "description": None,
        "active": True,
    }
    assert first[0] == 200
    assert "It is changed." in first[1]
    assert refused[0] == 422
    assert 'value="http://hooks.example.org/c"' in refused[1]
    assert late.status == 412
    assert 'value="Late"' in late.page.text
    (last,) = service.get("/webhooks").json()["items"]
    assert (last["description"], last["url"]) == ("Mine", changed["url"])


def test_every_type_of_event_is_told_in_words():
    assert list(EVENTS) == list(EventType.__args__)


# The log.


def entry(action, **details):
    return AuditEntry(
        id=1,
        at="2027-05-01T10:00:00Z",
        account=None,
        action=action,
        city=None,
        round=None,
        details=details,
    )


def test_every_action_that_is_recorded_has_words():
    pattern = re.compile(r'"([a-z]+\.[a-z_]+)"')
    code = "".join(
        path.read_text("utf-8") for path in (PLACES[0] / "services").rglob("*.py")
    )
    nouns = {action.partition(".")[0] for action in log.ACTIONS}
    recorded = {
        found
        for found in pattern.findall(re.sub(r'""".*?"""', "", code, flags=re.DOTALL))
        if found.partition(".")[0] in nouns
    }
    files = {found for found in recorded if found.endswith(".json")}

    assert recorded - log.ACTIONS.keys() - EVENTS.keys() == files
    assert recorded >= log.ACTIONS.keys()


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            (
                "The round went from “draft” to “open”.",
                "The learner answered on Lille → Gent: no.",
                "Account 0123abcd was invited.",
                [
                    "2 decisions by hand were dropped",
                    "Forced: Lille → Gent",
                    "Reason: why",
                ],
            ),
        ),
        (
            "fr",
            (
                "Le cycle est passé de «\xa0en préparation\xa0» à «\xa0ouvert\xa0».",
                "Réponse (ville apprenante) sur le binôme Lille → Gent\xa0: non.",
                "Le compte 0123abcd a été invité.",
                [
                    "2 décisions à la main ont été abandonnées",
                    "Imposés\xa0: Lille → Gent",
                    "Raison\xa0: why",
                ],
            ),
        ),
        (
            "nl",
            (
                "De ronde ging van “concept” naar “open”.",
                "Antwoord (lerende stad) over het duo Lille → Gent: nee.",
                "Account 0123abcd is uitgenodigd.",
                [
                    "2 beslissingen met de hand zijn vervallen",
                    "Vastgezet: Lille → Gent",
                    "Reden: why",
                ],
            ),
        ),
    ],
)
def test_what_was_done_is_told_in_sentences(language, told):
    say, names = words(language), {"lille": "Lille", "gent": "Gent"}
    pair = {"mentor": "lille", "learner": "gent"}
    more = entry("round.overridden", decisions_dropped=2, forced=[pair], reason="why")

    assert told == (
        log.sentence(entry("round.moved", before="draft", to="open"), say, names),
        log.sentence(
            entry("pairing.answered", side="learner", answer="declined", **pair),
            say,
            names,
        ),
        log.sentence(entry("account.invited", of="0123abcd4567"), say, names),
        list(log.more(more, say, names)),
    )
    assert log.sentence(entry("moon.landed"), say, names) == "moon.landed"


def test_the_log_of_a_city_is_for_those_of_the_city(sqlite_service):
    service = sqlite_service
    register(service, city("mechelen", name="Mechelen"), city("amiens", name="Amiens"))
    officer = Visitor(service).sign_in("officer")

    own = officer.open("/cities/mechelen/log")
    assert (own.status, "What was done: Mechelen" in own.text) == (200, True)
    assert "The city was registered." in own.text
    assert "Amiens" not in own.text
    assert officer.open("/cities/amiens/log").status == 404
    assert officer.open("/audit").status == 404
    service.delete("/cities/amiens", "*")
    gone = Visitor(service).sign_in("organiser").open("/cities/amiens/log")
    assert (gone.status, "The city was deleted." in gone.text) == (200, True)


def test_the_log_is_asked_for_a_city_or_a_round(sqlite_service):
    service = sqlite_service
    register(service, city("amiens", name="Amiens"))
    service.post("/rounds", {"name": "Housing"})
    visitor = Visitor(service).sign_in("organiser")

    visitor.open("/audit").press("Show", city="amiens")
    assert visitor.path == "/cities/amiens/log"
    assert "Housing" not in visitor.text.partition("Show")[2]
    visitor.press("Show", city="", round="housing")
    assert visitor.path == "/rounds/housing/log"
    assert "The round was set up." in visitor.text
    assert "The city was registered." not in visitor.text
    assert visitor.open("/audit?round=nowhere").text.endswith("Nothing.") or (
        "Nothing." in visitor.text
    )


def test_the_log_goes_on_page_by_page_and_names_no_persons(sqlite_service):
    service = sqlite_service
    with service.client.app.state.database.write() as session:
        account = session.query(tables.Account).first()
        session.add_all(
            tables.Audit(account_id=account.id, action="city.changed", details={})
            for _ in range(120)
        )
        emails = {row.email for row in session.query(tables.Account)}
    visitor = Visitor(service).sign_in("auditor").open("/audit")

    more = re.search(r'href="(/audit\?[^"]*cursor=[^"]+)"', visitor.page.text)
    first = visitor.text.count("The profile of the city was changed.")
    visitor.open(unescape(more[1]))
    second = visitor.text.count("The profile of the city was changed.")

    assert first + second == 120
    assert not [email for email in emails if email in visitor.text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_a_page_in_the_readers_language_with_the_navigation(
    sqlite_service, language
):
    visitor = Visitor(sqlite_service).sign_in("officer")
    said = {
        "en": ("There is no city nowhere that you may change.", "People"),
        "fr": (
            "Il n’y a pas de ville nowhere que vous puissiez modifier.",
            "Personnes",
        ),
        "nl": ("Er is geen stad nowhere die u mag wijzigen.", "Mensen"),
    }

    visitor.open(f"/cities/nowhere/edit?lang={language}")

    assert visitor.status == 404
    for text in said[language]:
        assert text in visitor.text
    nobody = SimpleNamespace(client=sqlite_service.client)
    nobody.client.cookies.clear()
    assert said[language][1] not in Visitor(nobody).open("/problems/nothing").text


def test_my_language_is_that_of_the_pages_from_now_on(sqlite_service):
    visitor = Visitor(sqlite_service).sign_in("officer").open("/account")

    visitor.press("Save", name="Ann", language="fr")

    assert "C’est enregistré." in visitor.text
    assert '<html lang="fr">' in visitor.open("/").page.text


def test_each_role_says_what_it_may_do(sqlite_service):
    page = Visitor(sqlite_service).sign_in("organiser").open("/people")

    assert "Sees everything that organisers see, and changes nothing." in page.text
    assert "decides who is an administrator" not in page.text
