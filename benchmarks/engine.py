"""The engine beside bare NumPy and SciPy, and its objectives."""

from functools import partial
from math import isclose
from statistics import median

from benchmarks.bare import bare_total
from benchmarks.cities import make_cities
from benchmarks.clock import clocked, peak_megabytes, timed
from matching import Policy, Problem, Solution, match

RUNS = {60: 5, 500: 5, 1000: 5, 3000: 3}
OBJECTIVES = ("total", "served", "fair")
SIZES = (60, 200, 500)


def answer(problem: Problem, objective: str = "total") -> Solution:
    """Match and write out, as a caller would."""
    solution = match(problem, Policy.from_dict({"objective": objective}))
    solution.to_dict()
    return solution


def is_priced(solution: Solution) -> bool:
    """Tell whether the alternates have prices."""
    alternates = [one for pair in solution.pairings for one in pair.alternates]
    return all(one.price is not None for one in alternates)


def main() -> None:
    """Print the tables."""
    print(
        "| mentors × learners | match, explained (s) | bare NumPy + SciPy (s) | ratio "
        "| alternates priced | peak memory of match (MB) |"
    )
    print("|---|---|---|---|---|---|")
    for count, runs in RUNS.items():
        body = {"cities": make_cities(count)}
        pairs = []
        peak = 0.0
        for _ in range(runs):
            problem = Problem.from_dict(body)
            ours, solution = clocked(partial(answer, problem))
            # Sizes grow, and ours comes first: no peak before was higher than this.
            peak = peak or peak_megabytes()
            theirs, best = clocked(partial(bare_total, problem))
            pairs.append((ours, theirs))
            total = solution.measures.total
            if not isclose(best, total, rel_tol=1e-6):
                raise SystemExit(f"Different totals: {total} here, {best} there.")
        ratio = median(ours / theirs for ours, theirs in pairs)
        ours, theirs = (median(side) for side in zip(*pairs, strict=True))
        print(
            f"| {count:,} × {count:,} | {ours:.3f} | {theirs:.3f} | {ratio:.1f} "
            f"| {'yes' if is_priced(solution) else 'no'} | {peak:.0f} |",
            flush=True,
        )
    print("\nThe totals are equal.\n")
    print("| objective |" + "".join(f" {size} × {size} (s) |" for size in SIZES))
    print("|---|---|---|---|")
    problems = [Problem.from_dict({"cities": make_cities(size)}) for size in SIZES]
    for objective in OBJECTIVES:
        taken = [timed(partial(answer, problem, objective)) for problem in problems]
        print(f"| `{objective}` |" + "".join(f" {second:.2f} |" for second in taken))
