"""The pages of a proposal, link by link and form by form, without JavaScript."""

import json
import re
from html import unescape

import pytest

from app.services.background import run_protocol
from app.services.runs import runs
from app.texts.progress import how_far, share
from matching import match
from schemas import Progress
from tests.fixtures.cities import (
    FIVE,
    INCLUCITIES,
    compute,
    inclucities_round,
    open_round,
)
from tests.web.visitor import HTML, Visitor

LOOKS = ("columns", "map", "table")


@pytest.fixture
def open_one(sqlite_service) -> tuple[Visitor, str]:
    """Return an organiser, and a run of the open IncluCities round."""
    inclucities_round(sqlite_service)
    run = compute(sqlite_service, "trial", label="First")
    return Visitor(sqlite_service).sign_in("organiser"), run


@pytest.fixture
def proposed(sqlite_service) -> tuple[Visitor, str]:
    """Return an organiser, and a run of a small open round."""
    open_round(sqlite_service, *FIVE)
    run = compute(sqlite_service, "trial")
    return Visitor(sqlite_service).sign_in("organiser"), run


def links(visitor: Visitor) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]+)"', visitor.page.text)]


def pairs_of(visitor: Visitor, run: str) -> set[tuple[str, str]]:
    found = visitor.service.get(f"/runs/{run}/solution").json()["pairings"]
    return {(one["mentor"], one["learner"]) for one in found}


def test_three_looks_show_the_same_pairings(open_one):
    visitor, run = open_one
    expected = pairs_of(visitor, run)

    for look in LOOKS:
        page = visitor.open(f"/runs/{run}?look={look}").page
        assert page.status_code == 200
        (current,) = re.findall(r'<nav class="looks.*?</nav>', page.text, re.DOTALL)
        assert current.count("aria-current") == 1
        picture = re.search(
            rf'<figure [^>]*id="{look}".*?</figure>', page.text, re.DOTALL
        )
        assert picture, look
        chosen = picture[0]
        if look == "table":
            cells = re.findall(r'<td class="h\d is[^"]*"><a href="([^"]+)"', chosen)
            assert len(cells) == len(expected)
        else:
            cells = re.findall(
                r'<a class="(?:tie|arc-link)"[^>]*href="([^"]+)"', chosen
            )
        assert {tuple(one.split("/")[-2:]) for one in cells} == expected, look
    assert visitor.open(f"/runs/{run}?look=dance&page=x&row=-1").status == 200


def test_every_pairing_is_in_the_list_with_its_reasons(open_one):
    visitor, run = open_one
    visitor.open(f"/runs/{run}")

    assert "4 of 4 learners have a mentor." in visitor.text
    assert "no assignment does better" in visitor.text
    assert "Mechelen is strong in 5 of the 6 areas that Capaci needs" in visitor.text
    assert visitor.page.text.count('<article class="card pair">') == 4
    printed = visitor.open(f"/runs/{run}/print").text
    assert "Where the points come from" in printed
    assert printed.count("All 8 criteria") == 4


def test_who_else_a_city_could_have_is_told_with_the_price(open_one):
    visitor, run = open_one
    why_not = visitor.service.get(
        f"/runs/{run}/why-not?mentor=schaerbeek&learner=capaci"
    ).json()

    visitor.open(f"/runs/{run}/moves?learner=capaci")

    assert f"the round loses {why_not['price']:.1f} points" in visitor.text
    assert "Whom else could Capaci have?" in visitor.text
    where = f"/runs/{run}/decide?decision=force&mentor=schaerbeek&learner=capaci"
    assert where in links(visitor)
    visitor.sign_in("auditor").open(f"/runs/{run}/moves?learner=capaci")
    assert "Only organisers decide; here you see the prices." in visitor.text
    assert not [one for one in links(visitor) if "/decide" in one]
    assert visitor.open(f"/runs/{run}/moves?learner=mechelen").status == 404
    assert visitor.open(where).status == 404
    assert visitor.sign_in("officer").open(f"/runs/{run}/moves").status == 404


def test_a_city_is_moved_before_anything_is_staged(open_one):
    visitor, run = open_one
    service = visitor.service
    before = service.get("/rounds/trial/policy").json()["pins"]

    visitor.open(f"/runs/{run}/decide?decision=force&mentor=schaerbeek&learner=capaci")

    assert "If Schaerbeek must be the mentor of Capaci, the round loses" in visitor.text
    assert "Capaci" in visitor.text
    assert service.get("/rounds/trial/policy").json()["pins"] == before == []
    visitor.press("Decide so", reason=" ")
    assert visitor.status == 422
    visitor.press("What would it cost?").press("Decide so", reason="They know.")
    visitor.press_again()
    pin = {"mentor": "schaerbeek", "learner": "capaci", "reason": "They know."}
    assert service.get("/rounds/trial/policy").json()["pins"] == [pin]
    made = service.get("/rounds/trial/runs").json()["items"]
    assert [one["label"] for one in made] == ["First", "First"]
    assert visitor.path == f"/runs/{made[0]['id']}"
    assert "It waits for its turn." in visitor.text
    database = service.client.app.state.database
    mine = run_protocol.claim(database)
    assert run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
    assert ("schaerbeek", "capaci") in pairs_of(visitor, mine.run)


def test_a_pair_is_banned_and_what_was_decided_meanwhile_is_not_lost(open_one):
    visitor, run = open_one
    visitor.open(f"/runs/{run}/decide?decision=ban&mentor=mechelen&learner=capaci")
    theirs = INCLUCITIES.policy.model_copy(update={"left_out_credit": 0.5}).to_dict()
    visitor.service.put("/rounds/trial/policy", theirs, tag="*")

    visitor.press("Decide so", reason="A quarrel.")

    assert visitor.status == 412
    assert "Somebody changed the round since this page was shown" in visitor.text
    visitor.press("What would it cost?").press("Decide so", reason="A quarrel.")
    kept = visitor.service.get("/rounds/trial/policy").json()
    assert kept["left_out_credit"] == 0.5
    assert kept["bans"] == [
        {"mentor": "mechelen", "learner": "capaci", "reason": "A quarrel."}
    ]


def test_a_pair_that_a_rule_forbids_is_refused_with_what_clashes(proposed):
    visitor, run = proposed
    veto = {"vetoes": ["bruges"]}
    visitor.service.put("/rounds/trial/participants/celje", veto, tag="*")
    run = compute(visitor.service, "trial")

    visitor.open(f"/runs/{run}/decide?decision=force&mentor=bruges&learner=celje")

    assert visitor.status == 422
    assert "That cannot be decided so" in visitor.text
    assert "Decide so" not in visitor.buttons()


def test_where_every_price_is_a_matching_it_is_asked_for(proposed):
    visitor, _ = proposed
    run = compute(visitor.service, "trial", policy={"objective": "fair"})

    visitor.open(f"/runs/{run}/moves?learner=celje")

    assert "every price is a computation of its own" in visitor.text
    assert "ask for it" in visitor.text


def test_a_staged_proposal_leads_to_its_overrides_and_another_one_to_it(proposed):
    visitor, other = proposed
    visitor.open("/rounds/trial").press("Close the round")
    run = compute(visitor.service, "trial")
    visitor.open(f"/runs/{run}").press("Stage these pairings")

    visitor.open(f"/runs/{run}/moves?learner=celje")
    place = "/rounds/trial/override?decision=force&mentor=bruges&learner=celje"
    assert place in links(visitor)
    visitor.open(place)
    assert "If bruges must be the mentor of celje" in visitor.text
    visitor.press("Decide so", reason="Friends.")
    assert visitor.path == "/rounds/trial/pairings"
    visitor.open(f"/runs/{other}/moves?learner=celje")
    assert "Another proposal is staged" in visitor.text
    answer = visitor.service.client.get(f"/runs/{other}/decide", headers=HTML)
    assert answer.status_code == 409


def test_a_computation_is_followed_without_javascript_and_stopped(sqlite_service):
    round_id = open_round(sqlite_service, *FIVE)
    visitor = Visitor(sqlite_service).sign_in("organiser")
    visitor.open(f"/rounds/{round_id}").press("Propose pairings")
    assert '<noscript><meta http-equiv="refresh" content="2">' in visitor.page.text
    database = sqlite_service.client.app.state.database
    mine = run_protocol.claim(database)
    run_protocol.heartbeat(database, mine, Progress(step="firmness", done=50, of=200))

    visitor.open(f"/runs/{mine.run}")

    assert 'value="0.625"' in visitor.page.text
    assert "50 of 200 trials" in visitor.text
    assert visitor.buttons() == ["Stop the computation"]
    auditor = Visitor(sqlite_service).sign_in("auditor").open(f"/runs/{mine.run}")
    assert auditor.buttons() == []
    visitor.sign_in("organiser").open(f"/runs/{mine.run}").press("Stop the computation")
    assert "There is no proposal: the run is stopped" in visitor.text


def test_progress_only_grows_from_step_to_step(sqlite_service):
    round_id = open_round(sqlite_service, *FIVE)
    sqlite_service.post(f"/rounds/{round_id}/runs", {})
    database = sqlite_service.client.app.state.database
    mine = run_protocol.claim(database)
    told = []
    for step, of in (
        ("scores", 1),
        ("assignment", 3),
        ("explanation", 1),
        ("firmness", 9),
    ):
        for done in range(of + 1):
            run_protocol.heartbeat(
                database, mine, Progress(step=step, done=done, of=of)
            )
            with database.read() as session:
                run = runs.as_run(session.get_one(runs.tables.Run, mine.run))
            told.append((share(run), how_far(run)))
    shares = [one for one, _ in told]

    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len({says for _, says in told}) == 1 + 4 + 1 + 10


@pytest.mark.parametrize(
    ("lang", "says"),
    [("en", "It waits for its turn."), ("fr", "Elle attend son tour.")],
)
def test_the_stream_of_a_page_speaks_the_readers_language(sqlite_service, lang, says):
    round_id = open_round(sqlite_service, *FIVE)
    run = sqlite_service.post(f"/rounds/{round_id}/runs", {}).json()["id"]
    sqlite_service.client.app.state.stopping.set()  # the stream ends by itself
    client = sqlite_service.client
    assert client.get(f"/runs/{run}/events", headers=HTML, follow_redirects=False).status_code == 303  # fmt: skip  # noqa: E501
    Visitor(sqlite_service).sign_in("organiser")

    answer = client.get(f"/runs/{run}/events?lang={lang}")

    assert answer.headers["content-type"].startswith("text/event-stream")
    (data,) = re.findall("^data: (.*)$", answer.text, re.MULTILINE)
    assert json.loads(data) == {"state": "queued", "share": 0.0, "says": says}
    Visitor(sqlite_service).sign_in("officer")
    assert client.get(f"/runs/{run}/events").status_code == 404


def test_three_proposals_are_started_once_and_compared(sqlite_service):
    round_id = open_round(sqlite_service, *FIVE)
    visitor = Visitor(sqlite_service).sign_in("organiser")
    visitor.open(f"/rounds/{round_id}/scenarios")
    assert "There is no proposal yet." in visitor.text

    visitor.press("Start three proposals")
    assert "3 of 3 proposals are still being computed" in visitor.text
    visitor.open(f"/rounds/{round_id}/scenarios").press("Start three proposals")

    made = sqlite_service.get(f"/rounds/{round_id}/runs").json()["items"]
    assert sorted(one["label"] for one in made) == [
        "Best total",
        "Fairest",
        "Most served",
    ]
    database = sqlite_service.client.app.state.database
    objectives = []
    for _ in range(3):
        mine = run_protocol.claim(database)
        objectives.append(mine.policy.objective)
        run_protocol.succeed(database, mine, match(mine.problem, mine.policy))
    assert sorted(objectives) == ["fair", "served", "total"]
    visitor.open(f"/rounds/{round_id}/scenarios")
    for row in (
        "most points 3 3",
        "best for the worst off 3 3",
        "most learners served",
    ):
        assert row in visitor.text
    assert "Compared with no. 1" in visitor.text
    assert visitor.text.count("0 learners have somebody else: 0 gain, 0 lose.") == 2


def test_proposals_that_differ_are_drawn_and_told_in_two_sentences(proposed):
    visitor, first = proposed
    pins = [{"mentor": "bruges", "learner": "celje"}]
    second = compute(visitor.service, "trial", policy={"pins": pins}, label="Pinned")

    visitor.open(f"/rounds/trial/scenarios?run={first}&run={second}")

    diff = visitor.service.post(f"/runs/{first}/what-if", {"force": [pins[0]]}).json()[
        "difference"
    ]
    changed = {one["learner"] for one in diff["added"] + diff["removed"]}
    count = len(changed)
    assert f"{count} learners have somebody else" in visitor.text
    assert visitor.page.text.count('<g class="rise') == count
    total = f"{diff['points']:+.1f}".replace("-", "−")
    assert f"In all {total} points" in visitor.text
    for learner in changed:
        assert f">{learner}</text>" in visitor.page.text
