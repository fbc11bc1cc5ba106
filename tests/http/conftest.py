"""An application with a round, a pairing, a webhook and so on: one of each kind."""

from collections.abc import Iterator

import pytest

from tests.fixtures.cities import FIVE, listed, released_round
from tests.fixtures.service import Service, start


@pytest.fixture(scope="module")
def site(_copy_sqlite) -> Iterator[Service]:
    yield from start(_copy_sqlite(), runs_at_once=0)


@pytest.fixture(scope="module")
def ids(site) -> dict[str, str]:
    """Return the id of a stored object of each kind, by the name of its parameter."""
    round_id = released_round(site, *FIVE)
    (one, *_) = listed(site, f"/rounds/{round_id}/pairings")
    practice = {"area": "housing", "title": "T"}
    practice_row = site.post("/cities/amiens/practices", practice).json()
    contact = site.post("/cities/amiens/contacts", {"name": "A. Contact"}).json()
    hook = site.post("/webhooks", {"url": "https://hooks.example.org/"}).json()
    site.post(f"/webhooks/{hook['id']}/ping", None)
    (delivery,) = listed(site, f"/webhooks/{hook['id']}/deliveries")
    return {
        "round_id": round_id,
        "pairing_id": one["id"],
        "run_id": one["run"],
        "run": one["run"],
        "city_id": "amiens",
        "practice_id": practice_row["id"],
        "message_id": listed(site, f"/rounds/{round_id}/messages")[0]["id"],
        "account_id": listed(site, "/accounts")[0]["id"],
        "contact_id": contact["id"],
        "webhook_id": hook["id"],
        "delivery_id": delivery["id"],
        "mentor": "amiens",
        "learner": "delft",
        "code": "stale",
        "q": "Gent",
    }
