"""Hashes that tell whether two inputs ask the same thing, whatever their order."""

import hashlib
import json
from typing import Any

from schemas import Policy, Problem


def problem_hash(problem: Problem) -> str:
    """Return `sha256:` and the digest of the problem's canonical JSON.

    Lists whose order means nothing are sorted, defaults are written out, nulls are not.
    """
    fields = problem.model_dump(
        mode="json", include=set(Problem.model_fields), exclude_none=True
    )
    for city in fields["cities"]:
        city["roles"].sort()
        city["languages"].sort()
    fields["cities"].sort(key=lambda city: city["id"])
    fields["wishes"].sort(key=lambda wish: (wish["city"], wish["role"]))
    for field in ("vetoes", "history"):
        fields[field].sort(key=_text)
    return _digest(fields)


def policy_hash(policy: Policy) -> str:
    """Return `sha256:` and the digest of the policy's canonical JSON."""
    fields = policy.model_dump(mode="json", exclude_none=True)
    for field in ("caps", "pins", "bans"):
        fields[field].sort(key=_text)
    return _digest(fields)


def _text(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    return json.dumps(
        value,
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )


def _digest(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    return f"sha256:{hashlib.sha256(_text(value).encode()).hexdigest()}"
