"""When a webhook is switched off, and how long its log is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.db import Database, tables
from app.db.tables.base import now
from app.permissions import TERMINAL
from app.services.background import send_webhooks
from app.services.webhooks import subscriptions
from tests.fixtures.receiver import TAKEN, receiving, says
from tests.services.webhooks.stored_webhooks import (
    INSIDE,
    deliveries_of,
    happen,
    hook,
    make_due,
    stored,
)


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
    assert [one.state for one in deliveries_of(database)] == ["failed", "dropped"]
    assert len(receiver.heard) == 1


def days_ago(database: Database, days: float) -> None:
    """Make all deliveries and webhooks look this many days old."""
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
        assert {one.state for one in deliveries_of(database)} == {"dropped"}


def give_up(database: Database, webhook: str, slug: str) -> None:
    """Register a city, and fail the last attempt to announce it."""
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
    states = [one.state for one in deliveries_of(database)]
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
    assert [one.state for one in deliveries_of(database)] == ["failed", "queued"]


def test_the_log_is_kept_for_thirty_days(database):
    with receiving(TAKEN, says(500)) as receiver:
        webhook = hook(database, receiver.url)
        for slug in ("first", "second"):
            happen(database, slug)
            send_webhooks.deliver(database, INSIDE, webhook)
        days_ago(database, 29)
        send_webhooks.forget_old(database)
        assert len(deliveries_of(database)) == 2
        days_ago(database, 31)

        send_webhooks.forget_old(database)

    assert [one.state for one in deliveries_of(database)] == ["queued"]
