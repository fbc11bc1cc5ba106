"""What the pages and the terminal say of an outcome; they speak English."""

from collections.abc import Mapping, Sequence
from typing import Any

from app import data
from app.services.words import left, pair, policy
from app.services.words.catalogue import words
from schemas import Contribution, Policy, Reason, Warning  # noqa: A004 -- the word of the contract

AREA_NAMES: dict[str, str] = {
    area.id: area.labels.en for area in data.policy_areas().items
}
Names = Mapping[Any, str]
_ENGLISH = words("en")
strongest = pair.strongest


def sentence(part: Contribution, mentor: str, learner: str) -> str:
    """Return one sentence that says why the pair gets these points."""
    return pair.sentence(part, mentor, learner, "en")


def listed(names: Sequence[str]) -> str:
    """Return the names as a list in a sentence, the last ones counted."""
    return _ENGLISH.shortened(names)


def why_left(reason: Reason) -> str:
    """Return why partners are out of reach, as a part of a sentence."""
    return left.why_left(reason, "en")


def warned(warning: Warning, given: Policy, names: Names) -> str:
    """Return in one sentence what could not be checked."""
    return policy.warned(warning, given, names, "en")


def how(given: Policy) -> list[str]:
    """Return in sentences how the round was matched; pages show weights as bars."""
    return [
        policy.aim(given, _ENGLISH),
        *policy.credit(given, _ENGLISH),
        *policy.limits(given, _ENGLISH),
        *policy.decisions(given, _ENGLISH),
    ]
