"""Sites that several modules look at."""

from collections.abc import Iterator

import pytest

from tests.e2e.inclucities_site import site_on
from tests.fixtures.process import Served


@pytest.fixture(scope="session")
def gallery(_copy_sqlite) -> Iterator[Served]:
    """Serve the site for looking at it: how pages look is the same on both."""
    with site_on(_copy_sqlite()) as server:
        yield server
