"""`make bench`: the engine beside bare NumPy and SciPy, and the service under load.

Seconds depend on the machine; the ratio of two figures of one row does not.
"""

import gc
import resource
import time
from collections.abc import Callable
from functools import partial
from math import isclose
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks import service
from matching import Policy, Problem, match
from schemas import AREA_IDS

RUNS = 5


def make_cities(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return as many mentors and as many learners, every fact known."""
    random = np.random.default_rng(seed)
    tongues = ["en", "fr", "nl", "de", "es", "it", "el", "lv", "pl", "pt"]
    made = []
    for at in range(2 * count):
        role, strong = ("mentor", "strength") if at < count else ("learner", "need")
        weak = "need" if strong == "strength" else "strength"
        areas: dict[str, dict[str, int]] = {}
        for area in random.choice(AREA_IDS, 5, replace=False):
            areas[str(area)] = {strong: int(random.integers(1, 5))}
        areas.setdefault(str(random.choice(AREA_IDS)), {})[weak] = 2
        made.append(
            {
                "id": f"{role}-{at:05}",
                "name": f"City {at}",
                "country": "BE",
                "roles": [role],
                "areas": areas,
                "population": int(10 ** random.uniform(4, 6.3)),
                "migrant_share": {
                    "value": round(float(random.uniform(0.02, 0.4)), 3),
                    "definition": "foreign_born",
                },
                "latitude": float(random.uniform(36, 60)),
                "longitude": float(random.uniform(-9, 28)),
                "languages": [str(t) for t in random.choice(tongues, 2, replace=False)],
                "practices": [{"area": area, "title": "x"} for area in list(areas)[:2]],
            }
        )
    return made


def bare(problem: Problem) -> float:
    """Return the best total by NumPy and SciPy alone: scores and pairs, no reasons."""
    half = len(problem.cities) // 2
    cities: Any = problem.cities  # every fact is known here
    sides = cities[:half], cities[half:]

    def table(side: Any, read: Callable[[Any, str], float]) -> Any:  # noqa: ANN401
        return np.array([[read(city, area) for area in AREA_IDS] for city in side])

    def level(kind: str) -> Callable[[Any, str], float]:
        return lambda city, area: (
            getattr(city.areas[area], kind) if area in city.areas else 0
        )

    give, ask = table(sides[0], level("strength")), table(sides[1], level("need"))
    want, offer = table(sides[0], level("need")), table(sides[1], level("strength"))
    proven = table(
        sides[0], lambda city, area: area in {p.area for p in city.practices}
    )
    met = np.zeros((half, half))
    backed, back = met.copy(), met.copy()
    for area in range(len(AREA_IDS)):
        shared = np.minimum.outer(give[:, area], ask[:, area])
        met += shared
        backed += shared * proven[:, area, np.newaxis]
        back += np.minimum.outer(want[:, area], offer[:, area])
    with np.errstate(divide="ignore", invalid="ignore"):
        needs_met = met / ask.sum(axis=1)
        evidence = np.nan_to_num(backed / met)
        give_back = np.nan_to_num(back / want.sum(axis=1)[:, np.newaxis])
        lengths = np.outer(
            np.sqrt((give**2).sum(axis=1)), np.sqrt((ask**2).sum(axis=1))
        )
        focus = np.nan_to_num(give @ ask.T / lengths)
    tongues = sorted({code for city in cities for code in city.languages})
    speaks = [np.array([[t in c.languages for t in tongues] for c in s]) for s in sides]
    language = speaks[0].astype(float) @ speaks[1].T.astype(float) > 0
    logs = [np.log([c.population.value for c in side]) for side in sides]
    shares = [np.array([c.migrant_share.value for c in side]) for side in sides]
    context = (
        np.exp(-(np.subtract.outer(*logs) ** 2) / 4.5)
        + np.exp(-(np.subtract.outer(*shares) ** 2) / 0.045)
    ) / 2
    north = [np.radians([c.latitude for c in side]) for side in sides]
    east = [np.radians([c.longitude for c in side]) for side in sides]
    chord = (
        np.sin(np.subtract.outer(*north) / 2) ** 2
        + np.outer(np.cos(north[0]), np.cos(north[1]))
        * np.sin(np.subtract.outer(*east) / 2) ** 2
    )
    proximity = np.exp(-2 * 6.3710088 * np.arcsin(np.sqrt(chord)))
    scores = (
        35 * needs_met
        + 30 * focus
        + 10 * evidence
        + 10 * language
        + 5 * context
        + 5 * proximity
        + 5 * give_back
    )
    rows, columns = linear_sum_assignment(-scores)
    return float(scores[rows, columns].sum())


def timed(task: Callable[[], Any]) -> float:
    """Return the seconds that one call takes, garbage of others collected before."""
    gc.collect()
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def answer(problem: Problem, objective: str = "total") -> None:
    """Match and write out, as a caller would."""
    match(problem, Policy.from_dict({"objective": objective})).to_dict()


def main() -> None:
    """Print the tables."""
    print(
        "| mentors × learners | match, explained (s) | bare NumPy + SciPy (s) | ratio |"
    )
    print("|---|---|---|---|")
    for count in (60, 500, 1000):
        body = {"cities": make_cities(count)}
        pairs = []
        for _ in range(RUNS):
            problem = Problem.from_dict(body)
            ours = timed(partial(answer, problem))
            pairs.append((ours, timed(partial(bare, problem))))
        best, total = bare(problem), match(problem).measures.total
        if not isclose(best, total, rel_tol=1e-6):
            raise SystemExit(f"Different totals: {total} here, {best} there.")
        ratio = median(ours / theirs for ours, theirs in pairs)
        seconds = [median(side) for side in zip(*pairs, strict=True)]
        print(
            f"| {count} × {count} | {seconds[0]:.3f} | {seconds[1]:.3f} | {ratio:.1f} |"
        )
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"\nPeak memory of this process: {kilobytes / 1024:.0f} MB.\n")
    sizes = (60, 200, 500)
    print("| objective |" + "".join(f" {size} × {size} (s) |" for size in sizes))
    print("|---|---|---|---|")
    problems = [Problem.from_dict({"cities": make_cities(size)}) for size in sizes]
    for objective in ("total", "served", "fair"):
        taken = [timed(partial(answer, problem, objective)) for problem in problems]
        print(f"| `{objective}` |" + "".join(f" {second:.2f} |" for second in taken))
    service.report(make_cities(service.CITIES // 2))


if __name__ == "__main__":
    main()
