"""One contestant, in a process of its own: `contestant.py NAME scores.npy`.

It reads the scores, says that it is ready, and then solves them once for every line
that it is sent, answering with one line of JSON. It runs in environments that have
NumPy and one package, so whatever else it needs is imported by the contestant itself,
before the clock starts.
"""

import gc
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

Pairs = list[tuple[int, int]]
Solver = Callable[[Any], Pairs]
MICRO = 1_000_000
"""Whole numbers of this part of a point, where a package takes no floats."""


def compaan() -> Solver:
    """Return `assign`."""
    assign = import_module("matching").assign

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        pairs = assign(scores, np.ones(len(scores), int)).pairs
        return [(row, column) for row, column in pairs.tolist()]

    return solve


def scipy() -> Solver:
    """Return SciPy's solver of the assignment problem."""
    linear_sum_assignment = import_module("scipy.optimize").linear_sum_assignment

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        rows, columns = linear_sum_assignment(scores, maximize=True)
        return list(zip(rows.tolist(), columns.tolist(), strict=True))

    return solve


def ortools() -> Solver:
    """Return OR-tools' min-cost flow, every pair an arc, built from arrays."""
    flows = import_module("ortools.graph.python.min_cost_flow")

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        mentors, learners = scores.shape
        costs = -np.rint(scores * MICRO).astype(np.int64).ravel()
        flow = flows.SimpleMinCostFlow()
        tails = np.repeat(np.arange(mentors, dtype=np.int32), learners)
        heads = np.tile(np.arange(learners, dtype=np.int32) + mentors, mentors)
        arcs = flow.add_arcs_with_capacity_and_unit_cost(
            tails, heads, np.ones(costs.size, np.int64), costs
        )
        supply = np.repeat((1, -1), (mentors, learners))
        flow.set_nodes_supplies(np.arange(mentors + learners, dtype=np.int32), supply)
        if flow.solve() != flow.OPTIMAL:
            raise RuntimeError("OR-tools found no optimum.")
        used = np.flatnonzero(flow.flows(arcs))
        return [divmod(int(arc), learners) for arc in used]

    return solve


def networkx_flow() -> Solver:
    """Return networkx' network simplex, every pair an edge."""
    networkx = import_module("networkx")

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        mentors, learners = scores.shape
        costs = (-np.rint(scores * MICRO)).astype(int).tolist()
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(mentors), demand=-1)
        graph.add_nodes_from(range(mentors, mentors + learners), demand=1)
        graph.add_edges_from(
            (row, mentors + column, {"weight": cost, "capacity": 1})
            for row, line in enumerate(costs)
            for column, cost in enumerate(line)
        )
        _, flow = networkx.network_simplex(graph)
        return [
            (row, head - mentors)
            for row in range(mentors)
            for head, used in flow[row].items()
            if used
        ]

    return solve


def networkx_matching() -> Solver:
    """Return networkx' blossom algorithm."""
    networkx = import_module("networkx")

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        mentors = len(scores)
        weights = np.rint(scores * MICRO).astype(int).tolist()
        graph = networkx.Graph()
        graph.add_weighted_edges_from(
            (row, mentors + column, weight)
            for row, line in enumerate(weights)
            for column, weight in enumerate(line)
        )
        found = networkx.max_weight_matching(graph, maxcardinality=True)
        return [(min(pair), max(pair) - mentors) for pair in found]

    return solve


def _ranks(scores: Any) -> tuple[dict[str, list[str]], dict[str, list[str]]]:  # noqa: ANN401 -- of any NumPy
    """Return whom each learner and each mentor prefers, the highest score first."""

    def rank(table: Any, own: str, other: str) -> dict[str, list[str]]:  # noqa: ANN401
        orders = np.argsort(-table, axis=1, kind="stable").tolist()
        return {
            f"{own}{at}": [f"{other}{to}" for to in order]
            for at, order in enumerate(orders)
        }

    return rank(scores.T, "l", "m"), rank(scores, "m", "l")


def stable_marriage() -> Solver:
    """Return the stable marriage of the package `matching`, learners proposing."""
    game = import_module("matching.games").StableMarriage

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        found = game.create_from_dictionaries(*_ranks(scores)).solve()
        return [
            (int(m.name[1:]), int(learner.name[1:])) for learner, m in found.items()
        ]

    return solve


def hospital_resident() -> Solver:
    """Return the game of the package `matching` whose mentors may have capacities."""
    game = import_module("matching.games").HospitalResident

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        learners, mentors = _ranks(scores)
        capacities = dict.fromkeys(mentors, 1)
        found = game.create_from_dictionaries(learners, mentors, capacities).solve()
        return [
            (int(mentor.name[1:]), int(learner.name[1:]))
            for mentor, taken in found.items()
            for learner in taken
        ]

    return solve


def mentor_match(parts: int = 1) -> Solver:
    """Return mentor-match with a rule that gives each pair its score.

    Its points are whole numbers.

    Args:
        parts: How many of its points are one of ours.

    """
    process = import_module("matching.process")
    mentor_type = import_module("matching.mentor").Mentor
    mentee_type = import_module("matching.mentee").Mentee

    class Score:
        """A rule in the words of the package: so many points for this pair."""

        def __init__(self, points: list[list[int]]) -> None:
            self._points = points

        def apply(self, match: Any) -> int:  # noqa: ANN401 -- its class
            mentor: int = match.mentor.grade
            mentee: int = match.mentee.grade
            return self._points[mentor][mentee]

    def solve(scores: Any) -> Pairs:  # noqa: ANN401 -- of any NumPy
        rule = Score(np.rint(scores * parts).astype(int).tolist())
        mentors, learners = (
            [made(grade=at, email=f"{made.__name__}{at}") for at in range(size)]
            for made, size in zip((mentor_type, mentee_type), scores.shape, strict=True)
        )
        process.process_data(mentors, learners, [[rule]])
        return [(m.grade, mentee.grade) for m in mentors for mentee in m.mentees]

    return solve


CONTESTANTS: dict[str, Callable[[], Solver]] = {
    "compaan": compaan,
    "scipy": scipy,
    "ortools": ortools,
    "networkx-flow": networkx_flow,
    "networkx-matching": networkx_matching,
    "stable-marriage": stable_marriage,
    "hospital-resident": hospital_resident,
    "mentor-match": mentor_match,
    "mentor-match-exact": lambda: mentor_match(10_000),
}


def _megabytes(field: str) -> float:
    """Return VmHWM, the most memory so far, or VmRSS, the memory now.

    `ru_maxrss` would do on other systems than Linux; here it also counts what the
    parent had when it started this process.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines[field].split()[0]) / 2**10


def main() -> None:
    """Answer each line with a solution."""
    name, file = sys.argv[1:]
    solve = CONTESTANTS[name]()
    scores = np.load(file)
    print(json.dumps({"before": _megabytes("VmRSS")}), flush=True)
    for _ in sys.stdin:
        gc.collect()
        started, worked = time.perf_counter(), time.process_time()
        pairs = solve(scores)
        seconds = time.perf_counter() - started
        worked = time.process_time() - worked
        answer = {"seconds": seconds, "worked": worked, "peak": _megabytes("VmHWM")}
        print(json.dumps(answer | {"pairs": pairs}), flush=True)


if __name__ == "__main__":
    # The package `matching` copies its players by recursion, as deep as they are many.
    sys.setrecursionlimit(10**8)
    threading.stack_size(2**30)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
