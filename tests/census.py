"""Which checks there are: `python -m tests.census` counts them by level and module.

`--json FILE` keeps them; `--compare FILE` prints what differs from what was kept. A
check is known by its name alone: one that is in another module now is no difference.
"""

import argparse
import json
import os
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path

import pytest

LEVELS = ("quick", "test", "release")
Check = dict[str, str]


class _Collected:
    """Takes down all tests that pytest finds."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            module, _, name = item.nodeid.partition("::")
            self.checks.append({"name": name, "module": module, "level": _level(item)})


def _level(item: pytest.Item) -> str:
    try:
        from tests.fixtures.levels import level_of  # noqa: PLC0415 -- see below
    except ImportError:  # a version that knew of one level
        return "test"
    return level_of(item)


def collect() -> list[Check]:
    """Return every check there is, of all levels."""
    collected = _Collected()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        code = pytest.main(["--collect-only", "-q", "-n0", "-m", ""], [collected])
    if code:
        sys.exit("They cannot be collected: `pytest --collect-only` tells why.")
    return collected.checks


def table(checks: list[Check]) -> str:
    """Return how many checks each module has on each level."""
    count = Counter((one["module"], one["level"]) for one in checks)
    modules = sorted({one["module"] for one in checks})
    rows = [[name, *(count[name, level] for level in LEVELS)] for name in modules]
    rows.append(["all", *(sum(row[at] for row in rows) for at in (1, 2, 3))])
    wide = max(len(row[0]) for row in rows)
    head = f"{'':{wide}} {' '.join(f'{level:>8}' for level in (*LEVELS, 'all'))}"
    lines = [
        f"{name:{wide}} {' '.join(f'{number:8,}' for number in (*ns, sum(ns)))}"
        for name, *ns in rows
    ]
    return "\n".join([head, *lines])


def difference(before: list[Check], now: list[Check]) -> str:
    """Return which checks have gone, have come, or are of another level."""
    was, is_now = (Counter(one["name"] for one in checks) for checks in (before, now))
    lines = [f"gone: {name}" for name in sorted((was - is_now).elements())]
    lines += [f"new: {name}" for name in sorted((is_now - was).elements())]
    of_level = [
        Counter((one["name"], one["level"]) for one in checks)
        for checks in (before, now)
    ]
    moved = Counter(
        (name, level)
        for name, level in (of_level[1] - of_level[0]).elements()
        if was[name]
    )
    lines += [
        f"only for a release now: {name}" for name, level in moved if level == "release"
    ]
    by_level = Counter(level for _, level in moved.elements())
    lines += [f"{by_level[level]:,} are now of the level {level}" for level in LEVELS]
    lines.append(f"{len(before):,} before, {len(now):,} now")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to keep them")
    parser.add_argument("--compare", type=Path, help="what was kept before")
    asked = parser.parse_args()
    checks = collect()
    print(table(checks))  # noqa: T201
    if asked.json:
        asked.json.write_text(json.dumps(checks, indent=0) + "\n")
    if asked.compare:
        print(difference(json.loads(asked.compare.read_text()), checks))  # noqa: T201


if __name__ == "__main__":
    main()
