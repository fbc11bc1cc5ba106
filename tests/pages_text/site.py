"""The service over the database of 0.1, with time standing still."""

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import text as sql

# All that this knows of the service, apart from paths and fields. Modules may move
# between the revisions that are compared: these lines then change, and nothing else.
from app.db import Database
from app.db.schema import migrate
from app.main import create_app
from app.services.pairings.offers import expire
from app.settings import Settings
from tests.fixtures.frozen import Frozen, frozen
from tests.fixtures.versions.restored import into_sqlite, kept
from tests.pages_text.reading import steady

_PLACES = Path(__file__).parents[2] / ".cache" / "places"


@dataclass
class Site:
    """The service over its database, and where what is read goes."""

    client: TestClient
    known: dict[str, Any]
    out: Path
    clock: Frozen
    path: Path

    def bearer(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.known['tokens'][role]}"}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Call the API as an organiser, who is not refused; return the answer."""
        headers = self.bearer("organiser") | {"If-Match": "*"}
        answer = self.client.request(
            method, f"/api/v1{path}", json=body, headers=headers
        )
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def enter(self, role: str | None) -> None:
        self.client.cookies.clear()
        if role is not None:
            form = {"token": self.known["tokens"][role], "to": "/"}
            answer = self.client.post("/sign-in", data=form, follow_redirects=False)
            assert answer.status_code == 303, answer.text

    @contextmanager
    def unchanged(self) -> Iterator[Callable[[], None]]:
        """Yield what makes the database again what it is now."""
        before = sqlite3.connect(self.path.with_suffix(".before"))
        with closing(before), closing(sqlite3.connect(self.path)) as now:
            now.backup(before)

            def undo() -> None:
                self.client.app.state.database.close()
                before.backup(now)

            yield undo

    def write(self, *folders: str, name: str, text: str) -> None:
        """Write a text under a path, which may be the address of a page."""
        *further, last = re.sub(r"[^\w./?&=,@ -]", "_", name).strip("/").split("/")
        path = self.out.joinpath(*folders, *further, f"{last or 'front'}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(steady(text) + "\n", "utf-8")

    def let_offers_expire(self) -> None:
        """Let the days for an answer pass, and end the offers that had none."""
        self.clock.moment += timedelta(days=20)
        expire(self.client.app.state.database)

    def letters(self) -> list[Any]:
        """Return the letters about accounts: kind, language, subject and text."""
        asked = (
            "SELECT kind, language, subject, text FROM message"
            " WHERE round_id IS NULL ORDER BY created_at, id"
        )
        with self.client.app.state.database.read() as session:
            return list(session.execute(sql(asked)))


@contextmanager
def opened(out: Path) -> Iterator[Site]:
    """Open the service over the database of 0.1, with time standing still."""
    known = kept("known.json")
    moment = datetime.fromisoformat(known["at"]) + timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "filled.db"
        url = into_sqlite(path)
        database = Database(url)
        migrate(database)
        with database.write() as session:
            # When they were last used is noted later on, at some moment or other.
            session.execute(sql("UPDATE token SET last_used_at = :at"), {"at": moment})
        database.close()
        app = create_app(
            Settings(
                database_url=url,
                runs_at_once=0,
                mail=f"file:{folder}/mail",
                places_dir=str(_PLACES),
                controller="Ένωση πόλεων",
                controller_mail="privacy@example.org",
                answer_seconds=600,  # also on a machine that has much else to do
                match_per_minute=1_000_000,
                requests_per_minute=100_000_000,
            )
        )
        # Before it is frozen: what computes answers is started with it.
        with (
            TestClient(app, raise_server_exceptions=False) as client,
            frozen(moment) as clock,
        ):
            yield Site(client, known, out, clock, path)
