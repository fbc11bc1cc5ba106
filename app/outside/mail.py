"""A message as it is sent: its text and headers, and how sending it may fail."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Protocol

from schemas.account import ADDRESS

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Refused(Exception):
    """The message will not be taken, now or later."""


class NotNow(Exception):
    """The message was not taken; later it may be."""


class Away(NotNow):
    """No message whatever can be delivered now."""


class Unclear(Exception):
    """It is not known whether the message was delivered."""


@dataclass(frozen=True)
class Mail:
    """A message to one address.

    Attributes:
        message_id: Letters and digits; the same for every try of the same message.
        to: The bare address.
        subject: One line; line ends in it become blanks.
        text: Plain text of any length and any characters.
        language: The code of the language it is written in.

    """

    message_id: str
    to: str
    subject: str
    text: str
    language: str


class Mailer(Protocol):
    """A way to send mail; one thread at a time."""

    def send(self, mail: Mail, hand_over: Callable[[], None]) -> None:
        """Deliver one message.

        Args:
            mail: The message.
            hand_over: Called before the first step that cannot be taken back, unless
                a second delivery would replace the first. If it raises, nothing is
                delivered, and the exception comes through.

        Raises:
            Refused: If the message will not be taken.
            NotNow: If it was not taken, but may be later.
            Unclear: If it was handed over and there was no answer.

        """

    def close(self) -> None:
        """Close a connection that is kept open for the next message."""


@dataclass(frozen=True)
class Letterhead:
    """What all messages have in common.

    Attributes:
        sender: Who they come from.
        domain: What ends their ids, and what this machine calls itself.

    """

    sender: Address
    domain: str


class _Policy(EmailPolicy):
    """RFC 5322; the library loses blanks where it folds long subjects (3.11.7)."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the header as it is sent."""
        if name != "Subject" or value.isascii():
            return super().fold_binary(name, value)
        folded = Header(str(value), "utf-8", header_name=name).encode(linesep="\r\n")
        return f"{name}: {folded}\r\n".encode("ascii")


def _recipient(email: str) -> Address:
    """Return the address with its domain in ASCII, or raise `Refused`."""
    local, _, domain = email.rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
        if re.fullmatch(ADDRESS, f"{local}@{domain}"):
            return Address(username=local, domain=domain)
    raise Refused("Mail cannot be sent to an address like this account's.")


def write(mail: Mail, letterhead: Letterhead) -> EmailMessage:
    """Return the message as RFC 5322 has it, or raise `Refused`."""
    to = _recipient(mail.to)
    message = EmailMessage(_Policy(linesep="\r\n", utf8=not to.username.isascii()))
    message["From"] = letterhead.sender
    message["To"] = to
    message["Subject"] = CONTROLS.sub(" ", mail.subject).strip()
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = f"<{mail.message_id}@{letterhead.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies
    message.set_content(mail.text, charset="utf-8", cte="quoted-printable")
    message["Content-Language"] = mail.language  # goes with the content: after it
    return message
