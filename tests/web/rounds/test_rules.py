"""The rules desk: its preview says what the engine says, and what each rule costs."""

import re
from typing import Any

import pytest

from app.compute.previewing import preview
from app.services.decisions.engine_queries import EngineQueries
from app.settings import Settings
from app.web.rounds.rules_form import as_typed, policy_of
from matching import Policy, Problem, effort, match
from schemas import City
from tests.fixtures.cities import city, open_round
from tests.web.visitor import HTML, Visitor

CITIES = (
    city("ghent", "mentor", name="Ghent", languages=["nl", "en"]),
    city("liege", "mentor", name="Liège", languages=["fr"], mentor_capacity=2),
    city("turin", "mentor", name="Turin", country="IT", languages=["it", "en"]),
    city("brno", name="Brno", country="CZ", languages=["cs", "en"]),
    city("cork", name="Cork", country="IE", languages=["en"]),
    city("namur", name="Namur", languages=["fr"]),
    city("livadia", name="Livadia", country="IT", languages=["el"]),
)
PROBLEM = Problem(cities=tuple(City(**one) for one in CITIES))
RULES: dict[str, Any] = {
    "rules": {"different_country": True, "shared_language": True, "min_score": 20},
    "caps": [{"side": "mentor", "by": "country", "per": "round", "max": 1}],
    "min_load": {"mentor": 1, "only_if_used": True},
    "pins": [{"mentor": "ghent", "learner": "cork", "reason": "Old friends."}],
    "bans": [{"mentor": "turin", "learner": "brno", "reason": "A quarrel."}],
}
POLICY = Policy(**RULES)
WITHOUT = {
    "different_country": {"rules": RULES["rules"] | {"different_country": False}},
    "shared_language": {"rules": RULES["rules"] | {"shared_language": False}},
    "min_score": {"rules": RULES["rules"] | {"min_score": None}},
    "caps/0": {"caps": []},
    "min_load": {"min_load": {}},
    "pins": {"pins": []},
    "bans": {"bans": []},
}


def served(solution: Any) -> set[str]:
    return {pair.learner for pair in solution.pairings}


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
def test_what_each_rule_costs_is_what_matching_without_it_brings(objective):
    policy = POLICY.model_copy(update={"objective": objective})

    found = preview(PROBLEM, POLICY, policy)

    now = match(PROBLEM, policy)
    assert found.solution == now
    assert [one.rule for one in found.costs] == list(WITHOUT)
    for one in found.costs:
        other = match(
            PROBLEM, Policy(**RULES | {"objective": objective} | WITHOUT[one.rule])
        )
        more = other.measures.learners_served - now.measures.learners_served
        assert one.learners == more, one.rule
        points = other.measures.value - now.measures.value
        assert one.points == pytest.approx(points, abs=1e-6), one.rule
        assert set(one.served) == served(other) - served(now), one.rule
    assert found.untried == ()
    assert any(one.learners for one in found.costs)
    assert any(one.points for one in found.costs)


def test_a_rule_that_alone_leaves_somebody_without_a_mentor_is_told():
    found = preview(PROBLEM, Policy(), POLICY)

    alone = {one.rule: one.alone for one in found.costs if one.alone}
    assert alone == {"shared_language": ("livadia",)}
    assert found.before == match(PROBLEM, Policy()).measures
    old = {(one.mentor, one.learner) for one in match(PROBLEM, Policy()).pairings}
    new = {(one.mentor, one.learner) for one in match(PROBLEM, POLICY).pairings}
    assert found.changed == len(new - old)


def test_what_would_take_too_long_is_not_tried_and_said_so(monkeypatch):
    five = 5 * effort(PROBLEM, POLICY)
    monkeypatch.setattr("app.compute.previewing._WORK", five)

    found = preview(PROBLEM, POLICY, POLICY)

    assert (len(found.costs), len(found.untried)) == (5, 2)
    assert found.untried == ("pins", "bans")


def test_a_policy_goes_through_the_form_unchanged():
    policy = Policy(
        **RULES,
        objective="fair",
        seed=7,
        weights={"needs_met": 32.5, "focus": 0, "proximity": 250},
        left_out_credit=0.25,
    )

    assert policy_of(as_typed(policy), policy) == policy


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    open_round(sqlite_service, *CITIES, policy=RULES)
    return Visitor(sqlite_service).sign_in("organiser").open("/rounds/trial/rules")


def figures(visitor: Visitor) -> dict[str, str]:
    return dict(re.findall(r'data-figure="(\w+)">([^<]*)<', visitor.page.text)[:4])


def test_without_a_script_the_button_shows_the_preview_of_what_is_typed(organiser):
    assert figures(organiser) == {}

    organiser.press("Preview", different_country=[], shared_language=[], min_score="")

    policy = Policy(**RULES | {"rules": {}})
    now = match(PROBLEM, policy)
    weakest = min(pair.score for pair in now.pairings)
    assert organiser.status == 200
    assert figures(organiser) == {
        "pairings": str(len(now.pairings)),
        "without": str(now.measures.learners - now.measures.learners_served),
        "weakest": f"{weakest:.1f}",
        "mean": f"{now.measures.mean:.1f}",
    }
    (form,) = (one for one in organiser.forms() if one.holds("Save as a scenario"))
    assert form.fields["different_country"] == []
    kept = organiser.service.get("/rounds/trial/policy").json()
    assert kept["rules"]["different_country"] is True


def test_the_fragment_is_the_part_of_the_page(organiser):
    typed = as_typed(POLICY)
    answer = organiser.service.client.post(
        "/rounds/trial/rules/preview", data=typed, headers=HTML
    )
    organiser.press("Preview")

    assert answer.status_code == 200
    assert "<html" not in answer.text
    inner = answer.text.strip()
    assert inner in organiser.page.text
    assert "This rule alone leaves Livadia without a mentor." in inner


def test_rules_are_saved_once_and_not_over_those_of_another(organiser):
    organiser.press(
        "Save as the rules of the round",
        objective="served",
        max_distance_km="1 500",
        weight_focus="12",
        cap_1="learner country partner",
        cap_1_max="2",
    )
    assert "These are the rules of the round now." in organiser.text
    kept = organiser.service.get("/rounds/trial/policy").json()
    assert (kept["objective"], kept["rules"]["max_distance_km"]) == ("served", 1500)
    assert (kept["weights"]["focus"], len(kept["caps"])) == (12, 2)
    assert kept["pins"] == [RULES["pins"][0]]

    organiser.open("/rounds/trial/rules")
    theirs = organiser.service.get("/rounds/trial/policy").json() | {
        "objective": "fair"
    }
    organiser.service.put("/rounds/trial/policy", theirs, "*")
    organiser.press("Save as the rules of the round", min_score="33")
    assert organiser.status == 412
    assert "Somebody else has changed the rules meanwhile" in organiser.text
    assert organiser.service.get("/rounds/trial/policy").json()["objective"] == "fair"
    organiser.press("Save as the rules of the round")
    kept = organiser.service.get("/rounds/trial/policy").json()
    assert (kept["objective"], kept["rules"]["min_score"]) == ("served", 33)


def test_a_scenario_is_a_run_with_these_rules_and_the_round_keeps_its_own(organiser):
    organiser.press("Save as a scenario", label="Fairer", objective="fair")

    (run,) = organiser.service.get("/rounds/trial/runs").json()["items"]
    assert organiser.path == f"/runs/{run['id']}"
    assert run["label"] == "Fairer"
    assert organiser.service.get("/rounds/trial/policy").json()["objective"] == "total"


def test_what_is_wrong_comes_back_with_links_to_its_fields(organiser):
    wrong = {"max_distance_km": "far", "min_score": "101", "cap_0_max": "1.5"}
    organiser.press("Save as the rules of the round", **wrong)

    assert organiser.status == 422
    for name, typed in wrong.items():
        assert f'href="#{name}"' in organiser.page.text
        assert f'id="{name}"' in organiser.page.text
        (form,) = (one for one in organiser.forms() if one.holds("Save as a scenario"))
        assert form.fields[name] == [typed]
    weights = {name: "0" for name in as_typed(POLICY) if name.startswith("weight_")}
    organiser.open("/rounds/trial/rules").press("Preview", **weights)
    assert (organiser.status, "at least some weight" in organiser.text) == (422, True)


def test_a_rule_that_is_relaxed_is_tried_on_arrival(organiser):
    organiser.open("/rounds/trial/rules?relax=shared_language")

    (form,) = (one for one in organiser.forms() if one.holds("Save as a scenario"))
    assert form.fields["shared_language"] == []
    now = match(PROBLEM, Policy(**RULES | WITHOUT["shared_language"]))
    assert figures(organiser)["pairings"] == str(len(now.pairings))
    for odd in ("relax=nothing", "relax=caps/9", "relax=max_size_ratio&to=0.5"):
        assert organiser.open(f"/rounds/trial/rules?{odd}").status == 200


def test_decisions_are_taken_back_and_made_by_name(organiser):
    assert "Ghent → mentors Cork “ Old friends. ”" in organiser.text
    organiser.press("Take back Ghent – Cork")
    assert organiser.service.get("/rounds/trial/policy").json()["pins"] == []

    organiser.press(
        "Decide so", kind="bans", mentor="liege", learner="cork", reason="No"
    )

    bans = organiser.service.get("/rounds/trial/policy").json()["bans"]
    assert {(one["mentor"], one["learner"]) for one in bans} == {
        ("turin", "brno"),
        ("liege", "cork"),
    }


def test_an_auditor_tries_and_changes_nothing_and_officers_see_no_desk(organiser):
    auditor = organiser.sign_in("auditor").open("/rounds/trial/rules")
    assert "Save as the rules of the round" not in auditor.buttons()
    assert "Take back Ghent – Cork" not in auditor.buttons()
    assert auditor.press("Preview").status == 200
    sent = as_typed(POLICY) | {"do": "save", "version": "2", "objective": "fair"}
    client = auditor.service.client
    answer = client.post("/rounds/trial/rules", data=sent, headers=HTML)
    assert answer.status_code == 403
    for path in ("rules", "rules/preview", "rules/decisions"):
        organiser.sign_in("officer")
        answer = client.post(f"/rounds/trial/{path}", data=sent, headers=HTML)
        assert answer.status_code == 404, path
    assert organiser.open("/rounds/trial/rules").status == 404
    assert organiser.service.get("/rounds/trial/policy").json()["objective"] == "total"


def test_vetoes_and_wishes_are_not_shown(organiser):
    private = {
        "vetoes": ["turin"],
        "wishes": [{"role": "learner", "partners": ["liege"]}],
    }
    before = organiser.open("/rounds/trial/rules").text
    organiser.service.put("/rounds/trial/participants/cork", private, "*")

    assert organiser.open("/rounds/trial/rules").text == before


def test_when_it_is_busy_the_desk_is_shown_and_says_so(organiser):
    state = organiser.service.client.app.state
    state.answers = EngineQueries(Settings(answer_seconds=0.000001))

    answer = organiser.service.client.post(
        "/rounds/trial/rules/preview", data=as_typed(POLICY), headers=HTML
    )
    organiser.press("Preview")

    assert (answer.status_code, organiser.status) == (503, 503)
    assert "Save as the rules of the round" in organiser.buttons()


def test_a_settled_round_is_tried_but_not_changed(organiser):
    service = organiser.service
    service.post("/rounds/trial/phase", {"to": "archived"})

    organiser.open("/rounds/trial/rules")

    assert "The rules are settled" in organiser.text
    assert set(organiser.buttons()) == {"Preview"}
