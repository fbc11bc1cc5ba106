"""Mail that is handed to a mail server (RFC 5321)."""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import IO, Any

from app.outside.mail import (
    CONTROLS,
    Away,
    Letterhead,
    Mail,
    NotNow,
    Refused,
    Unclear,
    write,
)
from app.settings import LOOPBACK

_DONE, _GO_ON, _NEVER = 250, 354, 5
_MOST_CHARACTERS = 500
_MOST_LINES = 200
"""Lines of one reply of a mail server; a greeting has about ten."""


@dataclass(frozen=True)
class Server:
    """A mail server.

    Attributes:
        host: Its name or number.
        port: Its port.
        tls: Whether everything is encrypted; else from STARTTLS on, if it offers that.
        user: Our name there; None: no sign-in.
        password: For the sign-in.
        connect: Seconds for a connection and the greeting.
        answer: Seconds for every further answer.
        verdict: Seconds for the answer to a text: servers look for spam first, and
            without it nobody knows whether the text arrived.

    """

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str = field(default="", repr=False)
    connect: float = 10.0
    answer: float = 30.0
    verdict: float = 120.0


class _Replies:
    """Limits the lines of a reply: the library would read an endless one for ever."""

    file: Any
    sock: Any

    def getreply(self) -> tuple[int, bytes]:
        """Return the next reply of the server."""
        if self.file is None:
            self.file = _Lines(self.sock.makefile("rb"))
        self.file.left = _MOST_LINES
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return reply


class _Lines:
    """Lines that a server sends, as many as one reply may have."""

    def __init__(self, file: IO[bytes]) -> None:
        self.left = _MOST_LINES
        self._file = file

    def readline(self, size: int) -> bytes:
        """Return the next line, or raise `OSError` if the reply has too many."""
        self.left -= 1
        if self.left < 0:
            raise OSError("there is no end to its answer")
        return self._file.readline(size)

    def close(self) -> None:
        """Close what is read."""
        self._file.close()


class _Session(_Replies, smtplib.SMTP):
    pass


class _EncryptedSession(_Replies, smtplib.SMTP_SSL):
    pass


class Smtp:
    """Hands messages to a mail server (RFC 5321), over one connection if it lasts."""

    def __init__(self, letterhead: Letterhead, server: Server) -> None:
        self._letterhead = letterhead
        self._server = server
        self._session: smtplib.SMTP | None = None

    def send(self, mail: Mail, hand_over: Callable[[], None]) -> None:
        """Hand over the message; a connection on which that fails is not used again."""
        message = write(mail, self._letterhead)
        session = self._open_session()
        try:
            _set_timeout(session, self._server.answer)
            _send_envelope(session, message)
            hand_over()
            _set_timeout(session, self._server.verdict)
            _send_content(session, bytes(message))
        except BaseException:
            self._session = None
            session.close()
            raise

    def close(self) -> None:
        """Say goodbye."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(OSError):
                _set_timeout(session, self._server.answer)
                session.quit()
            session.close()

    def _open_session(self) -> smtplib.SMTP:
        """Return a connection on which a message can begin, or raise `Away`."""
        if self._session is not None:
            with suppress(OSError):
                _set_timeout(self._session, self._server.answer)
                if self._session.rset()[0] == _DONE:
                    return self._session
            self._session.close()
        self._session = None
        try:
            self._session = _connect(self._server, self._letterhead.domain)
        except smtplib.SMTPAuthenticationError as error:
            reason = _quoted(error.smtp_code, error.smtp_error)
            raise Away(f"Our user name or password was refused: {reason}") from None
        except (OSError, ValueError) as error:
            raise Away(f"No connection to the mail server: {_reason(error)}") from None
        return self._session


def _connect(server: Server, domain: str) -> smtplib.SMTP:
    """Return a connection over which the server takes our mail.

    Raises:
        Away: If a password would have to go over it as it is.
        OSError: If there is no connection, or none that can be trusted.
        ValueError: If there cannot be a host of that name (`UnicodeError`), or the
            server asks for the password in a way that nobody can read.

    """
    context = ssl.create_default_context()
    address = server.host, server.port, domain
    session = (
        _EncryptedSession(*address, timeout=server.connect, context=context)
        if server.tls
        else _Session(*address, timeout=server.connect)
    )
    try:
        _set_timeout(session, server.answer)
        session.ehlo_or_helo_if_needed()
        if not server.tls:
            _encrypt(session, server, context)
        if server.user:
            session.login(server.user, server.password)
        session.ehlo_or_helo_if_needed()
    except BaseException:
        session.close()
        raise
    return session


def _encrypt(session: smtplib.SMTP, server: Server, context: ssl.SSLContext) -> None:
    """Encrypt what follows if the server offers it; a password waits for that."""
    if session.has_extn("starttls"):
        session.starttls(context=context)
    elif server.user and server.host not in LOOPBACK:
        raise Away(
            "The mail server offers no encryption, so our password is not sent to it."
        )


def _set_timeout(session: smtplib.SMTP, seconds: float) -> None:
    """Set the most seconds that each of the next steps may take."""
    if session.sock is not None:
        session.sock.settimeout(seconds)


def _send_envelope(session: smtplib.SMTP, message: EmailMessage) -> None:
    """Send everything before the text, or raise `Refused` or `NotNow`."""
    sender, recipient = (message[name].addresses[0] for name in ("From", "To"))
    options = () if recipient.username.isascii() else ("SMTPUTF8", "BODY=8BITMIME")
    if options and not session.has_extn("smtputf8"):
        raise Refused("The mail server takes only ASCII before the @ of an address.")
    try:
        _expect(session.mail(sender.addr_spec, options), _DONE)
        _expect(session.rcpt(recipient.addr_spec), _DONE)
        _expect(session.docmd("DATA"), _GO_ON)
    except OSError as error:
        raise NotNow(f"The mail server went away: {_reason(error)}") from None


def _send_content(session: smtplib.SMTP, content: bytes) -> None:
    """Send the text, or raise `Refused`, `NotNow` or `Unclear`."""
    # RFC 5321, section 4.5.2. `SMTP.data` does the same, but does not tell whether the
    # server went away before it had the text or after.
    dotted = re.sub(rb"(?m)^\.", b"..", content)
    try:
        session.send(dotted + b".\r\n")
        code, text = session.getreply()
    except OSError as error:
        reason = _reason(error)
        raise Unclear(f"It may have arrived, there was no answer: {reason}") from None
    if code // 100 not in {2, 4, 5}:
        raise Unclear(f"It may have arrived, the answer made no sense: {code}.")
    _expect((code, text), _DONE)


def _expect(answer: tuple[int, bytes], wanted: int) -> None:
    """Raise `Refused` or `NotNow` unless the code has the wanted first digit."""
    code, text = answer
    if code // 100 == wanted // 100:
        return
    reason = f"The mail server said: {_quoted(code, text)}"
    raise Refused(reason) if code // 100 == _NEVER else NotNow(reason)


def _quoted(code: int, reply: bytes | str) -> str:
    """Return the code and text of a reply, without addresses."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {_plain(text)}"


def _plain(text: str) -> str:
    """Return the text on one line, short, and without addresses."""
    words = CONTROLS.sub(" ", text[: 4 * _MOST_CHARACTERS]).split()
    return " ".join("…" if "@" in word else word for word in words)[:_MOST_CHARACTERS]


def _reason(error: OSError | ValueError) -> str:
    """Return in plain words why the server could not be talked to."""
    match error:
        case smtplib.SMTPResponseException():
            return _quoted(error.smtp_code, error.smtp_error)
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted, {error.verify_message}"
        case OSError():
            return _plain(error.strerror or str(error))
        case UnicodeError():
            return "there is no such name"
    return "its answer makes no sense"
