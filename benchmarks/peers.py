"""The solver beside what one would pick instead, each in a process of its own.

All read one file of scores. They take turns, so that a machine that gets slower gets
slower for all; only the solving is timed, from the matrix in memory to the pairs.
"""

import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.bare import bare_scores
from benchmarks.cities import make_cities, make_hub_scores
from benchmarks.markdown import paragraphs
from matching import Problem

SIZES = (60, 200, 1000, 3000)
MIDDLE = 1000
"""The size at which memory and points are told."""
KINDS: dict[str, Callable[[int], NDArray[np.float64]]] = {
    "Scores of made-up profiles by the default policy": lambda size: bare_scores(
        Problem.from_dict({"cities": make_cities(size)})
    ),
    "Scores with hubs, the hard case: few mentors are best for most": make_hub_scores,
}
TURNS = 7
ENOUGH = 5.0
"""Seconds of one contestant at one size after which it gets no further turn."""
TIME_OUT = 120.0
TOO_SLOW = 5.0
"""Seconds at one size after which a contestant is not asked for the next."""
CONTESTANT = Path(__file__).with_name("contestant.py")
ENVIRONMENTS = Path(".venv-bench")
OURS = "compaan"
BUSY = 0.9
"""Share of a turn that one processor at least works, if nobody else wants it."""
WAITS = 0.05
"""Seconds below which that share is not worth looking at."""
ROUND = 10
"""Ratios from here on are shown whole."""


@dataclass(frozen=True)
class Peer:
    """What is measured.

    Attributes:
        title: As the table shows it.
        package: What the version is read of.
        environment: Folder below `.venv-bench`; None: where this runs.

    """

    title: str
    package: str
    environment: str | None = None

    def python(self) -> str:
        """Return the interpreter that has it."""
        if self.environment is None:
            return sys.executable
        return str(ENVIRONMENTS / self.environment / "bin" / "python")


PEERS = {
    OURS: Peer("**`matching.assign`**", "compaan"),
    "scipy": Peer("SciPy `linear_sum_assignment`", "scipy"),
    "ortools": Peer("OR-tools `SimpleMinCostFlow`", "ortools"),
    "networkx-flow": Peer("networkx `network_simplex`", "networkx", "networkx"),
    "networkx-matching": Peer("networkx `max_weight_matching`", "networkx", "networkx"),
    "mentor-match": Peer("mentor-match, whole points", "mentor-match", "mentor-match"),
    "mentor-match-exact": Peer(
        "mentor-match, 1/10,000 points", "mentor-match", "mentor-match"
    ),
    "stable-marriage": Peer("matching `StableMarriage`", "matching", "matching"),
    "hospital-resident": Peer("matching `HospitalResident`", "matching", "matching"),
}


@dataclass
class Result:
    """What one contestant did at one size.

    Attributes:
        seconds: One figure per turn.
        worked: Seconds of a processor, one figure per turn.
        peak: Megabytes at most, interpreter and packages counted.
        before: Megabytes before it solved.
        total: The points that its pairs have.
        best: The most points there are.
        failure: Why there is no answer.

    """

    seconds: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    peak: float = 0.0
    before: float = 0.0
    total: float = 0.0
    best: float = 0.0
    failure: str | None = None

    def was_disturbed(self) -> bool:
        """Tell whether the fastest turn waited for a processor, so it is no measure."""
        seconds, worked = min(zip(self.seconds, self.worked, strict=True))
        return seconds > WAITS and worked < BUSY * seconds


class Failed(Exception):
    """A contestant that gives no answer; the text stands in the table."""


class Contestant:
    """A running process that solves when asked."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process, self._errors = process, errors
        self.before: float = self._line()["before"]

    def solve(self) -> dict[str, Any]:
        """Return its answer.

        Raises:
            Failed: If there is none in time, or ever.

        """
        assert self._process.stdin  # noqa: S101 -- a pipe
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout  # noqa: S101 -- a pipe
        if not select.select([self._process.stdout], [], [], TIME_OUT)[0]:
            raise Failed(f"> {TIME_OUT:g}")
        line = self._process.stdout.readline()
        if not line:
            told = self._errors.read_text("utf-8").strip().splitlines() or ["no word"]
            raise Failed(f"**failed**: {told[-1][:80]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running(name: str, scores: Path) -> Iterator[Contestant]:
    """Start a contestant, and end it however this ends.

    Raises:
        Failed: If its environment is not there, or it does not start.

    """
    python = PEERS[name].python()
    if not Path(python).exists():
        raise Failed("**not installed**")
    errors = scores.with_name(f"{name}.txt")
    # -I: neither what stands beside the file nor PYTHONPATH must hide a package.
    command = [python, "-I", str(CONTESTANT), name, str(scores)]
    with (
        errors.open("w") as sink,
        subprocess.Popen(  # noqa: S603 -- our own file
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
        ) as process,
    ):
        try:
            yield Contestant(process, errors)
        finally:
            process.kill()


def total(scores: NDArray[np.float64], pairs: list[tuple[int, int]]) -> float:
    """Return the points of these pairs.

    Raises:
        Failed: If there are none, or a mentor or a learner is paired twice.

    """
    if not pairs:
        raise Failed("**wrong**: no pairs")
    rows, columns = (np.array(side, int) for side in zip(*pairs, strict=True))
    if len(set(rows)) < len(pairs) or len(set(columns)) < len(pairs):
        raise Failed("**wrong**: a city is paired twice")
    return float(scores[rows, columns].sum())


def compete(names: list[str], scores: NDArray[np.float64]) -> dict[str, Result]:
    """Let them take turns."""
    rows, columns = linear_sum_assignment(scores, maximize=True)
    best = float(scores[rows, columns].sum())
    results = {name: Result(best=best) for name in names}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "scores.npy"
        np.save(file, scores)
        at_work: dict[str, Contestant] = {}
        for name, result in results.items():
            try:
                at_work[name] = stack.enter_context(running(name, file))
                result.before = at_work[name].before
            except Failed as failure:
                result.failure = str(failure)
        for _ in range(TURNS):
            for name, contestant in list(at_work.items()):
                result = results[name]
                try:
                    answer = contestant.solve()
                    result.total = total(scores, answer["pairs"])
                except Failed as failure:
                    result.failure = str(failure)
                    del at_work[name]
                    continue
                result.seconds.append(answer["seconds"])
                result.worked.append(answer["worked"])
                result.peak = answer["peak"]
                if sum(result.seconds) > ENOUGH:
                    del at_work[name]
    return results


def versions() -> Mapping[str, str]:
    """Return the version of each package, as its own environment tells."""
    ask = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    told = {}
    for peer in PEERS.values():
        try:
            run = [peer.python(), "-c", ask, peer.package]
            done = subprocess.run(run, capture_output=True, text=True, check=True)  # noqa: S603
            told[peer.package] = done.stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            told[peer.package] = "**not installed**"
    return told


NOTE = """
Seconds, and in brackets how many times ours. One to one, because mentor-match knows
nothing else. The fastest of up to {turns} turns, taken in turn, each from the matrix in
memory to the pairs: what a package needs built first (graph, preference lists, players)
is part of it. A star, if there is one: the machine was busy with something else, and
the time is too long. A dash: not run, as it took more than {slow:g} s one size before.
Memory is the whole process, interpreter and packages included, and in brackets what
came by solving. The points are counted by us on the same matrix; 100 % is the optimum.
mentor-match gets one rule of its own kind that gives each pair our score, in whole
points as it wants them or as fine as 1/10,000; hand-written rules would tell it less.
matching makes stable pairs, which is another aim: points that it leaves are no fault.
It runs with the recursion limit raised; as it comes it fails at 200 × 200. networkx'
`minimum_weight_full_matching` is not listed: it calls SciPy's. {versions}.
"""


def _cell(result: Result, ours: Result) -> str:
    if result.failure:
        return result.failure
    seconds = min(result.seconds)
    star = " \\*" if result.was_disturbed() else ""
    if result is ours or ours.failure:
        return f"{seconds:.2g}{star}"
    ratio = seconds / min(ours.seconds)
    return f"{seconds:.2g}{star} ({ratio:,.{0 if ratio >= ROUND else 1}f} ×)"


def _rows(results: Mapping[int, Mapping[str, Result]]) -> Iterator[str]:
    """Yield a row for each contestant; its memory and points are those at `MIDDLE`."""
    for name, peer in PEERS.items():
        cells = [_cell(of[name], of[OURS]) for of in results.values()]
        middle = results[MIDDLE][name]
        if middle.failure:
            cells += ["–", "–"]
        else:
            grown = max(middle.peak - middle.before, 0)
            cells.append(f"{middle.peak:.0f} ({grown:.0f})")
            # Cut, not rounded: only the optimum reads 100.
            share = floor(1e5 * middle.total / middle.best + 1e-3) / 1e3
            cells.append(f"{share:.3f} %")
        yield f"| {peer.title} | {' | '.join(cells)} |"


def main() -> None:
    """Print a table for each kind of scores."""
    for title, make in KINDS.items():
        results: dict[int, dict[str, Result]] = {}
        slow: dict[str, str] = {}
        for size in SIZES:
            asked = [name for name in PEERS if name not in slow]
            given = {name: Result(failure=reason) for name, reason in slow.items()}
            results[size] = given | compete(asked, make(size))
            for name, result in results[size].items():
                if result.failure:
                    slow[name] = result.failure
                elif min(result.seconds) > TOO_SLOW:
                    slow[name] = "–"
        sizes = " | ".join(f"{size:,} × {size:,} (s)" for size in SIZES)
        print(f"{title}\n")
        print(f"| solver | {sizes} | MB at {MIDDLE:,} | points at {MIDDLE:,} |")
        print("|---|" + "---|" * (len(SIZES) + 2))
        print("\n".join(_rows(results)) + "\n", flush=True)
    told = ", ".join(f"{package} {version}" for package, version in versions().items())
    print(paragraphs(NOTE.format(turns=TURNS, slow=TOO_SLOW, versions=told)))
