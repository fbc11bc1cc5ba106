"""An officer answers a proposal, from the first look to the last word."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.db import Database
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.pairings import pairings
from app.texts.catalogue import words
from schemas import AccountLanguage
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.inclucities import set_up, stage
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

ROUNDS = ("Decided", "Looked", "Printed")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def site(request) -> Iterator[Served]:
    """Serve released copies of the IncluCities round, a journey each."""
    yield from offering(request.getfixturevalue(f"_copy_{request.param}")())


@pytest.fixture(scope="module")
def gallery(_copy_sqlite) -> Iterator[Served]:
    """Serve the same for looking at it."""
    yield from offering(_copy_sqlite())


def offering(url: str) -> Iterator[Served]:
    database = Database(url)
    tokens = add_accounts(database)
    with database.write() as session:
        set_up(session)
        officer = accounts.add_user(session, "c@capaci.example", "officer", "capaci")
        tokens["capaci"] = add_token(session, officer)
    for name in ROUNDS:
        stage(database, name, is_released=True)
    with database.read() as session:
        for name in ROUNDS:
            (one,) = (
                row
                for row in pairings.of_round(session, name.lower())
                if row.learner_id == "capaci"
            )
            tokens[name] = one.id
    database.close()
    with served(url, tokens) as server:
        yield server


class Officer:
    """Somebody with a browser, who reads one pairing in one language."""

    def __init__(
        self, page: Page, site: Served, role: str, language: AccountLanguage
    ) -> None:
        self.page, self.site, self.words = page, site, words(language)
        page.context.clear_cookies()
        told = {"token": site.tokens[role], "to": "/"}
        page.context.request.post(
            "/sign-in", form=told, headers={"Origin": site.address}
        )
        page.goto(f"/?lang={language}")

    def reads(self, name: str) -> "Officer":
        self.page.goto(f"/pairings/{self.site.tokens[name]}")
        return self

    def sees(self, text: str, **values: str) -> None:
        said = self.words.say(text, **values)
        expect(self.page.get_by_role("main")).to_contain_text(said)

    def heading(self, text: str, **values: str) -> None:
        said = self.words.say(text, **values)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(said)

    def opens(self, text: str) -> None:
        self.page.locator("summary").get_by_text(self.words.say(text)).click()

    def fills(self, label: str, typed: str) -> None:
        self.page.get_by_label(self.words.say(label)).fill(typed)

    def presses(self, text: str) -> None:
        said = self.words.say(text)
        self.page.get_by_role("button", name=said, exact=True).click()


@pytest.mark.parametrize(
    ("site", "script", "language"),
    [
        ("sqlite", True, "en"),
        pytest.param("sqlite", False, "fr", marks=pytest.mark.release),
        ("postgres", False, "nl"),
    ],
    indirect=["site"],
)
def test_an_officer_answers_a_proposal(browser, site, script, language):
    name = "Decided" if script else "Looked"
    with quiet_page(browser, site.address, java_script_enabled=script) as page:
        officer = Officer(page, site, "capaci", language).reads(name)
        officer.heading("We propose {mentor} as your mentor", mentor="Mechelen")
        officer.sees("The practice that fits")
        officer.opens("Ask the organisers")
        officer.fills("Your question", "May we bring two people?")
        officer.presses("Send the question")
        officer.sees("Your question is stored. The organisers see it.")
        officer.presses("Yes, we accept")
        officer.sees("You have said yes. Thank you.")

        organiser = Officer(page, site, "organiser", language).reads(name)
        page.locator("article.question textarea").fill("Yes, two.")
        organiser.presses("Send the answer")

        mentor = Officer(page, site, "officer", language).reads(name)
        mentor.heading("We propose you as the mentor of {learner}", learner="Capaci")
        mentor.sees("{city} has said yes.", city="Capaci")
        expect(page.get_by_role("main")).not_to_contain_text("two people")
        if language == "nl":
            mentor.presses("Yes, we accept")
            mentor.heading("You are the mentor of {learner}", learner="Capaci")
            mentor.sees("The first meeting: 30 minutes")
        else:
            mentor.opens("No, we decline")
            mentor.presses("Decline")  # the browser asks for a reason
            page.get_by_label(mentor.words.say("It is the wrong time")).check()
            mentor.presses("Decline")
            mentor.sees("You have declined. Thank you for telling us in time.")

        again = Officer(page, site, "capaci", language).reads(name)
        again.sees("The organisers answer:")
        expect(page.get_by_role("main")).to_contain_text("Yes, two.")
        if language == "nl":
            again.heading("{mentor} is your mentor", mentor="Mechelen")
        else:
            again.sees(
                "The other city cannot take part now. This is not a judgement of your "
                "city."
            )
            expect(
                page.get_by_role("button", name=again.words.say("Decline"))
            ).to_have_count(0)


@pytest.mark.parametrize(
    ("scheme", "language"),
    [pytest.param("light", "en", marks=pytest.mark.release), ("dark", "fr")],
)
def test_cards_and_offers_are_accessible_and_fit(
    browser: Browser, gallery, scheme, language
):
    context = quiet_page(browser, gallery.address, color_scheme=scheme)
    faults = {}
    with context as page:
        page.set_default_timeout(20_000)  # the engine is asked twice on one page

        def look(name: str) -> None:
            page.wait_for_load_state()
            found = Axe().run(page).response["violations"]
            faults.update({f"{name} {one['id']}": one["nodes"] for one in found})
            check_widths(page, f"{name}-{scheme}")

        Officer(page, gallery, "capaci", language).reads("Printed")
        for details in page.locator("summary").all():
            details.click()
        look("offer")
        heights = page.locator("main button").evaluate_all(
            "found => found.map(one => one.getBoundingClientRect().height)"
        )
        organiser = Officer(page, gallery, "organiser", language).reads("Printed")
        organiser.page.get_by_role(
            "link", name=organiser.words.say("Why not another city?")
        ).click()
        look("card")
        run = page.url.partition("/pairs/")[0]
        page.goto(f"{run}/pairs/schaerbeek/capaci?instead=mentor/brussels")
        look("card-not-proposed")
        page.goto(f"{run}/why-not?mentor=schaerbeek&learner=capaci")
        look("card-why-not")
        page.goto(f"{run}/pairs/mechelen/capaci/card.svg")
        page.set_viewport_size({"width": 820, "height": 900})
        page.screenshot(path=f".cache/screenshots/card-svg-{scheme}.png")
        drawn = page.locator("text").first.evaluate("one => getComputedStyle(one).fill")

    assert faults == {}
    assert min(heights) >= 44
    assert drawn == {"light": "rgb(28, 36, 32)", "dark": "rgb(232, 237, 233)"}[scheme]


def test_a_card_is_printed_on_one_sheet(browser, gallery):
    with quiet_page(browser, gallery.address) as page:
        Officer(page, gallery, "organiser", "fr")
        page.goto(f"/pairings/{gallery.tokens['Printed']}/card")
        printed = page.pdf(format="A4")

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
