"""How a delivery is sent, what counts as taken, and when it is sent again."""

import json
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from app.db.tables.base import now
from app.permissions import TERMINAL
from app.services.background import send_webhooks
from app.services.webhooks import subscriptions
from tests.fixtures.receiver import TAKEN, close, drip, hang, pour, receiving, says
from tests.services.webhooks.stored_webhooks import (
    INSIDE,
    happen,
    hook,
    make_due,
    only,
    stored,
)


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

    assert [wait - actual for wait, actual in zip(waits, found, strict=False)] == (
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
