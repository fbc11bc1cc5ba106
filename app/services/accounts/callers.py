"""Callers as the rate limit counts them: a token, a browser, or a network."""

import threading
import time
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database, tables
from app.db.tables.base import now
from app.errors import Refusal
from app.services.accounts import tokens

_FRESH = 60.0
"""Seconds after which it is looked up again whether a credential is known."""
_MOST_KEPT = 10_000


def network(host: str | None) -> str:
    """Return what an address counts as: an IPv4 address, or the /64 of an IPv6 one.

    Whoever has one IPv6 address has 2^64 of them.

    >>> network("192.0.2.1"), network("::ffff:192.0.2.1"), network("2002:c000:201::9")
    ('192.0.2.1', '192.0.2.1', '192.0.2.1')
    >>> network("2001:db8:1:2:3:4:5:6")
    '2001:db8:1:2::/64'
    >>> network(None), network("not an address")
    ('unknown', 'unknown')

    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour
        if within is None:
            return f"{IPv6Address(int(address) >> 64 << 64)}/64"
        address = within
    return str(address)


class Credential(NamedTuple):
    """The credential of a request: the secret of a token, or a browser's cookie."""

    kind: Literal["token", "login"]
    secret: str


class _Remembered(NamedTuple):
    holder: str
    until: float


class Callers:
    """Remembers whose credentials are whose; asks the database once a minute for each.

    It serves counting alone: rights are looked up in the transaction of the request.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Remembered] = OrderedDict()
        self._guard = threading.Lock()

    def remembered(self, shown: Credential, *, also_old: bool) -> str | None:
        """Return whose credential it is, if that has been looked up before.

        Args:
            shown: The credential.
            also_old: Whether to believe what was looked up more than a minute ago.

        """
        known = self._kept.get(tokens.digest(shown.secret))
        if known is None or not (also_old or time.monotonic() < known.until):
            return None
        return known.holder

    def look_up(self, database: Database, shown: Credential) -> str | None:
        """Return whose credential it is; None if it is not known.

        If the database does not answer, it is None: the request itself will fail.
        """
        digest = tokens.digest(shown.secret)
        table = tables.Token if shown.kind == "token" else tables.Login
        try:
            with database.read() as session:
                found = session.execute(
                    select(table.id, table.expires_at).where(table.digest == digest)
                ).one_or_none()
        except (Refusal, SQLAlchemyError):
            return None
        if found is None or (found.expires_at and found.expires_at <= now()):
            return None
        holder = f"{shown.kind} {found.id}"
        with self._guard:
            self._kept[digest] = _Remembered(holder, time.monotonic() + _FRESH)
            self._kept.move_to_end(digest)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return holder
