"""Every page there is: in every language, with nothing left in English."""

import re

import pytest

from app.data import withdrawn
from tests.fixtures.cities import INCLUCITIES
from tests.fixtures.exhibition import exhibit
from tests.fixtures.service import start
from tests.web.walk import ASKED, addresses, routes, untranslated

pytestmark = pytest.mark.slow

HTML = {"Accept": "text/html"}
KILOBYTES = 150
"""What a page may weigh at most, apart from the map of Europe."""
LAND = re.compile(r'<g class="land".*?</g>', re.DOTALL)
NOT_READ = {"/sign-in/oidc", "/sign-in/oidc/back"}
"""Paths that lead to the provider of an organisation's own sign-in."""
# Written the same in all languages: names, units, addresses and ids.
# Written the same in all languages: ids, addresses, and the names of things.
_NAMES = (
    *(one.id for one in INCLUCITIES.cities),
    *(one.name for one in (*INCLUCITIES.cities, *withdrawn())),
    *(
        "Compaan",
        "IncluCities",
        "GeoNames",
        "Natural Earth",
        "world-atlas",
        "CC BY 4.0",
    ),
    *("Excel", "CSV", "XLSX", "JSON", "GeoJSON", "SVG", "PDF", "GitHub", "curl"),
    *("OpenAPI", "API", "HTTP", "HMAC", "SHA-256", "Standard Webhooks", "UTC", "km"),
)
_FORMS = (
    *(r"[\w.+-]+@[\w.-]+", r"https?://\S+", r"/[\w/{}.?=&-]+", r"(?:cmp|msg)_\w*"),
    *(r"[0-9a-f]{8,}", r"\d+(?:\.\d+)+", r"RFC \d+"),
)
DATA = re.compile("|".join([*map(re.escape, _NAMES), *_FORMS]))


@pytest.fixture(scope="module")
def site(_copy_sqlite):
    yield from start(_copy_sqlite(), fresh=True, runs_at_once=0)


@pytest.fixture(scope="module")
def shown(site):
    return exhibit(site.url, site.tokens)


def every_address(site, shown) -> list[str]:
    paths = [*routes(site.client.app), *ASKED]
    return [address for path in paths for address in addresses(path, shown)]


def enter(site, role) -> None:
    site.client.cookies.clear()
    if role is not None:
        form = {"token": site.tokens[role], "to": "/"}
        answer = site.client.post("/sign-in", data=form, headers=HTML)
        assert answer.status_code == 200


def read(site, address: str, tongue: str):
    mark = "&" if "?" in address else "?"
    wanted = f"{address}{mark}lang={tongue}"
    answer = site.client.get(wanted, headers=HTML, follow_redirects=False)
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return answer if is_page else None


@pytest.mark.parametrize("role", ["organiser", "officer", None])
def test_no_page_says_anything_in_english_alone(site, shown, role):
    enter(site, role)
    found, heavy = {}, {}
    for address in every_address(site, shown):
        answer = read(site, address, "xa")
        if answer is None:
            continue
        if left := untranslated(answer.text, DATA):
            found[address] = left
        weight = len(LAND.sub("", answer.text).encode())
        if weight > KILOBYTES * 1000:
            heavy[address] = weight
    assert (found, heavy) == ({}, {})


def test_every_page_is_there_for_somebody_in_every_language(site, shown):
    unseen = {tongue: set(routes(site.client.app)) for tongue in ("en", "fr", "nl")}
    for role in ("administrator", "officer", None):
        enter(site, role)
        for tongue, paths in unseen.items():
            for path in sorted(paths):
                for address in addresses(path, shown):
                    answer = read(site, address, tongue)
                    if answer is None or answer.status_code != 200:
                        continue
                    assert re.search(r'<html lang="(.*?)"', answer.text)[1] == tongue
                    paths.discard(path)
    assert unseen == {"en": NOT_READ, "fr": NOT_READ, "nl": NOT_READ}
