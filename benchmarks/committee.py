"""What a committee asks for: reasons, alternates with prices, and firmness."""

from functools import partial
from statistics import median

from benchmarks.cities import make_cities
from benchmarks.clock import timed
from benchmarks.engine import is_priced
from matching import Policy, Problem, firmness, match

COUNT = 60
TRIALS = (100, 500)
RUNS = 5


def report() -> None:
    """Print the table."""
    problem, policy = Problem.from_dict({"cities": make_cities(COUNT)}), Policy()
    if not is_priced(match(problem, policy)):
        raise SystemExit("An alternate has no price.")
    explained = median(timed(partial(match, problem, policy)) for _ in range(RUNS))
    rows = {"match: pairings, explanations, alternates with prices": explained}
    for trials in TRIALS:
        drill = partial(firmness, problem, policy, trials=trials)
        rows[f"firmness over {trials} trials"] = timed(drill)
    print(f"| {COUNT} × {COUNT} | ms |\n|---|---|")
    for title, seconds in rows.items():
        print(f"| {title} | {1000 * seconds:.0f} |")
