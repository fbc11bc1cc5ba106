"""The outbox is delivered: once, as it was written, and never before it may be."""

import email
import io
import signal
import ssl
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from email.headerregistry import Address
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import delete, event, select, update

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import Conflict
from app.outside import mail, mailers, smtp
from app.permissions import TERMINAL
from app.services.accounts import accounts
from app.services.background import send_mail
from app.services.cities import profiles
from app.services.rounds import rounds
from app.settings import Settings
from schemas import City, RoundWrite
from tests.fixtures.cities import city
from tests.fixtures.mail import CERTIFIED, CLOSE, HANG, postbox, scripted

SITE = "https://compaan.example.org"
LETTERHEAD = mail.Letterhead(
    Address("Compaan", "compaan", "example.org"), "compaan.example.org"
)
NOWHERE = "smtp://127.0.0.1:1"


def mailer(way: str) -> mail.Mailer:
    return mailers.mailer(settings(way))


def settings(way: str) -> Settings:
    return Settings(
        mail=way, mail_from="Compaan <compaan@example.org>", public_url=SITE
    )


def post(way: str, given: mail.Mail) -> None:
    sender = mailer(way)
    try:
        sender.send(given, lambda: None)
    finally:
        sender.close()


def letter(**changes: str) -> mail.Mail:
    return mail.Mail(
        **{
            "message_id": "0123abcd",
            "to": "officer@example.org",
            "subject": "An offer",
            "text": "Hello.\n",
            "language": "en",
            **changes,
        }
    )


def read(content: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(content, policy=default)


# What is written, and how it is sent.


def test_a_message_arrives_with_what_a_letterhead_has():
    before = now().replace(microsecond=0)
    with postbox() as server:
        post(server.url, letter(language="fr"))

    (taken,) = server.taken
    found = read(taken.content)
    assert (taken.mail_from, taken.rcpt_tos) == (
        "compaan@example.org",
        ["officer@example.org"],
    )
    assert before <= found["Date"].datetime <= now()
    del found["Date"]
    assert dict(found.items()) == {
        "From": "Compaan <compaan@example.org>",
        "To": "officer@example.org",
        "Subject": "An offer",
        "Message-ID": "<0123abcd@compaan.example.org>",
        "Content-Language": "fr",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bonjour à tous, “ça” va ?",
        "🎉🏙️ שלום עולם \u202eמ\u202c مرحبا",
        ".\n..\n.leading\n.\r\n.\r\nMAIL FROM:<x@example.org>",
        "x" * 5000,
        "é" * 5000 + " " + "w " * 2000,
        "From here\n>From there\n\n\n  blanks at the end  \t\nlast",
        "bell \x07, nothing \x00, escape \x1b[31m",
        "=3D =\n= é=",
    ],
)
def test_texts_arrive_as_they_were(text):
    with postbox() as server:
        post(server.url, letter(text=text))

    (taken,) = server.taken
    arrived = read(taken.content).get_content().replace("\r\n", "\n")
    assert arrived.removesuffix("\n") == text.replace("\r\n", "\n")
    assert max(map(len, taken.content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "subject",
    [
        "N" * 500,
        "ñ" * 500,
        " ".join(["Llanfairpwllgwyngyll", "Österreichisch-Ungarische", "ß" * 40] * 9),
        "two  blanks,   three, " + "lang " * 40 + "  ü",
        "ß" * 21 + " é é",  # which the library alone folds wrongly
        "🎉 שלום \u202eמ\u202c",
        '"quoted", <bracketed> (and) @ed; a\\b: é',
    ],
)
def test_subjects_arrive_as_they_were(subject):
    with postbox() as server:
        post(server.url, letter(subject=subject))

    assert read(server.taken[0].content)["Subject"] == subject


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x00"])
def test_a_subject_makes_no_headers(end):
    subject = f"Hello{end}Bcc: all@example.org{end}{end}text"
    with postbox() as server:
        post(server.url, letter(subject=subject))

    (taken,) = server.taken
    found = read(taken.content)
    assert found["Subject"] == "Hello Bcc: all@example.org text"
    assert taken.rcpt_tos == ["officer@example.org"]
    assert (found["Bcc"], found.get_content()) == (None, "Hello.\r\n")


@pytest.mark.parametrize(
    "address",
    [
        "officer@example.org\r\nBcc: all@example.org",
        "officer@example.org\nRCPT TO:<all@example.org>",
        "officer@example.org>,<all@example.org",
        "a,all@example.org",
        "a b@example.org",
        '"a"@example.org',
        "a@b@example.org",
        "a\u2028b@example.org",
        "a@exam ple.org",
        "a@example..org",
        "a@",
        "@example.org",
        "nobody",
        "",
    ],
)
def test_addresses_that_say_more_are_refused(address):
    with scripted() as server, pytest.raises(mail.Refused) as refused:
        post(server.url, letter(to=address))

    assert str(refused.value) == (
        "Mail cannot be sent to an address like this account's."
    )
    assert server.heard == []


def test_addresses_outside_ascii_go_where_the_server_takes_them():
    with postbox(enable_SMTPUTF8=True) as server:
        post(server.url, letter(to="josé@münchen.example"))
    with postbox(enable_SMTPUTF8=False) as old:
        post(old.url, letter(to="jose@münchen.example"))
        with pytest.raises(mail.Refused) as refused:
            post(old.url, letter(to="josé@münchen.example"))

    assert server.taken[0].rcpt_tos == ["josé@xn--mnchen-3ya.example"]
    assert read(server.taken[0].content)["To"] == "josé@xn--mnchen-3ya.example"
    assert [one.rcpt_tos for one in old.taken] == [["jose@xn--mnchen-3ya.example"]]
    assert str(refused.value) == (
        "The mail server takes only ASCII before the @ of an address."
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certified.pem"
    path.write_text(CERTIFIED)
    return path


@pytest.fixture
def encryption(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def with_password(url: str, host: str = "localhost") -> str:
    return url.replace("//127.0.0.1", f"//us%40er:p%40ss@{host}")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_password_goes_to_a_server_that_is_trusted(
    scheme, certificate, encryption, monkeypatch
):
    tls = {"smtp": "tls_context", "smtps": "ssl_context"}[scheme]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with postbox(**{tls: encryption, "auth_require_tls": scheme == "smtp"}) as server:
        post(with_password(server.url).replace("smtp", scheme, 1), letter())

    assert server.logins == [(b"us@er", b"p@ss")]
    assert len(server.taken) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_nothing_goes_to_a_server_that_is_not_trusted(scheme, encryption):
    tls = {"smtp": "tls_context", "smtps": "ssl_context"}[scheme]
    with (
        postbox(**{tls: encryption, "auth_require_tls": False}) as server,
        pytest.raises(mail.Away) as away,
    ):
        post(with_password(server.url).replace("smtp", scheme, 1), letter())

    assert str(away.value) == (
        "No connection to the mail server: its certificate is not trusted, "
        "self-signed certificate"
    )
    assert (server.logins, server.taken) == ([], [])


def test_a_password_is_not_sent_in_the_open():
    with postbox(auth_require_tls=False) as server:
        post(with_password(server.url), letter())
        with pytest.raises(mail.Away) as away:
            post(with_password(server.url, host="127.1"), letter())

    assert str(away.value) == (
        "The mail server offers no encryption, so our password is not sent to it."
    )
    assert len(server.logins) == len(server.taken) == 1


def test_a_wrong_password_is_no_fault_of_the_message():
    with postbox(auth_require_tls=False) as server, pytest.raises(mail.Away) as away:
        post(server.url.replace("//", "//user:wrong@"), letter())

    assert str(away.value) == (
        "Our user name or password was refused: "
        "535 5.7.8 Authentication credentials invalid"
    )


def test_a_message_is_one_file_however_often_it_is_written(tmp_path):
    folder = tmp_path / "made" / "mail"
    for subject in ("First", "Second"):
        post(f"file:{folder}", letter(subject=subject))

    (path,) = folder.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == ("0123abcd.eml", 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert read(path.read_bytes())["Subject"] == "Second"


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "taken").write_text("")

    with pytest.raises(mail.Away) as away:
        post(f"file:{tmp_path}/taken", letter())

    assert str(away.value) == ("The folder for mail cannot be written to: File exists.")


def test_the_console_shows_what_people_read(capsys):
    post("console", letter(subject="Één", text="Dear 🏙️,\n\x1b[2Jbye"))

    assert capsys.readouterr().out == (
        "From: Compaan <compaan@example.org>\n"
        "To: officer@example.org\n"
        "Subject: Één\n"
        "\n"
        "Dear 🏙️,\n"
        " [2Jbye\n"
        "\n"
    )


@pytest.mark.parametrize(
    "given",
    [
        {"mail": "smtp://user:hush@"},
        {"mail": "smtp://user:hu/sh@example.org"},
        {"mail": "smtp://us@er:hush@example.org"},
        {"mail": "smtp://user:hush@example.org:99999"},
        {"mail": "smtp://user:hush@example.org:0"},
        {"mail": "smtp://user:hush%C3%A9@example.org"},
        {"mail": "smtp://user:hush@[1.2]"},
        {"mail": "http://user:hush@example.org"},
        {"mail": "file:"},
        {"mail": ""},
        {"mail_from": "hush"},
        {"mail_from": "hush <a b@example.org>"},
        {"mail_from": "hush\nBcc: <a@example.org>"},
        {"mail_from": "hush <é@example.org>"},
        {"public_url": "ftp://hush"},
        {"public_url": "/hush"},
        {"public_url": "https://user:hush@example.org"},
        {"public_url": "https://example.org/?hush=1"},
        {"host": "192.0.2.1", "mail": "smtp://user:hush@example.org"},
    ],
)
def test_settings_that_cannot_be_are_told_without_a_password(given):
    with pytest.raises(ValueError, match="COMPAAN_") as wrong:
        Settings(**given)

    assert "hush" not in str(wrong.value)


def test_settings_that_can_be_hide_the_password():
    found = Settings(
        mail="smtps://user:hush@[::1]:465",
        mail_from="Réseau <a@example.org>",
        public_url="https://Zürich.example/compaan/",
    )

    assert "hush" not in repr(found) + found.model_dump_json()
    assert "hush" not in repr(smtp.Server("h", 1, tls=True, user="u", password="hush"))  # noqa: S106 -- nobody's
    assert found.public_url == "https://xn--zrich-kva.example/compaan"


# The outbox.


def fill(database: Database, count: int = 1, **values: object) -> list[str]:
    """Put messages into the outbox, the first due first; return their ids."""
    with database.write() as session:
        if session.get(tables.Round, "r") is None:
            rounds.add(session, TERMINAL, RoundWrite(id="r", name="R"))
            accounts.add_user(session, "officer@example.org", "officer", "mechelen")
        account = accounts.find_user(session, "officer@example.org")
        rows = [
            tables.Message(
                **{
                    "round_id": "r",
                    "account_id": account.id,
                    "kind": "offer",
                    "role": "mentor",
                    "language": "nl",
                    "subject": f"Message {at}",
                    "text": "Look: compaan:/pairings/1",
                    "state": "queued",
                    "due_at": now() - timedelta(minutes=count - at),
                    **values,
                }
            )
            for at in range(count)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def stored(database: Database, message: str) -> tables.Message:
    with database.read() as session:
        return session.get_one(tables.Message, message)


def states(database: Database) -> list[str]:
    with database.read() as session:
        table = tables.Message
        return list(session.scalars(select(table.state).order_by(table.due_at)))


def change(database: Database, **values: object) -> None:
    with database.write() as session:
        session.execute(update(tables.Message).values(**values))


def deliver(database: Database, way: str) -> int:
    return send_mail.deliver(database, mailer(way), SITE)


def ids(texts: list[bytes]) -> list[str]:
    """Return the ids of the messages, in their order."""
    return [read(text)["Message-ID"].strip("<>").split("@")[0] for text in texts]


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
    kept = [stored(database, one).state for one in sent]
    assert kept == ["failed", "sent", "queued", "sent"]


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
    open_ones = []

    def look(answer: str):
        def told() -> str:
            open_ones.append(database.engine.pool.checkedout())
            return answer

        return told

    usual = dict.fromkeys(("EHLO", "MAIL", "RCPT", "TEXT", "RSET"), "250 OK")
    usual |= {"CONNECT": "220 test", "DATA": "354 Go on"}
    with scripted(**{step: look(said) for step, said in usual.items()}) as server:
        deliver(database, server.url)

    assert len(server.taken) == 2
    assert open_ones == [0] * 11


@contextmanager
def counted(database: Database):
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)


def test_an_outbox_with_nothing_to_do_costs_one_query(database, tmp_path):
    fill(database, state="held")
    fill(database, state="sent")
    fill(database, due_at=now() + timedelta(minutes=1))
    work = send_mail.periodic_task(settings(f"file:{tmp_path}/mail"))
    work(database)  # the first connection asks questions of its own
    with counted(database) as asked:
        work(database)
    idle = len(asked)

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


# Exactly once.


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
from app.services.background import send_mail
from app.settings import Settings
database, settings = Database(sys.argv[1]), Settings(mail=sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(send_mail.deliver(database, mailers.mailer(settings), settings.public_url))
"""


@contextmanager
def sender(url: str, way: str):
    """Start a process that delivers when it is told to go."""
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
    """Let nobody else write to the outbox."""
    with database.write() as session:
        session.scalars(select(tables.Message).with_for_update()).all()
        yield


@pytest.mark.parametrize(
    ("step", "held", "state", "taken_by_the_first"),
    [
        ("CONNECT", False, "queued", 0),
        ("MAIL", False, "queued", 0),
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


# What has been overtaken.


def paired(database, state: str) -> str:
    """Store a pairing in this state, and return it."""
    with database.write() as session:
        for name in ("a", "b"):
            profiles.add(session, TERMINAL, City(**city(name)))
        round_id = session.scalars(select(tables.Round.id)).first()
        row = tables.Pairing(
            round_id=round_id,
            run_id="0" * 32,
            mentor_id="a",
            learner_id="b",
            state=state,
            origin="proposal",
            body="{}",
        )
        session.add(row)
        session.flush()
        return row.id


@pytest.mark.parametrize(
    ("kind", "state", "then"),
    [
        ("offer", "offered", "sent"),
        ("offer", "declined", "overtaken"),
        ("reminder", "confirmed", "overtaken"),
        ("confirmed", "confirmed", "sent"),
        ("declined", "declined", "sent"),
    ],
)
def test_nobody_is_asked_for_an_answer_that_nobody_waits_for(
    database, tmp_path, kind, state, then
):
    (one,) = fill(database, kind=kind)
    pairing = paired(database, state)
    with database.write() as session:
        session.get_one(tables.Message, one).pairing_id = pairing

    deliver(database, f"file:{tmp_path}/mail")

    assert stored(database, one).state == then
    if then == "overtaken":
        with database.write() as session:
            row = session.get_one(tables.Message, one)
            row.state = "failed"
        with pytest.raises(Conflict), database.write() as session:
            send_mail.send_again(
                session, TERMINAL, session.get_one(tables.Message, one)
            )


def test_a_city_that_had_nobody_is_written_to_once_it_has_officers(database):
    (one,) = fill(database, kind="not_placed", account_id=None, state="unaddressed")
    with database.write() as session:
        profiles.add(session, TERMINAL, City(**city("ghent")))
        session.get_one(tables.Message, one).city_id = "ghent"
    with pytest.raises(Conflict), database.write() as session:
        send_mail.send_again(session, TERMINAL, session.get_one(tables.Message, one))
    with database.write() as session:
        for name in ("a", "b"):
            accounts.add_user(session, f"{name}@ghent.be", "officer", "ghent")

    with database.write() as session:
        send_mail.send_again(session, TERMINAL, session.get_one(tables.Message, one))

    with database.read() as session:
        rows = session.scalars(
            select(tables.Message)
            .join(tables.Account, tables.Account.id == tables.Message.account_id)
            .order_by(tables.Account.email)
        ).all()
    assert [(row.state, row.city_id, row.text) for row in rows] == [
        ("queued", "ghent", "Look: compaan:/pairings/1")
    ] * 2
