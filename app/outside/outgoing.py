"""Requests to addresses that others have written: they reach the Internet and no more.

The name is looked up here, every address that it leads to is checked, and what was
checked is what is connected to: a name that leads elsewhere the next moment changes
nothing (DNS rebinding; OWASP, Server-Side Request Forgery Prevention). Redirects are
not followed, and no proxy is taken from the environment.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore

_SECONDS = 10.0
_MOST_CHARACTERS = 300
# RFC 4291: global unicast. RFC 6052: IPv4 behind a translator. RFC 3056 and RFC 4380:
# tunnels, with an IPv4 address of anybody's choice inside.
_UNICAST = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))

Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a name for a port, or raises `OSError`."""


class Unsent(Exception):
    """There was no answer; the text says why, for people."""


@dataclass(frozen=True)
class Reply:
    """What a receiver answers; its body is not read.

    Attributes:
        status: The HTTP status.
        retry_after: The header Retry-After, as it stands there.

    """

    status: int
    retry_after: str | None


def look_up(name: str, port: int) -> list[str]:
    """Return the addresses of a name, as this machine finds them."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Tell whether anybody on the Internet could reach the address just as well."""
    ip = _unwrapped(ip_address(address))
    if isinstance(ip, IPv6Address) and (
        ip not in _UNICAST or any(ip in tunnel for tunnel in _TUNNELS)
    ):
        return False
    return ip.is_global and not ip.is_multicast


def _is_forbidden(address: str) -> bool:
    """Tell whether an address is never allowed, not even in internal networks.

    Some link-local addresses give out passwords in clouds.
    """
    ip = _unwrapped(ip_address(address))
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _TRANSLATED:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


@cache
def _system_certificates() -> ssl.SSLContext:
    """Return a context that trusts the certificates of the machine, read once."""
    return ssl.create_default_context()


class Outgoing:
    """Sends requests; any number of threads at once.

    Args:
        allow_private: Also to the machine itself and to internal networks.
        seconds: Most time for a request in all, however slowly the answer drips.
        resolve: Looks names up.
        trusted: Which certificates are believed; None: those of the machine.

    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        seconds: float = _SECONDS,
        resolve: Resolve = look_up,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._seconds = seconds
        self._resolve = resolve
        self._trusted = trusted

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send the body; return the answer, whatever its status.

        Raises:
            Unsent: If there is no answer in time, or none that could be understood, or
                if the address is not one of the Internet.

        """
        until = time.monotonic() + self._seconds
        network = _CheckedNetwork(self._checked, until)
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=self._trusted or _system_certificates(),
                    network_backend=network,
                ) as pool,
                pool.stream(
                    "POST", url, headers=[*headers.items()], content=body
                ) as answer,
            ):
                fields = {name.lower(): value for name, value in answer.headers}
                retry_after = fields.get(b"retry-after")
                wait = None if retry_after is None else retry_after.decode("latin-1")
                return Reply(answer.status, wait)
        except httpcore.TimeoutException:
            message = f"There was no answer within {self._seconds:g} seconds."
            raise Unsent(message) from None
        except httpcore.ConnectError as error:
            raise Unsent(f"It cannot be reached: {_short(error)}") from None
        except httpcore.NetworkError:
            raise Unsent("The connection was closed before the answer.") from None
        except httpcore.ProtocolError as error:
            raise Unsent(f"The answer is no HTTP: {_short(error)}") from None

    def _checked(self, name: str, port: int) -> list[str]:
        """Return the addresses of a name if all of them may be connected to."""
        try:
            found = self._resolve(name, port)
        except (OSError, UnicodeError) as error:
            raise Unsent(f"The name {name} cannot be looked up: {error}") from None
        for address in found:
            if _is_forbidden(address) or not (
                self._allow_private or is_public(address)
            ):
                raise Unsent(f"{name} is at {address}: this is no public address.")
        return found


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to checked addresses, and to nothing after the deadline."""

    def __init__(self, checked: Resolve, until: float) -> None:
        self._checked = checked
        self._until = until
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that takes the connection."""
        del timeout
        *others, last = self._checked(host.strip("[]"), port)
        for at, address in enumerate(others):
            share = _seconds_left(self._until) / (len(others) + 1 - at)
            try:
                stream = self._plain.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return _DeadlineStream(stream, self._until)
        stream = self._plain.connect_tcp(
            last, port, _seconds_left(self._until), local_address, socket_options
        )
        return _DeadlineStream(stream, self._until)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream on which everything together has one deadline."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what comes before the deadline."""
        del timeout
        return self._stream.read(max_bytes, _seconds_left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write before the deadline, in one piece: bodies here are small."""
        del timeout
        self._stream.write(buffer, _seconds_left(self._until))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on in TLS, with a certificate for the name that was asked for."""
        del timeout
        stream = self._stream.start_tls(
            ssl_context, server_hostname, _seconds_left(self._until)
        )
        return _DeadlineStream(stream, self._until)

    def get_extra_info(self, info: str) -> object:
        """Return what the stream says of itself."""
        return self._stream.get_extra_info(info)


def _short(error: Exception) -> str:
    """Return the start of the error's text; it may quote all that was received."""
    return str(error)[:_MOST_CHARACTERS]


def _seconds_left(until: float) -> float:
    """Return the seconds until the deadline, or raise `TimeoutException`."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout
    return seconds
