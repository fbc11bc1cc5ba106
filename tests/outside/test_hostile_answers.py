"""What receivers of webhooks and mail servers say is data: no answer stops a sender."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db import Database
from app.outside import mail
from app.outside.outgoing import Outgoing, Reply
from app.services.background import send_webhooks
from tests.fixtures.database import ON_POSTGRES, ON_SQLITE
from tests.fixtures.mail import scripted
from tests.fixtures.receiver import receiving, says
from tests.services.mail.filled_outbox import deliver, fill, stored
from tests.services.mail.posting import letter, post
from tests.services.webhooks.stored_webhooks import INSIDE, happen, hook, only

OVERFLOWING = "Fri, 01 Jan 2027 00:00:00 +99999999999999"
LATER = [
    OVERFLOWING,
    "Fri, 01 Jan 2027 00:00:00 -99999999999999",
    "Fri, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Fri, 01 Jan 2027 00:00:99999999999999999999 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "nan",
    "inf",
    "1e999",
    "-99999999999999999999",
    "9" * 5000,
    "٣",
    "Fri, 01 Jan 2027 00:00:00 GMT" + " (" * 5000,
    "\x00\ud800",
]


def outcome(database: Database, *plan: bytes) -> tuple[str, int, int | None]:
    """Deliver once; return the delivery's state, attempts and status."""
    with receiving(*plan) as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        assert send_webhooks.deliver(database, INSIDE, webhook) == 0
        assert len(receiver.heard) == 1
    row = only(database)
    assert row.lease_until is None
    return row.state, row.attempt, row.status


@pytest.mark.parametrize("said", LATER)
def test_retry_after_is_between_nothing_and_a_day(said):
    moment = send_webhooks.now()

    asked = send_webhooks.asked_to_wait(Reply(503, said), moment)

    assert timedelta() <= asked <= timedelta(days=1)


_WORDS = ["Fri,", "01", "Jan", "2027", "00:00:00", "+99999999999999", "GMT", "-", "("]


@given(st.lists(st.sampled_from(_WORDS) | st.text(max_size=6), max_size=9))
@settings(max_examples=300)
def test_no_retry_after_raises(words):
    moment = send_webhooks.now()

    asked = send_webhooks.asked_to_wait(Reply(429, " ".join(words)), moment)

    assert timedelta() <= asked <= timedelta(days=1)


@ON_SQLITE
def test_a_date_that_no_clock_shows_ends_the_attempt(database):
    said = says(503, f"Retry-After: {OVERFLOWING}")

    assert outcome(database, said) == ("queued", 1, 503)
    assert only(database).error == "It answered 503."


# What a column of PostgreSQL may not take, any column of SQLite does.
@ON_POSTGRES
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 000 x\r\n\r\n", None),
        (b"HTTP/1.1 999 x\r\n\r\n", 999),
        (b"HTTP/1.1 101 x\r\n\r\n", None),
        (b"HTTP/1.1 503 \xff\r\nRetry-After: \xff\xfe\r\n\r\n", 503),
        (b"HTTP/1.1 200 x\r\nContent-Length: -5\r\n\r\n", None),
        (b"HTTP/1.1 200 x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", None),
        (b"HTTP/1.1 200 x\r\n" + b"A: b\r\n" * 50_000 + b"\r\n", None),
        (b"\x00\xff\xfe" * 20_000 + b"\r\n\r\n", None),
        (b"HTTP/1.1 100 x\r\n\r\n" * 1000, None),
        (b"SSH-2.0-x\r\n", None),
    ],
)
def test_an_answer_that_is_none_ends_the_attempt(database, answer, status):
    assert outcome(database, answer) == ("queued", 1, status)
    assert 0 < len(only(database).error) < 400


@ON_SQLITE
def test_a_failure_that_nobody_foresaw_counts_as_an_attempt(database):
    def resolve(_name: str, _port: int) -> list[str]:
        raise ZeroDivisionError

    webhook = hook(database, "http://receiver.example/")
    happen(database)

    assert send_webhooks.deliver(database, Outgoing(resolve=resolve), webhook) == 0
    row = only(database)
    assert (row.state, row.attempt, row.lease_until) == ("queued", 1, None)
    assert row.error == "This is our mistake: ZeroDivisionError."
    assert row.due_at > send_webhooks.now()


# Mail.


def test_a_challenge_that_nobody_can_read_is_no_fault_of_the_message():
    plan = {"EHLO": "250-test\r\n250 AUTH CRAM-MD5", "AUTH": "334 =x="}
    with scripted(**plan) as server, pytest.raises(mail.Away) as away:
        post(server.url.replace("//", "//user:secret@"), letter())

    assert str(away.value) == (
        "No connection to the mail server: its answer makes no sense"
    )


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "DATA", "TEXT"])
def test_an_answer_without_end_is_cut_off(step):
    endless = "\r\n".join(["250-more"] * 20_000)
    with (
        scripted(**{step: endless}) as server,
        pytest.raises((mail.NotNow, mail.Unclear), match="no end to its answer"),
    ):
        post(server.url, letter())


@ON_POSTGRES
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("550 \x00 no", "failed"),
        ("450 " + "x" * 8000, "queued"),
        ("45 ٣", "queued"),
        ("-99 x", "queued"),
        ("nan", "queued"),
        ("9_9 x", "queued"),
    ],
)
def test_whatever_a_mail_server_says_is_written_down(database, answer, state):
    (message,) = fill(database)
    with scripted(MAIL=answer) as server:
        deliver(database, server.url)

    row = stored(database, message)
    assert (row.state, row.attempt, row.lease_until) == (state, 1, None)
    assert 0 < len(row.error) < 600


def test_many_words_of_a_mail_server_are_told_short_and_without_addresses():
    answer = "550 " + "a@b " * 1900
    with scripted(MAIL=answer) as server, pytest.raises(mail.Refused) as refused:
        post(server.url, letter())

    assert "@" not in str(refused.value)
    assert len(str(refused.value)) < 600
