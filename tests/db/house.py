"""A network served by two processes over one database, asked by many at once."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle

import httpx2

from tests.fixtures.cities import compute, listed
from tests.fixtures.service import Service


@dataclass
class House:
    """A network served by two processes.

    Attributes:
        service: The same database in this process, to prepare and to look.
        addresses: Of the two servers.

    """

    service: Service
    addresses: tuple[str, str]

    def together(self, *requests, role="organiser", tag="*"):
        """Send all requests (method, path, body) at once, to both servers in turn.

        Returns the answers; fails if one of them is 500.
        """
        gate = threading.Barrier(len(requests))
        servers = cycle(self.addresses)
        with ThreadPoolExecutor(len(requests)) as pool:
            sent = [
                pool.submit(self._send, gate, next(servers), role, tag, *one)
                for one in requests
            ]
            answers = [one.result() for one in sent]
        assert 500 not in {one.status_code for one in answers}
        return answers

    def _send(self, gate, server, role, tag, method, path, body):  # noqa: PLR0913 -- a request
        headers = self.service.bearer(role) | ({"If-Match": tag} if tag else {})
        with httpx2.Client(base_url=f"{server}/api/v1", timeout=60) as client:
            client.get("/policy-areas")  # the connection is there before the gate
            gate.wait(30)
            return client.request(method, path, json=body, headers=headers)

    def round_of(self, *names, **fields):
        """Return the id of a closed round of these cities, and a run of it."""
        created = self.service.post("/rounds", {"name": "At once"} | fields)
        where = f"/rounds/{created.json()['id']}"
        for name in names:
            self.service.put(f"{where}/participants/{name}", {})
        for phase in ("open", "closed"):
            self.service.post(f"{where}/phase", {"to": phase})
        return created.json()["id"], compute(self.service, created.json()["id"])

    def staged(self, *names):
        round_id, run = self.round_of(*names)
        staged = self.service.post(f"/rounds/{round_id}/stage", {"run": run})
        assert staged.status_code == 200
        return round_id

    def released(self, *names):
        round_id = self.staged(*names)
        released = self.service.post(f"/rounds/{round_id}/release", {})
        assert released.status_code == 200
        return round_id

    def actions(self, round_id):
        return Counter(
            entry["action"]
            for entry in listed(self.service, f"/rounds/{round_id}/audit")
        )
