"""A released round, for the tests of what becomes of its pairings."""

import pytest

from tests.fixtures.cities import FIVE, add_officer, released_round


@pytest.fixture
def released(idle_service):
    """Return the service with a released round of FIVE cities, with an officer each."""
    for one in FIVE:
        add_officer(idle_service, one["id"])
    idle_service.round = released_round(idle_service, *FIVE)
    return idle_service
