"""Several senders at once: each delivery is sent once, and none is lost."""

import threading
import time

from sqlalchemy import update

from app.db import Database, tables
from app.outside.outgoing import Outgoing
from app.services.background import send_webhooks
from app.settings import Settings
from tests.fixtures.database import ON_POSTGRES
from tests.fixtures.moments import wait_until
from tests.fixtures.process import kill, working
from tests.fixtures.receiver import TAKEN, hang, receiving
from tests.services.webhooks.stored_webhooks import (
    INSIDE,
    deliveries_of,
    happen,
    hook,
    only,
)


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
            lambda: (
                {one.state for one in deliveries_of(database, webhook)} == {"delivered"}
            )
        )
        states = [one.state for one in deliveries_of(database, held)]
        assert states == ["sending", "queued", "queued"]
        assert len(slow.heard) == 1
        slow.over.set()
        wait_until(
            lambda: (
                all(one.attempt for one in deliveries_of(database, held))
                and all(one.state == "queued" for one in deliveries_of(database, held))
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
    assert sorted(heard) == sorted(one.event for one in deliveries_of(database))
    assert {(one.state, one.attempt) for one in deliveries_of(database)} == {
        ("delivered", 1)
    }


def deliver_aside(database: Database, webhook: str, seconds: float):
    """Start another sender in a thread, which waits so long for the receiver."""
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
        states = sorted(one.state for one in deliveries_of(database))
        assert states == ["queued", "sending"]
        receiver.over.set()
        waiting.join()


def test_a_sender_that_is_late_changes_nothing(database):
    """Its lease has ended, and another sender has taken over the delivery."""
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
