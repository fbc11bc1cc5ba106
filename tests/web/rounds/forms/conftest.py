"""An organiser before a round that is open, staged or released."""

import pytest

from tests.fixtures.cities import compute, open_round
from tests.web.rounds.forms.trial import CITIES
from tests.web.visitor import Visitor


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    """Return an organiser who looks at an open round."""
    open_round(sqlite_service, *CITIES)
    return Visitor(sqlite_service).sign_in("organiser").open("/rounds/trial")


@pytest.fixture
def staged(organiser) -> Visitor:
    """Return the same with two pairings staged; a mentor is left over."""
    organiser.press("Close the round")
    pinned = {"pins": [{"mentor": "ghent", "learner": "cork"}]}
    compute(organiser.service, "trial", policy=pinned, label="With Ghent")
    compute(organiser.service, "trial", label="Free")
    organiser.open("/rounds/trial").press("Stage the newest proposal")
    assert (organiser.status, organiser.path) == (200, "/rounds/trial/pairings")
    return organiser


@pytest.fixture
def released(staged) -> Visitor:
    """Return the same, the pairings offered."""
    return staged.press("Release 2 pairings")
