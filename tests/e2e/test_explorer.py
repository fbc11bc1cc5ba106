"""The front page, and cities to look through, in a real browser."""

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.db import Database
from app.permissions import TERMINAL
from app.services.cities import profiles
from schemas import City
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.cities import INCLUCITIES, city
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

HOSTILE = '<img src=x onerror=alert(1)> "é" \u202e😀 ' + "x" * 150
PUBLIC = {"front": "/", "example": "/demo/mechelen/capaci"}
PAGES = {
    "cities": "/cities?area=education",
    "none-found": "/cities?q=nowhere",
    "like": "/cities/capaci/like",
    "compare": "/cities/compare?a=mechelen&b=capaci",
    "compare-hostile": "/cities/compare?a=mechelen&b=hostile",
}


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Served]:
    """Serve the cities of IncluCities, and one with a hostile name."""
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    hostile = city("hostile", "mentor", name=HOSTILE, latitude=50, longitude=9)
    with database.write() as session:
        for one in (*INCLUCITIES.cities, City(**hostile)):
            profiles.add(session, TERMINAL, City(**one.to_dict()))
    database.close()
    with served(url, tokens) as server:
        # The first answer waits for the example to be matched, and catalogues read.
        assert httpx.get(server.address, timeout=30).is_success
        yield server


def sign_in(page: Page, site: Served, role: str) -> None:
    sent = {"token": site.tokens[role], "to": "/"}
    assert page.request.post("/sign-in", form=sent).ok


@pytest.mark.parametrize("scripts", [True, False], ids=["js", "no-js"])
def test_an_arc_leads_to_its_reasons_by_mouse_and_by_keyboard(browser, site, scripts):
    context = quiet_page(browser, site.address, java_script_enabled=scripts)
    with context as page:
        page.goto("/")
        arc = page.get_by_role("link", name="Mechelen mentors Capaci: 62.2 points")
        arc.focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site.address}/demo/mechelen/capaci")
        expect(page.get_by_role("main")).to_contain_text(
            "Mechelen is strong in 5 of the 6 areas that Capaci needs"
        )
        page.get_by_role("link", name="Back to the map").click()
        page.get_by_text("The same as a table").click()
        page.get_by_role("table").get_by_role("link", name="Livadia").click()
        expect(page).to_have_url(f"{site.address}/demo/fuenlabrada/livadia")


@pytest.mark.parametrize("scripts", [True, False], ids=["js", "no-js"])
def test_a_member_finds_a_city_and_compares_it(browser, site, scripts):
    context = quiet_page(browser, site.address, java_script_enabled=scripts)
    with context as page:
        sign_in(page, site, "officer")
        page.goto("/cities")
        page.get_by_label("Area", exact=True).select_option(label="Housing")
        page.get_by_label("In this area, the city").select_option(label="needs help")
        page.get_by_role("button", name="Show").click()
        assert "area=housing" in page.url
        expect(page.get_by_label("Area", exact=True)).to_have_value("housing")
        page.goto("/cities")
        page.get_by_role("link", name="Compare Capaci").click()
        expect(page).to_have_url(f"{site.address}/cities/compare?a=mechelen&b=capaci")
        heading = page.get_by_role("heading", name="What Mechelen could do for Capaci")
        expect(heading).to_be_visible()
        page.get_by_label("The other city").fill("livadia")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Mechelen – Livadia")


def test_a_card_and_its_mark_shine_together(browser, site):
    with quiet_page(browser, site.address) as page:
        sign_in(page, site, "officer")
        page.goto("/cities")
        mark = page.locator("[data-mark=capaci]")
        page.locator("[data-city=capaci]").hover()
        expect(mark).to_have_class("mark marked")
        page.locator("[data-city=jelgava]").hover()
        expect(mark).to_have_class("mark")


@pytest.mark.parametrize(
    "tongue", [pytest.param("en", marks=pytest.mark.release), "nl"]
)
def test_pages_are_accessible_and_fit_the_screen(browser, site, tongue):
    # Each language with another scheme and width: all pairs would take three times.
    scheme, width = {"en": ("dark", 1280), "fr": ("light", 390), "nl": ("dark", 390)}[
        tongue
    ]
    context = quiet_page(
        browser,
        site.address,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    with context as page:
        faults = {}

        def look(name: str, path: str) -> None:
            mark = "&" if "?" in path else "?"
            page.goto(f"{path}{mark}lang={tongue}")
            found = Axe().run(page).response["violations"]
            faults.update({f"{name} {one['id']}": one["nodes"] for one in found})
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                faults[f"{name} is too wide"] = wide
            assert page.locator("img[src=x]").count() == 0
            check_widths(page, f"explorer-{name}-{tongue}")

        for name, path in PUBLIC.items():
            look(name, path)
        sign_in(page, site, "organiser")
        for name, path in PAGES.items():
            look(name, path)

    assert faults == {}
