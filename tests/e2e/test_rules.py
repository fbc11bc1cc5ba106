"""The rules desk in a browser: a slider redraws what the rules bring, by keyboard."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.db import Database
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import policies, rounds
from schemas import City, ParticipationWrite, Policy, RoundWrite
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.cities import city
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

NEAR, FAR = {"latitude": 50.0, "longitude": 4.0}, {"latitude": 38.0, "longitude": 23.0}
NEED, STRONG = {"housing": {"need": 3}}, {"housing": {"strength": 2}}
CITIES = (
    # The one is near, the other knows more.
    city("near", "mentor", name="Near", areas=STRONG, **NEAR),
    city("far", "mentor", name="Far", areas={"housing": {"strength": 4}}, **FAR),
    city("town", name="Livadia", country="GR", areas=NEED, **NEAR),
)


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Served]:
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    with database.write() as session:
        row = rounds.add(session, TERMINAL, RoundWrite(name="Trial"))
        for one in CITIES:
            profiles.add(session, TERMINAL, City(**one))
            participants.put(session, TERMINAL, row, one["id"], ParticipationWrite())
        stored = policies.get(session, TERMINAL, row)
        rules = Policy(rules={"different_country": True, "shared_language": True})
        policies.change(session, TERMINAL, row, stored, rules)
        phases.move(session, TERMINAL, row, "open", None)
    database.close()
    with served(url, tokens) as server:
        yield server


def enter(page: Page, site: Served, path: str) -> None:
    page.request.post("/sign-in", form={"token": site.tokens["organiser"], "to": "/"})
    page.goto(path)


def test_arrow_keys_on_a_slider_change_the_preview(browser, site):
    with quiet_page(browser, site.address) as page:
        enter(page, site, "/rounds/trial/rules")
        preview = page.locator("#preview")
        expect(preview).to_contain_text("Far mentors Livadia", timeout=15_000)
        before = preview.locator("[data-figure=weakest]").inner_text()
        nearness = page.get_by_role("slider", name="Proximity")

        nearness.focus()
        page.keyboard.press("ArrowRight")
        expect(preview.locator("[data-figure=weakest]")).not_to_have_text(before)
        expect(page.locator("output[for=weight_proximity]")).to_have_text("6")
        page.keyboard.press("End")

        expect(preview).to_contain_text("Near mentors Livadia")
        expect(page.locator("#told")).to_contain_text("1 of 1 learners has a mentor.")
        page.get_by_label("No pairing below").fill("x")
        expect(preview.get_by_role("alert")).to_contain_text("number from 0 to 100")


def test_a_busy_desk_keeps_the_preview_and_says_so(browser, site):
    with quiet_page(browser, site.address) as page:
        enter(page, site, "/rounds/trial/rules")
        preview = page.locator("#preview")
        expect(preview).to_contain_text("Livadia", timeout=15_000)
        # A refusal by the network is told like one by the server.
        page.route("**/rules/preview", lambda route: route.fulfill(status=429))
        page.get_by_label("Never two cities of one country.").uncheck()

        expect(page.locator("#stale")).to_be_visible()
        expect(preview).to_contain_text("Livadia")


PAGES = {
    "round-board": "/rounds/trial",
    "rounds-list": "/rounds",
    "rules": "/rounds/trial/rules?relax=shared_language",
    "take-part": "/rounds/trial/take-part/near",
    "import": "/cities/import",
}


@pytest.mark.parametrize(("tongue", "scheme"), [("fr", "dark")])
def test_the_pages_of_a_round_are_accessible(browser, site, tongue, scheme):
    faults = {}
    with quiet_page(browser, site.address, color_scheme=scheme) as page:
        enter(page, site, f"/rounds?lang={tongue}")
        for name, path in PAGES.items():
            page.goto(path)
            for summary in page.locator("main summary").all():
                if summary.evaluate("node => !node.parentElement.open"):
                    summary.click()
            page.wait_for_load_state("networkidle")
            found = Axe().run(page).response["violations"]
            faults.update({f"{name} {one['id']}": one["nodes"] for one in found})
            check_widths(page, f"{name}-{tongue}-{scheme}")

    assert faults == {}
