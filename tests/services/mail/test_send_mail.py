"""The outbox is delivered: when it is due, in its order, and again after a failure."""

import io
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, select

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import Conflict
from app.outside import mailers, smtp
from app.permissions import TERMINAL
from app.services.background import send_mail
from tests.fixtures.mail import CLOSE, HANG, scripted
from tests.services.mail.filled_outbox import change, deliver, fill, ids, states, stored
from tests.services.mail.posting import LETTERHEAD, SITE, read, settings

NOWHERE = "smtp://127.0.0.1:1"


def test_what_is_due_is_delivered_in_its_order_over_one_connection(database):
    sent = fill(database, 3)
    before = now()
    with scripted() as server:
        count = deliver(database, server.url)

    assert (count, ids(server.taken)) == (3, sent)
    assert server.heard == [
        *("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "TEXT"),
        *("RSET", "MAIL", "RCPT", "DATA", "TEXT") * 2,
        "QUIT",
    ]
    row = stored(database, sent[0])
    assert before <= row.sent_at <= now()
    assert (row.state, row.attempt, row.handed_over) == ("sent", 1, True)
    assert (row.lease_until, row.error) == (None, None)
    found = read(server.taken[0])
    assert (found["To"], found["Subject"], found["Content-Language"]) == (
        "officer@example.org",
        "Message 0",
        "nl",
    )
    assert found.get_content() == "Look: https://compaan.example.org/pairings/1\r\n"


def test_nothing_is_sent_before_it_is_released_or_due(database, tmp_path):
    left = ["held", "sending", "sent", "failed", "unaddressed", "unknown"]
    for state in left:
        fill(database, state=state, lease_until=2.0**40)
    fill(database, due_at=now() + timedelta(minutes=1))
    (due,) = fill(database)

    count = deliver(database, f"file:{tmp_path}/mail")

    assert (count, [path.stem for path in (tmp_path / "mail").iterdir()]) == (1, [due])
    assert sorted(states(database)) == sorted([*left, "queued", "sent"])


def test_a_message_whose_account_has_gone_has_nobody_to_go_to(database, tmp_path):
    (gone,) = fill(database)
    with database.write() as session:
        session.execute(delete(tables.Account))

    assert deliver(database, f"file:{tmp_path}/mail") == 0

    row = stored(database, gone)
    assert (row.state, row.lease_until) == ("unaddressed", None)
    assert not (tmp_path / "mail").exists()


AGAIN, FOR_GOOD, NOBODY_KNOWS = "queued", "failed", "unknown"


@pytest.mark.parametrize(
    ("plan", "state", "reason"),
    [
        (
            {"CONNECT": "421 Full"},
            AGAIN,
            "No connection to the mail server: 421 Full",
        ),
        (
            {"CONNECT": "554 Not you"},
            AGAIN,
            "No connection to the mail server: 554 Not you",
        ),
        (
            {"CONNECT": CLOSE},
            AGAIN,
            "No connection to the mail server: Connection unexpectedly closed",
        ),
        (
            {"MAIL": "451 Wait"},
            AGAIN,
            "The mail server said: 451 Wait",
        ),
        (
            {"RCPT": "450 4.2.0 <officer@example.org>: Greylisted"},
            AGAIN,
            "The mail server said: 450 4.2.0 … Greylisted",
        ),
        (
            {"RCPT": "550-5.1.1 officer@example.org\r\n550 User unknown"},
            FOR_GOOD,
            "The mail server said: 550 5.1.1 … User unknown",
        ),
        ({"RCPT": "nonsense"}, AGAIN, "The mail server said: -1 ense"),
        (
            {"RCPT": CLOSE},
            AGAIN,
            "The mail server went away: Connection unexpectedly closed",
        ),
        ({"DATA": "554 No"}, FOR_GOOD, "The mail server said: 554 No"),
        (
            {"DATA": CLOSE},
            AGAIN,
            "The mail server went away: Connection unexpectedly closed",
        ),
        ({"TEXT": "452 Disk full"}, AGAIN, "The mail server said: 452 Disk full"),
        ({"TEXT": "554 Spam"}, FOR_GOOD, "The mail server said: 554 Spam"),
        (
            {"TEXT": CLOSE},
            NOBODY_KNOWS,
            "It may have arrived, there was no answer: Connection unexpectedly closed",
        ),
        (
            {"TEXT": "nonsense"},
            NOBODY_KNOWS,
            "It may have arrived, the answer made no sense: -1.",
        ),
    ],
)
def test_what_the_server_says_is_written_down(database, plan, state, reason):
    (sent,) = fill(database)
    before = now()
    with scripted(**plan) as server:
        count = deliver(database, server.url)

    row = stored(database, sent)
    assert (count, row.state, row.error) == (0, state, reason)
    assert row.handed_over == (state != AGAIN and "TEXT" in plan)
    assert (row.attempt, row.lease_until, row.sent_at) == (1, None, None)
    if state == AGAIN:
        assert before <= row.due_at - timedelta(minutes=1) <= now()


def test_a_server_that_does_not_answer_is_waited_for_only_so_long(database):
    found = []
    for step in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "TEXT"):
        (sent,) = fill(database)
        with scripted(**{step: HANG}) as server:
            host, port = server.server_address
            hasty = smtp.Server(
                host, port, tls=False, connect=0.2, answer=0.2, verdict=0.2
            )
            send_mail.deliver(database, smtp.Smtp(LETTERHEAD, hasty), SITE)
        found.append((step, stored(database, sent).state))

    assert found == [
        ("CONNECT", "queued"),
        ("EHLO", "queued"),
        ("MAIL", "queued"),
        ("RCPT", "queued"),
        ("DATA", "queued"),
        ("TEXT", "unknown"),
    ]


def test_a_message_is_tried_for_three_days(database):
    (sent,) = fill(database)
    waited = []
    for _ in range(8):
        before = now()
        deliver(database, NOWHERE)
        row = stored(database, sent)
        waited.append(round((row.due_at - before).total_seconds() / 60))
        assert row.error == "No connection to the mail server: Connection refused"
        change(database, due_at=now())
    assert waited == [1, 5, 30, 120, 360, 1440, 1440, 1440]

    deliver(database, NOWHERE)

    row = stored(database, sent)
    assert (row.state, row.attempt) == ("failed", 9)
    assert row.error == (
        "Gave up after 9 attempts: No connection to the mail server: Connection refused"
    )


def test_a_server_that_is_away_is_tried_with_one_message_only(database):
    fill(database, 3)

    deliver(database, NOWHERE)

    with database.read() as session:
        table = tables.Message
        attempts = list(session.scalars(select(table.attempt).order_by(table.subject)))
    assert attempts == [1, 0, 0]


def test_a_message_that_is_refused_keeps_no_other_back(database):
    sent = fill(database, 4)
    answers = iter(["550 No", "250 OK", "450 Later", "250 OK"])
    with scripted(RCPT=lambda: next(answers)) as server:
        count = deliver(database, server.url)

    assert (count, ids(server.taken)) == (2, [sent[1], sent[3]])
    final_states = [stored(database, one).state for one in sent]
    assert final_states == ["failed", "sent", "queued", "sent"]


def test_a_connection_that_the_server_has_closed_is_opened_again(database):
    sent = fill(database, 2)
    with scripted(RSET=CLOSE) as server:
        count = deliver(database, server.url)

    assert (count, ids(server.taken)) == (2, sent)
    assert server.heard.count("CONNECT") == 2


def test_what_breaks_on_our_side_is_told_and_keeps_no_other_back(database):
    sent = fill(database, 2)
    out = io.StringIO()
    out.close()

    send_mail.deliver(database, mailers.Console(LETTERHEAD, out), SITE)

    rows = [stored(database, one) for one in sent]
    assert [(row.state, row.error) for row in rows] == [
        ("unknown", "This is our mistake: ValueError.")
    ] * 2


def test_no_transaction_is_open_while_the_server_is_talked_to(database):
    fill(database, 2)
    open_connections = []

    def look(answer: str):
        def step_answer() -> str:
            open_connections.append(database.engine.pool.checkedout())
            return answer

        return step_answer

    usual = dict.fromkeys(("EHLO", "MAIL", "RCPT", "TEXT", "RSET"), "250 OK")
    usual |= {"CONNECT": "220 test", "DATA": "354 Go on"}
    with scripted(**{step: look(said) for step, said in usual.items()}) as server:
        deliver(database, server.url)

    assert len(server.taken) == 2
    assert open_connections == [0] * 11


@contextmanager
def counted(database: Database):
    queries: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            queries.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield queries
    event.remove(database.engine, "before_cursor_execute", note)


def test_an_outbox_with_nothing_to_do_costs_one_query(database, tmp_path):
    fill(database, state="held")
    fill(database, state="sent")
    fill(database, due_at=now() + timedelta(minutes=1))
    work = send_mail.periodic_task(settings(f"file:{tmp_path}/mail"))
    work(database)  # the first connection asks questions of its own
    with counted(database) as queries:
        work(database)
    idle = len(queries)

    (due,) = fill(database)
    work(database)

    assert idle == 1
    assert [path.stem for path in (tmp_path / "mail").iterdir()] == [due]


def test_the_chore_takes_back_what_dead_senders_left(database, tmp_path):
    (before,) = fill(database, state="sending", lease_until=1.0, attempt=1)
    (after,) = fill(
        database, state="sending", lease_until=1.0, attempt=1, handed_over=True
    )
    (often,) = fill(database, state="sending", lease_until=1.0, attempt=9)
    (alive,) = fill(database, state="sending", lease_until=2.0**40, attempt=1)

    send_mail.periodic_task(settings(f"file:{tmp_path}/mail"))(database)

    rows = [stored(database, one) for one in (before, after, often, alive)]
    assert [(row.state, row.attempt, row.error) for row in rows] == [
        ("sent", 2, None),
        ("unknown", 1, "It may have arrived: its sender died."),
        ("failed", 9, "Its sender died."),
        ("sending", 1, None),
    ]
    assert [path.stem for path in (tmp_path / "mail").iterdir()] == [before]


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_an_organiser_may_have_a_message_sent_again(database, tmp_path, state):
    (sent,) = fill(
        database, state=state, attempt=3, handed_over=True, error="It is so."
    )
    with database.write() as session:
        send_mail.send_again(session, TERMINAL, session.get_one(tables.Message, sent))

    row = stored(database, sent)
    assert (row.state, row.attempt, row.handed_over, row.error) == (
        *("queued", 3, False),
        None,
    )
    assert deliver(database, f"file:{tmp_path}/mail") == 1


@pytest.mark.parametrize("state", ["held", "queued", "sending", "sent"])
def test_no_other_message_is_sent_again(database, state):
    (sent,) = fill(database, state=state)

    with pytest.raises(Conflict), database.write() as session:
        send_mail.send_again(session, TERMINAL, session.get_one(tables.Message, sent))

    assert stored(database, sent).state == state
