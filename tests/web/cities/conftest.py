"""A visitor without a network, and an organiser who looks through some cities."""

import pytest

from tests.fixtures.cities import city, register
from tests.web.cities.reading import levels
from tests.web.visitor import Visitor


@pytest.fixture
def nobody(sqlite_service) -> Visitor:
    return Visitor(sqlite_service)


@pytest.fixture
def network(sqlite_service) -> Visitor:
    """Return an organiser who looks through some cities."""
    register(
        sqlite_service,
        city(
            "lodz",
            "mentor",
            name="Łódź",
            country="PL",
            languages=["pl", "en"],
            population=670_000,
            latitude=51.8,
            longitude=19.5,
            areas={"housing": levels(strength=4), "health": levels(need=1)},
        ),
        city(
            "mechelen",
            name="Mechelen",
            languages=["nl"],
            population=87_000,
            latitude=51.0,
            longitude=4.5,
            areas={"housing": levels(need=3), "health": levels(strength=2)},
        ),
        city(
            "liege",
            "mentor",
            name="Liège",
            languages=["fr"],
            population=195_000,
            areas={"housing": levels(need=1, strength=3)},
        ),
        city("small", name="Smallville", population=19_999, languages=["nl", "fr"]),
        city("unknown", name="Unknown", country="FR", areas={"health": levels()}),
    )
    return Visitor(sqlite_service).sign_in("organiser")
