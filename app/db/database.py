"""Engine, sessions and transactions for SQLite and PostgreSQL."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from app.errors import Busy, Conflict, Stale

_TURN_SECONDS = 10.0
"""Longest wait for a turn to write, or for somebody else's lock."""
_CONNECTIONS = 50
"""Most connections of one process: a thread each for 40 requests, and the workers."""
_RETRY_AFTER = 2


class Turns:
    """A lock that is given in the order in which it was asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def acquire(self, timeout: float) -> bool:
        """Wait for the turn; False if it did not come in time."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(timeout):
            return True
        with self._guard:
            if mine.is_set():  # it came after all, between the two lines above
                return True
            self._waiting.remove(mine)
            return False

    def release(self) -> None:
        """Pass the turn on to whoever has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


class Database:
    """Opens short sessions: `read()` never commits, `write()` commits once.

    Args:
        url: An SQLAlchemy URL, `sqlite:///…` or `postgresql+psycopg://…`; nothing is
            connected to before the first session.

    """

    def __init__(self, url: str) -> None:
        # A bare `postgresql://` means the driver that is installed with us.
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        else:
            milliseconds = round(_TURN_SECONDS * 1000)
            options["connect_args"] = {
                "connect_timeout": 10,
                "tcp_user_timeout": 15_000,  # of a network that swallows everything
                "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
            }
        self.engine: Engine = create_engine(
            parsed,
            pool_pre_ping=not self.is_sqlite,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_TURN_SECONDS,
            **options,
        )
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        self._turns = Turns()
        self._read = sessionmaker(self.engine, expire_on_commit=False)
        self._write = sessionmaker(
            self.engine.execution_options(write=True), expire_on_commit=False
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session whose changes are thrown away.

        Raises:
            Busy: If the database cannot be reached now.

        """
        with named(), self._read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open one transaction: committed on success, rolled back on error.

        Raises:
            Busy: If no turn came up in time, or the database cannot be reached now.
            Conflict: If it contradicts what somebody else has just written.
            Stale: If somebody else has just changed the same thing.

        """
        if self.is_sqlite and not self._turns.acquire(_TURN_SECONDS):
            raise Busy("Too many are writing at once.", retry_after=_RETRY_AFTER)
        try:
            with named(), self._write.begin() as session:
                yield session
        finally:
            if self.is_sqlite:
                self._turns.release()

    def seconds(self, session: Session) -> float:
        """Return the database's own clock, in seconds since 1970.

        Leases are compared by it: workers on several machines share no other clock.
        """
        asked = (
            "SELECT (julianday('now') - 2440587.5) * 86400"
            if self.is_sqlite
            else "SELECT extract(epoch FROM clock_timestamp())"
        )
        return float(session.scalar(text(asked)) or 0)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


@contextmanager
def named() -> Iterator[None]:
    """Give failures that a caller can do something about their own names."""
    try:
        yield
    except StaleDataError as error:
        raise Stale("Somebody changed it at the same moment; read it again.") from error
    except IntegrityError as error:
        raise Conflict(
            "It contradicts what somebody else wrote at the same moment; read again."
        ) from error
    except PoolTimeout as error:
        raise Busy("Too many are served at once.", retry_after=_RETRY_AFTER) from error
    except (OperationalError, InterfaceError) as error:
        if _passes(error):
            raise Busy(
                "The database is busy or away.", retry_after=_RETRY_AFTER
            ) from error
        raise
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Busy("The database is away.", retry_after=_RETRY_AFTER) from error
        raise


def _passes(error: DBAPIError) -> bool:
    """Tell whether the same request may well succeed a little later."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL"))
    state = getattr(error.orig, "sqlstate", None)
    # None: no connection. 08, 57: connection lost, server going down. 53: out of
    # connections or memory. 40P01, 55P03: deadlock, lock not available.
    return state is None or state[:2] in {"08", "57", "53", "40"} or state == "55P03"


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: object) -> None:  # noqa: ANN401
        dbapi.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledged write survives a power cut
            "busy_timeout=30000",
            "foreign_keys=ON",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that later writes fails at once with SQLITE_BUSY, whatever the
        # timeout; taking the write lock first makes writers wait instead.
        writing = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
