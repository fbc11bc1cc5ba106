"""A typed client of Compaan: `schemas` in, `schemas` out, and nothing else of ours."""

from client._compaan import Compaan
from client._errors import (
    CompaanError,
    Conflict,
    Forbidden,
    Infeasible,
    InvalidInput,
    NoPrecondition,
    NotFound,
    NotInTime,
    Refused,
    RunFailed,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unreachable,
    Unreadable,
)
from client._kept import Kept
from client._rounds import Proposal

__all__ = [
    "Compaan",
    "CompaanError",
    "Conflict",
    "Forbidden",
    "Infeasible",
    "InvalidInput",
    "Kept",
    "NoPrecondition",
    "NotFound",
    "NotInTime",
    "Proposal",
    "Refused",
    "RunFailed",
    "Stale",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Unreadable",
]
