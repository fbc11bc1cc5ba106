"""Serving the application over a socket."""

import gc
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

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


class _Server(uvicorn.Server):
    """Tells the application at once that it is to stop.

    Open streams must end before the server ends its lifespan, which says it too late.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, as a signal says."""
        app: FastAPI = self.config.app  # type: ignore[assignment]
        app.state.stopping.set()
        super().handle_exit(sig, frame)


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until the process is told to stop.

    From now on garbage is collected, if it was not while everything was imported.
    Unless it is set where browsers find the service, mail leads to this address.
    """
    configure(settings)
    if "public_url" not in settings.model_fields_set:
        host, port = settings.host, listener.getsockname()[1]
        own = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        settings = settings.model_copy(update={"public_url": own})
    app = create_app(settings)
    app.state.places.prepare_later()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
    )
    # What has been imported stays: going through it again and again for garbage would
    # hold every request up for a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.enable()
    _Server(config).run(sockets=[listener])
