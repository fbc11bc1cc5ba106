"""The developer desk and the pages of accounts in Chromium, against a real server."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.db import Database
from app.permissions import TERMINAL
from app.services.cities import profiles
from schemas import City
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.cities import city
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts
from tests.web.developers.test_developers import samples

pytestmark = pytest.mark.slow

LOUD = "<b>Ghent</b> \u202e😀 " + "x" * 150
PUBLIC = ["/sign-in", "/sign-in/link?key=x", "/privacy", "/privacy/register"]
ABOUT = ["/developers", "/problems", "/problems/stale", "/api/changes"]
OWN = ["/account", "/account/close", "/people", "/audit", "/webhooks", "/cities/x/log"]


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Served]:
    """Serve two cities, one with a loud name."""
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    area = {"housing": {"need": 3, "strength": 3}}
    with database.write() as session:
        for one in (
            city("ghent", "mentor", name=LOUD, areas=area),
            city("lille", "learner", name="Lille", areas=area),
        ):
            profiles.add(session, TERMINAL, City(**one))
    database.close()
    with served(url, tokens) as server:
        yield server


def sign_in(page, site: Served) -> None:
    page.goto("/sign-in")
    page.locator("#token").fill(site.tokens["organiser"])
    page.locator("form:has(#token) button").click()


@pytest.mark.parametrize("language", ["nl"])
def test_no_page_of_accounts_bars_anybody(browser, site, language):
    with quiet_page(browser, site.address) as page:
        page.goto(f"/?lang={language}")

        def look(path: str) -> None:
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language
            found = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path
            name = path.partition("?")[0].strip("/").replace("/", "-")
            check_widths(page, f"{name}-{language}")
            page.set_viewport_size({"width": 1280, "height": 800})

        for path in (*PUBLIC, *ABOUT):
            look(path)
        sign_in(page, site)
        for path in OWN:
            look(path)


def test_a_sample_is_copied_by_its_button(browser, site):
    with quiet_page(browser, site.address) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/developers")

        page.get_by_role("button", name="Copy: The policy areas").click()

        expect(page.get_by_text("Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("curl ")
        assert copied.endswith("/api/v1/policy-areas")


def test_the_sample_of_the_client_does_a_whole_round(
    browser, site, monkeypatch, capsys
):
    with quiet_page(browser, site.address, java_script_enabled=False) as page:
        page.goto("/developers")
        code = samples(page.content())["client"]
    monkeypatch.setenv("COMPAAN_TOKEN", site.tokens["organiser"])

    exec(code, {})  # noqa: S102 -- it is our own page

    assert capsys.readouterr().out == "ghent → lille: 70.0\n"
