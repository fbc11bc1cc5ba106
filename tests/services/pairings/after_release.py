"""Reading and changing the pairings and messages of a released round."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from app.db import tables
from app.services.pairings import offers
from tests.fixtures.cities import changing, listed, pairing

WHY = {"reason": "The project has ended."}


def first(service):
    return pairing(service, service.round, "amiens", "celje")


def again(service, one):
    return service.get(f"/pairings/{one['id']}").json()


def new_messages(service, before):
    """Return (city, kind, role, account) of the messages that are not in `before`."""
    known = {one["id"] for one in before}
    addresses = {}
    with changing(service) as session:
        addresses = {
            row.id: row.email.split("@")[0] for row in session.query(tables.Account)
        }
    return sorted(
        (one["city"] or "", one["kind"], one["role"], addresses[one["account"]])
        for one in listed(service, f"/rounds/{service.round}/messages")
        if one["id"] not in known
    )


def outbox(service):
    return listed(service, f"/rounds/{service.round}/messages")


def let_pass(service, *states):
    """Let the deadlines of all offers pass; return how many pairings expired."""
    with changing(service) as session:
        session.execute(
            update(tables.Pairing)
            .where(tables.Pairing.state.in_(states or ("offered",)))
            .values(answer_by=datetime.now(UTC) - timedelta(seconds=1))
        )
    return offers.expire(service.client.app.state.database)


def patch(service, one, answer_by, role="organiser", tag="*"):
    headers = {} if tag is None else {"If-Match": tag}
    return service.call(
        "PATCH",
        f"/pairings/{one['id']}",
        role,
        json={"answer_by": answer_by},
        headers=headers,
    )
