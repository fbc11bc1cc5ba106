"""People on the service, for the load tool locust, which has its own environment.

Each reads nine times and writes once, with pauses. COMPAAN_TOKEN is what they show,
COMPAAN_CITIES a file with the ids of the cities that they look at.
"""

import os
import random
from pathlib import Path

from locust import FastHttpUser, between, task


class Person(FastHttpUser):
    """Somebody who looks at cities and rounds, and changes a city now and then."""

    wait_time = between(0.25, 0.75)

    def on_start(self) -> None:
        """Remember what to show, and what to look at."""
        self.caller = {"Authorization": f"Bearer {os.environ['COMPAAN_TOKEN']}"}
        self.ids = Path(os.environ["COMPAAN_CITIES"]).read_text("utf-8").split()

    @task(9)
    def read(self) -> None:
        """Read a city, a list or the round."""
        path = random.choice(  # noqa: S311 -- any will do
            (
                f"/cities/{random.choice(self.ids)}",  # noqa: S311
                "/cities?area=housing&role=mentor",
                "/rounds/r",
            )
        )
        self.client.get(f"/api/v1{path}", headers=self.caller, name="reads")

    @task(1)
    def write(self) -> None:
        """Change a city."""
        self.client.patch(
            f"/api/v1/cities/{random.choice(self.ids)}",  # noqa: S311
            json={"needs_text": f"{random.random()}"},  # noqa: S311
            headers=self.caller | {"If-Match": "*"},
            name="writes",
        )
