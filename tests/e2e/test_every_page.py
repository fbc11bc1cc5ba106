"""Every page there is, in a browser: accessible in every language, light and dark.

Of each kind of page one is looked at, languages and colour schemes by turns; before a
release each page in each of them.
"""

from collections.abc import Iterator
from itertools import chain, cycle, islice, product

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page

from app.main import create_app
from app.settings import Settings
from tests.fixtures.browser import quiet_page
from tests.fixtures.exhibition import Exhibition, exhibit
from tests.fixtures.process import Served, served
from tests.web.walk import ASKED, addresses, routes

pytestmark = pytest.mark.slow

LANGUAGES = ("en", "fr", "nl")
LOOKS = list(product(LANGUAGES, ("light", "dark")))
"""In what a page is looked at: a language and a colour scheme."""
NARROW = (640, 320)
"""How wide a window of 1280 pixels is at 200 and at 400 %."""


@pytest.fixture(scope="module")
def shown(_copy_sqlite) -> Exhibition:
    return exhibit(_copy_sqlite())


@pytest.fixture(scope="module")
def site(shown) -> Iterator[Served]:
    with served(shown.url, shown.tokens, runs_at_once="0") as server:
        yield server


@pytest.fixture(scope="module")
def application() -> FastAPI:
    return create_app(Settings())


def cookies_of(site: Served, role: str | None) -> dict[str, str]:
    """Sign in as a browser does; return its cookies."""
    if role is None:
        return {}
    with httpx.Client(base_url=site.address) as client:
        form = {"token": site.tokens[role], "to": "/account"}
        answer = client.post("/sign-in", data=form, headers={"Accept": "text/html"})
        assert answer.status_code == 303
        return dict(client.cookies)


def pages_of(
    application: FastAPI, site: Served, shown: Exhibition, role: str | None
) -> Iterator[Iterator[str]]:
    """Yield the addresses of the pages that the role reads, kind by kind.

    The first address of a kind is another one for each kind.
    """
    with httpx.Client(base_url=site.address, cookies=cookies_of(site, role)) as client:

        def is_page(address: str) -> bool:
            response = client.get(address, headers={"Accept": "text/html"})
            kind = response.headers.get("content-type", "")
            return response.status_code == 200 and kind.startswith("text/html")

        for at, path in enumerate([*routes(application), *ASKED]):
            known = list(addresses(path, shown))
            start = at % max(1, len(known))
            yield filter(is_page, known[start:] + known[:start])


def one_of_each(
    kinds: Iterator[Iterator[str]],
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield a page of each kind in one look; the looks take turns."""
    return zip(chain.from_iterable(islice(kind, 1) for kind in kinds), cycle(LOOKS))


def pushed(page: Page, address: str) -> dict[tuple[str, int], int]:
    """Return how wide the page is where it would have to be pushed sideways."""
    found = {}
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 640})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found[address, width] = wide
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


def in_all_looks(role: str | None):
    """Return the parameters of what is seen before a release alone."""
    return pytest.param(role, True, id=f"{role}-every", marks=pytest.mark.release)


# The pages of officers are looked at on their ways through them, by the other modules.
@pytest.mark.parametrize(
    ("role", "every"),
    [
        pytest.param("organiser", False, id="organiser"),
        pytest.param(None, False, id="None"),
        *map(in_all_looks, ("organiser", "officer", None)),
    ],
)
def test_every_page_is_accessible_and_fits_in_every_language(  # noqa: PLR0913 -- fixtures
    browser, application, site, shown, role, every
):
    kinds = pages_of(application, site, shown, role)
    wanted = product(chain.from_iterable(kinds), LOOKS) if every else one_of_each(kinds)
    jar = [
        {"name": name, "value": value, "url": site.address}
        for name, value in cookies_of(site, role).items()
    ]
    found: dict[tuple[object, ...], object] = {}
    with quiet_page(browser, site.address) as page:
        page.context.add_cookies(jar)
        for address, (tongue, scheme) in wanted:
            mark = "&" if "?" in address else "?"
            page.emulate_media(color_scheme=scheme)
            page.goto(f"{address}{mark}lang={tongue}")
            violations = Axe().run(page).response["violations"]
            found |= pushed(page, address)
            if violations:
                found[address, tongue, scheme] = [
                    (one["id"], one["nodes"][0]["html"][:200]) for one in violations
                ]
    assert found == {}
