"""The examples of the engine's README are run."""

import doctest
from pathlib import Path

README = Path(__file__).parents[2] / "matching" / "README.md"


def test_the_examples_of_the_readme_answer_what_they_say():
    found = doctest.testfile(
        str(README),
        module_relative=False,
        optionflags=doctest.ELLIPSIS,
        encoding="utf-8",
    )

    assert found.attempted > 15
    assert found.failed == 0
