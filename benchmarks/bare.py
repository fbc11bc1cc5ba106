"""What one would write without us: the same scores by NumPy, the pairs by SciPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from matching import Problem
from schemas import AREA_IDS


def bare_scores(problem: Problem) -> NDArray[np.float64]:
    """Return the scores by NumPy alone, (mentors, learners); every fact is known.

    The first half of the cities are the mentors, as `make_cities` makes them.
    """
    half = len(problem.cities) // 2
    cities: Any = problem.cities
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
    scores: NDArray[np.float64] = (
        35 * needs_met
        + 30 * focus
        + 10 * evidence
        + 10 * language
        + 5 * context
        + 5 * proximity
        + 5 * give_back
    )
    return scores


def bare_total(problem: Problem) -> float:
    """Return the best total by NumPy and SciPy alone: scores and pairs, no reasons."""
    scores = bare_scores(problem)
    rows, columns = linear_sum_assignment(scores, maximize=True)
    return float(scores[rows, columns].sum())
