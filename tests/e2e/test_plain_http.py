"""Signing in and sending a form over plain HTTP, from another machine as it were."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.db import Database
from tests.fixtures.browser import open_context
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Served]:
    """Serve at every address of this machine."""
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    database.close()
    with served(url, tokens, host="0.0.0.0", allow_open="1") as server:  # noqa: S104
        yield server


@pytest.fixture
def page(browser, site) -> Iterator[Page]:
    """Open a page at a name that is not this machine's own."""
    address = f"http://town.test:{urlsplit(site.address).port}"
    context = open_context(browser, address)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def test_somebody_signs_in_and_sends_a_form(page, site):
    sent = []
    page.on("request", lambda one: one.method == "POST" and sent.append(one))
    page.goto("/sign-in")
    assert not page.evaluate("isSecureContext")
    page.locator("#token").fill(site.tokens["organiser"])
    page.get_by_role("button", name="Sign in with the token").click()
    page.goto("/account")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Save").click()

    page.goto("/account")
    expect(page.get_by_label("Your name")).to_have_value("Ada")
    told = [one.all_headers() for one in sent]
    assert {one["origin"] for one in told} == {page.evaluate("location.origin")}
    assert not any("sec-fetch-site" in one for one in told)


def test_a_form_whose_origin_is_hidden_signs_in_too(page, site):
    page.goto("/sign-in")
    # As a proxy or an extension does that hides where people come from.
    page.evaluate(
        """() => document.head.insertAdjacentHTML(
             "beforeend", '<meta name="referrer" content="no-referrer">')"""
    )
    page.locator("#token").fill(site.tokens["organiser"])
    with page.expect_request("**/sign-in") as sent:
        page.get_by_role("button", name="Sign in with the token").click()

    assert sent.value.all_headers()["origin"] == "null"
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
