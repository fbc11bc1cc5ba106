"""What has changed in the API: told to people on a page, and held to by the tests."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

PAGE = "/api/changes"


@dataclass(frozen=True)
class Change:
    """One change that callers can notice.

    Attributes:
        date: The day from which it holds.
        kind: What it is; only `changed` and `removed` may break callers.
        text: What callers should know, in a sentence or two.
        breaks: What `python -m tests.api.contract` says that it breaks, word by word.

    """

    date: date
    kind: Literal["added", "changed", "deprecated", "removed"]
    text: str
    breaks: tuple[str, ...] = ()


CHANGES = (
    Change(
        date(2026, 11, 24),
        "added",
        "GET /places finds a city by its name, in any language and without accents.",
    ),
    Change(
        date(2026, 11, 24),
        "added",
        "Reading under /api/v1 answers with an ETag, and with 304 if If-None-Match "
        "names it; HEAD is answered wherever GET is.",
    ),
    Change(
        date(2026, 11, 24),
        "added",
        "GET /rounds and GET /rounds/{round_id}/pairings take updated_since.",
    ),
    Change(
        date(2026, 11, 24),
        "added",
        "A limit of requests a minute for each caller (429), told in RateLimit-Policy "
        "and RateLimit.",
    ),
    Change(
        date(2026, 11, 24),
        "changed",
        "A path with a slash at its end that has none in the documents is not found; "
        "it was redirected.",
    ),
)
"""Newest first."""
