"""Serving the application over a socket."""

import gc
import socket

import uvicorn

from app.log import configure
from app.main import create_app
from app.settings import Settings


class PortTaken(Exception):
    """Somebody else listens there."""


def listen(settings: Settings) -> socket.socket:
    """Return a socket that is bound to the address and port of the settings.

    Raises:
        PortTaken: If that is not possible; says what to do.

    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise PortTaken(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}). "
            "Choose another port: --port 8001, or `make demo PORT=8001`."
        ) from error
    # asyncio sets this for sockets that say they are TCP, and Python's `create_server`
    # makes them without saying so: answers would wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until the process is told to stop."""
    configure(settings)
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
    )
    # What has been imported stays: going through it again and again for garbage would
    # hold every request up for a tenth of a second.
    gc.collect()
    gc.freeze()
    uvicorn.Server(config).run(sockets=[listener])
