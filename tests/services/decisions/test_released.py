"""The sealed decision of a release, what is said of it, and runs side by side."""

import io
import json
import zipfile

import pytest

from app.services.runs import bundle
from tests.cli.test_offline import compaan
from tests.fixtures.cities import (
    FIVE,
    PROPOSED,
    add_officer,
    city,
    closed_round,
    compute,
    confirm,
    listed,
    pairing,
    refusal,
    released_round,
    say,
    staged_round,
)
from tests.services.runs.test_bundle import rewritten

WHY = {"reason": "They met last year."}
FORCED = {
    "force": [{"mentor": "amiens", "learner": "delft"}],
    "reason": "A friendship of thirty years.",
}


def sealed(service, round_id):
    answer = service.get(f"/rounds/{round_id}/bundle")
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "application/zip",
    )
    return answer.content


def verified(tmp_path, content):
    path = tmp_path / "release.zip"
    path.write_bytes(content)
    code, out, err = compaan("verify", path)
    return code, (out or err).replace(f"{path}: ", "").splitlines()


def by_hand(service):
    """Return a released round with an override, a dismissal and a staged repair."""
    zadar = city("zadar", languages=["hr"], areas={"health": {"need": 1}})
    round_id = staged_round(service, *FIVE, zadar)
    where = f"/rounds/{round_id}"
    assert service.post(f"{where}/overrides", FORCED).status_code == 200
    one = pairing(service, round_id, "bruges", "evora")
    service.post(f"/pairings/{one['id']}/dismiss", WHY)
    (repair, *_) = service.get(f"{where}/repairs").json()["items"]
    assert [(one["mentor"], one["learner"]) for one in repair["added"]] == [
        ("bruges", "celje")
    ]
    assert service.post(f"{where}/repairs", {"repair": repair["id"]}).is_success
    assert service.post(f"{where}/release", {}).status_code == 200
    return round_id


def test_a_release_is_sealed_with_the_run_that_was_staged(idle_service, tmp_path):
    add_officer(idle_service, "delft")
    round_id, staged = closed_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    bans = [{"mentor": "bruges", "learner": "evora"}]
    compute(idle_service, round_id, policy={"bans": bans})  # newer, and not staged
    idle_service.post(f"{where}/stage", {"run": staged})
    released = idle_service.post(f"{where}/release", {}).json()

    content = sealed(idle_service, round_id)

    run = idle_service.get(f"/runs/{staged}").json()
    assert idle_service.get(f"{where}/decision", "delft").json() == {
        "round": round_id,
        "run": staged,
        "released_at": released["released_at"],
        "problem_hash": run["problem_hash"],
        "policy_hash": run["policy_hash"],
        "sha256": bundle.digest(content),
    }
    found = bundle.unseal(content)
    solution = idle_service.get(f"/runs/{staged}/solution").json()
    assert found.solution.to_dict() == solution
    assert [(one.mentor, one.learner) for one in found.released.pairings] == PROPOSED
    assert found.released.dismissed == ()
    assert (
        found.released.at.isoformat().replace("+00:00", "Z")
        == (released["released_at"])
    )
    code, lines = verified(tmp_path, content)
    assert code == 0
    assert lines[0].startswith("The same, byte for byte: 3 pairings, sha256:")
    assert lines[1:] == ["3 pairings were offered."]


def test_what_was_decided_by_hand_is_sealed_with_reason_and_price(
    idle_service, tmp_path
):
    round_id = by_hand(idle_service)
    pairings = listed(idle_service, f"/rounds/{round_id}/pairings")

    content = sealed(idle_service, round_id)

    found = bundle.unseal(content).released
    fields = ("mentor", "learner", "origin", "reason", "price")
    for kind, state in ((found.pairings, "offered"), (found.dismissed, "dismissed")):
        assert [one.model_dump() for one in kind] == [
            {field: one[field] for field in fields}
            for one in pairings
            if one["state"] == state
        ]
    assert [one.origin for one in found.pairings] == ["repair", "override", "proposal"]
    code, lines = verified(tmp_path, content)
    assert code == 0
    price = pairing(idle_service, round_id, "amiens", "delft")["price"]
    assert price > 0
    assert (
        f"  amiens → delft: override, price {price:.1f} points: {FORCED['reason']}"
    ) in lines
    dismissed = found.dismissed[0]
    assert (
        f"  {dismissed.mentor} → {dismissed.learner}: dismissed: {WHY['reason']}"
    ) in lines


def add_a_pair(decision):
    decision["pairings"].append(
        decision["pairings"][0] | {"learner": "evora", "origin": "proposal"}
    )


def drop_a_pair(decision):
    decision["pairings"].pop()


def swap_a_mentor(decision):
    decision["pairings"][1]["mentor"] = "amiens"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (add_a_pair, ["amiens → evora was offered, and not proposed."]),
        (
            drop_a_pair,
            ["bruges → evora was proposed, and neither offered nor dismissed."],
        ),
        (
            swap_a_mentor,
            [
                "bruges → delft was proposed, and neither offered nor dismissed.",
                "amiens → delft was offered, and not proposed.",
            ],
        ),
    ],
)
def test_a_decision_that_was_tampered_with_is_found_out(
    sqlite_service, tmp_path, change, says
):
    content = sealed(sqlite_service, released_round(sqlite_service, *FIVE))

    forged = rewritten(content, decision=change)

    assert verified(tmp_path, forged) == (
        1,
        ["The decision does not follow from the run:", *says],
    )


def test_a_decision_that_does_not_match_its_digest_is_no_bundle(
    sqlite_service, tmp_path
):
    content = sealed(sqlite_service, released_round(sqlite_service, *FIVE))
    again = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(again, "w") as new,
    ):
        for name in old.namelist():
            part = old.read(name)
            if name == "decision.json":
                decision = json.loads(part)
                drop_a_pair(decision)
                part = json.dumps(decision).encode()
            new.writestr(name, part)

    assert verified(tmp_path, again.getvalue()) == (
        2,
        ["decision.json was changed after the bundle was sealed."],
    )


def test_what_comes_after_the_release_does_not_change_what_was_decided(idle_service):
    round_id = released_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    before = (
        sealed(idle_service, round_id),
        idle_service.get(f"{where}/decision").json(),
    )
    confirm(idle_service, pairing(idle_service, round_id, "amiens", "celje"))
    say(
        idle_service, pairing(idle_service, round_id, *PROPOSED[1]), "mentor", "decline"
    )
    one = pairing(idle_service, round_id, *PROPOSED[2])
    idle_service.post(f"/pairings/{one['id']}/withdraw", WHY)
    idle_service.post(f"{where}/phase", {"to": "archived"})

    assert before == (
        sealed(idle_service, round_id),
        idle_service.get(f"{where}/decision").json(),
    )


READ = ("decision", "how-we-chose", "how-we-chose.html")


def test_before_the_release_there_is_no_decision_to_read(sqlite_service):
    add_officer(sqlite_service, "amiens")
    round_id = staged_round(sqlite_service, *FIVE)
    sqlite_service.call(
        "PATCH", f"/rounds/{round_id}", json={"public": True}, headers={"If-Match": "*"}
    )

    for path in READ:
        for role in ("organiser", "amiens"):
            hidden = sqlite_service.get(f"/rounds/{round_id}/{path}", role)
            assert refusal(hidden) == (409, "wrong-phase", [])
        unknown = sqlite_service.get(f"/rounds/{round_id}/{path}", None)
        assert refusal(unknown) == (401, "unauthenticated", [])
    assert sqlite_service.get(f"/rounds/{round_id}/bundle").status_code == 409


@pytest.mark.parametrize("public", [False, True])
def test_how_we_chose_is_public_only_if_the_round_says_so(sqlite_service, public):
    add_officer(sqlite_service, "stranger")
    round_id = released_round(sqlite_service, *FIVE)
    where = f"/rounds/{round_id}"
    sqlite_service.call(
        "PATCH", where, json={"public": public}, headers={"If-Match": "*"}
    )

    for path in READ:
        answer = sqlite_service.get(f"{where}/{path}", "stranger")
        assert answer.status_code == 200
        anybody = sqlite_service.get(f"{where}/{path}", None)
        if public:
            assert anybody.content == answer.content
        else:
            assert refusal(anybody) == (401, "unauthenticated", [])
    bundled = sqlite_service.get(f"{where}/bundle", None)
    assert bundled.status_code == 401
    assert refusal(sqlite_service.get(f"{where}/bundle", "stranger"))[0] == 404
    assert sqlite_service.get("/rounds/none/decision", None).status_code == 401


def test_how_we_chose_is_told_in_three_languages(idle_service):
    round_id = by_hand(idle_service)
    where = f"/rounds/{round_id}/how-we-chose"

    by_language = {
        lang: idle_service.get(f"{where}?lang={lang}").json()
        for lang in ("en", "fr", "nl")
    }

    assert idle_service.get(where).json() == by_language["en"]
    assert len({one["title"] for one in by_language.values()}) == 3
    offered = [
        one
        for one in listed(idle_service, f"/rounds/{round_id}/pairings")
        if one["state"] == "offered"
    ]
    digest = idle_service.get(f"/rounds/{round_id}/decision").json()["sha256"]
    for lang, one in by_language.items():
        assert one["language"] == lang
        assert len(one["rows"]) == len(offered)
        whole = json.dumps(one, ensure_ascii=False)
        assert digest in whole
        assert FORCED["reason"] in whole
        assert WHY["reason"] not in whole
        page = idle_service.get(f"{where}.html?lang={lang}")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f'lang="{lang}"' in page.text
        assert digest in page.text
    wrong = idle_service.get(f"{where}?lang=de")
    assert refusal(wrong) == (422, "invalid-input", ["?lang"])


# Runs side by side.


def test_runs_are_compared_by_one_measure(idle_service):
    round_id, first = closed_round(idle_service, *FIVE)
    bans = [{"mentor": "bruges", "learner": "evora", "reason": "B"}]
    second = compute(idle_service, round_id, label="Without", policy={"bans": bans})
    third = compute(
        idle_service, round_id, policy={"objective": "fair", "weights": {"language": 0}}
    )
    place = f"/rounds/{round_id}/scenarios"

    comparison = idle_service.get(
        place, params={"run": [first, second, third, first]}
    ).json()

    solutions = {
        run: idle_service.get(f"/runs/{run}/solution").json()
        for run in (first, second, third)
    }
    assert [one["run"] for one in comparison["runs"]] == [first, second, third]
    assert [one["label"] for one in comparison["runs"]] == [None, "Without", None]
    assert [one["pairings"] for one in comparison["runs"]] == [
        len(one["pairings"]) for one in solutions.values()
    ]
    measures = solutions[first]["measures"]
    assert {
        field: comparison["runs"][0][field]
        for field in ("total", "mean", "worst_off", "learners_served")
    } == {
        field: measures[field]
        for field in ("total", "mean", "worst_off", "learners_served")
    }
    sets = [
        {(one["mentor"], one["learner"]) for one in solution["pairings"]}
        for solution in solutions.values()
    ]
    assert {
        (one["mentor"], one["learner"]) for one in comparison["shared"]
    } == set.intersection(*sets)
    assert comparison["differing"] == [
        {
            "learner": learner,
            "mentors": [
                [mentor for mentor, other in sorted(pairs) if other == learner]
                for pairs in sets
            ],
        }
        for learner in ("celje", "delft", "evora")
        if len({frozenset(p for p in pairs if p[1] == learner) for pairs in sets}) > 1
    ]
    assert comparison["differing"]
    # By its own policy the third has another total for the same pairs.
    assert sets[2] == sets[0]
    assert solutions[third]["measures"]["total"] != measures["total"]
    assert comparison["runs"][2]["total"] == measures["total"]


def test_runs_that_cannot_be_compared_are_refused(sqlite_service):
    add_officer(sqlite_service, "amiens")
    round_id, run = closed_round(sqlite_service, *FIVE)
    place = f"/rounds/{round_id}/scenarios"
    queued = sqlite_service.post(f"/rounds/{round_id}/runs", {}).json()["id"]

    def refused_with(*given, role="organiser"):
        return refusal(sqlite_service.get(place, role, params={"run": list(given)}))

    assert refused_with() == (422, "invalid-input", ["?run"])
    assert refused_with(*[run] * 7) == (422, "invalid-input", ["?run"])
    assert refused_with(run, "x")[:2] == (422, "invalid-input")
    assert refused_with(run, "0" * 32) == (404, "not-found", [])
    assert refused_with(run, queued) == (409, "not-finished", [])
    assert refused_with(run, role="amiens") == (404, "not-found", [])


def test_runs_from_before_the_round_changed_are_compared_too(sqlite_service):
    round_id, run = closed_round(sqlite_service, *FIVE)
    where = f"/rounds/{round_id}"
    sqlite_service.delete(f"{where}/participants/delft")
    rules = {"rules": {"different_country": True, "shared_language": True}}
    sqlite_service.put(f"{where}/policy", rules, "*")
    later = compute(sqlite_service, round_id)

    comparison = sqlite_service.get(f"{where}/scenarios", params={"run": [run, later]})

    assert comparison.status_code == 200, comparison.text
    assert [one["pairings"] for one in comparison.json()["runs"]] == [3, 0]


def test_a_scenario_of_an_empty_round_is_empty(sqlite_service):
    round_id, run = closed_round(sqlite_service, city("alone"))

    comparison = sqlite_service.get(f"/rounds/{round_id}/scenarios?run={run}").json()

    assert comparison == {
        "runs": [
            {
                "run": run,
                "label": None,
                "objective": "total",
                "pairings": 0,
                "total": 0,
                "worst_off": 0,
                "mean": 0,
                "learners_served": 0,
                "firm": None,
            }
        ],
        "shared": [],
        "differing": [],
    }
