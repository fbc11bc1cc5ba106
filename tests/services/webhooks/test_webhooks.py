"""Webhooks: what is announced, how it is sent, and what receivers may do to us."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import event, func, select, update
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from app.db import Database, tables
from app.db.tables.base import now
from app.outside.outgoing import Outgoing, Unsent, is_public
from app.permissions import TERMINAL
from app.services.background import send_webhooks
from app.services.cities import profiles
from app.services.log import audit
from app.services.webhooks import subscriptions
from app.settings import Settings
from schemas import City, WebhookWrite
from tests.fixtures.cities import (
    FIVE,
    audited,
    city,
    compute,
    confirm,
    inclucities_round,
    listed,
    open_round,
    pairing,
    refusal,
    register,
    released_round,
    say,
    staged_round,
)
from tests.fixtures.database import ON_POSTGRES
from tests.fixtures.process import kill, working
from tests.fixtures.receiver import (
    TAKEN,
    close,
    drip,
    hang,
    pour,
    receiving,
    says,
    trusting,
    wait_until,
)
from tests.web.visitor import Visitor

INSIDE = Outgoing(allow_private=True, seconds=0.5)
"""Reaches the receivers of the tests, and waits half a second for them."""
URL = "https://hooks.example.org/compaan"


def hook(database: Database, url: str, *events: str) -> str:
    """Store a webhook; return its id."""
    with database.write() as session:
        new = WebhookWrite(url=url, events=events)
        return subscriptions.add(session, TERMINAL, new, allow_private=True).id


def happen(database: Database, slug: str = "ghent") -> None:
    """Have something happen: a city registers."""
    with database.write() as session:
        profiles.add(session, TERMINAL, City(**city(slug)))


def sent_out(database: Database, webhook: str | None = None) -> list[tables.Delivery]:
    """Return the deliveries, of one webhook or of all, the oldest first."""
    table = tables.Delivery
    asked = select(table).order_by(table.created_at, table.id)
    if webhook:
        asked = asked.where(table.webhook_id == webhook)
    with database.read() as session:
        return list(session.scalars(asked))


def only(database: Database) -> tables.Delivery:
    (one,) = sent_out(database)
    return one


def make_due(database: Database, **values: object) -> None:
    """Let the time pass until the next attempt."""
    with database.write() as session:
        session.execute(
            update(tables.Delivery)
            .where(tables.Delivery.state == "queued")
            .values(due_at=now(), **values)
        )


def stored(database: Database, webhook: str) -> tables.Webhook:
    with database.read() as session:
        return session.get_one(tables.Webhook, webhook)


def types(database: Database) -> list[str]:
    return [one.type for one in sent_out(database)]


# What is announced.


def announced(service, work) -> list[tuple[str, str, list[str] | None]]:
    """Return (type, url, fields) of what the work announces, to a webhook for all."""
    made = service.post("/webhooks", {"url": URL})
    assert made.status_code == 201
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

    first, second = sent_out(database)
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

    assert sent_out(database) == []


def test_without_a_webhook_a_transaction_asks_once(database):
    asked = []

    def note(_connection, _cursor, statement, *_):
        if "webhook" in statement:
            asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    with database.write() as session:
        for slug in ("a", "b", "c"):
            profiles.add(session, TERMINAL, City(**city(slug)))

    assert len(asked) == 1
    assert sent_out(database) == []


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

    assert sent_out(database) == []
    with database.read() as session:
        assert profiles.get(session, "ghent").name == "ghent"


# How it is sent.


def test_a_delivery_is_signed_as_the_convention_says(database):
    with receiving() as receiver:
        webhook = hook(database, receiver.url)
        happen(database)

        assert send_webhooks.deliver(database, INSIDE, webhook) == 1

    (heard,) = receiver.heard
    one = only(database)
    secret = stored(database, webhook).secret
    assert Verifier(secret).verify(heard.body, heard.headers) == json.loads(one.body)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(heard.body + b" ", heard.headers)
    assert heard.path == "/hook"
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["user-agent"].startswith("Compaan/")
    assert heard.headers["webhook-id"] == one.event
    assert (one.state, one.attempt, one.status, one.error) == (
        "delivered",
        1,
        204,
        None,
    )
    assert one.ended_at is not None


def test_both_secrets_sign_for_a_day_after_a_change(database):
    with receiving() as receiver:
        webhook = hook(database, receiver.url)
        before = stored(database, webhook).secret
        with database.write() as session:
            row = subscriptions.get(session, TERMINAL, webhook, lock=True)
            subscriptions.rotate(session, TERMINAL, row)
        happen(database, "first")
        send_webhooks.deliver(database, INSIDE, webhook)
        with database.write() as session:
            row = subscriptions.get(session, TERMINAL, webhook, lock=True)
            row.old_until = now()
        happen(database, "second")
        send_webhooks.deliver(database, INSIDE, webhook)

    during, after = receiver.heard
    secret = stored(database, webhook).secret
    assert secret != before
    for one in (secret, before):
        Verifier(one).verify(during.body, during.headers)
    Verifier(secret).verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(before).verify(after.body, after.headers)


def test_what_is_not_taken_is_sent_again_by_the_schedule(database):
    waits = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    with receiving(says(500)) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        found = []
        for _ in range(12):
            send_webhooks.deliver(database, INSIDE, webhook)
            one = only(database)
            found.append(round((one.due_at - now()).total_seconds()))
            make_due(database)

    assert [wait - told for wait, told in zip(waits, found, strict=False)] == (
        pytest.approx([0] * 9, abs=3)
    )
    assert len(receiver.heard) == 10
    assert len({heard.headers["webhook-id"] for heard in receiver.heard}) == 1
    assert (one.state, one.attempt, one.status) == ("failed", 10, 500)
    assert one.error == "It answered 500."
    assert one.ended_at is not None
    assert stored(database, webhook).state == "active"


def test_nothing_is_sent_before_it_is_due(database):
    with receiving(says(500), TAKEN) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        assert send_webhooks.deliver(database, INSIDE, webhook) == 0
        assert send_webhooks.deliver(database, INSIDE, webhook) == 0
        assert len(receiver.heard) == 1
        make_due(database)
        assert send_webhooks.deliver(database, INSIDE, webhook) == 1
    one = only(database)
    assert (one.state, one.attempt, one.status, one.error) == (
        "delivered",
        2,
        204,
        None,
    )


REDIRECTED = (
    "It answered 302: redirects are not followed. Give the webhook the address that it "
    "leads to."
)
LATE = "There was no answer within 0.5 seconds."


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (says(404), 404, "It answered 404."),
        (says(302, "Location: http://127.0.0.1:1/inside"), 302, REDIRECTED),
        (hang, None, LATE),
        (drip, None, LATE),
        (close, None, "The answer is no HTTP: Server disconnected without sending a "),
        (b"220 mail.example.org ESMTP\r\n", None, "The answer is no HTTP: "),
        (b"HTTP/1.1 200 OK\r\nContent-Len", None, "The answer is no HTTP: "),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2**18, None, "The answer is no HTTP: "),
    ],
)
def test_a_receiver_that_does_not_take_it_is_told_of(database, answer, status, error):
    with receiving(answer) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        begun = time.monotonic()

        assert send_webhooks.deliver(database, INSIDE, webhook) == 0

        assert time.monotonic() - begun < 3
    one = only(database)
    assert (one.state, one.attempt, one.status) == ("queued", 1, status)
    assert one.error.startswith(error)
    assert len(receiver.heard) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pour,
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 100 Continue\r\n\r\n" + TAKEN,
        says(200, "Location: http://127.0.0.1:1/"),
    ],
)
def test_what_follows_a_success_does_not_matter(database, answer):
    with receiving(answer) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)

        assert send_webhooks.deliver(database, INSIDE, webhook) == 1

        assert only(database).state == "delivered"
        assert receiver.poured < 2**24  # what the system itself holds; not all there is


def test_a_receiver_that_is_away_is_told_of(database):
    with receiving() as receiver:
        url = receiver.url
    webhook = hook(database, url)
    happen(database)

    send_webhooks.deliver(database, INSIDE, webhook)

    assert only(database).error.startswith("It cannot be reached: ")


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "60", 60),
        (503, "60", 60),
        (503, "2", 5),
        (429, "99999999999999", 86400),
        (429, "soon", 5),
        (429, "-7", 5),
        (500, "60", 5),
    ],
)
def test_retry_after_is_heeded_within_reason(database, status, said, seconds):
    with receiving(says(status, f"Retry-After: {said}")) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        send_webhooks.deliver(database, INSIDE, webhook)

    wait = only(database).due_at - now()
    assert wait.total_seconds() == pytest.approx(seconds, abs=3)


def test_retry_after_may_be_a_date(database):
    until = format_datetime(now() + timedelta(minutes=10), usegmt=False)
    with receiving(says(503, f"Retry-After: {until}")) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        send_webhooks.deliver(database, INSIDE, webhook)

    wait = only(database).due_at - now()
    assert wait.total_seconds() == pytest.approx(600, abs=3)


def test_a_receiver_that_is_gone_is_switched_off(database):
    with receiving(says(410)) as receiver:
        webhook = hook(database, receiver.url)
        happen(database, "first")
        happen(database, "second")
        version = stored(database, webhook).version

        send_webhooks.deliver(database, INSIDE, webhook)
        happen(database, "third")
        send_webhooks.deliver(database, INSIDE, webhook)

    row = stored(database, webhook)
    reason = "It answered 410: it is gone, and wants nothing any more."
    assert (row.state, row.off_reason) == ("off", reason)
    assert row.version > version
    assert [one.state for one in sent_out(database)] == ["failed", "dropped"]
    assert len(receiver.heard) == 1


def days_ago(database: Database, days: float) -> None:
    """Let so many days pass since everything that is there."""
    ago = now() - timedelta(days=days)
    with database.write() as session:
        session.execute(update(tables.Delivery).values(created_at=ago))
        session.execute(
            update(tables.Delivery)
            .where(tables.Delivery.ended_at.is_not(None))
            .values(ended_at=ago)
        )
        session.execute(update(tables.Webhook).values(updated_at=ago))


@pytest.mark.parametrize(("days", "state"), [(4.9, "active"), (5.1, "off")])
def test_a_webhook_that_takes_nothing_for_five_days_goes_off(database, days, state):
    with receiving(says(500)) as receiver:
        webhook = hook(database, receiver.url)
        happen(database, "first")
        send_webhooks.deliver(database, INSIDE, webhook)
        days_ago(database, days)
        happen(database, "second")

        send_webhooks.deliver(database, INSIDE, webhook)

    row = stored(database, webhook)
    assert row.state == state
    if state == "off":
        assert row.off_reason == "Nothing was taken for 5 days. It answered 500."
        assert {one.state for one in sent_out(database)} == {"dropped"}


def give_up(database: Database, webhook: str, slug: str) -> None:
    """Have something happen, and fail for the last time to tell of it."""
    happen(database, slug)
    make_due(database, attempt=9)
    send_webhooks.deliver(database, INSIDE, webhook)


def test_a_webhook_that_took_something_meanwhile_stays_on(database):
    with receiving(says(500), TAKEN, says(500)) as receiver:
        webhook = hook(database, receiver.url)
        give_up(database, webhook, "first")
        days_ago(database, 6)
        for slug in ("second", "third"):
            happen(database, slug)
            send_webhooks.deliver(database, INSIDE, webhook)

    assert stored(database, webhook).state == "active"
    states = [one.state for one in sent_out(database)]
    assert states == ["failed", "delivered", "queued"]


def test_a_webhook_that_is_switched_on_again_has_five_days(database):
    with receiving(says(500)) as receiver:
        webhook = hook(database, receiver.url)
        give_up(database, webhook, "first")
        days_ago(database, 6)
        with database.write() as session:
            row = subscriptions.get(session, TERMINAL, webhook, lock=True)
            for active in (False, True):
                new = subscriptions.patched(row, {"active": active})
                subscriptions.change(session, TERMINAL, row, new, allow_private=True)
        happen(database, "second")

        send_webhooks.deliver(database, INSIDE, webhook)

    assert stored(database, webhook).state == "active"
    assert [one.state for one in sent_out(database)] == ["failed", "queued"]


def test_the_log_is_kept_for_thirty_days(database):
    with receiving(TAKEN, says(500)) as receiver:
        webhook = hook(database, receiver.url)
        for slug in ("first", "second"):
            happen(database, slug)
            send_webhooks.deliver(database, INSIDE, webhook)
        days_ago(database, 29)
        send_webhooks.forget_old(database)
        assert len(sent_out(database)) == 2
        days_ago(database, 31)

        send_webhooks.forget_old(database)

    assert [one.state for one in sent_out(database)] == ["queued"]


# Several senders.


def test_a_receiver_that_hangs_holds_up_nobody_else(database):
    settings = Settings(allow_private_webhooks=True)
    work = send_webhooks.periodic_task(settings)
    with receiving(hang) as slow, receiving() as quick:
        held = hook(database, slow.url)
        webhook = hook(database, quick.url)
        happen(database, "first")
        work(database)
        assert slow.hanging.wait(10)
        begun = time.monotonic()
        for slug in ("second", "third"):
            happen(database, slug)
            work(database)
        wait_until(lambda: len(quick.heard) == 3)
        assert time.monotonic() - begun < 5
        wait_until(
            lambda: {one.state for one in sent_out(database, webhook)} == {"delivered"}
        )
        states = [one.state for one in sent_out(database, held)]
        assert states == ["sending", "queued", "queued"]
        assert len(slow.heard) == 1
        slow.over.set()
        wait_until(
            lambda: (
                all(one.attempt for one in sent_out(database, held))
                and all(one.state == "queued" for one in sent_out(database, held))
            )
        )


def test_several_senders_send_each_delivery_once(database):
    patient = Outgoing(allow_private=True, seconds=60)
    with receiving() as receiver:
        webhook = hook(database, receiver.url)
        for at in range(20):
            happen(database, f"c{at}")
        threads = [
            threading.Thread(
                target=lambda: [
                    send_webhooks.deliver(database, patient, webhook) for _ in range(20)
                ]
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while send_webhooks.deliver(database, patient, webhook):
            pass

    heard = [one.headers["webhook-id"] for one in receiver.heard]
    assert sorted(heard) == sorted(one.event for one in sent_out(database))
    assert {(one.state, one.attempt) for one in sent_out(database)} == {
        ("delivered", 1)
    }


def deliver_aside(database: Database, webhook: str, seconds: float):
    """Start another sender, which waits so long for the receiver."""
    outgoing = Outgoing(allow_private=True, seconds=seconds)
    arguments = (database, outgoing, webhook)
    thread = threading.Thread(target=send_webhooks.deliver, args=arguments)
    thread.start()
    return thread


def test_one_sender_at_a_time_waits_for_a_receiver(database):
    with receiving(hang) as receiver:
        webhook = hook(database, receiver.url)
        happen(database, "first")
        happen(database, "second")
        waiting = deliver_aside(database, webhook, 30)
        assert receiver.hanging.wait(10)

        assert send_webhooks.deliver(database, INSIDE, webhook) == 0

        assert len(receiver.heard) == 1
        states = sorted(one.state for one in sent_out(database))
        assert states == ["queued", "sending"]
        receiver.over.set()
        waiting.join()


def test_a_sender_that_is_late_changes_nothing(database):
    """Its lease is over, and another has taken the delivery over."""
    with receiving(hang) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        late = deliver_aside(database, webhook, 3)
        assert receiver.hanging.wait(10)
        receiver.hanging.clear()
        with database.write() as session:
            session.execute(update(tables.Delivery).values(lease_until=0.0))
        assert send_webhooks.sweep(database) == 1
        other = deliver_aside(database, webhook, 30)
        assert receiver.hanging.wait(10)

        late.join()

        assert (only(database).state, only(database).attempt) == ("sending", 2)
        receiver.over.set()
        other.join()
        assert (only(database).state, only(database).attempt) == ("queued", 2)


@ON_POSTGRES
def test_a_sender_that_is_killed_is_replaced(copy_database):
    url = copy_database()
    database = Database(url)
    settings = {"allow_private_webhooks": "1"}
    with receiving(hang, TAKEN) as receiver:
        hook(database, receiver.url)
        happen(database)
        with working(url, 1, **settings) as (worker,):
            assert receiver.hanging.wait(30)
            kill(worker.process)
        assert only(database).state == "sending"
        with database.write() as session:
            session.execute(update(tables.Delivery).values(lease_until=0.0))
        with working(url, 2, **settings):
            wait_until(lambda: only(database).state == "delivered")

    one = only(database)
    assert (one.attempt, one.status, one.error) == (2, 204, None)
    ids = [heard.headers["webhook-id"] for heard in receiver.heard]
    assert ids == [one.event, one.event]
    database.close()


# Where it is sent.


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 -- an address that must be refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
        "100::1",
    ],
)
def test_addresses_that_are_not_the_internets_are_refused(address):
    assert not is_public(address)
    outgoing = Outgoing(resolve=lambda _name, _port: ["93.184.215.14", address])

    with pytest.raises(Unsent) as refused:
        outgoing.post(URL, b"", {})

    said = f"hooks.example.org is at {address}: this is no public address."
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "8.8.8.8",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]"]
)
def test_no_way_to_write_this_machine_leads_to_it(host):
    with receiving() as receiver:
        with pytest.raises(Unsent, match="this is no public address"):
            Outgoing().post(f"http://{host}:{receiver.port}/", b"", {})
        assert receiver.heard == []


def test_a_private_address_is_told_in_the_log(database):
    with receiving() as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        send_webhooks.deliver(database, Outgoing(), webhook)

    assert receiver.heard == []
    said = "127.0.0.1 is at 127.0.0.1: this is no public address."
    assert only(database).error == said


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "::"])
def test_some_addresses_are_refused_in_internal_networks_too(address):
    outgoing = Outgoing(allow_private=True, resolve=lambda _name, _port: [address])

    with pytest.raises(Unsent, match="this is no public address"):
        outgoing.post(URL, b"", {})


def test_a_name_is_looked_up_once():
    """One that leads elsewhere the second time leads nowhere (DNS rebinding)."""
    asked = []

    def resolve(name, port):
        asked.append((name, port))
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    with receiving() as receiver:
        outgoing = Outgoing(resolve=resolve, seconds=0.5)
        with pytest.raises(Unsent):
            outgoing.post(f"http://rebinding.test:{receiver.port}/", b"", {})
        assert asked == [("rebinding.test", receiver.port)]
        with pytest.raises(Unsent, match=r"is at 127\.0\.0\.1"):
            outgoing.post(f"http://rebinding.test:{receiver.port}/", b"", {})
        assert receiver.heard == []


def test_what_was_checked_is_connected_to(monkeypatch):
    """Not the name again, and no proxy of the environment."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiving() as receiver:
        outgoing = Outgoing(
            allow_private=True, resolve=lambda _name, _port: ["127.0.0.1"]
        )

        reply = outgoing.post(f"http://no-such.invalid:{receiver.port}/a?b", b"c", {})

    assert reply.status == 204
    (heard,) = receiver.heard
    assert heard.path == "/a?b"
    assert heard.headers["host"] == f"no-such.invalid:{receiver.port}"


def test_the_next_address_of_a_name_is_tried():
    with receiving() as receiver:
        outgoing = Outgoing(
            allow_private=True, resolve=lambda _name, _port: ["::1", "127.0.0.1"]
        )
        assert outgoing.post(receiver.url, b"", {}).status == 204


def test_a_name_that_is_not_there_is_told_of():
    with pytest.raises(Unsent, match=r"The name no-such\.invalid cannot be looked up"):
        Outgoing().post("https://no-such.invalid/", b"", {})


def test_the_certificate_is_checked_for_the_name(tmp_path):
    def resolve(_name, _port):
        return ["127.0.0.1"]

    with receiving(tls=True) as receiver:
        trusted = trusting(tmp_path)
        outgoing = Outgoing(allow_private=True, resolve=resolve, trusted=trusted)
        at = f"localhost:{receiver.port}/"
        assert outgoing.post(f"https://{at}", b"", {}).status == 204
        with pytest.raises(Unsent, match="Hostname mismatch"):
            outgoing.post(f"https://other.{at}", b"", {})
        with pytest.raises(Unsent, match="self-signed certificate"):
            Outgoing(allow_private=True, resolve=resolve).post(f"https://{at}", b"", {})
    assert len(receiver.heard) == 1


# Those who have webhooks.


def make(service, **fields):
    answer = service.post("/webhooks", {"url": URL} | fields)
    assert answer.status_code == 201, answer.text
    return answer


def patch(service, webhook: str, body: object, tag: str = "*"):
    headers = {"If-Match": tag}
    return service.call("PATCH", f"/webhooks/{webhook}", json=body, headers=headers)


def test_a_webhook_shows_its_secret_once(idle_service):
    service = idle_service
    answer = make(service, events=["city.created"], description="Website")
    made = answer.json()
    secret = made.pop("secret")

    assert secret.startswith("whsec_")
    assert answer.headers["location"] == f"/api/v1/webhooks/{made['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert service.get(f"/webhooks/{made['id']}").json() == made
    assert service.get("/webhooks").json() == {"items": [made], "next": None}
    assert made | {"id": "", "created_by": "", "created_at": "", "updated_at": ""} == {
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
    made = make(service).json()

    changed = service.post(f"/webhooks/{made['id']}/secret", None).json()

    assert changed["secret"] != made["secret"]
    until = datetime.fromisoformat(changed.pop("old_secret_until"))
    assert until - now() == pytest.approx(timedelta(days=1), abs=timedelta(minutes=1))
    read = service.get(f"/webhooks/{made['id']}").json()
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
    made = make(sqlite_service, url="https://Bücher.example/ä?q=1#top").json()

    assert made["url"] == "https://xn--bcher-kva.example/%C3%A4?q=1"


def test_only_organisers_and_administrators_know_of_webhooks(idle_service):
    service = idle_service
    webhook = make(service).json()["id"]
    for role in ("officer", "auditor"):
        answer = service.post("/webhooks", {"url": URL}, role)
        assert refusal(answer) == (403, "forbidden", [])
        for path in ("/webhooks", f"/webhooks/{webhook}"):
            assert refusal(service.get(path, role)) == (404, "not-found", [])
    assert service.get("/webhooks", "administrator").json()["items"][0]["id"] == webhook


def test_there_may_be_twenty_webhooks(sqlite_service):
    for _ in range(20):
        make(sqlite_service)

    answer = sqlite_service.post("/webhooks", {"url": URL})

    assert refusal(answer) == (409, "conflict", [])
    assert len(sqlite_service.get("/webhooks").json()["items"]) == 20


def test_a_webhook_is_changed_by_whoever_has_read_it(idle_service):
    service = idle_service
    made = make(service)
    webhook, tag = made.json()["id"], made.headers["etag"]

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
    webhook = make(service).json()["id"]
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
    webhook = make(service).json()["id"]
    register(service, city("first"))

    assert service.delete(f"/webhooks/{webhook}").status_code == 204

    assert service.get(f"/webhooks/{webhook}").status_code == 404
    assert sent_out(service.client.app.state.database) == []
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
    told = json.loads(heard.body)
    assert told["type"] == "webhook.ping"
    assert told["data"] == {"id": webhook, "url": f"/api/v1/webhooks/{webhook}"}
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


# On pages.


def test_a_webhook_is_made_pinged_and_looked_at_on_pages(idle_service):
    service = idle_service
    database = service.client.app.state.database
    visitor = Visitor(service).sign_in("organiser").open("/webhooks")
    assert "There is no webhook yet." in visitor.text

    visitor.press("Add", url=URL, description="Website", events=["city.created"])

    (made,) = service.get("/webhooks").json()["items"]
    with database.read() as session:
        secret = session.get_one(tables.Webhook, made["id"]).secret
    assert (made["description"], made["events"]) == ("Website", ["city.created"])
    assert secret in visitor.text
    assert secret not in visitor.open(f"/webhooks/{made['id']}").text
    visitor.press("Send a ping").press_again()
    assert visitor.path == f"/webhooks/{made['id']}"
    assert types(database) == ["webhook.ping"]
    visitor.press("Switch it off")
    assert "not sent: it was off" in visitor.text
    visitor.press("Switch it on")
    visitor.press(f"Send again {only(database).event}")
    assert only(database).state == "queued"
    visitor.press("Show", state="failed")
    assert "There is no delivery in this state." in visitor.text


def test_a_new_secret_is_not_made_twice_by_two_clicks(idle_service):
    service = idle_service
    database = service.client.app.state.database
    webhook = make(service).json()["id"]
    visitor = Visitor(service).sign_in("administrator").open(f"/webhooks/{webhook}")

    visitor.press("Make a new secret")
    once = stored(database, webhook).secret
    assert once in visitor.text
    visitor.press_again()

    assert visitor.status == 412
    assert stored(database, webhook).secret == once


def test_a_webhook_is_deleted_on_its_page_by_whoever_is_sure(idle_service):
    service = idle_service
    webhook = make(service).json()["id"]
    visitor = Visitor(service).sign_in("organiser").open(f"/webhooks/{webhook}")

    visitor.press("Delete it")
    assert visitor.status == 422
    visitor.press("Delete it", sure="yes")

    assert visitor.path == "/webhooks"
    assert service.get("/webhooks").json()["items"] == []


def test_what_the_form_of_a_webhook_is_refused_for_is_told_in_it(idle_service):
    visitor = Visitor(idle_service).sign_in("organiser").open("/webhooks")

    visitor.press("Add", url="http://hooks.example.org/", description="Mine")

    assert visitor.status == 422
    assert "The URL must begin with https://." in visitor.text
    assert 'value="http://hooks.example.org/"' in visitor.page.text
    visitor.sign_in("officer").open("/webhooks")
    assert visitor.status == 404
