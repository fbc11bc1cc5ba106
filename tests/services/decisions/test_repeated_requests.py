"""Two organisers at once, and requests that come twice."""

from tests.fixtures.cities import (
    FIVE,
    audited,
    closed_round,
    listed,
    pairing,
    refusal,
    staged_round,
)
from tests.services.decisions.staged_rounds import OTHERWISE, WHY, state_of


def test_who_decides_about_an_older_round_sees_what_has_changed(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    old_tag = idle_service.get(where).headers["etag"]
    run = idle_service.get(where).json()["staged_run"]
    one = pairing(idle_service, round_id, "amiens", "celje")
    idle_service.post(f"/pairings/{one['id']}/dismiss", WHY)
    before = state_of(idle_service, round_id)

    def late(path, body):
        return idle_service.call(
            "POST", f"{where}/{path}", json=body, headers={"If-Match": old_tag}
        )

    for path, body in (
        ("release", {}),
        ("stage", {"run": run}),
        ("overrides", OTHERWISE),
        ("repairs", {"repair": "0" * 16}),
    ):
        refused = late(path, body)
        assert refusal(refused)[:2] == (412, "stale")
        codes = [error["code"] for error in refused.json()["errors"]]
        assert codes[:2] == ["pairing.dismissed", "round.staged"]
    assert state_of(idle_service, round_id) == before
    fresh = idle_service.get(where).headers["etag"]
    done = idle_service.call(
        "POST", f"{where}/release", json={}, headers={"If-Match": fresh}
    )
    assert done.status_code == 200


def test_a_repeated_request_is_done_once(idle_service):
    round_id, run = closed_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"

    def twice(path, body):
        answers = []
        for _ in range(2):
            before = audited(idle_service)
            answers.append(
                idle_service.call(
                    "POST", path, json=body, headers={"Idempotency-Key": path}
                )
            )
        assert audited(idle_service) == before, "the second one did something"
        first, second = answers
        assert (first.status_code, first.json()) == (200, second.json())
        assert "idempotency-replayed" not in first.headers
        assert second.headers["idempotency-replayed"] == "true"
        assert first.headers.get("etag") == second.headers.get("etag")
        other = idle_service.call(
            "POST", path, json=body | {"x": 1}, headers={"Idempotency-Key": path}
        )
        assert other.status_code in {409, 422}
        return first.json()

    twice(f"{where}/stage", {"run": run})
    twice(f"{where}/overrides", OTHERWISE)
    one = pairing(idle_service, round_id, "amiens", "delft")
    twice(f"/pairings/{one['id']}/dismiss", WHY)
    repair = idle_service.get(f"{where}/repairs").json()["items"][0]["id"]
    twice(f"{where}/repairs", {"repair": repair})
    twice(f"{where}/release", {})
    offered = listed(idle_service, f"{where}/pairings?state=offered")[0]
    answered = {"side": "mentor", "answer": "accept"}
    after = twice(f"/pairings/{offered['id']}/answer", answered)
    assert after["mentor_answer"] == "accepted"
    reused = idle_service.call(
        "POST",
        f"/pairings/{offered['id']}/answer",
        json={"side": "learner", "answer": "accept"},
        headers={"Idempotency-Key": f"/pairings/{offered['id']}/answer"},
    )
    assert refusal(reused) == (409, "key-reused", [])
