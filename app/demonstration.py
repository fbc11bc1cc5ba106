"""The demo: the real IncluCities round, stored, matched and open to look at."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import data
from app.db import Database, tables
from app.db.schema import migrate
from app.errors import NotFound
from app.permissions import TERMINAL
from app.services.accounts import accounts
from app.services.accounts import tokens as token_service
from app.services.background import run_protocol
from app.services.cities import profiles
from app.services.decisions import participants, phases
from app.services.rounds import policies, rounds
from app.services.runs import runs
from app.settings import Settings
from matching import match
from schemas import ParticipationWrite, RoundWrite, RunWrite

ROUND = "inclucities"
_ACCOUNTS = {"organiser": None, "officer": "mechelen"}


@dataclass(frozen=True)
class Shown:
    """What there is to look at, and the tokens to do it with."""

    run: str
    phase: str
    organiser: str
    officer: str


def prepare(settings: Settings) -> Shown:
    """Store the round with a run, unless it is there, and make new tokens."""
    database = Database(settings.database_url)
    migrate(database)
    with database.write() as session:
        tokens = {role: _token(session, role) for role in _ACCOUNTS}
        run = session.scalar(
            select(tables.Run.id)
            .where(tables.Run.round_id == ROUND, tables.Run.state == "succeeded")
            .order_by(tables.Run.created_at)
        )
        if run is None:
            _store_round(session)
    if run is None:
        run = _propose(database)
    with database.read() as session:
        phase = rounds.get(session, TERMINAL, ROUND).phase
    database.close()
    return Shown(run=run, phase=phase, **tokens)


def forget(file: Path) -> None:
    """Remove the demo's database, with the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def write_variables(file: Path, address: str, shown: Shown) -> None:
    """Write what calls of the API need as a file for a shell to read.

    There are tokens in it: only its owner may read it.
    """
    file.unlink(missing_ok=True)
    file.touch(0o600, exist_ok=False)
    file.write_text(
        f"export API={address}/api/v1\n"
        f"export RUN={shown.run}\n"
        f"export TOKEN={shown.organiser}\n"
        f"export OFFICER={shown.officer}\n",
        "utf-8",
    )


def _token(session: Session, role: str) -> str:
    address = f"{role}{accounts.DEMO}"
    try:
        account = accounts.find_user(session, address)
    except NotFound:
        account = accounts.add_user(session, address, role, _ACCOUNTS[role])
    token_service.revoke_all(session, account, "demo")
    return token_service.add(session, account, name="demo")


def _store_round(session: Session) -> None:
    request = data.inclucities()
    row = rounds.find(session, TERMINAL, ROUND)
    if row is None:
        described = "Four cities experienced in migrant inclusion mentored four others."
        new = RoundWrite(id=ROUND, name="IncluCities", description=described)
        row = rounds.add(session, TERMINAL, new)
    for city in request.cities:
        if profiles.find(session, city.id) is None:
            profiles.add(session, TERMINAL, city)
        if participants.find(session, ROUND, city.id) is None:
            participants.put(session, TERMINAL, row, city.id, ParticipationWrite())
    policy = policies.get(session, TERMINAL, row)
    policies.change(session, TERMINAL, row, policy, request.policy)
    if row.phase == "draft":
        phases.move(session, TERMINAL, row, "open", None)


def _propose(database: Database) -> str:
    """Compute a run here and now: there is no worker yet."""
    with database.write() as session:
        row = rounds.get(session, TERMINAL, ROUND, lock=True)
        run = runs.start(session, TERMINAL, row, RunWrite(label="Proposal")).id
    mine = run_protocol.claim(database)
    while mine is not None:  # the oldest first; an interrupted start may have left one
        trials = runs.trials(mine.problem, mine.policy)
        run_protocol.succeed(
            database, mine, match(mine.problem, mine.policy, trials=trials)
        )
        mine = None if mine.run == run else run_protocol.claim(database)
    return run
