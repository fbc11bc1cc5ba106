"""Passwords: hashed with argon2id, and tried a few times only.

Parameters are those of RFC 9106 for machines with little memory, as argon2-cffi sets
them: 64 MiB and three passes. OWASP's Password Storage Cheat Sheet asks for less.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from app.errors import Busy

_hasher = PasswordHasher()
_AT_ONCE = 2
"""Most hashes at the same time: each takes 64 MiB and a core."""
_PATIENCE = 10.0
_slots = threading.BoundedSemaphore(_AT_ONCE)


@cache
def _dummy_hash() -> str:
    """Return the hash to verify against where there is no password.

    Verifying takes as long as with any other; it is made at the first sign-in.
    """
    return _hasher.hash("")


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=_PATIENCE):
        raise Busy("Too many people are signing in right now.", retry_after=5)
    try:
        yield
    finally:
        _slots.release()


def hashed(password: str) -> str:
    """Return the hash of a password, or raise `Busy`."""
    with _slot():
        return _hasher.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Tell whether the password is the one whose hash is kept, or raise `Busy`.

    Without a hash it takes as long: nobody learns from it who has an account.
    """
    with _slot():
        dummy = _dummy_hash()
        try:
            right = _hasher.verify(kept or dummy, password)
        except (Argon2Error, InvalidHashError):
            return False
    return right and kept is not None


def is_old(kept: str) -> bool:
    """Tell whether it was hashed with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)
