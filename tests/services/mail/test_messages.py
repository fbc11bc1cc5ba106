"""A message arrives as it was written, and at no other address."""

import pytest

from app.db.tables.base import now
from app.outside import mail
from tests.fixtures.mail import postbox, scripted
from tests.services.mail.posting import letter, post, read


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
