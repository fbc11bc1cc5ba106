"""Webhooks in the database: storing them, and reading and ageing their deliveries."""

from sqlalchemy import select, update

from app.db import Database, tables
from app.db.tables.base import now
from app.outside.outgoing import Outgoing
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.webhooks import subscriptions
from schemas import City, WebhookWrite
from tests.fixtures.cities import city

INSIDE = Outgoing(allow_private=True, seconds=0.5)
"""Sends to private addresses too, as receivers of tests are; waits half a second."""
URL = "https://hooks.example.org/compaan"


def hook(database: Database, url: str, *events: str) -> str:
    """Store a webhook; return its id."""
    with database.write() as session:
        new = WebhookWrite(url=url, events=events)
        return subscriptions.add(session, TERMINAL, new, allow_private=True).id


def happen(database: Database, slug: str = "ghent") -> None:
    """Register a city, which is announced to webhooks."""
    with database.write() as session:
        profiles.add(session, TERMINAL, City(**city(slug)))


def deliveries_of(
    database: Database, webhook: str | None = None
) -> list[tables.Delivery]:
    """Return the deliveries, of one webhook or of all, the oldest first."""
    table = tables.Delivery
    query = select(table).order_by(table.created_at, table.id)
    if webhook:
        query = query.where(table.webhook_id == webhook)
    with database.read() as session:
        return list(session.scalars(query))


def only(database: Database) -> tables.Delivery:
    (one,) = deliveries_of(database)
    return one


def make_due(database: Database, **values: object) -> None:
    """Make the next attempt of all queued deliveries due now."""
    with database.write() as session:
        session.execute(
            update(tables.Delivery)
            .where(tables.Delivery.state == "queued")
            .values(due_at=now(), **values)
        )


def stored(database: Database, webhook: str) -> tables.Webhook:
    with database.read() as session:
        return session.get_one(tables.Webhook, webhook)


def event_types(database: Database) -> list[str]:
    return [one.type for one in deliveries_of(database)]


def post_webhook(service, **fields):
    answer = service.post("/webhooks", {"url": URL} | fields)
    assert answer.status_code == 201, answer.text
    return answer
