"""What SECURITY.md names as its proofs is there."""

import re
from pathlib import Path

import pytest

SECURITY = Path("SECURITY.md").read_text("utf-8")


@pytest.mark.parametrize(
    "named", sorted(set(re.findall("`(test_[a-z_0-9]+)`", SECURITY)))
)
def test_a_test_that_is_named_exists(named):
    texts = "".join(path.read_text("utf-8") for path in Path("tests").rglob("*.py"))

    assert f"def {named}(" in texts


@pytest.mark.parametrize(
    "named", sorted(set(re.findall(r"`(tests/[\w/.]+)`", SECURITY)))
)
def test_a_file_that_is_named_exists(named):
    assert Path(named).is_file()
