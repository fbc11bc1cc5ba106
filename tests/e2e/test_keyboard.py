"""Everything can be done by keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.e2e.inclucities_site import sign_in
from tests.fixtures.browser import quiet_page

pytestmark = pytest.mark.slow


def test_the_round_is_run_by_keyboard_alone(browser, gallery):
    with quiet_page(browser, gallery.address) as page:
        sign_in(page, gallery, "organiser")
        page.goto("/rounds/inclucities")
        button = page.get_by_role("button", name="Propose pairings")
        for _ in range(30):
            page.keyboard.press("Tab")
            if button.evaluate("node => node === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("article")).to_have_count(4, timeout=20_000)


# Radio buttons of one name are one stop; what is folded away is none.
STOPS = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]"
)].filter(node => node.checkVisibility()).map(
    node => node.type === "radio" ? node.name : node
).filter((one, at, all) => all.indexOf(one) === at).length"""
REACHED = """() => {
    const node = document.activeElement;
    node.dataset.reached = "yes";
    return document.querySelectorAll("[data-reached]").length;
}"""


@pytest.mark.parametrize(
    "path",
    [
        "/rounds/staged",
        "/rounds/staged/pairings",
        "/rounds/staged/override",
        "/rounds/staged/outbox",
        "/rounds/released/pairings",
    ],
)
def test_whatever_can_be_pressed_is_reached_by_keyboard(browser, gallery, path):
    with quiet_page(browser, gallery.address) as page:
        sign_in(page, gallery, "organiser")
        page.goto(path)
        stops = page.evaluate(STOPS)
        reached = 0
        for _ in range(3 * stops):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement !== document.body"):
                reached = page.evaluate(REACHED)
            if reached == stops:
                break

        assert (reached, stops > 10) == (stops, True)
