"""When tokens and browsers were last used: noted aside, and every ten minutes only."""

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

_OFTEN = 600.0
"""Seconds within which a second use is not noted."""
_PAUSE = 5.0
"""Seconds between two times that what was seen is written down."""


class LastSeen:
    """Notes who was there, and writes it down later: no request waits for it.

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
        """Begin to write down what is noted."""
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the rest down, and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def note(self, actor: Actor) -> None:
        """Note that a token or a browser was used now."""
        kind, one = ("token", actor.token) if actor.token else ("login", actor.login)
        moment = time.monotonic()
        if one is None or moment - self._noted.get(one, -_OFTEN) < _OFTEN:
            return
        with self._lock:
            self._noted[one] = moment
            self._new[kind, one] = now()

    def _keep(self) -> None:
        while not self._stopping.wait(_PAUSE):
            with suppress(Refusal):
                self.flush()
        with suppress(Refusal):
            self.flush()

    def flush(self) -> None:
        """Write down what was noted; what cannot be written is noted again."""
        with self._lock:
            new, self._new = self._new, {}
            old = time.monotonic() - _OFTEN
            self._noted = {one: at for one, at in self._noted.items() if at > old}
        if not new:
            return
        try:
            self._write(new)
        except Refusal:
            with self._lock:
                self._new = new | self._new
            raise

    def _write(self, seen: Mapping[tuple[str, str], datetime]) -> None:
        token, login = tables.Token, tables.Login
        with self.database.write() as session:
            for (kind, one), at in seen.items():
                noted = (
                    update(token).where(token.id == one).values(last_used_at=at)
                    if kind == "token"
                    else update(login).where(login.id == one).values(seen_at=at)
                )
                session.execute(noted.execution_options(synchronize_session=False))
