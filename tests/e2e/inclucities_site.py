"""The IncluCities round on a real server, and signing in there with a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from app.db import Database
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.decisions import phases
from schemas import City
from tests.fixtures.cities import city
from tests.fixtures.inclucities import set_up, stage
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

HOSTILE = '<img src=x onerror=alert(1)> "é" \u202e😀 ' + "x" * 150


@contextmanager
def site_on(url: str) -> Iterator[Served]:
    """Serve the IncluCities round, open, and one city with a hostile name."""
    database = Database(url)
    tokens = add_accounts(database)
    with database.write() as session:
        row = set_up(session)
        phases.move(session, TERMINAL, row, "open", None)
        profiles.add(session, TERMINAL, City(**city("hostile", "mentor", name=HOSTILE)))
    for name, is_released in (("Staged", False), ("Released", True)):
        stage(database, name, is_released=is_released)
    database.close()
    with served(url, tokens) as server:
        yield server


def sign_in(page: Page, site: Served, role: str, to: str = "/") -> None:
    page.goto(to)
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_label("Your token").fill(site.tokens[role])
    page.get_by_role("button", name="Sign in with the token").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
