"""Requests that are repeated where that is safe, until a deadline."""

import ipaddress
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
from pydantic import ValidationError

from client._errors import Unreachable, Unreadable, refusal
from schemas import ProblemDetails

Query = Mapping[str, str | int | float | list[str] | None]
_AGAIN = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_LONGEST_DATE = 64
"""Letters: a date of RFC 9110 has 29."""
_TOLD = 200
"""Most characters of an answer that we do not know that are shown."""


@dataclass(frozen=True)
class Answer:
    """An answer that is no refusal."""

    body: bytes
    tag: str
    path: str


class Transport:
    """Sends requests to one service, with one token.

    Args:
        address: Where the service is: scheme, host and port.
        token: Sent with each request, and shown nowhere.
        timeout: Seconds that one attempt may take without a sign of life.
        patience: Seconds that one request may take with all its repetitions.
        plain_http: Whether the token may go over http to another machine.

    Raises:
        ValueError: If the address is none, or the token would travel unprotected.

    """

    def __init__(
        self,
        address: str,
        token: str | None,
        *,
        timeout: float,
        patience: float,
        plain_http: bool,
    ) -> None:
        url = httpx.URL(address)
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
            raise ValueError("The address is like https://compaan.example.org.")
        if url.raw_path not in {b"", b"/"} or url.fragment:
            raise ValueError("The address has no path: the client adds /api/v1 itself.")
        secure = url.scheme == "https"
        if token and not (secure or plain_http or _is_loopback(url.host)):
            raise ValueError(
                "The token would travel readable for all: use https, or say "
                "`plain_http=True`."
            )
        self.address = f"{url.scheme}://{url.netloc.decode()}"
        self._patience = patience
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=self.address,
            headers={"Accept": "*/*", "User-Agent": "compaan-client"} | headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            # A proxy for http would read the token.
            trust_env=secure,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer.

        Whatever is sent here may be sent twice: it changes nothing, or it carries what
        lets the service know it again (a version, an idempotency key).

        Raises:
            Refused: If the service says no.
            Unreachable: If no answer comes.
            Unreadable: If what comes is no answer of the service.

        """
        asked = {
            name: value for name, value in (query or {}).items() if value is not None
        }
        request = self._http.build_request(
            method, path, params=asked or None, content=body, headers=headers
        )
        until = time.monotonic() + self._patience
        attempt = 0
        while True:
            pause = _pause(attempt)
            try:
                answer = self._http.send(request)
            except (httpx.TransportError, httpx.DecodingError) as error:
                if time.monotonic() + pause > until:
                    raise Unreachable(
                        f"No answer from {self.address}: {type(error).__name__}."
                    ) from error
            else:
                pause = max(pause, _asked_pause(answer))
                late = time.monotonic() + pause > until
                if answer.status_code not in _AGAIN or late:
                    return _read(answer, path, repeated=attempt > 0)
            time.sleep(pause)
            attempt += 1


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pause(attempt: int) -> float:
    """Return a pause before the next attempt, by exponential backoff with full jitter.

    Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """
    most = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt, 10))
    return random.uniform(0, most)  # noqa: S311 -- no secret


def _asked_pause(answer: httpx.Response) -> float:
    """Return the seconds in Retry-After: a number or a date (RFC 9110).

    What is neither asks for nothing.
    """
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said[:9])
    if len(said) > _LONGEST_DATE:
        return 0.0
    try:
        when = parsedate_to_datetime(said)
    except (ValueError, OverflowError):  # no date, or none that a clock can show
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _read(answer: httpx.Response, path: str, *, repeated: bool) -> Answer:
    if answer.is_success:
        return Answer(answer.content, answer.headers.get("ETag", ""), path)
    if not answer.is_error:
        raise Unreadable(f"The address leads elsewhere: status {answer.status_code}.")
    try:
        problem = ProblemDetails.model_validate_json(answer.content, extra="ignore")
    except ValidationError:
        problem = _unknown_problem(answer)
    raise refusal(problem, repeated=repeated)


def _unknown_problem(answer: httpx.Response) -> ProblemDetails:
    """Return a refusal that is not the service's own, say of a proxy before it."""
    return ProblemDetails(
        type="about:blank",
        title=answer.reason_phrase,
        status=answer.status_code,
        detail=answer.text[:_TOLD] or f"Status {answer.status_code}.",
        code=f"http-{answer.status_code}",
    )
