"""What goes wrong in the background, told once."""

import structlog

from app.errors import Refusal


class ErrorLogOnce:
    """Tells the log when something begins to fail, and when it works again.

    A database that is away for an hour is two lines, not thousands.

    Args:
        what: What it is that fails, as the log names it.

    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._told: str | None = None

    def tell(self, error: Exception) -> None:
        """Tell of a failure, unless it is the one that was told of last."""
        # Messages of others, as of a database or a parser, may quote what was sent.
        said = f": {error}" if isinstance(error, Refusal | OSError) else ""
        reason = f"{type(error).__name__}{said}".partition("\n")[0]
        if reason != self._told:
            self._told = reason
            expected = isinstance(error, Refusal)
            structlog.get_logger("compaan").warning(
                "background-fails",
                what=self._what,
                reason=reason,
                exc_info=None if expected else error,
            )

    def over(self) -> None:
        """Tell that it works again, if it did not."""
        if self._told is not None:
            self._told = None
            structlog.get_logger("compaan").info("background-works", what=self._what)
