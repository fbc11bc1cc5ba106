"""What the engine refuses.

* ValueError
  - Refused
    - InvalidProblem   the cities, wishes, vetoes or history are not as they must be
    - InvalidPolicy    the policy asks for something that does not exist
    - Infeasible       each part is fine, but no assignment keeps all of it
"""

from collections.abc import Sequence

Finding = tuple[str, str, str]
"""Where (a JSON pointer), what (a stable code), and what to do (a sentence)."""


class Refused(ValueError):
    """The engine does not answer this; `errors` says why, one entry per finding."""

    def __init__(self, errors: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{at or '/'}: {say}" for at, _, say in errors))
        self.errors = list(errors)

    def __reduce__(self) -> tuple[type["Refused"], tuple[list[Finding]]]:
        """Travel between processes with the findings, not with their text."""
        return type(self), (self.errors,)


class InvalidProblem(Refused):
    """The cities, wishes, vetoes or history are not as they must be."""


class InvalidPolicy(Refused):
    """The policy asks for something that does not exist."""


class Infeasible(Refused):
    """Each part is fine, but no assignment keeps all of it."""
