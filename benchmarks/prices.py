"""The price of every pair, held against solving again with that pair forced."""

from functools import partial
from statistics import median

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.bare import bare_scores
from benchmarks.cities import make_cities
from benchmarks.clock import clocked, peak_megabytes, timed
from benchmarks.committee import report
from benchmarks.markdown import paragraphs
from matching import Policy, Prices, Problem, match, prices

RUNS = {60: 5, 200: 5, 1000: 5}
FORCED = 5
"""Prices at each size that are held against solving again."""
HOUR = 3600
DIGITS = 6
"""Points are whole millionths."""
NOTE = """
All prices at once are read from the flow of the one optimum; reading, scoring and
solving are part of the time. {forced} pairs drawn at random were each pinned
(`Policy(pins=[...])`) and matched again: equal means to the last millionth of a point.
SciPy alone is `linear_sum_assignment` without the pair's row and column, from scores
that are there; for all pairs it is that time times the pairs, not measured.
"""


def loss(problem: Problem, best: float, mentor: str, learner: str) -> float:
    """Return the points that the optimum loses with this pair, by matching again."""
    pin = {"mentor": mentor, "learner": learner, "reason": "to see what it costs"}
    return best - match(problem, Policy(pins=[pin])).measures.value


def equals(problem: Problem, table: Prices) -> int:
    """Return how many of `FORCED` drawn prices are what matching again says."""
    best = match(problem).measures.value
    random = np.random.default_rng(0)
    drawn = random.choice(np.argwhere(~np.isnan(table.points)), FORCED, replace=False)
    return sum(
        round(
            loss(problem, best, table.mentors[row], table.learners[column])
            - float(table.points[row, column]),
            DIGITS,
        )
        == 0
        for row, column in drawn.tolist()
    )


def by_scipy(problem: Problem) -> float:
    """Return the seconds that SciPy alone takes for one forced pair."""
    scores = bare_scores(problem)
    rest = scores[1:, 1:].copy()
    solve = partial(linear_sum_assignment, rest, maximize=True)
    return median(timed(solve) for _ in range(FORCED))


def main() -> None:
    """Print the tables."""
    print(
        "| mentors × learners | all prices (s) | peak memory (MB) | equal to matching "
        "again | SciPy alone, one (s) | all (≈ hours) |"
    )
    print("|---|---|---|---|---|---|")
    for count, runs in RUNS.items():
        problem = Problem.from_dict({"cities": make_cities(count)})
        turns = [clocked(partial(prices, problem)) for _ in range(runs)]
        seconds, table = median(turn[0] for turn in turns), turns[0][1]
        peak = peak_megabytes()
        equal, once = equals(problem, table), by_scipy(problem)
        hours = once * table.points.size / HOUR
        print(
            f"| {count:,} × {count:,} | {seconds:.3f} | {peak:.0f} "
            f"| {equal} of {FORCED} | {once:.5f} | {hours:,.4f} |",
            flush=True,
        )
    print(f"\n{paragraphs(NOTE.format(forced=FORCED))}\n")
    report()
