"""People with a browser, against the real server in a process of its own."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.inclucities_site import HOSTILE, sign_in, site_on
from tests.fixtures.browser import check_widths, quiet_page, wants_pictures
from tests.fixtures.process import Served

pytestmark = pytest.mark.slow


@pytest.fixture(
    scope="module",
    params=[("sqlite", True), ("postgres", False)],
    ids=["sqlite-js", "postgres-no-js"],
)
def kind(request) -> tuple[str, bool]:
    """Return from which database a site is served, and whether scripts run."""
    return request.param


@pytest.fixture(scope="module")
def site(request, kind) -> Iterator[Served]:
    """Serve the site for journeys, from either database.

    One server for all tests of a database: each leaves the round as it was.
    """
    with site_on(request.getfixturevalue(f"_copy_{kind[0]}")()) as server:
        yield server


@pytest.fixture
def page(browser, site, kind) -> Iterator[Page]:
    with quiet_page(browser, site.address, java_script_enabled=kind[1]) as page:
        yield page


def test_an_organiser_runs_a_round_and_reads_why(page, site):
    sign_in(page, site, "organiser")
    page.get_by_role("navigation").get_by_role("link", name="Rounds").click()
    page.get_by_role("link", name="IncluCities").click()
    expect(page.locator("[aria-current=step]")).to_have_text("open")
    page.get_by_label("Look for a city").fill("ONERROR")
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("checkbox", name=HOSTILE).check()
    page.get_by_role("button", name="Take in").click()
    page.get_by_role("button", name=f"Take out {HOSTILE}").click()

    page.get_by_role("button", name="Propose pairings").click()

    main = page.get_by_role("main")
    expect(main).to_contain_text("4 of 4 learners have a mentor", timeout=20_000)
    expect(main).to_contain_text(
        "Mechelen is strong in 5 of the 6 areas that Capaci needs"
    )
    expect(page.get_by_role("article")).to_have_count(4)
    with page.expect_download() as table:
        page.get_by_role("link", name="As a table").click()
    assert table.value.suggested_filename == "inclucities.csv"


def propose(page: Page) -> None:
    """Have the IncluCities round matched, and look at the proposal."""
    page.goto("/rounds/inclucities")
    page.get_by_role("button", name="Propose pairings").click()
    expect(page.get_by_role("article")).to_have_count(4, timeout=20_000)


def test_an_organiser_asks_why_not_and_what_if(browser, gallery):
    with quiet_page(browser, gallery.address, java_script_enabled=False) as page:
        sign_in(page, gallery, "organiser")
        propose(page)
        run = page.url

        capaci = page.get_by_role("article").filter(has_text="→ Capaci")
        expect(capaci).to_contain_text("of the trials.")
        expect(capaci).to_contain_text("Instead of Mechelen, for Capaci:")
        expect(capaci).to_contain_text(
            "choosing it instead costs the round 18.2 points"
        )
        capaci.get_by_role("link", name="Why not? Schaerbeek for Capaci").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Why not Schaerbeek → Capaci?"
        )
        main = page.get_by_role("main")
        expect(main).to_contain_text("the whole round would lose 18.2 points.")
        for row in ("Capaci −27.7 Mechelen Schaerbeek", "Whole round −18.2"):
            expect(page.get_by_role("row", name=row)).to_be_visible()
        page.get_by_label("Why is this city not the mentor").select_option("mechelen")
        page.get_by_role("button", name="Why not?").click()
        expect(main).to_contain_text("Mechelen is proposed as the mentor of Capaci.")
        page.goto(page.url.replace("mentor=mechelen", "mentor=nobody"))
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("No city has the id `nobody`.")
        page.goto(run)
        page.get_by_role("link", name="What if a city leaves?").click()
        expect(page.get_by_role("row")).to_have_count(9)
        expect(page.get_by_role("row", name="Mechelen Fragile: ")).to_be_visible()


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def test_a_round_is_run_to_its_end_by_organiser_and_officer(page, site):
    main = page.get_by_role("main")
    sign_in(page, site, "organiser")
    where = propose_and_stage(page)
    decide_by_hand(page)
    expect(main).to_contain_text("By this 1 person is told")
    press(page, "Release 4 pairings")
    expect(main).to_contain_text("4 wait for an answer")
    own = page.get_by_role("article").filter(has_text="Mechelen →")
    own.get_by_role("link").first.click()
    mail = page.url
    learner = page.get_by_role("heading", level=1).inner_text().split("→")[1].strip()
    press(page, f"Accept for {learner}")
    press(page, "Sign out")

    page.goto(mail)
    page.get_by_label("Your token").fill(site.tokens["officer"])
    page.get_by_role("button", name="Sign in with the token").click()
    expect(page).to_have_url(mail)
    expect(main).to_contain_text(f"{learner} has said yes.")
    page.get_by_text("No, we decline").click()
    page.get_by_label("It is the wrong time").check()
    press(page, "Decline")
    expect(main).to_contain_text("This pairing will not come about.")
    press(page, "Sign out")

    sign_in(page, site, "organiser")
    page.goto(f"{where}/repairs")
    press(page, "Do this (way 1)")
    mended = page.get_by_role("article").filter(has_text="by a repair")
    expect(mended).not_to_have_count(0)
    expect(main).to_contain_text(f"Mechelen → {learner} ✕ declined by Mechelen")
    page.goto(f"{where}/how-we-chose?lang=fr")
    expect(main).to_contain_text("They have worked together.")


def propose_and_stage(page: Page) -> str:
    """Copy the IncluCities round, and stage what is proposed; return its address."""
    page.goto("/rounds/inclucities/copy")
    page.get_by_label("Name", exact=True).fill(f"Year {uuid4().hex[:8]}")
    press(page, "Set up")
    where = page.url
    press(page, "Open the round")
    press(page, "Propose pairings")
    expect(page.get_by_role("article")).to_have_count(4, timeout=20_000)
    page.goto(where)
    press(page, "Close the round")
    page.get_by_role("row", name="finished").get_by_role("link").click()
    press(page, "Stage these pairings")
    told = "4 pairings are staged. Nobody has been told of them."
    expect(page.get_by_role("main")).to_contain_text(told)
    return where


def decide_by_hand(page: Page) -> None:
    """Have Schaerbeek mentor Capaci, once the price is known."""
    page.get_by_role("link", name="Decide otherwise").click()
    ask_for_price(page)
    expect(page.get_by_role("status")).to_contain_text("the round loses 18.2 points")
    expect(page.get_by_role("row", name="Whole round −18.2")).to_be_visible()
    press(page, "Decide so")
    by_hand = page.get_by_role("article").filter(has_text="decided by hand")
    expect(by_hand).to_contain_text("Schaerbeek → Capaci")
    expect(by_hand).to_contain_text("By it the round loses 18.2 points.")


def ask_for_price(page: Page) -> None:
    page.get_by_label("Mentor", exact=True).select_option("schaerbeek")
    page.get_by_label("Learner", exact=True).select_option("capaci")
    page.get_by_label("Why?").fill("They have worked together.")
    press(page, "What would it cost?")


def test_an_officer_changes_its_city_and_nobody_elses(page, site):
    sign_in(page, site, "officer")
    page.get_by_role("link", name="My city").first.click()
    page.get_by_role("link", name="The city and its figures").click()
    page.get_by_label("Inhabitants").fill("88.500")
    page.get_by_label("Share of migrants", exact=False).first.fill("33,5%")
    press(page, "Save and return to the tasks")
    expect(page.get_by_role("status")).to_contain_text(
        "Saved: The city and its figures"
    )
    page.get_by_role("link", name="Needs and strengths").click()
    housing = page.get_by_role("group", name="Housing")
    housing.get_by_label("3 much help").check()
    press(page, "Save and return to the tasks")

    page.get_by_role("link", name="What others see").click()
    expect(page.get_by_role("main")).to_contain_text("88,500")
    expect(page.get_by_role("main")).to_contain_text("33.5%")
    page.get_by_text("The same as a table").click()
    row = page.get_by_role("row", name="Housing 3 much help 0 no experience")
    expect(row).to_be_visible()

    page.goto("/cities/mechelen/edit/languages")
    page.get_by_label("Other languages").fill("Nederlandsch")
    press(page, "Save and go on")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("1 field needs another look")
    expect(alert).to_contain_text("Did you mean Dutch?")
    alert.get_by_role("link").first.click()
    expect(page.get_by_label("Other languages")).to_have_value("Nederlandsch")


def test_two_editors_in_two_browsers_lose_nothing(browser, gallery):
    with (
        quiet_page(browser, gallery.address) as first,
        quiet_page(browser, gallery.address) as second,
    ):
        sign_in(first, gallery, "officer")
        sign_in(second, gallery, "organiser")
        for page in (first, second):
            page.goto("/cities/mechelen/edit/place")
        first.get_by_label("Inhabitants").fill("90000")
        press(first, "Save and return to the tasks")
        second.get_by_label("Association").fill("VVSG vzw")
        second.route("**/place", lambda route: route.continue_())
        with second.expect_response("**/place") as answered:
            press(second, "Save and return to the tasks")
        assert answered.value.status == 412
        alert = second.get_by_role("alert")
        expect(alert).to_contain_text("Inhabitants: now it says 90,000")
        expect(second.get_by_label("Association")).to_have_value("VVSG vzw")
        second.get_by_label("Inhabitants").fill("90000")
        press(second, "Save and return to the tasks")
        second.get_by_role("link", name="What others see").click()
        expect(second.get_by_role("main")).to_contain_text("VVSG vzw")
        expect(second.get_by_role("main")).to_contain_text("90,000")


def test_a_spreadsheet_is_looked_at_then_stored(page, site):
    name = f"Gent-{uuid4().hex[:8]}"
    sheet = {
        "name": "cities.csv",
        "mimeType": "text/csv",
        "buffer": (
            f"name;country;roles;needs\n{name};Belgique;mentor;housing\n"
            "Brugge;Belgiun;learner;housing\n"
        ).encode("cp1252"),
    }
    sign_in(page, site, "organiser", "/")
    page.goto("/cities/import")
    page.get_by_label("File").set_input_files(sheet)
    page.get_by_role("button", name="Look first", exact=True).click()
    told = page.get_by_role("status")
    expect(told).to_contain_text("1 new, 0 changed, 0 as they were, 1 wrong")
    wrong = page.get_by_role("row", name="Brugge")
    expect(wrong).to_contain_text("Did you mean Belgium (BE)?")
    told.get_by_role("button", name="Import the good rows").click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    page.goto(f"/cities?q={name.upper()}")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_pages_ask_to_sign_in_and_lead_back(browser, gallery):
    with quiet_page(browser, gallery.address) as page:
        page.goto("/cities/mechelen")
        expect(page).to_have_url(f"{gallery.address}/sign-in?to=/cities/mechelen")
        page.get_by_label("Your token").fill(gallery.tokens["auditor"])
        page.get_by_role("button", name="Sign in with the token").click()
        expect(page).to_have_url(f"{gallery.address}/cities/mechelen")
        expect(page.get_by_role("link", name="Change the profile")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        page.goto("/rounds")
        expect(page).to_have_url(f"{gallery.address}/sign-in?to=/rounds")


COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
PAGES = {
    "front": "/",
    "cities": "/cities",
    "no-cities": "/cities?q=nowhere",
    "city": "/cities/mechelen",
    "hostile": "/cities/hostile",
    "edit": "/cities/mechelen/edit",
    "edit-place": "/cities/mechelen/edit/place",
    "edit-languages": "/cities/mechelen/edit/languages",
    "edit-role": "/cities/mechelen/edit/role",
    "edit-areas": "/cities/mechelen/edit/areas",
    "edit-practices": "/cities/mechelen/edit/practices",
    "new-practice": "/cities/mechelen/edit/practices/new",
    "edit-words": "/cities/mechelen/edit/words",
    "edit-contacts": "/cities/mechelen/edit/contacts",
    "edit-check": "/cities/mechelen/edit/check",
    "new": "/cities/new",
    "new-found": "/cities/new?q=Lodz",
    "new-filled": "/cities/new?q=Lodz&place=3093133",
    "import": "/cities/import",
    "rounds": "/rounds",
    "round": "/rounds/inclucities",
    "missing": "/rounds/nothing",
    "round-form": "/rounds/inclucities/edit",
    "copy": "/rounds/inclucities/copy",
    "staged-round": "/rounds/staged",
    "staged": "/rounds/staged/pairings",
    "override": "/rounds/staged/override",
    "outbox": "/rounds/staged/outbox",
    "released-round": "/rounds/released",
    "released": "/rounds/released/pairings",
    "repairs": "/rounds/released/repairs",
    "how-we-chose": "/rounds/released/how-we-chose",
    "ledger": "/ledger",
}

FEW = ("no-cities", "hostile", "new-filled")
"""Pages that test_every_page.py does not look at, apart from those reached below."""


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(FEW, id="few"),
        pytest.param(PAGES, id="all", marks=pytest.mark.release),
    ],
)
def test_pages_are_accessible_in_the_dark_and_fit_the_screen(browser, gallery, names):
    with quiet_page(browser, gallery.address) as page:
        faults = {}

        def look(name: str) -> None:
            page.wait_for_load_state()
            page.emulate_media(color_scheme="dark")
            found = Axe().run(page, options=COLOURS).response["violations"]
            faults.update({f"{name} {one['id']}": one["nodes"] for one in found})
            check_widths(page, f"{name}-dark")
            page.emulate_media(color_scheme="light")
            if wants_pictures():
                check_widths(page, f"{name}-light")

        page.goto("/sign-in")
        look("sign-in")
        sign_in(page, gallery, "organiser")
        for name in names:
            if name != "missing":  # the browser itself notes a 404 on the console
                page.goto(PAGES[name])
                look(name)
        propose(page)
        look("run")
        run = page.url
        for name, asked in {
            "why-not": "why-not?mentor=schaerbeek&learner=capaci",
            "why-not-lost": "why-not?mentor=brussels&learner=jelgava",
            "drill": "drill",
        }.items():
            page.goto(f"{run}/{asked}")
            look(name)
        look_at_decisions(page, look)
        for name, path in {"run": run, "how-we-chose": PAGES["how-we-chose"]}.items():
            page.goto(path)
            page.emulate_media(media="print")
            check_widths(page, f"{name}-print")
            page.emulate_media(media="screen")
        page.get_by_role("button", name="Sign out").click()
        sign_in(page, gallery, "officer")
        page.goto("/rounds/released")
        look("officer-round")
        page.get_by_role("link", name="Mechelen →").click()
        page.get_by_text("No, we decline").click()
        look("officer-pairing")

    assert faults == {}


def look_at_decisions(page: Page, look: Callable[[str], None]) -> None:
    """Look at the pages of organisers that are reached by pressing something."""
    page.goto("/rounds/staged")
    page.get_by_role("button", name="Compare those ticked").click()
    look("scenarios")
    page.goto("/rounds/staged/override")
    ask_for_price(page)
    look("override-priced")
    page.goto("/rounds/released/pairings")
    page.get_by_role("article").first.get_by_role("link").first.click()
    for details in page.locator("summary").all():
        details.click()
    look("pairing")


def test_names_are_text_everywhere(browser, gallery):
    with quiet_page(browser, gallery.address) as page:
        sign_in(page, gallery, "organiser")
        page.goto("/cities/hostile")
        expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        page.goto("/cities")
        assert page.locator("img[src=x]").count() == 0
