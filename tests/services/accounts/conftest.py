"""The application, for the tests of accounts."""

import pytest


@pytest.fixture
def service(idle_service):
    """Return the application; nothing here has it compute."""
    return idle_service
