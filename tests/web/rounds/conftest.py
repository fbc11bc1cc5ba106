"""An organiser with a browser."""

import pytest

from tests.web.visitor import Visitor


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    return Visitor(sqlite_service).sign_in("organiser")
