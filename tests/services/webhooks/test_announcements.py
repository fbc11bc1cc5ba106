"""What is announced to webhooks, and what is not."""

import json
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, func, select

from app.db import tables
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.log import audit
from app.services.webhooks import subscriptions
from schemas import City
from tests.fixtures.cities import (
    FIVE,
    city,
    compute,
    confirm,
    inclucities_round,
    open_round,
    pairing,
    register,
    released_round,
    say,
    staged_round,
)
from tests.services.webhooks.stored_webhooks import URL, deliveries_of, happen, hook


def announced(service, work) -> list[tuple[str, str, list[str] | None]]:
    """Run `work`; return (type, url, fields) of all that it announces to webhooks."""
    created = service.post("/webhooks", {"url": URL})
    assert created.status_code == 201
    work()
    with service.client.app.state.database.read() as session:
        table = tables.Delivery
        bodies = session.scalars(select(table.body).order_by(table.created_at))
        found = [json.loads(body) for body in bodies]
    for one in found:
        assert set(one) == {"type", "timestamp", "data"}
        assert datetime.fromisoformat(one["timestamp"]).tzinfo == UTC
        assert one["data"]["id"] in one["data"]["url"]
    return [
        (
            one["type"],
            one["data"]["url"].removeprefix("/api/v1"),
            one["data"].get("fields"),
        )
        for one in found
    ]


def test_what_happens_to_a_city_is_announced(idle_service):
    service = idle_service

    def work():
        register(service, city("ghent"))
        service.call(
            "PATCH",
            "/cities/ghent",
            json={"needs_text": "Secret wishes"},
            headers={"If-Match": "*"},
        )
        practice = {"area": "housing", "title": "Buddies of Anna"}
        assert service.post("/cities/ghent/practices", practice).status_code == 201
        assert service.delete("/cities/ghent").status_code == 204

    assert announced(service, work) == [
        ("city.created", "/cities/ghent", None),
        ("city.updated", "/cities/ghent", ["needs_text"]),
        ("city.updated", "/cities/ghent", ["practices"]),
        ("city.deleted", "/cities/ghent", None),
    ]


def test_what_happens_in_a_round_is_announced(idle_service):
    service = idle_service
    register(service, city("ghent"))
    at = "/rounds/trial"
    run = {}

    def work():
        service.post("/rounds", {"name": "Trial"})
        service.put(f"{at}/participants/ghent", {})
        service.put(f"{at}/participants/ghent", {"learner_demand": 2}, tag="*")
        service.put(f"{at}/policy", {"objective": "fair"}, tag="*")
        service.post(f"{at}/phase", {"to": "open"})
        run["id"] = service.post(f"{at}/runs", {}).json()["id"]
        service.delete(f"/runs/{run['id']}")
        service.delete(f"{at}/participants/ghent")

    assert announced(service, work) == [
        ("round.created", at, None),
        ("participant.joined", f"{at}/participants/ghent", None),
        ("participant.changed", f"{at}/participants/ghent", ["learner_demand"]),
        ("round.updated", at, ["policy"]),
        ("round.phase_changed", at, None),
        ("run.finished", f"/runs/{run['id']}", None),
        ("participant.left", f"{at}/participants/ghent", None),
    ]


def test_the_end_of_a_run_is_announced(idle_service):
    round_id = inclucities_round(idle_service)
    run = []

    found = announced(idle_service, lambda: run.append(compute(idle_service, round_id)))

    assert found == [("run.finished", f"/runs/{run[0]}", None)]


def test_what_becomes_of_pairings_is_announced(idle_service):
    service = idle_service
    round_id = released_round(service, *FIVE)
    first = pairing(service, round_id, "amiens", "celje")
    second = pairing(service, round_id, "bruges", "delft")
    third = pairing(service, round_id, "bruges", "evora")

    def work():
        confirm(service, first)
        say(service, second, "mentor", "decline")
        service.post(f"/pairings/{third['id']}/withdraw", {"reason": "A secret."})

    assert announced(service, work) == [
        ("pairing.answered", f"/pairings/{first['id']}", None),
        ("pairing.answered", f"/pairings/{first['id']}", None),
        ("pairing.confirmed", f"/pairings/{first['id']}", None),
        ("pairing.answered", f"/pairings/{second['id']}", None),
        ("pairing.declined", f"/pairings/{second['id']}", None),
        ("pairing.withdrawn", f"/pairings/{third['id']}", None),
    ]


def test_staging_and_release_are_announced(idle_service):
    service = idle_service
    round_id = staged_round(service, *FIVE)
    one = pairing(service, round_id, "bruges", "evora")

    def work():
        service.post(f"/pairings/{one['id']}/dismiss", {"reason": "A secret."})
        service.post(f"/rounds/{round_id}/release", {})

    assert announced(service, work) == [
        ("pairing.dismissed", f"/pairings/{one['id']}", None),
        ("round.phase_changed", f"/rounds/{round_id}", None),
    ]


def test_erasures_are_announced_without_names(idle_service):
    service = idle_service
    register(service, city("mechelen"))
    round_id = open_round(service)
    contact = service.post(
        "/cities/mechelen/contacts", {"name": "Anna Peeters"}
    ).json()["id"]
    officer = service.get("/account", "officer").json()["id"]

    def work():
        assert service.delete(f"/cities/mechelen/contacts/{contact}").is_success
        assert service.delete("/account", role="officer").is_success
        with service.client.app.state.database.write() as session:
            audit.record(session, TERMINAL, "round.cleared", round_id=round_id)

    assert announced(service, work) == [
        ("erasure.done", f"/cities/mechelen/contacts/{contact}", None),
        ("erasure.done", f"/accounts/{officer}", None),
        ("erasure.done", f"/rounds/{round_id}", None),
    ]


def test_a_webhook_is_told_of_what_it_wants_alone(database):
    everything = hook(database, URL)
    some = hook(database, URL, "round.created", "city.created")
    none = hook(database, URL, "city.deleted")

    happen(database)

    first, second = deliveries_of(database)
    assert {first.webhook_id, second.webhook_id} == {everything, some}
    assert none not in {first.webhook_id, second.webhook_id}
    assert first.event == second.event
    assert first.body == second.body


def test_what_is_undone_is_not_announced(database):
    hook(database, URL)

    def begin_and_give_up():
        with database.write() as session:
            profiles.add(session, TERMINAL, City(**city("ghent")))
            session.flush()
            count = select(func.count()).select_from(tables.Delivery)
            assert session.scalar(count) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin_and_give_up()

    assert deliveries_of(database) == []


def test_without_a_webhook_a_transaction_asks_once(database):
    queries = []

    def note(_connection, _cursor, statement, *_):
        if "webhook" in statement:
            queries.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    with database.write() as session:
        for slug in ("a", "b", "c"):
            profiles.add(session, TERMINAL, City(**city(slug)))

    assert len(queries) == 1
    assert deliveries_of(database) == []


def test_a_change_is_kept_though_its_webhook_is_deleted_at_that_moment(database):
    webhook = hook(database, URL)
    deleted = threading.Event()

    def delete():
        with database.write() as session:
            row = subscriptions.get(session, TERMINAL, webhook, lock=True)
            subscriptions.delete(session, TERMINAL, row)
        deleted.set()

    thread = threading.Thread(target=delete)
    with database.write() as session:
        profiles.add(session, TERMINAL, City(**city("ghent")))
        thread.start()
        assert not deleted.wait(0.3)
    thread.join()

    assert deliveries_of(database) == []
    with database.read() as session:
        assert profiles.get(session, "ghent").name == "ghent"
