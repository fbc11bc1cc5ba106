"""Everything that may be refused on purpose.

* Refusal
  - NotJson              400  not-json
  - NotFound             404  not-found
  - WrongMethod          405  method-not-allowed
  - TooLarge             413  too-large
  - WrongType            415  unsupported-media-type
  - InvalidInput         422  invalid-input
    · InvalidProblem     422  invalid-problem
    · InvalidPolicy      422  invalid-policy
    · Infeasible         422  infeasible
    · TooManyCities      422  too-many-cities
  - TooMany              429  too-many-requests
  - Failure              500  internal-error
  - Busy                 503  busy
    · TooSlow            503  time-limit
    · Died               503  computation-died

The code is contract, the text may change. `cure` is what the page at a problem's
`type` says: why this happens and what to do.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from schemas import InputError


class Refusal(Exception):
    """An expected refusal: the caller can do something about it."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    cure: ClassVar[str] = "Read `detail`: it says what to change."

    def __init__(
        self,
        detail: str,
        errors: Sequence[InputError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)
        self.retry_after = retry_after


class NotJson(Refusal):
    """The body cannot be read as JSON."""

    status, code = 400, "not-json"
    cure = "Send one JSON value in UTF-8, and not nested hundreds of levels deep."


class NotFound(Refusal):
    """There is nothing here, or the caller may not know that there is."""

    status, code = 404, "not-found"
    cure = "Check the path. All paths are listed at /api/docs."


class WrongMethod(Refusal):
    """The path exists, but not for this method."""

    status, code = 405, "method-not-allowed"
    cure = "Use one of the methods that the header Allow names."


class TooLarge(Refusal):
    """The body is longer than the service reads."""

    status, code = 413, "too-large"
    cure = "Send less at once: shorter texts, or fewer cities."


class WrongType(Refusal):
    """The body is not declared as JSON."""

    status, code = 415, "unsupported-media-type"
    cure = "Send the header Content-Type: application/json."


class InvalidInput(Refusal):
    """The request is readable, but something in it is not as it must be."""

    status, code = 422, "invalid-input"
    cure = "Each entry of `errors` points at one place and says what to write there."


class InvalidProblem(InvalidInput):
    """The cities, wishes, vetoes or history are not as they must be."""

    code = "invalid-problem"


class InvalidPolicy(InvalidInput):
    """The policy asks for something that does not exist."""

    code = "invalid-policy"


class Infeasible(InvalidInput):
    """No assignment keeps all pins, bans, vetoes, rules and places."""

    code = "infeasible"
    cure = "Each entry of `errors` names two things that clash: give one of them up."


class TooManyCities(InvalidInput):
    """More cities than a request without an account may bring."""

    code = "too-many-cities"
    cure = "Send fewer cities, or run Compaan yourself: `compaan match` has no limit."


class TooMany(Refusal):
    """More requests from one address than the service takes in a minute."""

    status, code = 429, "too-many-requests"
    cure = "Wait for as many seconds as the header Retry-After says."


class Failure(Refusal):
    """A mistake of ours."""

    status, code = 500, "internal-error"
    cure = "Tell us the request id: it finds the entry in our log."


class Busy(Refusal):
    """Others are being served."""

    status, code = 503, "busy"
    cure = "Send the same request again after as many seconds as Retry-After says."


class TooSlow(Busy):
    """The computation took longer than a request without an account may."""

    code = "time-limit"
    cure = "Send fewer cities, or run Compaan yourself: `compaan match` has no limit."


class Died(Busy):
    """The computation ended without an answer, for instance for lack of memory."""

    code = "computation-died"


def every_refusal(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Yield each kind of refusal, the more general first."""
    for kind in root.__subclasses__():
        yield kind
        yield from every_refusal(kind)
