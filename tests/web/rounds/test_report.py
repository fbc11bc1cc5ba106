"""The report of a decision says what is stored, and nothing that is confidential."""

import re
from html import unescape

from app.texts.catalogue import words
from app.web.rounds import report
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    compute,
    confirm,
    listed,
    open_round,
    pairing,
    released_round,
    say,
    staged_round,
)
from tests.web.visitor import Visitor


def look(visitor: Visitor) -> str:
    page = visitor.open("/rounds/trial/report").page
    assert page.status_code == 200
    return page.text


def rows(page: str, name: str, tag: str = "tr") -> list[list[str]]:
    """Return the cells of a table or a list by its id, without tags."""
    part = page.partition(f'id="{name}"')[2]
    part = part.partition("</table>" if tag == "tr" else "</ul>")[0]
    found = []
    for row in re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", part, re.DOTALL):
        cells = re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL) or [row]
        plain = [
            " ".join(unescape(re.sub(r"<[^>]*>", "", one)).split()) for one in cells
        ]
        found.append(plain)
    return found


def number(value: float, decimals: int = 1) -> str:
    return words("en").number(value, decimals)


def test_the_report_has_the_pairings_as_they_are_stored(organiser):
    service = organiser.service
    staged_round(service, *FIVE)

    _, *found = rows(look(organiser), "report-pairings")

    stored = listed(service, "/rounds/trial/pairings")
    explained = {
        one["id"]: service.get(f"/pairings/{one['id']}/explanation").json()
        for one in stored
    }
    assert found == [
        [
            f"{one['mentor']} → {one['learner']}",
            number(one["score"]),
            "not known",
            "◇ staged",
            explained[one["id"]]["sentences"][0],
        ]
        for one in stored
    ]
    assert len(found) == 3


def test_measures_and_fingerprints_are_those_of_the_run(organiser):
    service = organiser.service
    released_round(service, *FIVE)

    page = look(organiser)

    run = service.get("/rounds/trial").json()["staged_run"]
    solution = service.get(f"/runs/{run}/solution").json()
    whole = solution["measures"]
    assert [cells[1] for cells in rows(page, "report-measures")] == [
        number(whole["total"]),
        f"{whole['learners_served']} of {whole['learners']}",
        number(whole["mean"]),
        number(whole["worst_off"]),
        number(whole["gini"], 2),
        str(whole["blocking_pairs"]),
    ]
    decision = service.get("/rounds/trial/decision").json()
    versions = "".join(f", {n} {v}" for n, v in solution["versions"].items())
    assert [cells[1] for cells in rows(page, "report-marks")] == [
        decision["problem_hash"],
        decision["policy_hash"],
        decision["sha256"],
        f"{run}, {solution['seed']}, {solution['engine']}{versions}",
    ]


def test_weights_add_up_to_100_points_and_are_the_policys(organiser):
    weights = {"needs_met": 3, "evidence": 1}
    policy = {"weights": dict.fromkeys(_CRITERIA, 0) | weights}
    staged_round(organiser.service, *FIVE, policy=policy)

    page = look(organiser)

    assert [one[0] for one in rows(page, "report-weights", "li")] == [
        "Needs met 75.0",
        "Evidence 25.0",
    ]
    bar = page.partition('class="bars weights"')[2].partition("</svg>")[0]
    found = re.findall(r'class="bar-(\w+)" x="([\d.]+)" width="([\d.]+)"', bar)
    assert found == [("needs_met", "0.0", "75.0"), ("evidence", "75.0", "25.0")]


_CRITERIA = (
    "needs_met",
    "focus",
    "evidence",
    "language",
    "context",
    "proximity",
    "give_back",
    "practice_text",
)


def test_decisions_by_hand_stand_with_their_reasons_and_prices(organiser):
    service = organiser.service
    staged_round(service, *FIVE)
    body = {
        "force": [{"mentor": "amiens", "learner": "delft"}],
        "reason": "A friendship of thirty years.",
    }
    price = service.post("/rounds/trial/overrides", body).json()["price"]
    out = pairing(service, "trial", "bruges", "evora")
    service.post(f"/pairings/{out['id']}/dismiss", {"reason": "They have met."})

    page = look(organiser)

    assert [one[0] for one in rows(page, "report-decisions", "li")] == [
        (
            "amiens → delft: decided by hand (the round loses "
            f"{number(price)} points). “A friendship of thirty years.”"
        ),
        "bruges → evora: taken out. “They have met.”",
    ]
    pinned = [one[0] for one in rows(page, "report-rules", "li")]
    assert "Pinned by the organiser: 1." in pinned


def test_who_is_left_out_is_told_with_the_reason_but_no_veto(organiser):
    service = organiser.service
    fewer = [
        one | {"mentor_capacity": 1} if one["id"] == "bruges" else one for one in FIVE
    ]
    open_round(service, *fewer)
    veto = {"vetoes": ["amiens"]}
    service.put("/rounds/trial/participants/evora", veto, tag="*")
    service.post("/rounds/trial/phase", {"to": "closed"})
    run = compute(service, "trial")
    service.post("/rounds/trial/stage", {"run": run})

    page = look(organiser)

    assert [one[0] for one in rows(page, "report-left", "li")] == [
        ("evora (learner). Of these: 1 has given all its places to others."),
    ]
    assert "not available" not in page
    assert "veto" not in page.partition("<main")[2].partition("</main>")[0]


def test_who_declined_is_told_among_those_without_a_partner(organiser):
    service = organiser.service
    released_round(service, *FIVE)
    say(service, pairing(service, "trial", "amiens", "celje"), "mentor", "decline")

    page = look(organiser)

    told = "amiens → celje: declined by amiens."
    assert [one[0] for one in rows(page, "report-left", "li")] == [
        f"celje (learner). {told}",
        f"amiens (mentor). {told}",
    ]
    _, *found = rows(page, "report-pairings")
    assert [one[3] for one in found] == ["✕ declined", *["○ waits for an answer"] * 2]
    assert "2 pairings stand." in page


def test_who_mentors_how_often_is_counted_over_all_rounds(organiser):
    service = organiser.service
    released_round(service, *FIVE)
    confirm(service, pairing(service, "trial", "bruges", "delft"))

    _, *found = rows(look(organiser), "report-mentors")

    ledger = {one["city"]: one for one in listed(service, "/ledger")}
    assert found == [
        ["bruges", "2", str(ledger["bruges"]["mentored"])],
        ["amiens", "1", str(ledger["amiens"]["mentored"])],
    ]
    assert found[0][2] == "1"


def test_of_a_large_round_the_least_firm_pairings_are_told(organiser, monkeypatch):
    service = organiser.service
    staged_round(service, *FIVE)
    stored = listed(service, "/rounds/trial/pairings")
    lowest = sorted(stored, key=lambda one: one["score"])[:2]
    monkeypatch.setattr(report, "_ROWS", 2)

    page = look(organiser)

    _, *found = rows(page, "report-pairings")
    assert sorted(one[0] for one in found) == sorted(
        f"{one['mentor']} → {one['learner']}" for one in lowest
    )
    assert "The 2 least firm of 3 pairings:" in page
    assert 'href="/rounds/trial/pairings">on the page of pairings' in page


def test_the_report_is_for_organisers_and_auditors(organiser):
    service = organiser.service
    add_officer(service, "bruges")
    staged_round(service, *FIVE)

    assert organiser.sign_in("auditor").open("/rounds/trial/report").status == 200
    assert organiser.sign_in("bruges").open("/rounds/trial/report").status == 404


def test_before_anything_is_staged_there_is_nothing_to_report(organiser):
    organiser.service.post("/rounds", {"name": "Trial"})

    organiser.open("/rounds/trial/report")

    assert organiser.status == 200
    assert "There is nothing to report yet" in organiser.text
