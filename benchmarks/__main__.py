"""`make bench`: what docs/engine.md quotes, as Markdown, in parts that run alone.

Seconds depend on the machine; the ratio of two figures of one table does not.
"""

import subprocess
import sys
from importlib import import_module

PARTS = {
    "engine": "match and the objectives, beside bare NumPy and SciPy",
    "peers": "the solver beside what one would pick instead",
    "prices": "the price of every pair; explanations and firmness",
    "backtest": "real pairings, found again or not",
    "service": "20 people on the service",
    "hostile": "/healthz beside bodies that are made to hold everybody up",
}
USAGE = "Usage: make bench [PART=...], one of:\n" + "\n".join(
    f"  {part:9} {told}" for part, told in PARTS.items()
)


def main(chosen: list[str]) -> None:
    """Print one part, or all."""
    if not set(chosen) <= set(PARTS):
        raise SystemExit(USAGE)
    if len(chosen) == 1:
        import_module(f"benchmarks.{chosen[0]}").main()
        return
    print(USAGE, file=sys.stderr)
    for part in chosen or PARTS:
        print(f"\n### {part}\n", flush=True)
        # A process each, so that no part pays for the memory of another.
        run = [sys.executable, "-m", "benchmarks", part]
        subprocess.run(run, check=True)  # noqa: S603 -- ourselves


if __name__ == "__main__":
    main(sys.argv[1:])
