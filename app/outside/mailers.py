"""Ways to send mail: to the terminal, to a folder, or the one of the settings."""

import os
import smtplib
import sys
import tempfile
from collections.abc import Callable
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import TextIO
from urllib.parse import unquote, urlsplit

from app.outside.mail import CONTROLS, Away, Letterhead, Mail, Mailer, write
from app.outside.smtp import Server, Smtp
from app.settings import Settings


class Console:
    """Prints messages for people to read."""

    def __init__(self, letterhead: Letterhead, out: TextIO | None = None) -> None:
        self._letterhead = letterhead
        self._out = out

    def send(self, mail: Mail, hand_over: Callable[[], None]) -> None:
        """Print the message, without what would steer the terminal."""
        message = write(mail, self._letterhead)
        headers = [f"{name}: {message[name]}" for name in ("From", "To", "Subject")]
        lines = [CONTROLS.sub(" ", line) for line in mail.text.splitlines()]
        out = self._out or sys.stdout
        text = "\n".join([*headers, "", *lines, "", ""])
        hand_over()
        encoding = out.encoding or "utf-8"
        out.write(text.encode(encoding, "replace").decode(encoding))
        out.flush()

    def close(self) -> None:
        """Do nothing: there is no connection."""


class Folder:
    """Writes every message to a file of its own, `ID.eml`, for its owner only."""

    def __init__(self, letterhead: Letterhead, folder: Path) -> None:
        self._letterhead = letterhead
        self._folder = folder

    def send(self, mail: Mail, hand_over: Callable[[], None]) -> None:
        """Write the message; a second time it replaces the first."""
        del hand_over
        content = bytes(write(mail, self._letterhead))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write_whole(f"{mail.message_id}.eml", content)
        except OSError as error:
            reason = error.strerror or error
            raise Away(f"The folder for mail cannot be written to: {reason}.") from None

    def _write_whole(self, name: str, content: bytes) -> None:
        """Write the file under another name first: nobody reads half of it."""
        number, path = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(number, "wb") as part:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
            Path(path).replace(self._folder / name)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Do nothing: there is no connection."""


def mailer(settings: Settings) -> Mailer:
    """Return the way to send mail that the settings ask for."""
    name, address = parseaddr(settings.mail_from)
    local, _, domain = address.rpartition("@")
    sender = Address(display_name=name, username=local, domain=domain)
    letterhead = Letterhead(sender, _domain(settings.public_url))
    target = settings.mail.get_secret_value()
    if target == "console":
        return Console(letterhead)
    if target.startswith("file:"):
        return Folder(letterhead, Path(target.removeprefix("file:")))
    url = urlsplit(target)
    tls = url.scheme == "smtps"
    server = Server(
        host=url.hostname or "",
        port=url.port or (smtplib.SMTP_SSL_PORT if tls else smtplib.SMTP_PORT),
        tls=tls,
        user=unquote(url.username) if url.username else None,
        password=unquote(url.password or ""),
    )
    return Smtp(letterhead, server)


def _domain(public_url: str) -> str:
    """Return the URL's host, a number as RFC 5321 (section 4.1.3) writes it."""
    host = urlsplit(public_url).hostname or "localhost"
    try:
        number = ip_address(host)
    except ValueError:
        return host
    return f"[{'IPv6:' if number.version == 6 else ''}{number}]"  # noqa: PLR2004
