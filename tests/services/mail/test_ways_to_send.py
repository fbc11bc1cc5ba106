"""Mail servers, folders and the console; passwords go to trusted servers alone."""

import ssl
from pathlib import Path

import pytest

from app.outside import mail, smtp
from app.settings import Settings
from tests.fixtures.mail import CERTIFIED, postbox
from tests.services.mail.posting import letter, post, read


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
