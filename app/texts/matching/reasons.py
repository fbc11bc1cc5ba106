"""What the pages and the terminal say of an outcome, to whoever reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.texts.catalogue import here, reading
from app.texts.matching import left_out, pair, policy
from schemas import Contribution, Policy, Reason, Warning  # noqa: A004 -- the word of the contract

Names = Mapping[Any, str]
strongest = pair.strongest


def sentence(part: Contribution, mentor: str, learner: str) -> str:
    """Return one sentence that says why the pair gets these points."""
    return pair.sentence(part, mentor, learner, reading())


def listed(names: Sequence[str]) -> str:
    """Return the names as a list in a sentence, the last ones counted."""
    return here().shortened(names)


def why_left(reason: Reason) -> str:
    """Return why partners are out of reach, as a part of a sentence."""
    return left_out.why_left(reason, reading())


def warned(warning: Warning, given: Policy, names: Names) -> str:
    """Return in one sentence what could not be checked."""
    return policy.warned(warning, given, names, reading())


def how(given: Policy) -> list[str]:
    """Return in sentences how the round was matched; pages show weights as bars."""
    told = here()
    return [
        policy.aim(given, told),
        *policy.credit(given, told),
        *policy.limits(given, told),
        *policy.decisions(given, told),
    ]
