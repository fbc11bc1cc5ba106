"""The audit of what is installed, against an advisory service of our own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fixtures.audit import main

HOLE = {
    "id": "PYSEC-2026-1",
    "summary": "A hole.",
    "details": "A hole.",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "typer", "ecosystem": "PyPI"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "0"}, {"fixed": "99.0"}],
                }
            ],
        }
    ],
}


@contextmanager
def advising(holes: dict[str, dict[str, object]], status: int = 200) -> Iterator[str]:
    """Answer as the advisory service does; return where."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            asked = json.loads(self.rfile.read(length))["package"]["name"]
            found = {"vulns": [holes[asked]]} if asked in holes else {}
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", [[], ["--if-reachable"]])
def test_a_hole_that_is_known_fails_the_check(capsys, way):
    with advising({"typer": HOLE}) as place:
        code = main([*way, "--osv-url", place])

    assert code == 1
    said = capsys.readouterr().err
    assert said.startswith("typer ")
    assert said.endswith(": PYSEC-2026-1, mended in 99.0\n")


def test_every_pinned_package_is_looked_up(capsys):
    with advising({}) as place:
        code = main(["--osv-url", place])

    assert code == 0
    count, said = capsys.readouterr().out.split(maxsplit=1)
    assert said == "packages: nothing known.\n"
    assert int(count) > 40


@pytest.mark.parametrize(("way", "code"), [([], 1), (["--if-reachable"], 0)])
def test_that_nobody_has_looked_is_said_aloud(capsys, way, code):
    with advising({}, status=503) as place:
        assert main([*way, "--osv-url", place]) == code

    assert "NOT AUDITED" in capsys.readouterr().err
    assert main([*way, "--osv-url", "http://127.0.0.1:1/v1/query"]) == code
    assert "NOT AUDITED" in capsys.readouterr().err
