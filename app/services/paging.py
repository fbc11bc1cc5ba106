"""Pages of a list, cut at a key: inserting or deleting never shifts them."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import InvalidInput
from schemas import InputError

T = TypeVar("T")
_WRONG = "This cursor is not ours: follow `next` of a page, or leave it out."


def _refuse() -> InvalidInput:
    error = InputError(pointer="?cursor", code="cursor", message=_WRONG)
    return InvalidInput(_WRONG, [error])


@dataclass(frozen=True)
class Cut:
    """Where a page begins and how long it may be.

    Attributes:
        limit: Most things on it.
        after: The key of the last thing on the page before; None: the first page.

    """

    limit: int
    after: str | None = None

    @classmethod
    def at(cls, limit: int, cursor: str | None) -> "Cut":
        """Return the cut that a cursor stands for, or raise `InvalidInput`."""
        if cursor is None:
            return cls(limit)
        try:
            after = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            raise _refuse() from None
        if not after or not after.isprintable():
            raise _refuse()
        return cls(limit, after)

    @property
    def number(self) -> int:
        """The key as a number, or raise `InvalidInput`."""
        after = self.after or ""
        if not (after.isascii() and after.isdecimal() and len(after) <= 18):  # noqa: PLR2004 -- fits 63 bits
            raise _refuse()
        return int(after)


def cut_off(
    found: Sequence[T], cut: Cut, key: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """Return the page and the cursor of the next one.

    Args:
        found: One thing more than fits, if there is one.
        cut: How many fit.
        key: What the list is sorted by.

    """
    if len(found) <= cut.limit:
        return found, None
    page = found[: cut.limit]
    return page, base64.urlsafe_b64encode(key(page[-1]).encode()).decode()
