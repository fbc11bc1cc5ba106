"""A letter, the mailers that post it, and how to read what arrives."""

import email
from email.headerregistry import Address
from email.policy import default

from app.outside import mail, mailers
from app.settings import Settings

SITE = "https://compaan.example.org"
LETTERHEAD = mail.Letterhead(
    Address("Compaan", "compaan", "example.org"), "compaan.example.org"
)


def mailer(way: str) -> mail.Mailer:
    return mailers.mailer(settings(way))


def settings(way: str) -> Settings:
    return Settings(
        mail=way, mail_from="Compaan <compaan@example.org>", public_url=SITE
    )


def post(way: str, message: mail.Mail) -> None:
    sender = mailer(way)
    try:
        sender.send(message, lambda: None)
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
