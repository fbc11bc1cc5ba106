"""Hashes that tell whether two inputs ask the same thing, whatever their order."""

import hashlib
from collections.abc import Iterable

from pydantic import BaseModel

from schemas import Policy, Problem


def problem_hash(problem: Problem) -> str:
    """Return `sha256:` and the digest of the problem's canonical JSON.

    That is a line for every city, wish, veto, past pairing and city left out, sorted
    within its kind: fields in the order of `schemas`, areas by id, defaults written
    out, nulls not.
    """
    kinds = problem.cities, problem.wishes, problem.vetoes, problem.history
    # A kind that came later is written where there is any, so that the hashes of older
    # problems stay; likewise below.
    return _digest(*kinds, *((problem.left_out,) if problem.left_out else ()))


def policy_hash(policy: Policy) -> str:
    """Return `sha256:` and the digest of the policy's canonical JSON, likewise."""
    alone = policy.model_copy(update={"caps": (), "pins": (), "bans": ()})
    unsaid = () if policy.left_out_credit else ("left_out_credit",)
    return _digest((alone,), policy.caps, policy.pins, policy.bans, unsaid=unsaid)


def _digest(*kinds: Iterable[BaseModel], unsaid: Iterable[str] = ()) -> str:
    digest = hashlib.sha256()
    for values in kinds:
        for line in sorted(
            value.model_dump_json(exclude_none=True, exclude={*unsaid})
            for value in values
        ):
            digest.update(line.encode())
            digest.update(b"\n")
        digest.update(b"\n")
    return f"sha256:{digest.hexdigest()}"
