"""Everything that a call may end with instead of an answer.

* CompaanError
  - Refused             the service said no: `problem` tells why, and what to do
    · Unauthenticated   401
    · Forbidden         403
    · NotFound          404
    · Conflict          409  and kinds of it: `problem.code` tells which
    · Stale             412  somebody changed it since it was read
    · InvalidInput      422  `problem.errors` points at each place
      · Infeasible      422  nothing keeps all pins, bans, vetoes, rules and places
    · NoPrecondition    428
    · TooMany           429
    · Unavailable       500 and above
  - RunFailed           the run ended without a solution, or was cancelled
  - NotInTime           the run has not ended in the time given; it goes on
  - Unreachable         no answer came, however often it was asked
  - Unreadable          the answer is none that this client knows
"""

from http import HTTPStatus
from typing import ClassVar

from schemas import ProblemDetails, Run


class CompaanError(Exception):
    """Whatever this client raises on purpose."""


class Refused(CompaanError):
    """The service refused the request.

    Attributes:
        problem: Why, and what to do (RFC 9457).
        repeated: Whether the request had been sent before without an answer.

    """

    status: ClassVar[int | None] = None

    def __init__(self, problem: ProblemDetails, *, repeated: bool = False) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.repeated = repeated


class Unauthenticated(Refused):
    """The token is missing, wrong, revoked or over."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Refused):
    """The account, or the scope of the token, is not enough for it."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Refused):
    """There is no such thing, or none that the account may see."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Refused):
    """The request contradicts the present state."""

    status = HTTPStatus.CONFLICT


class Stale(Refused):
    """Somebody changed it since it was read: read it again, and decide anew."""

    status = HTTPStatus.PRECONDITION_FAILED


class InvalidInput(Refused):
    """Something in the request is not as it must be."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Infeasible(InvalidInput):
    """No assignment keeps all pins, bans, vetoes, rules and places."""


class NoPrecondition(Refused):
    """It exists already, and the request does not say which version it changes."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class TooMany(Refused):
    """More requests than the service takes."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(Refused):
    """The service is busy or has made a mistake."""


class RunFailed(CompaanError):
    """The run ended without a solution; `run.problem` tells why, if it failed."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.problem.detail if run.problem else f"It was {run.state}.")
        self.run = run


class NotInTime(CompaanError):
    """The run has not ended in the time given; it goes on."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"The run {run.id} is still {run.state}.")
        self.run = run


class Unreachable(CompaanError):
    """No answer came in time; a change may or may not have been made."""


class Unreadable(CompaanError):
    """The answer is none that this client knows: look at the address."""


_BY_STATUS = {kind.status: kind for kind in Refused.__subclasses__() if kind.status}


def refusal(problem: ProblemDetails, *, repeated: bool = False) -> Refused:
    """Return the refusal as the kind that it is."""
    kind = _BY_STATUS.get(problem.status, Refused)
    if problem.code == "infeasible":
        kind = Infeasible
    elif problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = Unavailable
    return kind(problem, repeated=repeated)
