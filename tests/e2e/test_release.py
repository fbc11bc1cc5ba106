"""From the staging to the repair by keyboard alone, and the report on paper."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from app.db import Database
from app.permissions import TERMINAL
from app.services.background import run_protocol
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import policies, rounds
from app.services.runs import runs
from app.texts.catalogue import LANGUAGES
from matching import match
from schemas import City, ParticipationWrite, RoundWrite, RunWrite
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.cities import INCLUCITIES, city
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

SLOW = 20_000
"""Milliseconds that a page may take for which the engine is asked."""
A4 = {"width": 688, "height": 1024}
"""What is left of A4 within our margins, in CSS pixels."""


@dataclass(frozen=True)
class Shown:
    """A server with a round to release, one that is released, and a large one."""

    server: Served
    run: str
    """Of the round that is closed and not staged yet."""


@pytest.fixture(scope="module")
def shown(_copy_sqlite) -> Iterator[Shown]:
    url = _copy_sqlite()
    database = Database(url)
    tokens = add_accounts(database)
    few = [City(**one.to_dict()) for one in INCLUCITIES.cities]
    with database.write() as session:
        for one in few:
            profiles.add(session, TERMINAL, one)
    names = [one.id for one in few]
    run = matched(database, "Closed", names)
    released = matched(database, "Released", names)
    with database.write() as session:
        row = rounds.get(session, TERMINAL, "released", lock=True)
        phases.stage(session, TERMINAL, row, runs.get(session, TERMINAL, released))
        phases.release(session, TERMINAL, row, None)
    many(database)
    database.close()
    with served(url, tokens) as server:
        # Its first page makes the templates: that may take longer than a browser waits.
        httpx.get(f"{server.address}/sign-in", timeout=60)
        yield Shown(server, run)


def matched(database: Database, name: str, taking: list[str]) -> str:
    """Store a closed round of these cities, have it matched; return the run."""
    with database.write() as session:
        row = rounds.add(session, TERMINAL, RoundWrite(name=name))
        for one in taking:
            participants.put(session, TERMINAL, row, one, ParticipationWrite())
        policy = policies.get(session, TERMINAL, row)
        policies.change(session, TERMINAL, row, policy, INCLUCITIES.policy)
        for phase in ("open", "closed"):
            phases.move(session, TERMINAL, row, phase, None)
        runs.start(session, TERMINAL, row, RunWrite())
    mine = run_protocol.claim(database)
    assert mine is not None
    assert run_protocol.succeed(
        database, mine, match(mine.problem, mine.policy, trials=0)
    )
    return mine.run


def many(database: Database) -> None:
    """Stage a round of 30 pairings, of cities with long names, and some left over."""
    countries = ("BE", "FR")
    made = [
        City(
            **city(
                f"{role}-{number}",
                role,
                name=f"{role.title()} no. {number} {'of a long name ' * 12}",
                country=country,
            )
        )
        for role, country, most in zip(
            ("mentor", "learner"), countries, (30, 45), strict=True
        )
        for number in range(most)
    ]
    with database.write() as session:
        for one in made:
            profiles.add(session, TERMINAL, one)
    run = matched(database, "Large", [one.id for one in made])
    with database.write() as session:
        row = rounds.get(session, TERMINAL, "large", lock=True)
        phases.stage(session, TERMINAL, row, runs.get(session, TERMINAL, run))


def sign_in(page: Page, server: Served) -> None:
    page.goto("/sign-in")
    page.locator("input[name=token]").fill(server.tokens["organiser"])
    page.locator("input[name=token]").press("Enter")
    expect(page.locator("form[action='/sign-out']")).to_be_visible()


def press(page: Page, wanted: Locator) -> None:
    """Go to something with the tabulator key alone, and press Enter there."""
    expect(wanted).to_be_visible(timeout=SLOW)
    node = wanted.element_handle()
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("node => node === document.activeElement", node):
            page.keyboard.press("Enter")
            return
    pytest.fail("The tabulator key does not lead there.")


def test_a_round_is_released_and_repaired_by_keyboard_alone(browser, shown):
    server = shown.server
    api = httpx.Client(base_url=f"{server.address}/api/v1", headers=server.bearer())
    with quiet_page(browser, server.address) as page, api:
        sign_in(page, server)
        main = page.get_by_role("main")
        page.goto(f"/runs/{shown.run}")
        press(page, page.get_by_role("button", name="Stage these pairings"))
        expect(main).to_contain_text("4 pairings are staged.", timeout=SLOW)
        press(page, page.get_by_role("button", name="Release 4 pairings"))
        expect(main).to_contain_text("4 wait for an answer", timeout=SLOW)
        offered = api.get("/rounds/closed/pairings").json()["items"]
        lost = next(one for one in offered if one["learner"] == "livadia")
        body = {"side": "learner", "answer": "decline", "reason_code": "timing"}
        assert api.post(f"/pairings/{lost['id']}/answer", json=body).is_success
        page.wait_for_load_state()  # modules run before it: now somebody listens
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        press(page, page.get_by_role("link", name="Show it as it is now"))
        expect(main).to_contain_text("declined by Livadia")
        press(page, page.get_by_role("link", name="Look whether a repair helps"))
        expect(page.locator(".pair-line.added").first).to_be_attached(timeout=SLOW)
        press(page, page.get_by_role("button", name="Do this (way 1)"))
        mended = page.get_by_role("article").filter(has_text="by a repair")
        expect(mended).not_to_have_count(0, timeout=SLOW)
        stands = {
            one["learner"]
            for one in api.get("/rounds/closed/pairings").json()["items"]
            if one["state"] == "offered"
        }
        assert "livadia" in stands


SEEN = ("board", "repairs", "report")
PAGES = {
    "board": "/rounds/released/pairings",
    "board-large": "/rounds/large/pairings",
    "outbox": "/rounds/large/outbox",
    "repairs": "/rounds/large/repairs",
    "report": "/rounds/released/report",
    "how-we-chose": "/rounds/released/how-we-chose",
    "ledger": "/ledger",
}


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(one, marks=pytest.mark.release if one != "nl" else ())
        for one in LANGUAGES
    ],
)
def test_the_pages_are_accessible_and_the_report_is_two_pages(browser, shown, language):
    server = shown.server
    with quiet_page(browser, server.address) as page:
        sign_in(page, server)
        faults = {}
        for name, path in PAGES.items():
            page.goto(f"{path}?lang={language}")
            found = Axe().run(page).response["violations"]
            faults.update({f"{name} {one['id']}": one["nodes"] for one in found})
            if language == "fr" and name in SEEN:  # its words are the longest
                check_widths(page, f"release-{name}")
        pages = {}
        page.set_viewport_size(A4)
        page.emulate_media(media="print")
        for name in ("released", "large"):
            page.goto(f"/rounds/{name}/report?lang={language}")
            printed = page.pdf(format="A4")
            pages[name] = (
                len(re.findall(rb"/Type\s*/Page\b", printed)),
                page.evaluate(CUT_OFF),
            )

    assert faults == {}
    assert pages == {"released": (2, []), "large": (2, [])}


CUT_OFF = """() => [...document.querySelectorAll('.report-page')]
    .filter(node => node.scrollHeight > node.clientHeight + 1)
    .map(node => node.getAttribute('aria-labelledby') + ' ' + node.scrollHeight)"""
