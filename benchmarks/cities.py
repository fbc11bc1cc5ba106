"""Made-up cities and scores, the same on every machine."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import AREA_IDS


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


def make_hub_scores(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return (mentors, learners) scores with hubs: a few mentors are best for most.

    Need times strength. Needs lie where other cities' needs lie, and some mentors are
    strong in everything, so what is best for each learner alone is far from what is
    possible: the hard case for a solver. At 1,000 x 1,000, 40 mentors are the best of
    all 1,000 learners.
    """
    random = np.random.default_rng(seed)
    areas = len(AREA_IDS)
    need = random.gamma(0.5, size=(count, areas)) * random.dirichlet(np.ones(areas))
    need /= need.sum(axis=1, keepdims=True)
    ability = random.beta(2, 2, (count, 1)) * random.beta(1, 1.5, (count, areas))
    scores: NDArray[np.float64] = 100 * np.minimum(1.6 * ability, 1) @ need.T
    return scores
