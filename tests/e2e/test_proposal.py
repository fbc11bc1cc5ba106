"""A proposal in a browser: followed, seen in three ways, decided by keyboard."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.db import Database
from app.permissions import TERMINAL
from app.services.background import run_protocol
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import rounds
from app.services.runs import runs
from matching import match
from schemas import City, ParticipationWrite, Progress, RunWrite
from tests.fixtures.browser import check_widths, quiet_page
from tests.fixtures.cities import INCLUCITIES, city
from tests.fixtures.inclucities import set_up
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

pytestmark = pytest.mark.slow

HOSTILE = '<img src=x onerror=alert(1)> \u202e😀 "é" ' + "x" * 150


@pytest.fixture(scope="module")
def url(_copy_sqlite) -> str:
    return _copy_sqlite()


@pytest.fixture(scope="module")
def database(url) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def site(url, database) -> Iterator[Served]:
    """Serve the IncluCities round with a mentor too many; we compute its runs."""
    tokens = add_accounts(database)
    with database.write() as session:
        row = set_up(session)
        hostile = City(**city("hostile", "mentor", name=HOSTILE, country="FR"))
        profiles.add(session, TERMINAL, hostile)
        participants.put(session, TERMINAL, row, hostile.id, ParticipationWrite())
        phases.move(session, TERMINAL, row, "open", None)
    with served(url, tokens, runs_at_once="0") as server:
        yield server


def start(database: Database, label: str) -> str:
    with database.write() as session:
        row = rounds.get(session, TERMINAL, "inclucities", lock=True)
        return runs.start(session, TERMINAL, row, RunWrite(label=label)).id


def compute(database: Database) -> str:
    mine = run_protocol.claim(database)
    assert mine is not None
    assert run_protocol.succeed(
        database, mine, match(mine.problem, mine.policy, trials=20)
    )
    return mine.run


@pytest.fixture(scope="module")
def run(site, database) -> str:  # noqa: ARG001 -- it stores the round
    start(database, "By the rules")
    return compute(database)


def sign_in(page: Page, site: Served) -> None:
    page.request.post("/sign-in", form={"token": site.tokens["organiser"], "to": "/"})


def test_a_computation_is_followed_until_its_result_is_there(browser, site, database):
    started = start(database, "Followed")
    with quiet_page(browser, site.address) as page:
        sign_in(page, site)
        loads = []
        page.on("request", lambda one: loads.append(one.resource_type))
        page.goto(f"/runs/{started}")
        says = page.get_by_role("status")
        expect(says).to_have_text("It waits for its turn.")
        mine = run_protocol.claim(database)
        for done in (10, 20):
            run_protocol.heartbeat(
                database, mine, Progress(step="firmness", done=done, of=40)
            )
            expect(says).to_contain_text(f"{done} of 40 trials")
        expect(page.get_by_role("progressbar")).to_have_js_property("value", 0.75)
        check_widths(page, "proposal-progress-light")
        run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
        expect(page.get_by_role("main")).to_contain_text(
            "4 of 4 learners have a mentor."
        )

        # The page was loaded twice: at first, and with the result; told by one stream.
        assert loads.count("document") == 2
        assert loads.count("eventsource") == 1


def test_a_lost_connection_is_made_up_for_by_loading_again(browser, site, database):
    started = start(database, "Lost")
    with quiet_page(browser, site.address) as page:
        sign_in(page, site)
        page.route("**/events", lambda route: route.fulfill(status=204))
        page.goto(f"/runs/{started}")
        mine = run_protocol.claim(database)
        run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
        expect(page.get_by_role("main")).to_contain_text("learners have a mentor")


def test_a_pair_is_pinned_by_keyboard_with_its_price(browser, site, database, run):
    with quiet_page(browser, site.address) as page:
        sign_in(page, site)
        page.goto(f"/runs/{run}?look=table")
        table = page.locator("table.heat")
        # One stop of the Tab key for all cells; the arrow keys go from one to the next.
        expect(table.locator("a[tabindex='0']")).to_have_count(1)
        stop = table.locator("a[tabindex='0']")
        stop.focus()
        row, column = place(page)
        page.keyboard.press("ArrowRight" if column < 3 else "ArrowLeft")
        assert place(page) == (row, column + (1 if column < 3 else -1))
        page.keyboard.press("ArrowDown" if row < 3 else "ArrowUp")
        assert place(page)[0] != row
        while place(page)[0] > 0:
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Whom else could")
        reach(page, page.get_by_role("link", name=re.compile("^Move here")).first)
        page.keyboard.press("Enter")
        price = page.get_by_role("status")
        expect(price).to_contain_text("the round loses")
        reach(page, price.get_by_label("Why?"))
        page.keyboard.type("They know each other.")
        reach(page, price.get_by_role("button", name="Decide so"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("It waits for its turn.")
        pinned = compute(database)
        expect(page.get_by_text("pinned", exact=True)).to_be_visible()
        assert page.url.endswith(pinned)


def place(page: Page) -> tuple[int, int]:
    """Return row and column of the cell that has the focus."""
    found = page.evaluate(
        """() => { const cell = document.activeElement.closest("td, th");
        return [cell.parentNode.rowIndex, cell.cellIndex]; }"""
    )
    return tuple(found)


def reach(page: Page, wanted) -> None:
    """Press Tab until it has the focus."""
    for _ in range(80):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(wanted)


def test_lines_light_up_with_their_city(browser, site, run):
    with quiet_page(browser, site.address) as page:
        sign_in(page, site)
        page.goto(f"/runs/{run}")
        page.locator("a.city[data-mentor=mechelen]").focus()

        lit = page.locator(".tie.lit")

        expect(page.locator("svg.columns.lighting")).to_have_count(1)
        expect(lit).to_have_count(1)
        expect(lit).to_have_attribute("data-mentor", "mechelen")
        page.get_by_role("heading", level=1).hover()
        page.get_by_role("link", name="Skip").first.focus()
        expect(page.locator("svg.columns.lighting")).to_have_count(0)


PAGES = {
    "columns": "/runs/{run}",
    "map": "/runs/{run}?look=map",
    "table": "/runs/{run}?look=table",
    "moves": "/runs/{run}/moves?learner=capaci",
    "decide": "/runs/{run}/decide?decision=ban&mentor=mechelen&learner=capaci",
    "drill": "/runs/{run}/drill",
    "scenarios": "/rounds/inclucities/scenarios?run={run}&run={other}",
}


@pytest.mark.parametrize(("lang", "scheme"), [("fr", "dark")])
def test_pages_of_a_proposal_are_accessible_and_fit(  # noqa: PLR0913
    browser, site, database, run, lang, scheme
):
    with database.write() as session:
        row = rounds.get(session, TERMINAL, "inclucities", lock=True)
        pins = [{"mentor": "schaerbeek", "learner": "capaci"}]
        policy = INCLUCITIES.policy.model_validate(
            INCLUCITIES.policy.to_dict() | {"pins": pins}
        )
        new = RunWrite(label=HOSTILE, policy=policy)
        runs.start(session, TERMINAL, row, new)
    other = compute(database)
    context = quiet_page(browser, site.address, color_scheme=scheme)
    with context as page:
        sign_in(page, site)
        page.goto(f"/rounds/inclucities?lang={lang}")
        faults = {}
        for name, path in PAGES.items():
            page.goto(path.format(run=run, other=other))
            page.wait_for_load_state()
            found = Axe().run(page).response["violations"]
            faults.update({f"{name} {one['id']}": one["nodes"] for one in found})
            check_widths(page, f"proposal-{name}-{lang}-{scheme}")
            assert page.locator("img[src=x]").count() == 0

    assert faults == {}
