"""Webhooks on the API: who has them, their secrets, their pings and their log."""

import json
from datetime import datetime, timedelta

import pytest

from app.db.tables.base import now
from app.permissions import TERMINAL
from app.services.background import send_webhooks
from app.services.webhooks import subscriptions
from tests.fixtures.cities import audited, city, listed, refusal, register
from tests.fixtures.receiver import TAKEN, receiving, says
from tests.services.webhooks.stored_webhooks import (
    INSIDE,
    URL,
    deliveries_of,
    happen,
    hook,
    make_due,
    only,
    post_webhook,
)


def patch(service, webhook: str, body: object, tag: str = "*"):
    headers = {"If-Match": tag}
    return service.call("PATCH", f"/webhooks/{webhook}", json=body, headers=headers)


def test_a_webhook_shows_its_secret_once(idle_service):
    service = idle_service
    answer = post_webhook(service, events=["city.created"], description="Website")
    created = answer.json()
    secret = created.pop("secret")

    assert secret.startswith("whsec_")
    assert answer.headers["location"] == f"/api/v1/webhooks/{created['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert service.get(f"/webhooks/{created['id']}").json() == created
    assert service.get("/webhooks").json() == {"items": [created], "next": None}
    assert created | {
        "id": "",
        "created_by": "",
        "created_at": "",
        "updated_at": "",
    } == {
        "id": "",
        "url": URL,
        "description": "Website",
        "events": ["city.created"],
        "active": True,
        "off_reason": None,
        "old_secret_until": None,
        "created_by": "",
        "created_at": "",
        "updated_at": "",
    }


def test_a_new_secret_is_shown_once_too(idle_service):
    service = idle_service
    created = post_webhook(service).json()

    changed = service.post(f"/webhooks/{created['id']}/secret", None).json()

    assert changed["secret"] != created["secret"]
    until = datetime.fromisoformat(changed.pop("old_secret_until"))
    assert until - now() == pytest.approx(timedelta(days=1), abs=timedelta(minutes=1))
    read = service.get(f"/webhooks/{created['id']}").json()
    assert "secret" not in read
    assert read["old_secret_until"] is not None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "https"),
        ("ftp://hooks.example.org/", "string_pattern_mismatch"),
        ("https://", "string_pattern_mismatch"),
        ("https://?", "url"),
        ("https://user:pass@hooks.example.org/", "url"),
        ("https://user@hooks.example.org/", "url"),
        ("https://hooks.example.org:0/", "url"),
        ("https://hooks.example.org:99999/", "url"),
        ("https://hooks.example.org/ a", "string_pattern_mismatch"),
        ("https://hooks.example.org/" + "a" * 2000, "string_too_long"),
        ("https://hooks.example.org/" + "é" * 700, "url"),
    ],
)
def test_addresses_that_cannot_be_are_refused(sqlite_service, url, code):
    answer = sqlite_service.post("/webhooks", {"url": url})

    assert refusal(answer) == (422, "invalid-input", ["/url"])
    assert answer.json()["errors"][0]["code"] == code


def test_a_url_is_kept_as_it_is_called(sqlite_service):
    created = post_webhook(
        sqlite_service, url="https://Bücher.example/ä?q=1#top"
    ).json()

    assert created["url"] == "https://xn--bcher-kva.example/%C3%A4?q=1"


def test_only_organisers_and_administrators_know_of_webhooks(idle_service):
    service = idle_service
    webhook = post_webhook(service).json()["id"]
    for role in ("officer", "auditor"):
        answer = service.post("/webhooks", {"url": URL}, role)
        assert refusal(answer) == (403, "forbidden", [])
        for path in ("/webhooks", f"/webhooks/{webhook}"):
            assert refusal(service.get(path, role)) == (404, "not-found", [])
    assert service.get("/webhooks", "administrator").json()["items"][0]["id"] == webhook


def test_there_may_be_twenty_webhooks(sqlite_service):
    for _ in range(20):
        post_webhook(sqlite_service)

    answer = sqlite_service.post("/webhooks", {"url": URL})

    assert refusal(answer) == (409, "conflict", [])
    assert len(sqlite_service.get("/webhooks").json()["items"]) == 20


def test_a_webhook_is_changed_by_whoever_has_read_it(idle_service):
    service = idle_service
    created = post_webhook(service)
    webhook, tag = created.json()["id"], created.headers["etag"]

    changed = patch(service, webhook, {"events": ["run.finished"]}, tag)

    assert changed.status_code == 200
    assert changed.json()["events"] == ["run.finished"]
    stale = patch(service, webhook, {"events": []}, tag)
    assert refusal(stale) == (412, "stale", ["/events"])
    before = audited(service)
    same = patch(service, webhook, {"events": ["run.finished"]})
    assert same.headers["etag"] == changed.headers["etag"]
    assert audited(service) == before
    twice = patch(service, webhook, {"events": ["run.finished", "run.finished"]})
    assert refusal(twice) == (422, "invalid-input", ["/events"])


def test_a_webhook_that_is_off_is_told_nothing(idle_service):
    service = idle_service
    webhook = post_webhook(service).json()["id"]
    register(service, city("first"))

    assert patch(service, webhook, {"active": False}).json()["active"] is False

    register(service, city("second"))
    states = [
        one["state"] for one in listed(service, f"/webhooks/{webhook}/deliveries")
    ]
    assert states == ["dropped"]
    ping = service.post(f"/webhooks/{webhook}/ping", None)
    assert refusal(ping) == (409, "conflict", [])
    (one,) = listed(service, f"/webhooks/{webhook}/deliveries")
    replay = f"/webhooks/{webhook}/deliveries/{one['id']}/replay"
    assert refusal(service.post(replay, None)) == (409, "conflict", [])


def test_a_deleted_webhook_takes_its_deliveries_along(idle_service):
    service = idle_service
    webhook = post_webhook(service).json()["id"]
    register(service, city("first"))

    assert service.delete(f"/webhooks/{webhook}").status_code == 204

    assert service.get(f"/webhooks/{webhook}").status_code == 404
    assert deliveries_of(service.client.app.state.database) == []
    register(service, city("second"))


def test_a_ping_comes_whatever_the_webhook_wants(idle_service):
    service = idle_service
    database = service.client.app.state.database
    with receiving() as receiver:
        webhook = hook(database, receiver.url, "run.finished")
        other = hook(database, receiver.url)

        answer = service.post(f"/webhooks/{webhook}/ping", None)

        assert answer.status_code == 202
        send_webhooks.deliver(database, INSIDE, webhook)
        send_webhooks.deliver(database, INSIDE, other)
    (heard,) = receiver.heard
    announcement = json.loads(heard.body)
    assert announcement["type"] == "webhook.ping"
    assert announcement["data"] == {"id": webhook, "url": f"/api/v1/webhooks/{webhook}"}
    read = service.get(f"/webhooks/{webhook}/deliveries/{answer.json()['id']}").json()
    assert read["body"].encode() == heard.body
    assert (read["state"], read["status"], read["due_at"]) == ("delivered", 204, None)


def test_a_replay_has_the_same_id(idle_service):
    service = idle_service
    database = service.client.app.state.database
    with receiving() as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        send_webhooks.deliver(database, INSIDE, webhook)
        (one,) = listed(service, f"/webhooks/{webhook}/deliveries")
        path = f"/webhooks/{webhook}/deliveries/{one['id']}/replay"
        headers = {"Idempotency-Key": "again"}

        first = service.post(path, None, headers=headers)
        second = service.post(path, None, headers=headers)

        assert first.status_code == second.status_code == 202
        assert first.json() == second.json()
        assert first.json()["state"] == "queued"
        assert refusal(service.post(path, None)) == (409, "conflict", [])
        assert send_webhooks.deliver(database, INSIDE, webhook) == 1
    before, after = receiver.heard
    assert before.headers["webhook-id"] == after.headers["webhook-id"]
    assert before.body == after.body
    (one,) = listed(service, f"/webhooks/{webhook}/deliveries")
    assert (one["state"], one["attempt"]) == ("delivered", 2)


def test_a_given_up_delivery_is_replayed_just_once(database):
    with receiving(says(500)) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        for _ in range(10):
            send_webhooks.deliver(database, INSIDE, webhook)
            make_due(database)
        assert only(database).state == "failed"
        with database.write() as session:
            row = subscriptions.get(session, TERMINAL, webhook, lock=True)
            one = subscriptions.delivery(session, row, only(database).id)
            subscriptions.replay(session, TERMINAL, row, one)

        send_webhooks.deliver(database, INSIDE, webhook)

    assert (only(database).state, only(database).attempt) == ("failed", 11)
    assert len(receiver.heard) == 11


def test_the_log_of_a_webhook_is_its_own_page_by_page(idle_service):
    service = idle_service
    database = service.client.app.state.database
    with receiving(says(500), TAKEN) as receiver:
        webhook = hook(database, receiver.url)
        other = hook(database, URL)
        for slug in ("a", "b", "c"):
            happen(database, slug)
        send_webhooks.deliver(database, INSIDE, webhook)
    path = f"/webhooks/{webhook}/deliveries"

    found = listed(service, f"{path}?limit=2")

    bodies = [
        json.loads(service.get(f"{path}/{one['id']}").json()["body"]) for one in found
    ]
    assert [body["data"]["id"] for body in bodies] == ["c", "b", "a"]
    by_state = {
        state: len(listed(service, f"{path}?state={state}"))
        for state in ("queued", "delivered", "failed")
    }
    assert by_state == {"queued": 1, "delivered": 2, "failed": 0}
    (foreign, *_) = listed(service, f"/webhooks/{other}/deliveries")
    assert service.get(f"{path}/{foreign['id']}").status_code == 404
