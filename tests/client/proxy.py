"""A bad line in front of a server: it breaks in the way that a test wants."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Fault = Callable[["Line", int, Any, bytes], None]


class Line(BaseHTTPRequestHandler):
    """One connection, closed after one request."""

    server: "Proxy"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        fault = self.server.next_fault(self)
        if fault == "refused":
            return
        if fault is not None and fault.isdecimal():
            self.send_response(int(fault))
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        answer, content = self._forward(body)
        if fault == "dropped":
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() == "etag":
                self.send_header(name, self.server.packed(value))
            elif name.lower() not in {"transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.end_headers()
        whole = len(content) // 2 if fault == "cut" else len(content)
        self.wfile.write(content[:whole])

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        inner = http.client.HTTPConnection(self.server.inner, timeout=60)
        try:
            inner.request(self.command, self.path, body, dict(self.headers))
            answer = inner.getresponse()
            return answer, answer.read()
        finally:
            inner.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815


class Proxy(ThreadingHTTPServer):
    """Passes requests on; the first time that one comes, something happens to it.

    Attributes:
        fault: `dropped` (the service did it, no answer came), `cut` (half of the answer
            came), `refused` (nothing was sent on), a status, or None.
        always: Whether it also happens when the request comes again.
        packed: What it makes of an ETag, as proxies do that compress.

    """

    daemon_threads = True

    def __init__(self, inner: str) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.inner = urlsplit(inner).netloc
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.fault: str | None = None
        self.always = False
        self.packed: Callable[[str], str] = str
        self.seen: list[tuple[str, str]] = []
        self._spared = False

    def next_fault(self, line: Line) -> str | None:
        """Return what happens to this request; every second one is left alone."""
        self.seen.append((line.command, line.path))
        self._spared = not self._spared
        return self.fault if self.always or self._spared else None


@contextmanager
def proxy(inner: str) -> Iterator[Proxy]:
    """Stand in front of a server until the block ends."""
    with Proxy(inner) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
