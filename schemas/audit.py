"""What was done, by whom."""

from datetime import datetime
from typing import Any

from schemas._wire import Wire
from schemas.page import Page


class AuditEntry(Wire):
    """One thing that somebody did."""

    id: int
    at: datetime
    account: str | None
    """The id of the account; null: done in the terminal of the machine itself."""
    action: str
    city: str | None
    round: str | None
    details: dict[str, Any]


class AuditLog(Page[AuditEntry]):
    """Entries, the newest first."""
