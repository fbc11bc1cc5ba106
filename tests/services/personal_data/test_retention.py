"""What is erased when its time is over."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.db import tables
from app.services.personal_data import retention
from app.services.rounds import rounds
from tests.fixtures.cities import (
    FIVE,
    audited,
    changing,
    city,
    confirm,
    listed,
    pairing,
    refusal,
    register,
    staged_round,
)
from tests.web.visitor import Visitor


def let_pass(service, **values) -> None:
    """Set moments of the round, such as when it was archived."""
    with changing(service) as session:
        session.execute(update(tables.Round).values(**values))


def months_ago(months: int) -> datetime:
    return rounds.months_after(datetime.now(UTC), -months)


@pytest.fixture
def archived(idle_service):
    """A round in the archive with letters, a note, a decline and reasons."""
    service = idle_service
    service.round = staged_round(service, *FIVE)
    where = f"/rounds/{service.round}"
    back = {"to": "closed", "reason": "The committee."}
    staged = service.get(where).json()["staged_run"]
    service.post(f"{where}/phase", back)
    service.post(f"{where}/stage", {"run": staged})
    service.post(f"{where}/release", {})
    one, other, third = (
        pairing(service, service.round, *pair)
        for pair in (("amiens", "celje"), ("bruges", "delft"), ("bruges", "evora"))
    )
    confirm(service, one)
    service.post(f"/pairings/{one['id']}/check-ins", {"note": "Met.", "fit": "good"})
    no = {"side": "learner", "answer": "decline", "text": "No.", "reason_code": "topic"}
    service.post(f"/pairings/{other['id']}/answer", no)
    service.post(f"/pairings/{third['id']}/withdraw", {"reason": "It is off."})
    service.post(f"{where}/phase", {"to": "archived"})
    return service


def stored_texts(service) -> dict[str, object]:
    """Return the texts of the round, and what is to stay of it."""
    found = listed(service, f"/rounds/{service.round}/pairings")
    one = next(one for one in found if one["state"] == "confirmed")
    notes = service.get(f"/pairings/{one['id']}/check-ins").json()["items"]
    log = listed(service, f"/rounds/{service.round}/audit")
    fields = ("reason", "mentor_text", "learner_text")
    return {
        "texts": sorted(one[field] for one in found for field in fields if one[field]),
        "letters": len(listed(service, f"/rounds/{service.round}/messages")),
        "notes": [(note["fit"], note["note"]) for note in notes],
        "said": [text for one in log if (text := one["details"].get("reason"))],
        "states": sorted(one["state"] for one in found),
        "codes": [one["reason_code"] for one in found if one["reason_code"]],
    }


TEXTS = ["It is off.", "No."]
STAYS = {"states": ["confirmed", "declined", "withdrawn"], "codes": ["topic"]}


def test_a_round_loses_its_texts_when_their_time_is_over(archived):
    database = archived.client.app.state.database
    before = stored_texts(archived)
    shown = archived.get(f"/rounds/{archived.round}").json()
    let_pass(archived, archived_at=months_ago(24) + timedelta(hours=1))
    retention.enforce(database)
    still = stored_texts(archived)
    let_pass(archived, archived_at=months_ago(24) - timedelta(hours=1))
    count = audited(archived)

    retention.enforce(database)
    retention.enforce(database)

    assert before == still
    assert before.pop("letters") > 0
    assert before == STAYS | {
        "texts": TEXTS,
        "notes": [("good", "Met.")],
        "said": ["The committee."],
    }
    assert stored_texts(archived) == STAYS | {
        "texts": [],
        "letters": 0,
        "notes": [("good", None)],
        "said": [],
    }
    after = archived.get(f"/rounds/{archived.round}").json()
    assert shown["released_at"] < shown["archived_at"] <= shown["updated_at"]
    assert (shown["retention_months"], shown["cleared_at"]) == (24, None)
    assert after["cleared_at"] > after["texts_until"]
    log = listed(archived, f"/rounds/{archived.round}/audit")
    assert (log[0]["action"], log[0]["account"], log[0]["details"]) == (
        "round.cleared",
        None,
        {},
    )
    assert audited(archived) == count + 1


def test_a_round_says_how_long_its_texts_are_kept(archived):
    archived.post("/rounds", {"name": "Short", "retention_months": 1})
    assert archived.get("/rounds/short").json()["texts_until"] is None
    archived.post("/rounds/short/phase", {"to": "archived"})
    day = datetime(2027, 1, 31, 12, tzinfo=UTC)
    let_pass(archived, archived_at=day)

    ends = [
        archived.get(f"/rounds/{one}").json()["texts_until"]
        for one in ("short", "trial")
    ]

    assert ends == ["2027-02-28T12:00:00Z", "2029-01-31T12:00:00Z"]
    for months in (0, 121, "24", 1.5):
        new = {"name": "Wrong", "retention_months": months}
        wrong = refusal(archived.post("/rounds", new))
        assert wrong == (422, "invalid-input", ["/retention_months"])


def test_the_form_of_a_round_sets_it(sqlite_service):
    sqlite_service.post("/rounds", {"name": "Trial"})
    page = Visitor(sqlite_service).sign_in("organiser").open("/rounds/trial/edit")

    page.press("Save", retention_months="6")

    assert sqlite_service.get("/rounds/trial").json()["retention_months"] == 6
    assert (
        page.open("/rounds/trial/edit").press("Save", retention_months="x").status
        == 422
    )


def test_workers_that_clear_at_the_same_moment_do_it_once(archived):
    database = archived.client.app.state.database
    add_contact_long_ago(archived, "delft", months=25)
    let_pass(archived, archived_at=months_ago(25), cleared_at=None)
    count = audited(archived)
    barrier, failed = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        try:
            retention.enforce(database)
        except Exception as error:  # noqa: BLE001 -- a thread tells nobody
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert stored_texts(archived)["texts"] == []
    assert audited(archived) == count + 2


def add_contact_long_ago(service, city_id: str, *, months: int) -> None:
    new = {"name": f"Desk of {city_id}"}
    contact = service.post(f"/cities/{city_id}/contacts", new).json()["id"]
    with changing(service) as session:
        row = session.get_one(tables.Contact, contact)
        row.updated_at = months_ago(months)


def test_contact_persons_whom_nobody_confirms_are_erased(archived):
    register(archived, city("alone"), city("fresh"))
    for one, months in (("alone", 25), ("fresh", 23), ("delft", 25)):
        add_contact_long_ago(archived, one, months=months)
    database = archived.client.app.state.database

    def left() -> list[str]:
        with database.read() as session:
            return sorted(session.scalars(select(tables.Contact.city_id)))

    retention.enforce(database)
    first = left()
    let_pass(archived, archived_at=months_ago(25))
    retention.enforce(database)

    assert (first, left()) == (["delft", "fresh"], ["fresh"])
    log = listed(archived, "/cities/alone/audit")
    assert (log[0]["action"], log[0]["account"]) == ("contact.erased", None)


def test_sign_ins_and_links_that_are_over_are_forgotten(idle_service):
    Visitor(idle_service).sign_in("officer")
    now = datetime.now(UTC)
    with changing(idle_service) as session:
        (login,) = session.scalars(select(tables.Login))
        for name, ends in (("old", -1), ("new", 1)):
            ends_at = now + timedelta(minutes=ends)
            link = tables.Link(
                digest=name, account_id=login.account_id, expires_at=ends_at
            )
            session.add(link)
        login.expires_at = now - timedelta(seconds=1)

    retention.enforce(idle_service.client.app.state.database)

    with changing(idle_service) as session:
        assert session.scalars(select(tables.Login)).all() == []
        assert session.scalars(select(tables.Link.digest)).all() == ["new"]
