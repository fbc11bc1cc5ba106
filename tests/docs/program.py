"""Our program in a reader's `.venv/bin`, started as the other tests start it.

A start of `compaan` costs two seconds of imports, and the documents have some forty.
`relayed` forks each from the process that has imported everything; `RELAY` stands where
`compaan` stands: it has such a process started with its own arguments, folder,
environment and standard streams, and ends as that one ends.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.fixtures.process import launch

RELAY = """\
#!{python} -IS
import json, os, signal, socket, sys
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
socket.send_fds(link, [len(asked).to_bytes(8, "big")], [0, 1, 2])
link.sendall(asked)
said = link.makefile("r")
pid = int(said.readline())
def pass_on(number, _frame):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, pass_on)
sys.exit(int(said.readline()) % 256)
"""


@contextmanager
def relayed(address: Path) -> Iterator[None]:
    """Start what relays ask for at this address, until the block ends."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket) -> None:
    with suppress(OSError):  # nobody listens any more
        while True:
            link, _ = listener.accept()
            threading.Thread(target=_start, args=(link,), daemon=True).start()


def _start(link: socket.socket) -> None:
    with link:
        length, streams, _, _ = socket.recv_fds(link, 8, 3)
        asked = b""
        while len(asked) < int.from_bytes(length, "big"):
            asked += link.recv(2**16)
        arguments, folder, environment = json.loads(asked)
        own, out, err = streams
        process = launch(
            *arguments, env=environment, cwd=folder, stdin=own, stdout=out, stderr=err
        )
        for stream in streams:
            os.close(stream)
        with suppress(BrokenPipeError):  # whoever asked has been killed
            link.sendall(f"{process.pid}\n".encode())
            link.sendall(f"{process.wait()}\n".encode())
