"""Everything that may be refused on purpose.

* Refusal
  - NotJson              400  not-json
  - Unauthenticated      401  unauthenticated
  - Forbidden            403  forbidden
    · CrossSite          403  cross-site
  - NotFound             404  not-found
  - WrongMethod          405  method-not-allowed
  - Conflict             409  conflict
    · AlreadyThere       409  already-exists
    · InUse              409  in-use
    · WrongPhase         409  wrong-phase
    · NotFinished        409  not-finished
    · OutOfDate          409  out-of-date
    · NoPlaces           409  no-places
    · NotOffered         409  not-offered
    · TooLate            409  too-late
    · KeyReused          409  key-reused
  - Stale                412  stale
  - TooLarge             413  too-large
  - WrongType            415  unsupported-media-type
  - InvalidInput         422  invalid-input
    · InvalidProblem     422  invalid-problem
    · InvalidPolicy      422  invalid-policy
    · Infeasible         422  infeasible
    · TooManyCities      422  too-many-cities
    · InvalidFile        422  invalid-file
    · InvalidRows        422  invalid-rows
  - NoPrecondition       428  precondition-required
  - TooMany              429  too-many-requests
  - Failure              500  internal-error
  - Busy                 503  busy
    · TooSlow            503  time-limit
    · ComputationDied    503  computation-died

The code is contract, the text may change. `cure` is what the page at a problem's
`type` says: why this happens and what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import ValidationError

from schemas import InputError, ProblemDetails, input_errors

TYPE_PREFIX = "/problems/"


class Refusal(Exception):
    """An expected refusal: the caller can do something about it."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    cure: ClassVar[str] = "What is said above tells what to change."
    headers_of_kind: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        detail: str,
        errors: Sequence[InputError] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)
        self.headers = {**self.headers_of_kind, **(headers or {})}
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)


class NotJson(Refusal):
    """The body cannot be read as JSON."""

    status, code = 400, "not-json"
    cure = "Send one JSON value in UTF-8, and not nested hundreds of levels deep."


class Unauthenticated(Refusal):
    """The caller is not known."""

    status, code = 401, "unauthenticated"
    headers_of_kind: ClassVar = {"WWW-Authenticate": "Bearer"}  # RFC 9110 asks for it
    cure = (
        "In a browser, sign in. A program sends `Authorization: Bearer cmp_…`, with a "
        "token that you make on the page of your account."
    )


class Forbidden(Refusal):
    """The caller may see this, but may not do it."""

    status, code = 403, "forbidden"
    cure = "Ask an organiser of the network to do it."


class CrossSite(Forbidden):
    """Another site sent this form."""

    code = "cross-site"
    cure = "Open the page of Compaan itself, and send the form from there."


class NotFound(Refusal):
    """There is nothing here, or the caller may not know that there is."""

    status, code = 404, "not-found"
    cure = (
        "Check the address. What you may not see is answered in the same way: perhaps "
        "you are signed in as somebody else. For programs, all paths are listed at "
        "/api/docs."
    )


class WrongMethod(Refusal):
    """The path exists, but not for this method."""

    status, code = 405, "method-not-allowed"
    cure = "Programs: use one of the methods that the header Allow names."


class Conflict(Refusal):
    """The request is well formed, but contradicts the present state."""

    status, code = 409, "conflict"
    cure = "Read the present state, then decide anew."


class AlreadyThere(Conflict):
    """There is one with this id already."""

    code = "already-exists"
    cure = "Choose another name or id, or change the one that is there (by PUT)."


class InUse(Conflict):
    """Something else needs it."""

    code = "in-use"
    cure = "Change first what is named as needing it."


class WrongPhase(Conflict):
    """The round's phase does not allow it."""

    code = "wrong-phase"
    cure = (
        "An organiser can move the round to another phase, on its page or by "
        "`POST /rounds/{id}/phase`."
    )


class NotFinished(Conflict):
    """The run has no solution, or not yet."""

    code = "not-finished"
    cure = (
        "The page of the run, or `GET /runs/{id}`, tells its state, and why there is "
        "no solution."
    )


class OutOfDate(Conflict):
    """The proposal does not fit the round as it stands now."""

    code = "out-of-date"
    cure = "Start another run of the round, and use that."


class NoPlaces(Conflict):
    """The city has no free place for it."""

    code = "no-places"
    cure = "Withdraw one of the city's pairings, or give the city more places."


class NotOffered(Conflict):
    """The pairing is not in a state in which that can be done."""

    code = "not-offered"
    cure = (
        "The page of the pairing, or `GET /pairings/{id}`, tells its state, and what "
        "each side has answered."
    )


class TooLate(Conflict):
    """The deadline is over."""

    code = "too-late"
    cure = "Ask the organisers: they can set a new deadline for the pairing."


class KeyReused(Conflict):
    """The same idempotency key came with another request."""

    code = "key-reused"
    cure = "Use a new key for a new request; repeat a key with the same request only."


class Stale(Refusal):
    """Somebody changed it since the caller read it."""

    status, code = 412, "stale"
    cure = (
        "The fields that differ are listed (`errors`). Read it again and put your "
        "change on top of it; a program sends the new ETag in If-Match."
    )


class TooLarge(Refusal):
    """The body is longer than the service reads."""

    status, code = 413, "too-large"
    cure = "Send less at once: shorter texts, or fewer cities."


class WrongType(Refusal):
    """The body is not declared as what the path takes."""

    status, code = 415, "unsupported-media-type"
    cure = "Programs: send the Content-Type that is named."


class InvalidInput(Refusal):
    """The request is readable, but something in it is not as it must be."""

    status, code = 422, "invalid-input"
    cure = (
        "Each error in the list points at one place and says what to write there: a "
        "field of the form, or a JSON pointer."
    )


class InvalidProblem(InvalidInput):
    """The cities, wishes, vetoes or history are not as they must be."""

    code = "invalid-problem"


class InvalidPolicy(InvalidInput):
    """The policy asks for something that does not exist."""

    code = "invalid-policy"


class Infeasible(InvalidInput):
    """No assignment keeps all pins, bans, vetoes, rules and places."""

    code = "infeasible"
    cure = "Each error in the list names things that clash: give one of them up."


class TooManyCities(InvalidInput):
    """More cities than a request without an account may bring."""

    code = "too-many-cities"
    cure = "Send fewer cities, or run Compaan yourself: `compaan match` has no limit."


class InvalidFile(InvalidInput):
    """The file cannot be read as a table of cities."""

    code = "invalid-file"
    cure = (
        "Save the sheet as .xlsx or as CSV (UTF-8), with the column names of the "
        "template in the first row. The template is on the page of the import, and at "
        "`GET /api/v1/cities/import`."
    )


class InvalidRows(InvalidInput):
    """Rows of the file are wrong; nothing was stored."""

    code = "invalid-rows"
    cure = "Each error in the list names a row and a column, and what to write there."


class NoPrecondition(Refusal):
    """The request does not say which version it changes."""

    status, code = 428, "precondition-required"
    cure = "Programs: read the thing, and send its ETag in the header If-Match."


class TooMany(Refusal):
    """More requests from one caller than the service takes in so short a time."""

    status, code = 429, "too-many-requests"
    cure = "Wait a minute; a program waits for as many seconds as Retry-After says."


class Failure(Refusal):
    """A mistake of ours."""

    status, code = 500, "internal-error"
    cure = "Tell us the request id: it finds the entry in our log."


class Busy(Refusal):
    """Others are being served."""

    status, code = 503, "busy"
    cure = (
        "Try again in a minute; a program waits for as many seconds as Retry-After "
        "says."
    )


class TooSlow(Busy):
    """The computation took longer than an answer may that somebody waits for."""

    code = "time-limit"
    cure = (
        "Ask about fewer cities, or run Compaan yourself: its commands in the terminal "
        "have no limit."
    )


class ComputationDied(Busy):
    """The computation ended without an answer, for instance for lack of memory."""

    code = "computation-died"


def meaning(kind: type[Refusal]) -> str:
    """Return what a kind of refusal means, in one sentence."""
    return (kind.__doc__ or "").strip()


def details(error: Refusal) -> ProblemDetails:
    """Return the refusal as it travels (RFC 9457)."""
    return ProblemDetails(
        type=f"{TYPE_PREFIX}{error.code}",
        title=meaning(type(error)),
        status=error.status,
        detail=str(error),
        code=error.code,
        errors=error.errors,
    )


def invalid(error: ValidationError) -> InvalidInput:
    """Return what Pydantic found as a refusal."""
    errors = input_errors(error.errors(include_url=False, include_input=False))
    return InvalidInput(f"{errors[0].pointer}: {errors[0].message}", errors)


def every_refusal(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Yield each kind of refusal, the more general first."""
    for kind in root.__subclasses__():
        yield kind
        yield from every_refusal(kind)


def find_kind(code: str) -> type[Refusal]:
    """Return the kind of refusal with this code.

    Raises:
        NotFound: If no refusal has this code.

    """
    for kind in every_refusal():
        if kind.code == code:
            return kind
    raise NotFound(f"No problem has the code {code[:100]!r}.")
