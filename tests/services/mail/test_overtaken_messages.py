"""Messages that nobody waits for any more, and those that now have a reader."""

import pytest
from sqlalchemy import select

from app.db import tables
from app.errors import Conflict
from app.permissions import TERMINAL
from app.services.accounts import accounts
from app.services.background import send_mail
from app.services.cities import profiles
from schemas import City
from tests.fixtures.cities import city
from tests.services.mail.filled_outbox import deliver, fill, stored


def paired(database, state: str) -> str:
    """Store a pairing in this state; return its id."""
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
