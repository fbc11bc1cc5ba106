"""Several senders, and senders that are killed, deliver no message twice."""

import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import select

from app.db import Database, tables
from app.services.background import send_mail
from tests.fixtures.mail import HANG, postbox, scripted
from tests.services.mail.filled_outbox import change, deliver, fill, ids, states, stored


def test_a_sender_that_was_thought_to_be_dead_hands_nothing_over(database):
    (sent,) = fill(database)
    with scripted() as other:

        def overtake() -> str:
            change(database, lease_until=0)
            assert send_mail.sweep(database) == 1
            assert deliver(database, other.url) == 1
            return "250 OK"

        with scripted(RCPT=overtake) as slow:
            count = deliver(database, slow.url)

    row = stored(database, sent)
    assert (count, row.state, row.attempt) == (0, "sent", 2)
    assert (len(slow.taken), ids(other.taken)) == (0, [sent])


_SENDER = """
import sys
from app.db import Database
from app.outside import mailers
from app.outside import mail
from app.services.background import send_mail
from app.settings import Settings
database, settings = Database(sys.argv[1]), Settings(mail=sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(send_mail.deliver(database, mailers.mailer(settings), settings.public_url))
"""


@contextmanager
def sender(url: str, way: str):
    """Start a process that delivers the outbox once it reads a line."""
    with subprocess.Popen(  # noqa: S603 -- our own lines
        [sys.executable, "-c", _SENDER, url, way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


def test_several_processes_deliver_each_message_once(copy_database):
    url = copy_database()
    database = Database(url)
    sent = fill(database, 120)
    with postbox() as server, ExitStack() as stack:
        senders = [stack.enter_context(sender(url, server.url)) for _ in range(3)]
        for one in senders:
            go(one)
        counts = [int(one.stdout.readline()) for one in senders]

    assert sum(counts) == 120
    assert sorted(ids([one.content for one in server.taken])) == sorted(sent)
    assert states(database) == ["sent"] * 120
    database.close()


@contextmanager
def held_up(database: Database):
    """Lock all messages, so that nobody else can write to the outbox."""
    with database.write() as session:
        session.scalars(select(tables.Message).with_for_update()).all()
        yield


@pytest.mark.parametrize(
    ("step", "held", "state", "taken_by_the_first"),
    [
        pytest.param("CONNECT", False, "queued", 0, marks=pytest.mark.release),
        pytest.param("MAIL", False, "queued", 0, marks=pytest.mark.release),
        ("RCPT", False, "queued", 0),
        ("DATA", False, "queued", 0),
        ("DATA", True, "queued", 0),  # before the row says that it is handed over
        ("TEXT", False, "unknown", 1),
        ("TEXT", True, "unknown", 1),  # before the row says that it was taken
    ],
)
def test_a_killed_sender_leads_to_no_second_delivery(
    copy_database, step, held, state, taken_by_the_first
):
    url = copy_database()
    database = Database(url)
    (sent,) = fill(database)
    reached = threading.Event()
    with ExitStack() as stack:

        def stop_here() -> str:
            if not held:
                return HANG
            stack.enter_context(held_up(database))
            reached.set()
            return {"DATA": "354 Go on", "TEXT": "250 OK"}[step]

        first = stack.enter_context(scripted(**{step: stop_here}))
        with sender(url, first.url) as process:
            go(process)
            assert (reached if held else first.hanging).wait(20)
            process.kill()
            assert process.wait(10) == -signal.SIGKILL
    change(database, lease_until=0)
    with scripted() as second:
        assert send_mail.sweep(database) == 1
        after = stored(database, sent).state
        deliver(database, second.url)
        deliver(database, second.url)

    assert (after, len(first.taken)) == (state, taken_by_the_first)
    assert ids(first.taken + second.taken) == [sent]
    database.close()
