"""`python -m tests.pages_text OUT`: see the package."""

import argparse
import sys
from pathlib import Path

import tests.pages_text
from tests.pages_text.letters import write_letters
from tests.pages_text.site import opened
from tests.pages_text.walking import walk


def main() -> int:
    """Write all of it."""
    parser = argparse.ArgumentParser(
        description=tests.pages_text.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="a folder, which must be empty or new")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help="only pages with this in their address; may be repeated",
    )
    asked = parser.parse_args()
    if asked.out.exists() and any(asked.out.iterdir()):
        parser.error(f"There is something in {asked.out}.")
    with opened(asked.out) as site:
        walk(site, asked.only)
    if not asked.only:
        with opened(asked.out) as site:
            write_letters(site)
    count = sum(1 for _ in asked.out.rglob("*.txt"))
    print(f"{count} files in {asked.out}.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
