"""The client."""

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self, TypeVar

from client._calls import path
from client._cities import CityCalls
from client._kept import Kept
from client._pairings import PairingCalls
from client._rounds import RoundCalls
from client._transport import Transport
from schemas import (
    AuditEntry,
    AuditLog,
    City,
    LeftOut,
    MatchRequest,
    Participant,
    PastPairing,
    Policy,
    Round,
    RoundPairing,
    Solution,
    StoredPractice,
    Veto,
    Wish,
)

Changed = TypeVar("Changed", City, Round, RoundPairing)
Deleted = TypeVar("Deleted", City, Round, Participant, StoredPractice)


class Compaan(CityCalls, RoundCalls, PairingCalls):
    """One service, as an account may use it; without a token, as anybody may.

    Requests are repeated when no answer comes, or when the service is busy: each has
    one effect however often it is sent. Any method may raise `Refused`, `Unreachable`
    or `Unreadable`. May be used by several threads.

    Args:
        address: Where the service is, without a path.
        token: `cmp_…`, as `compaan token add` makes it.
        timeout: Seconds that one attempt may take without a sign of life.
        patience: Seconds that one request may take with all its repetitions.
        plain_http: Whether the token may go over http to another machine.

    Raises:
        ValueError: If the address is none, or the token would travel unprotected.

    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        patience: float = 120.0,
        plain_http: bool = False,
    ) -> None:
        super().__init__(
            Transport(
                address,
                token,
                timeout=timeout,
                patience=patience,
                plain_http=plain_http,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Compaan({self._transport.address!r})"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def match(  # noqa: PLR0913 -- the parts of a problem
        self,
        cities: Iterable[City],
        policy: Policy | None = None,
        *,
        wishes: Iterable[Wish] = (),
        vetoes: Iterable[Veto] = (),
        history: Iterable[PastPairing] = (),
        left_out: Iterable[LeftOut] = (),
        trials: int = 0,
    ) -> Solution:
        """Match cities that are sent along; nothing is stored, and no token is needed.

        Args:
            cities: The cities.
            policy: How to match; else the defaults.
            wishes: Partners they would like.
            vetoes: Partners they will not have.
            history: Pairings of earlier rounds.
            left_out: Who got no partner in earlier rounds.
            trials: Computations with slightly other answers, for `firmness`.

        Raises:
            pydantic.ValidationError: If they contradict each other.
            Infeasible: If the policy cannot be kept.

        """
        asked = MatchRequest(
            cities=tuple(cities),
            wishes=tuple(wishes),
            vetoes=tuple(vetoes),
            history=tuple(history),
            left_out=tuple(left_out),
            policy=policy or Policy(),
        )
        return self._ask(Solution, path("match"), asked, {"trials": trials})

    def log(self, *, account: str | None = None) -> Iterator[AuditEntry]:
        """Yield what was done in the network, the newest first.

        Args:
            account: The id of who did it; else all.

        """
        return self._pages(AuditLog, path("audit"), {"account": account})

    def change(
        self, thing: Kept[Changed], fields: Mapping[str, object]
    ) -> Kept[Changed]:
        """Change some fields of a city, a round or a pairing that was read.

        Args:
            thing: As it was read.
            fields: What to change (JSON merge patch, RFC 7396); None removes.

        Raises:
            Stale: If somebody else has changed it since.

        """
        return self._patch(thing, fields)

    def delete(self, thing: Kept[Deleted]) -> None:
        """Delete a city, a draft or a practice; or take a city out of a round.

        Raises:
            Stale: If somebody else has changed it since.
            Conflict: If something else needs it.

        """
        self._delete(thing)
