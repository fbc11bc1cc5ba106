"""Lists stay at the same number of queries, however long they are."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tests.fixtures.cities import city, compute, open_round

LEFT_OUT = (
    *("BEGIN", "PRAGMA", "SELECT pg_catalog", "show"),
    "SELECT token.id, token.expires_at",  # whom to count for: once a minute
)


@contextmanager
def counted(service):
    engine = service.client.app.state.database.engine
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_):
        if not statement.startswith(LEFT_OUT):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


# Each finds out who asks, in one; a city comes with its areas and its practices.
LISTS = {
    "/cities": 4,
    "/cities?area=housing&role=mentor&q=c": 4,
    "/cities/export?format=csv": 4,
    "/cities/c0/practices": 4,
    "/cities/c0/suggestions": 7,
    "/cities/c0/audit": 3,
    "/rounds": 2,
    "/rounds/trial": 2,
    "/rounds/trial/participants": 3,
    "/rounds/trial/policy": 3,
    "/rounds/trial/readiness": 8,
    "/rounds/trial/runs": 3,
    "/rounds/trial/audit": 2,
}
# The same of questions to the engine, about a run that has ended.
QUESTIONS = {
    "/runs/RUN/why-not?mentor=c0&learner=c0-learner": 2,
    "/runs/RUN/drill": 4,
    "/rounds/trial/repairs?run=RUN": 10,
    "/runs/RUN/solution.html": 4,
}
# The same of a round that has been released.
RELEASED = {
    "/rounds/trial/pairings": 3,
    "/rounds/trial/outbox": 5,
    "/rounds/trial/messages": 3,
    "/rounds/trial/health": 6,
    "/rounds/trial/repairs": 11,
    "/rounds/trial/decision": 4,
    "/ledger": 6,
}


@pytest.mark.parametrize("size", [1, 3])
def test_lists_ask_the_database_as_often_as_the_table_says(idle_service, size):
    service = idle_service
    practices = [{"area": "housing", "title": f"T{at}"} for at in range(size)]
    cities = [
        city(f"c{at}", roles=["mentor", "learner"], practices=practices)
        for at in range(size)
    ]
    open_round(service, *cities)
    for _ in range(size):
        service.post("/rounds/trial/runs", {})

    found = {}
    for path in LISTS:
        with counted(service) as asked:
            assert service.get(path).status_code == 200
        found[path] = len(asked)

    assert found == LISTS


@pytest.mark.parametrize("size", [1, 3])
def test_questions_ask_the_database_as_often_as_the_table_says(idle_service, size):
    service = idle_service
    mentors = [city(f"c{at}", "mentor") for at in range(size)]
    learners = [city(f"c{at}-learner") for at in range(size)]
    run = compute(service, open_round(service, *mentors, *learners))

    found = {}
    for path in QUESTIONS:
        counts = []
        for _ in range(2):  # what is noted beside requests may fall into one of them
            with counted(service) as asked:
                assert service.get(path.replace("RUN", run)).status_code == 200
            counts.append(len(asked))
        found[path] = min(counts)
    with counted(service) as asked:
        assert service.post(f"/runs/{run}/what-if", {}).status_code == 200

    # Who asks is looked up before the body is read, and where the run is.
    assert (found, len(asked)) == (QUESTIONS, 3)


@pytest.mark.parametrize("size", [1, 3])
def test_a_release_asks_the_database_as_often_as_the_table_says(idle_service, size):
    service = idle_service
    mentors = [city(f"c{at}", "mentor") for at in range(size)]
    learners = [city(f"c{at}-learner") for at in range(size)]
    run = compute(service, open_round(service, *mentors, *learners))
    for path, body in (
        ("phase", {"to": "closed"}),
        ("stage", {"run": run}),
        ("release", {}),
    ):
        assert service.post(f"/rounds/trial/{path}", body).status_code == 200

    found = {}
    for path in RELEASED:
        with counted(service) as asked:
            assert service.get(path).status_code == 200
        found[path] = len(asked)

    assert found == RELEASED
