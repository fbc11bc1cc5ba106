"""Runs in the queue, and a trigger that notes the states that each goes through."""

from sqlalchemy import select, text

import matching
from app.db import Database, tables
from app.permissions import TERMINAL
from app.services.rounds import rounds
from app.services.runs import runs
from benchmarks.cities import make_cities
from schemas import Policy, Problem, RoundWrite

SHORT = Problem(cities=make_cities(5))
LONG = Problem(cities=make_cities(600))
"""Under `fair` some seconds of work."""
ENDLESS = Problem(cities=make_cities(1_500))
"""Under `fair` more than any test waits for."""

_NOTE = "INSERT INTO seen VALUES (NEW.id, NEW.state, NEW.attempt);"
_ON_SQLITE = (
    "CREATE TRIGGER witness AFTER UPDATE ON run WHEN OLD.state <> NEW.state"
    f" BEGIN {_NOTE} END"
)
_ON_POSTGRES = (
    f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_NOTE}"
    " RETURN NULL; END $$; CREATE TRIGGER witness AFTER UPDATE ON run FOR EACH ROW"
    " WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note()"
)


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def queue(database: Database, problem: Problem = SHORT, count: int = 1) -> list[str]:
    """Queue runs of a round; the first call adds the round and the trigger."""
    policy = Policy(objective="total" if problem is SHORT else "fair")
    with database.write() as session:
        if session.get(tables.Round, "r") is None:
            rounds.add(session, TERMINAL, RoundWrite(id="r", name="R"))
            session.execute(text("CREATE TABLE seen (run text, state text, at int)"))
            session.execute(text(_ON_SQLITE if database.is_sqlite else _ON_POSTGRES))
        rows = [
            tables.Run(
                round_id="r",
                problem=problem.model_dump_json(),
                policy=policy.model_dump_json(),
                problem_hash=matching.problem_hash(problem),
                policy_hash=matching.policy_hash(policy),
            )
            for _ in range(count)
        ]
        for row in rows:
            session.add(row)
            session.flush()  # each a little later than the one before
        return [row.id for row in rows]


def states_of(database: Database, run: str) -> list[tuple[str, int]]:
    """Return the states and attempts that the run has gone through."""
    with database.read() as session:
        query = text("SELECT state, at FROM seen WHERE run = :run ORDER BY at")
        return [(row.state, row.at) for row in session.execute(query, {"run": run})]


def stored_run(database: Database, run: str) -> tables.Run:
    with database.read() as session:
        return session.get_one(tables.Run, run)


def solutions(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(tables.Solution.run_id)))


def has_ended(database: Database, run: str) -> bool:
    return runs.has_ended(stored_run(database, run))
