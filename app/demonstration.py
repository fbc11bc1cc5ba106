"""The demo: the real IncluCities round, stored, matched and open to look at."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import data
from app.db import Database, models
from app.db.schema import migrate
from app.errors import NotFound
from app.permissions import TERMINAL
from app.services import (
    accounts,
    cities,
    participants,
    phases,
    policies,
    rounds,
    runs,
)
from app.services import tokens as token_service
from app.settings import Settings
from matching import match
from schemas import ParticipationWrite, RoundWrite, RunWrite

ROUND = "inclucities"
_ACCOUNTS = {"organiser": None, "officer": "mechelen"}


@dataclass(frozen=True)
class Shown:
    """What there is to look at, and the tokens to do it with."""

    run: str
    organiser: str
    officer: str


def prepare(settings: Settings) -> Shown:
    """Store the round with a run, unless it is there, and make new tokens."""
    database = Database(settings.database_url)
    migrate(database)
    with database.write() as session:
        tokens = {role: _token(session, role) for role in _ACCOUNTS}
        run = session.scalar(
            select(models.Run.id)
            .where(models.Run.round_id == ROUND, models.Run.state == "succeeded")
            .order_by(models.Run.created_at)
        )
        if run is None:
            _store_round(session)
    if run is None:
        run = _propose(database)
    database.close()
    return Shown(run=run, **tokens)


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
        if cities.find(session, city.id) is None:
            cities.add(session, TERMINAL, city)
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
    mine = runs.claim(database)
    while mine is not None:  # the oldest first; an interrupted start may have left one
        trials = runs.trials(mine.problem, mine.policy)
        runs.succeed(database, mine, match(mine.problem, mine.policy, trials=trials))
        mine = None if mine.run == run else runs.claim(database)
    return run
