"""Logs failures in the background once, not at every attempt."""

import structlog

from app.errors import Refusal


class ErrorLogOnce:
    """Logs when something begins to fail, and when it works again.

    A database that is away for an hour is two lines, not thousands.

    Args:
        what: The name of the work in the log.

    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._last_reason: str | None = None

    def tell(self, error: Exception) -> None:
        """Log a failure, unless it is the same as the last one."""
        # Messages of others, as of a database or a parser, may quote what was sent.
        text = f": {error}" if isinstance(error, Refusal | OSError) else ""
        reason = f"{type(error).__name__}{text}".partition("\n")[0]
        if reason != self._last_reason:
            self._last_reason = reason
            expected = isinstance(error, Refusal)
            structlog.get_logger("compaan").warning(
                "background-fails",
                what=self._what,
                reason=reason,
                exc_info=None if expected else error,
            )

    def over(self) -> None:
        """Log that it works again, if it had failed."""
        if self._last_reason is not None:
            self._last_reason = None
            structlog.get_logger("compaan").info("background-works", what=self._what)
