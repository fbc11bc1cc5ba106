"""An organiser runs a round, from the invitation to the repair."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from app.db import Database, tables
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.texts.catalogue import Words, words
from schemas import City
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.cities import INCLUCITIES
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

MOST_TABS = 250


@dataclass
class Mouse:
    """Whoever points and clicks."""

    page: Page

    def press(self, what: Locator) -> None:
        what.click()

    def tick(self, what: Locator) -> None:
        what.check()

    def write(self, what: Locator, text: str) -> None:
        what.fill(text)


@dataclass
class Keyboard:
    """Whoever has a keyboard alone: everything is reached by Tab."""

    page: Page

    def _reach(self, what: Locator) -> None:
        what.wait_for()
        for _ in range(MOST_TABS):
            if what.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab does not lead to {what}.")

    def press(self, what: Locator) -> None:
        self._reach(what)
        self.page.keyboard.press("Enter")

    def tick(self, what: Locator) -> None:
        """Tick a box; of a group of choices, choose one by the arrow keys."""
        if what.get_attribute("type") == "radio":
            form = what.locator("xpath=ancestor::form")
            group = form.locator(f"input[name={what.get_attribute('name')}]")
            self._reach(group.first)
            for _ in range(group.count()):
                self.page.keyboard.press("Space")
                if what.is_checked():
                    break
                self.page.keyboard.press("ArrowDown")
        else:
            self._reach(what)
            if not what.is_checked():
                self.page.keyboard.press("Space")
        assert what.is_checked()

    def write(self, what: Locator, text: str) -> None:
        self._reach(what)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)


Hands = Mouse | Keyboard


@contextmanager
def network_on(url: str) -> Iterator[Served]:
    """Serve the eight cities of IncluCities, which are in no round yet."""
    database = Database(url)
    tokens = add_accounts(database)
    with database.write() as session:
        for one in INCLUCITIES.cities:
            profiles.add(session, TERMINAL, City(**one.to_dict()))
    database.close()
    with served(url, tokens) as server:
        yield server


def enter(page: Page, hands: Hands, site: Served, told: Words, tongue: str) -> None:
    """Sign in on the page of the language."""
    page.goto(f"/sign-in?lang={tongue}")
    hands.write(page.locator("#token"), site.tokens["organiser"])
    hands.press(page.get_by_role("button", name=told.say("Sign in with the token")))
    expect(page.get_by_role("button", name=told.say("Sign out"))).to_be_visible()


def run_a_round(page: Page, hands: Hands, told: Words, name: str) -> str:
    """Go from an empty list of rounds to released pairings; return the round's path."""
    say, main = told.say, page.get_by_role("main")

    def button(text: str, within: Locator = main) -> Locator:
        return within.get_by_role("button", name=text, exact=True)

    # Set the round up, take the cities in, invite somebody, open it and close it.
    menu = page.get_by_role("navigation", name=say("Main"))
    hands.press(menu.get_by_role("link", name=say("Rounds"), exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(say("Rounds"))
    if not page.locator("#name").is_visible():
        hands.press(main.locator("summary", has_text=say("Set up a round")))
    hands.write(page.locator("#name"), name)
    hands.press(button(say("Set up")))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    address = page.url
    for one in INCLUCITIES.cities:
        hands.tick(main.get_by_role("checkbox", name=one.name))
    hands.press(button(say("Take in")))
    expect(page.locator("#who table tbody tr")).to_have_count(8)
    if not page.locator("#email").is_visible():
        hands.press(main.locator("#invite > summary"))
    hands.write(page.locator("#email"), f"{re.sub('[^a-z]', '', name)}@capaci.example")
    hands.write(page.locator("#invited-city"), "Capaci")
    hands.press(button(say("Invite")))
    expect(main).to_contain_text(say("The invitation is on its way."))
    hands.press(button(say("Open the round")))
    expect(page.locator("[aria-current=step]")).to_contain_text(say("open"))
    hands.press(button(say("Close the round")))
    expect(page.locator("[aria-current=step]")).to_contain_text(say("closed"))

    # Have pairings proposed, wait for them, and look at all three looks.
    hands.press(button(say("Propose pairings")).first)
    expect(page.locator("article.pair")).to_have_count(4, timeout=30_000)
    for look in ("map", "table"):
        hands.press(page.locator(f"a[href*='look={look}']").first)
        page.wait_for_url(f"**look={look}*")
    hands.press(button(say("Stage these pairings")))
    page.wait_for_url("**/pairings*")

    # Release them.
    hands.press(
        button(
            told.count("Release {number} pairing", "Release {number} pairings", 4)
        ).first
    )
    expect(page.get_by_role("heading", level=1)).to_have_text(
        say("{round}: pairings and answers", round=name)
    )
    return address


def mend(page: Page, hands: Hands, told: Words, address: str) -> None:
    """A learner declines; the round is repaired."""
    say, main = told.say, page.get_by_role("main")
    city = "Capaci"
    link = main.locator("a[href^='/pairings/']", has_text=city)
    hands.press(link.first)
    summary = main.locator("summary", has_text=say("Decline for {city}", city=city))
    hands.press(summary)
    hands.tick(main.locator("details[open] input[value=timing]"))
    decline = main.locator("details[open] button[value=decline]")
    hands.press(decline)
    expect(main).to_contain_text(say("declined"))
    hands.press(page.locator(f"a[href='{address}']").first)
    tabs = page.get_by_role("navigation", name=re.compile("Journey"))
    hands.press(tabs.get_by_role("link", name=say("Repairs"), exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(say("Repairs"))
    check_widths(page, f"journey-repairs-{told.locale.language}")
    hands.press(main.get_by_role("button", name=say("Do this")).first)
    page.wait_for_url("**/pairings*")


@pytest.mark.parametrize(
    ("kind", "tongue", "script", "hands"),
    [
        ("sqlite", "en", True, Keyboard),
        pytest.param("sqlite", "fr", False, Mouse, marks=pytest.mark.release),
        ("postgres", "nl", True, Mouse),
    ],
)
def test_an_organiser_runs_a_round_to_its_repair(  # noqa: PLR0913
    request, browser, kind, tongue, script, hands
):
    told = words(tongue)
    url = request.getfixturevalue(f"_copy_{kind}")()
    with (
        network_on(url) as site,
        quiet_page(browser, site.address, java_script_enabled=script) as page,
    ):
        acting = hands(page)
        enter(page, acting, site, told, tongue)
        address = run_a_round(page, acting, told, f"Journey {tongue}")
        mend(page, acting, told, address.removeprefix(site.address))
        check_widths(page, f"journey-mended-{tongue}")
    database = Database(url)
    with database.read() as session:
        states = session.scalars(select(tables.Pairing.state)).all()
        letters = session.scalars(select(tables.Message.kind)).all()
    database.close()
    assert sorted(states) == ["declined", *["offered"] * 4, "withdrawn"]
    # Two of each offer; of those that were undone and of the one declined, one.
    told_of = {"offer": 12, "declined": 1, "withdrawn": 2}
    assert Counter(letters) == told_of | {"invitation": 1, "to_repair": 1}
