"""When tokens and browsers were last used, stored later and every ten minutes only."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from sqlalchemy import update

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import Refusal
from app.permissions import Actor

_INTERVAL = 600.0
"""Seconds within which a second use is not noted."""
_PAUSE = 5.0
"""Seconds between two times that uses are stored."""


class LastSeen:
    """Notes uses of tokens and browsers, and stores them later: no request waits.

    Args:
        database: Where it is written.

    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self._new: dict[tuple[str, str], datetime] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that stores what is noted."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Store the rest, and stop the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def note(self, actor: Actor) -> None:
        """Note that a token or a browser was used now."""
        kind, credential_id = (
            ("token", actor.token) if actor.token else ("login", actor.login)
        )
        moment = time.monotonic()
        if (
            credential_id is None
            or moment - self._noted.get(credential_id, -_INTERVAL) < _INTERVAL
        ):
            return
        with self._lock:
            self._noted[credential_id] = moment
            self._new[kind, credential_id] = now()

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            with suppress(Refusal):
                self.flush()
        with suppress(Refusal):
            self.flush()

    def flush(self) -> None:
        """Store what was noted; what cannot be stored is noted again."""
        with self._lock:
            new, self._new = self._new, {}
            old = time.monotonic() - _INTERVAL
            self._noted = {
                credential_id: at
                for credential_id, at in self._noted.items()
                if at > old
            }
        if not new:
            return
        try:
            self._write(new)
        except Refusal:
            with self._lock:
                self._new = new | self._new
            raise

    def _write(self, uses: Mapping[tuple[str, str], datetime]) -> None:
        token, login = tables.Token, tables.Login
        with self.database.write() as session:
            for (kind, credential_id), at in uses.items():
                statement = (
                    update(token)
                    .where(token.id == credential_id)
                    .values(last_used_at=at)
                    if kind == "token"
                    else update(login)
                    .where(login.id == credential_id)
                    .values(seen_at=at)
                )
                session.execute(statement.execution_options(synchronize_session=False))
