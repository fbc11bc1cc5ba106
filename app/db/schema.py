"""Bringing a database to the tables that this version knows, one program at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, event, text
from sqlalchemy.exc import OperationalError

from app.db.database import Database, named
from app.errors import Busy, Conflict

_ALEMBIC = Path(__file__).parents[2] / "alembic.ini"
VERSION_TABLE = "alembic_version"
_LOCK = 4_019_573
"""Of PostgreSQL's advisory locks: one migration or restore at a time."""
WAIT = 60.0
"""Seconds for which others are waited for."""
_LOCK_SECONDS = 1.0
"""Longest wait of one attempt for one table.

A statement that changes a table waits for everybody who reads it, and everybody who
comes later waits behind that statement: a report that takes ten minutes would stop the
whole service for ten minutes. So an attempt gives up after this long, everybody who
was stopped goes on, and there is another attempt a little later.
"""
_PAUSES = 0.5, 8.0
"""Seconds between two attempts: at first, and at most; twice as long each time."""
_LOCKED = ("55P03", "40P01")
"""PostgreSQL: lock not available in time, deadlock."""
_HOLDERS = """
SELECT a.pid, a.usename, host(a.client_addr) AS address, a.state,
       to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS') AS since
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND a.pid IN (
  SELECT l.pid FROM pg_locks l
  WHERE l.granted
    AND l.database = (SELECT d.oid FROM pg_database d
                      WHERE d.datname = current_database())
    AND {which})
ORDER BY a.xact_start LIMIT 3
"""
_HOLD_TURN = f"l.locktype = 'advisory' AND l.classid = 0 AND l.objid = {_LOCK}"
# What PostgreSQL itself has made has a number below 16384 (FirstNormalObjectId).
_HOLD_TABLES = "l.locktype = 'relation' AND l.relation >= 16384"

Result = TypeVar("Result")


def migrate(database: Database, wait: float = WAIT) -> list[str]:
    """Bring the database to this version's tables: all of the way, or not at all.

    Any number of programs may do this at once: one does the work, the others find it
    done.

    Args:
        database: Of any age; one that is up to date is not even locked.
        wait: Seconds for which others are waited for.

    Returns:
        The revisions that were applied, oldest first, with what they say of themselves.

    Raises:
        Busy: If others held what is needed for all that time.
        Conflict: If the database is newer than this program.

    """
    if not needs_migration(database):
        return []
    return alone(database, to_head, wait)


def needs_migration(database: Database) -> bool:
    """Tell whether the tables are older than this version.

    Raises:
        Conflict: If they are newer.

    """
    with database.read() as session:
        return revision_of(session.connection()) != head()


def is_current(database: Database) -> bool:
    """Tell whether the database has the tables that this version knows."""
    with database.read() as session:
        return _revision(session.connection()) == head()


def head() -> str | None:
    """Return the revision of the tables that this version knows."""
    return _script().get_current_head()


def is_known(revision: str) -> bool:
    """Tell whether this version knows the revision."""
    return any(script.revision == revision for script in _script().walk_revisions())


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the database's tables, or None if it has none yet.

    Raises:
        Conflict: If it is newer than this program.

    """
    found = _revision(connection)
    if found is not None and not is_known(found):
        raise Conflict(
            f"The database is newer than this program: it is at revision {found}, and "
            f"this program knows none after {head()}. Nothing was changed. Use the "
            "version of Compaan that the database was last migrated with, or a later "
            "one."
        )
    return found


def to_head(connection: Connection) -> list[str]:
    """Apply what is missing; return what was applied, oldest first."""
    before = revision_of(connection) or "base"
    move(connection, "head")
    applied = _script().iterate_revisions("head", before)
    return [f"{one.revision} {one.doc}" for one in applied][::-1]


def move(connection: Connection, revision: str) -> None:
    """Apply migrations up to the revision; `base` takes all of them back."""
    config = Config(_ALEMBIC)
    config.attributes["connection"] = connection
    if revision == "base":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def tables_at(revision: str) -> MetaData:
    """Return the tables as they are at a revision, with types that any database has.

    The classes in `models` are those of the newest revision alone, and a database may
    hold tables of other programs: so an empty one in memory is migrated and looked at.
    """
    found = MetaData()

    @event.listens_for(found, "column_reflect")
    def _generic(_inspector: object, _table: object, column: Any) -> None:  # noqa: ANN401 -- as SQLAlchemy calls it
        column["type"] = column["type"].as_generic()

    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        move(connection, revision)
        found.reflect(connection)
    engine.dispose()
    found.remove(found.tables[VERSION_TABLE])
    return found


def alone(
    database: Database, work: Callable[[Connection], Result], wait: float = WAIT
) -> Result:
    """Do the work in one transaction, while nobody else migrates, restores or backs up.

    Args:
        database: What is worked on.
        work: Is given the connection; done again from the start if it had to give way.
        wait: Seconds for which others are waited for.

    Raises:
        Busy: If others held what is needed for all that time; nothing was changed.

    """
    if database.is_sqlite:
        return _alone_in_file(database, work, wait)
    with named():
        return _alone_in_server(database, work, wait)


@contextmanager
def at_rest(database: Database, wait: float = WAIT) -> Iterator[None]:
    """Keep migrations and restores away until the block ends; others go on writing.

    Raises:
        Busy: If one was under way for all of the time.

    """
    if database.is_sqlite:  # what a transaction reads there includes the tables
        yield
        return
    with named(), database.engine.begin() as connection:
        _take_turn(database, connection, wait, shared=True)
        yield


def _alone_in_server(
    database: Database, work: Callable[[Connection], Result], wait: float
) -> Result:
    """Do the work while nobody else has the turn; give way to whoever reads or writes.

    The turn falls with the transaction: an attempt that failed holds nothing.
    """
    until = time.monotonic() + wait
    pause, longest = _PAUSES
    while True:
        try:
            with database.engine.begin() as connection:
                _take_turn(database, connection, until - time.monotonic())
                _limit_locks(connection, _LOCK_SECONDS)
                return work(connection)
        except OperationalError as error:
            if not _was_locked(error):
                raise
            if time.monotonic() + pause + _LOCK_SECONDS > until:
                holders = _holders(database, _HOLD_TABLES)
                raise Busy(
                    f"The tables were in use for {wait:g} s, by {holders}. Nothing was "
                    "changed. Wait until that has ended, or end it, and try again."
                ) from None
        time.sleep(pause)
        pause = min(2 * pause, longest)


def _was_locked(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _LOCKED


def _take_turn(
    database: Database, connection: Connection, wait: float, *, shared: bool = False
) -> None:
    """Take the lock until the transaction ends, or raise `Busy`."""
    _limit_locks(connection, max(wait, 0.001))
    kind = "_shared" if shared else ""
    try:
        connection.execute(text(f"SELECT pg_advisory_xact_lock{kind}({_LOCK})"))
    except OperationalError as error:
        if not _was_locked(error):
            raise
        holders = _holders(database, _HOLD_TURN)
        raise Busy(
            f"This database is being migrated, restored or backed up by {holders}, and "
            "that did not end in time. Nothing was changed. Wait until it has ended, "
            "or end it, and try again."
        ) from None


def _limit_locks(connection: Connection, seconds: float) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {round(seconds * 1000)}"))


def _holders(database: Database, which: str) -> str:
    """Tell who holds such locks, for people: who, from where, since when."""
    with database.read() as session:
        rows = session.execute(text(_HOLDERS.format(which=which))).all()
    said = [
        f"process {row.pid} of {row.usename} (from {row.address or 'this machine'}; "
        f"transaction since {row.since} UTC; {row.state}; "
        f"SELECT pg_terminate_backend({row.pid}) ends it)"
        for row in rows
    ]
    return "; ".join(said) or "somebody who has just ended it"


def _alone_in_file(
    database: Database, work: Callable[[Connection], Result], wait: float
) -> Result:
    """Do the work while nobody else writes to the SQLite file."""
    with named(), database.engine.execution_options(write=True).connect() as connection:
        driver: Any = connection.connection.driver_connection
        # Neither can be set within a transaction. Without foreign keys a table can be
        # made anew: dropping the old one would take along whatever refers to it.
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute(f"PRAGMA busy_timeout={round(wait * 1000)}")
        try:
            with connection.begin():
                result = work(connection)
                _check_references(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", None) != "SQLITE_BUSY":
                raise
            raise Busy(
                f"Somebody else was writing to the database for {wait:g} s. Nothing "
                "was changed. Wait until that has ended, or end it, and try again."
            ) from None
        else:
            return result
        finally:
            connection.invalidate()  # its settings are not those of other connections


def _check_references(connection: Connection) -> None:
    wrong = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if wrong is not None:
        raise Conflict(
            f"A row of {wrong[0]} refers to a row of {wrong[2]} that is not there. "
            "Nothing was changed."
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(_ALEMBIC))
