"""A round's life, lived at random by everybody at once, held against a plain model."""

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.services.decisions.life.after_release import AfterRelease
from tests.services.decisions.life.before_release import BeforeRelease
from tests.services.decisions.life.model import ENDED, LIVE
from tests.services.decisions.life.promises import Promises

pytestmark = pytest.mark.slow


class Life(BeforeRelease, AfterRelease, Promises):
    """Everything that may happen to a round, and what must hold after each step."""


@pytest.mark.parametrize(
    ("copy_database", "lives", "steps"),
    [
        pytest.param("sqlite", 9, 40, id="sqlite"),
        pytest.param("postgres", 2, 30, id="postgres"),
        pytest.param("postgres", 9, 40, id="postgres-whole", marks=pytest.mark.release),
    ],
    indirect=["copy_database"],
)
def test_a_rounds_life_keeps_its_promises(copy_database, lives, steps):
    """On PostgreSQL the walk is shorter: its own refusals show in few steps."""
    reached = set()

    run_state_machine_as_test(
        lambda: Life(copy_database(), reached),
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
        ),
    )

    assert len(reached) > 2
    assert lives < 9 or reached == {*LIVE, *ENDED, "dismissed"}
