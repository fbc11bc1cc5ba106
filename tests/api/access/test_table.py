"""Every operation is for those whom its row in the table names."""

import pytest

from tests.api.access.table import CALLERS, STORE_NOTHING, TABLE
from tests.api.access.world import OPERATIONS
from tests.fixtures.cities import refusal


def test_every_operation_has_a_row():
    assert sorted(TABLE) == sorted(OPERATIONS)


def noun_of(operation: str) -> tuple[str, str]:
    """Return the verb of an operation, and the noun that its path begins with."""
    verb, path = operation.split(" ")
    return verb, path.split("/")[3]


ON_POSTGRES_TOO = {noun_of(one): one for one in sorted(TABLE)}.values()
"""One operation of each verb and noun; the others on PostgreSQL are for a release."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("copy_database", "operation"),
    [
        pytest.param(
            kind,
            operation,
            id=f"{kind}-{operation}",
            marks=pytest.mark.release
            if kind == "postgres" and operation not in ON_POSTGRES_TOO
            else (),
        )
        for kind in ("sqlite", "postgres")
        for operation in sorted(TABLE)
    ],
    indirect=["copy_database"],
)
def test_an_operation_is_for_whom_the_table_says(make_world, operation):
    expected, body = TABLE[operation]
    changes = not operation.startswith(STORE_NOTHING)
    world = make_world()
    found = []
    for caller, status in zip(CALLERS, expected, strict=True):
        before = world.audited()

        answer = world.call(operation, caller, body)

        found.append(answer.status_code)
        done = changes and status < 400
        assert world.audited() - before == int(done), (caller, answer.text)
        if status == 401:
            assert refusal(answer) == (401, "unauthenticated", [])
            assert answer.headers["www-authenticate"] == "Bearer"
        if done:  # the next one meets the world as it was
            world = make_world()
    assert tuple(found) == expected
