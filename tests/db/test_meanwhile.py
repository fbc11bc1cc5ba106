"""Two requests about one round in one process, where their order is known."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.db import tables
from app.permissions import TERMINAL
from app.services.decisions import phases
from app.services.rounds import rounds
from tests.fixtures.cities import FIVE, changing, pairing, refusal, staged_round

WHY = {"reason": "A reason."}


def test_a_pairing_that_is_forgotten_meanwhile_is_not_found(idle_service):
    round_id = staged_round(idle_service, *FIVE)
    one = pairing(idle_service, round_id, "amiens", "celje")
    database = idle_service.client.app.state.database
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            row = rounds.get(session, TERMINAL, round_id, lock=True)
            phases.move(session, TERMINAL, row, "closed", "Once more.")
            late = pool.submit(idle_service.post, f"/pairings/{one['id']}/dismiss", WHY)
            _wait_until_it_waits(database, session)
        refused = late.result()

    assert refusal(refused) == (404, "not-found", [])


def _wait_until_it_waits(database, session):
    """Wait until the other request waits for the lock; on SQLite it does at once."""
    if database.is_sqlite:
        return
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(200):
        if session.connection().exec_driver_sql(waiting).scalar_one():
            return
        threading.Event().wait(0.02)
    pytest.fail("It did not wait.")


def test_what_is_repaired_while_an_override_is_computed_is_not_thrown_away(
    idle_service,
):
    """Whoever is second looks again: nothing that was done by hand is lost."""
    round_id = staged_round(idle_service, *FIVE)
    where = f"/rounds/{round_id}"
    one = pairing(idle_service, round_id, "amiens", "celje")
    answers = idle_service.client.app.state.answers
    computed, done = answers.override, threading.Event()

    def compute_then_dismiss(*arguments):
        found = computed(*arguments)
        idle_service.post(f"/pairings/{one['id']}/dismiss", WHY)
        done.set()
        return found

    answers.override = compute_then_dismiss
    try:
        late = idle_service.post(
            f"{where}/overrides",
            {"ban": [{"mentor": "bruges", "learner": "evora"}], "reason": "R"},
        )
    finally:
        del answers.override

    assert done.is_set()
    assert refusal(late) == (412, "stale", [])
    with changing(idle_service) as session:
        (state,) = session.scalars(
            select(tables.Pairing.state).where(tables.Pairing.id == one["id"])
        )
    assert state == "dismissed"
