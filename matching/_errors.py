"""What the engine refuses.

* ValueError
  - Refused
    - InvalidProblem   the cities, wishes, vetoes or history are not as they must be
    - InvalidPolicy    the policy asks for something that does not exist
    - Infeasible       each part is fine, but no assignment keeps all of it
"""

from collections.abc import Iterable
from itertools import chain, islice

Finding = tuple[str, str, str]
"""Where (a JSON pointer), what (a stable code), and what to do (a sentence)."""


MOST_ERRORS = 100
"""Most entries of a refusal."""
MORE_ERRORS: Finding = ("", "more_errors", "There are more errors than these.")
"""The last entry of a refusal that has more."""


class Refused(ValueError):
    """The engine does not answer this; `errors` says why, one entry per finding.

    Of more than `MOST_ERRORS` findings the first are kept, and `MORE_ERRORS`.
    """

    def __init__(self, errors: Iterable[Finding]) -> None:
        kept = list(islice(errors, MOST_ERRORS + 1))
        if len(kept) > MOST_ERRORS:
            kept[MOST_ERRORS - 1 :] = [MORE_ERRORS]
        super().__init__("; ".join(f"{at or '/'}: {say}" for at, _, say in kept))
        self.errors = kept

    def __reduce__(self) -> tuple[type["Refused"], tuple[list[Finding]]]:
        """Travel between processes with the findings, not with their text."""
        return type(self), (self.errors,)


def refuse(kind: type[Refused], findings: Iterable[Finding]) -> None:
    """Raise this kind of refusal if there are any findings."""
    rest = iter(findings)
    for first in rest:
        raise kind(chain([first], rest))


class InvalidProblem(Refused):
    """The cities, wishes, vetoes or history are not as they must be."""


class InvalidPolicy(Refused):
    """The policy asks for something that does not exist."""


class Infeasible(Refused):
    """Each part is fine, but no assignment keeps all of it."""
