"""The officer of a city that is not there yet registers it, from end to end."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.db import Database
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.texts.catalogue import Language, Words, words
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

# Every two of database, script and language that matter together.
WAYS = [
    pytest.param("sqlite", True, "en", id="sqlite-js-en", marks=pytest.mark.release),
    pytest.param("sqlite", False, "fr", id="sqlite-no-js-fr"),
    pytest.param("postgres", True, "nl", id="postgres-js-nl"),
]
TEXT = "Chcemy się uczyć.\nNous voulons apprendre."


@pytest.fixture(scope="module")
def sites(request) -> Iterator[dict[str, Served]]:
    """Serve both databases; in each, three officers of three cities."""
    found = {}
    opened = []
    for kind in ("sqlite", "postgres"):
        url = request.getfixturevalue(f"_copy_{kind}")()
        database = Database(url)
        tokens = add_accounts(database)
        with database.write() as session:
            for tongue in ("en", "fr", "nl"):
                email, place = f"{tongue}@example.org", f"lodz-{tongue}"
                officer = accounts.add_user(session, email, "officer", place)
                tokens[tongue] = add_token(session, officer)
        database.close()
        opened.append(served(url, tokens))
        found[kind] = opened[-1].__enter__()
    yield found
    for one in opened:
        one.__exit__(None, None, None)


def go(page: Page, label: str) -> None:
    page.get_by_role("main").get_by_role("button", name=label, exact=True).click()


def choose(page: Page, told: Words, *, scripted: bool) -> None:
    """Find Łódź without its accents."""
    field = page.locator("#q")
    field.fill("")
    if not scripted:
        field.fill("Lodz")
        go(page, told.say("Search"))
        expect(page.get_by_role("radio", name="Łódź")).to_be_checked()
        go(page, told.say("Go on"))
        return
    field.press_sequentially("Lodz")
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("Łódź")
    found = told.say("{number} cities found. Use the arrow keys to choose.", number="3")
    expect(page.get_by_role("status")).to_have_text(found)
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "q-option-0")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Łódź")
    page.keyboard.press("Enter")


def say_levels(page: Page, told: Words, *, scripted: bool) -> None:
    """Say where help is needed and where the city can help."""
    housing = page.get_by_role("group", name=told.area_names()["housing"])
    housing.locator("[name=need_housing][value='3']").check()
    page.locator("[name=strength_data][value='4']").check()
    page.locator("[name=none_health]").check()
    if scripted:
        answered = "{number} of {all} areas answered"
        says = told.say(answered, number="3", all="17")
        expect(page.get_by_text(says)).to_be_visible()
        drawn = page.locator("[data-area=data] .bar-strength")
        rail = page.locator("[data-area=data] .rail")
        half = float(rail.get_attribute("width") or 0) / 2
        assert float(drawn.get_attribute("width") or 0) == half
        assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize(("kind", "scripted", "tongue"), WAYS)
def test_an_officer_registers_its_city(  # noqa: PLR0915 -- one journey
    browser, sites, kind, scripted, tongue: Language
):
    site, told = sites[kind], words(tongue)
    say, place = told.say, f"lodz-{tongue}"
    on = say("Save and go on")
    with quiet_page(browser, site.address, java_script_enabled=scripted) as page:
        page.goto(f"/sign-in?lang={tongue}")
        page.locator("[name=token]").fill(site.tokens[tongue])
        page.locator("form:has([name=token]) button").first.click()
        page.get_by_role("link", name=say("My city"), exact=True).first.click()
        check_widths(page, f"journey-choose-{tongue}")
        choose(page, told, scripted=scripted)
        expect(page.get_by_label(say("Name"), exact=True)).to_have_value("Łódź")
        page.get_by_label(say("Year of the figure")).fill("2024")
        check_widths(page, f"journey-right-{tongue}")
        go(page, say("Register the city"))
        saved = say("Saved: {task}.", task=say("The city and its figures"))
        expect(page.get_by_role("status")).to_have_text(saved)

        # Whoever stops here comes back to where it was.
        page.goto("/")
        page.get_by_role("link", name=say("My city"), exact=True).first.click()
        page.get_by_role("link", name=say("Working languages")).first.click()
        page.get_by_label(told.language("pl"), exact=True).check()
        page.get_by_label(say("Other languages")).fill("Esperanto")
        go(page, on)
        page.locator("[name=roles][value=mentor]").check()
        page.locator("[name=roles][value=learner]").check()
        page.get_by_label(say("Most learners it takes")).fill("2")
        go(page, on)
        say_levels(page, told, scripted=scripted)
        check_widths(page, f"journey-levels-{tongue}")
        go(page, on)
        data_area = told.area_names()["data"]
        page.get_by_role("listitem").filter(has_text=data_area).get_by_role(
            "link", name=say("Add a practice")
        ).click()
        page.get_by_label(say("Title")).fill("Otwarte dane")
        page.get_by_label(say("Year"), exact=True).fill("2022")
        page.get_by_label(say("What went wrong")).fill("Zbyt wolno.")
        go(page, say("Add the practice"))
        page.get_by_role("link", name=say("Go on"), exact=True).click()
        page.locator("textarea").fill(TEXT)
        go(page, on)
        page.get_by_label(say("Name"), exact=True).fill("Biuro")
        page.locator("[name=email]").fill("biuro@example.org")
        go(page, say("Add the contact person"))
        page.get_by_role("link", name=say("Go on"), exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            say("Check your answers")
        )
        check_widths(page, f"journey-check-{tongue}")
        page.get_by_role("link", name=say("See what others see")).click()

        main = page.get_by_role("main")
        expect(page.get_by_role("heading", level=1)).to_have_text("Łódź")
        expect(main).to_contain_text(f"{told.number(639_890)} (2024) GeoNames")
        helps, needs = data_area, told.area_names()["housing"]
        expect(main).to_contain_text(
            say(
                "{city} can help most with: {strong}. It needs most help with: "
                "{needy}.",
                city="Łódź",
                strong=helps,
                needy=needs,
            )
        )
        for text in ("Otwarte dane", "Zbyt wolno.", "Biuro", "Nous voulons apprendre."):
            expect(main).to_contain_text(text)
        check_widths(page, f"journey-seen-{tongue}")
        page.goto(f"/cities/{place}/edit")
        count = say("{told} of {all} things are told", told="9", all="10")
        expect(page.get_by_role("main")).to_contain_text(count)

        stored = page.request.get(
            f"/api/v1/cities/{place}", headers=site.bearer(tongue)
        ).json()
        persons = page.request.get(
            f"/api/v1/cities/{place}/contacts", headers=site.bearer(tongue)
        ).json()["items"]
    blank = dict.fromkeys(("summary", "result", "url", "language"))
    assert stored == {
        "id": place,
        "name": "Łódź",
        "country": "PL",
        "association": None,
        "population": {"value": 639_890, "year": 2024, "source": "GeoNames"},
        "migrant_share": None,
        "latitude": 51.77058,
        "longitude": 19.47395,
        "languages": ["pl", "eo"],
        "roles": ["mentor", "learner"],
        "mentor_capacity": 2,
        "learner_demand": 1,
        "areas": {
            "data": {"need": 0, "strength": 4},
            "health": {"need": 0, "strength": 0},
            "housing": {"need": 3, "strength": 0},
        },
        "practices": [
            blank
            | {
                "area": "data",
                "title": "Otwarte dane",
                "what_went_wrong": "Zbyt wolno.",
                "year": 2022,
            }
        ],
        "needs_text": TEXT,
    }
    assert [(one["name"], one["email"]) for one in persons] == [
        ("Biuro", "biuro@example.org")
    ]
