"""Hashes that tell whether two inputs ask the same thing, whatever their order."""

import hashlib
from collections.abc import Iterable

from pydantic import BaseModel

from schemas import Policy, Problem


def problem_hash(problem: Problem) -> str:
    """Return `sha256:` and the digest of the problem's canonical JSON.

    That is a line for every city, wish, veto and past pairing, sorted within its kind:
    fields in the order of `schemas`, areas by id, defaults written out, nulls not.
    """
    return _digest(problem.cities, problem.wishes, problem.vetoes, problem.history)


def policy_hash(policy: Policy) -> str:
    """Return `sha256:` and the digest of the policy's canonical JSON, likewise."""
    alone = policy.model_copy(update={"caps": (), "pins": (), "bans": ()})
    return _digest((alone,), policy.caps, policy.pins, policy.bans)


def _digest(*kinds: Iterable[BaseModel]) -> str:
    digest = hashlib.sha256()
    for values in kinds:
        for line in sorted(
            value.model_dump_json(exclude_none=True) for value in values
        ):
            digest.update(line.encode())
            digest.update(b"\n")
        digest.update(b"\n")
    return f"sha256:{digest.hexdigest()}"
