"""An outbox with messages in it: filling, delivering and reading it."""

from datetime import timedelta

from sqlalchemy import select, update

from app.db import Database, tables
from app.db.tables.base import now
from app.permissions import TERMINAL
from app.services.accounts import accounts
from app.services.background import send_mail
from app.services.rounds import rounds
from schemas import RoundWrite
from tests.services.mail.posting import SITE, mailer, read


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
