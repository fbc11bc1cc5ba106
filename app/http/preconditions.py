"""Preconditions of a change, `If-Match` and `If-None-Match`, and tags of versions."""

from typing import Any

from app.errors import NoPrecondition, Stale
from app.http import etags
from app.services.shared.changes import differences

NOT_THERE = (
    "There is nothing here for you that If-Match could mean: it was deleted, or never "
    "was. To make it anew, leave If-Match out."
)


class Precondition:
    """The version that the caller's `If-Match` names.

    Args:
        if_match: The header; None: it was not sent.
        if_none_match: Likewise; the version that must not exist.

    """

    def __init__(self, if_match: str | None, if_none_match: str | None = None) -> None:
        self._tags = None if if_match is None else etags.read(if_match)
        self._unless = etags.read(if_none_match or "")

    def allows(self, version: int) -> bool:
        """Tell whether the caller read this version, or sent no `If-Match`."""
        return self._tags is None or etags.fits(self._tags, etag(version))

    def must_be_absent(self) -> None:
        """Refuse to create something if `If-Match` was sent (RFC 9110, 13.1.1).

        Raises:
            Stale: If `If-Match` was sent.

        """
        if self._tags is not None:
            raise Stale(NOT_THERE)

    def check(
        self, version: int, now: dict[str, Any], sent: dict[str, Any] | None = None
    ) -> None:
        """Refuse a change of another version than the caller has read.

        Args:
            version: The present one.
            now: The fields as they are now.
            sent: The fields as the caller sends them; None for a deletion.

        Raises:
            NoPrecondition: If the caller did not say which version was read.
            Stale: With the fields that differ.

        """
        if etags.fits(self._unless, etag(version)):
            raise Stale(
                "This exists already, and If-None-Match asks that it does not.",
                headers={"ETag": etag(version)},
            )
        if self._tags is None:
            raise NoPrecondition("This exists already: send its ETag in If-Match.")
        if self.allows(version):
            return
        errors = [] if sent is None else differences(now, sent)
        fields = ", ".join(error.pointer for error in errors[:5])
        detail = "Somebody changed it since you read it."
        if fields:
            detail += f" It now differs from what you sent in: {fields}."
        raise Stale(detail, errors[:100], headers={"ETag": etag(version)})


def etag(version: int) -> str:
    """Return the version as a strong entity tag."""
    return f'"{version}"'
