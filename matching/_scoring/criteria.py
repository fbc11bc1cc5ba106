"""The eight criteria: how well a mentor fits a learner, each between 0 and 1.

Each takes the features of mentors and learners and returns two arrays of shape
(mentors, learners), or of a shape that broadcasts to it: the values, and whether they
can be known. A value that cannot be known means nothing. All are made of products of
small whole numbers and of elementwise functions, so a pair's value does not depend on
which other pairs are computed with it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import (
    cosine_similarity,
    pairwise_distances,
    rbf_kernel,
)
from sklearn.utils.extmath import safe_sparse_dot

from matching._scoring import features
from matching._scoring.features import WORDS, Features
from schemas import Criterion

Values = NDArray[Any]
Known = NDArray[np.bool_]

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG), in kilometres."""
SCALE_KM = 1000.0
"""Distance at which `proximity` has fallen to 1/e."""
SIGMA_POPULATION = 1.5
"""Width of likeness in size, in natural logarithms: 1.5 is a ratio of 4.5."""
SIGMA_SHARE = 0.15
"""Width of likeness in the share of migrants."""


def _ratio(part: Values, whole: Values) -> Values:
    """Return part / whole, 0 where both are 0; a whole is 0 or at least 1."""
    quotient: Values = np.divide(part, np.maximum(whole, 1), dtype=np.float64)
    return quotient


def _covered(helped: Features, helper: Features) -> Values:
    """Return Σ min(need, strength) over the areas, (helper, helped)."""
    return _products(helper["strength_steps"], helped["need_steps"])


def _products(rows: Any, columns: Any) -> Values:  # noqa: ANN401 -- dense or sparse
    """Return the dot product of every row of one with every row of the other.

    What `linear_kernel` does once it has checked what our transformers made.
    """
    products: Values = safe_sparse_dot(rows, columns.T, dense_output=True)
    return products


def needs_met(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """Σ min(n, s) / Σ n: the share of the learner's need that is covered."""
    asked = learners["need"].sum(axis=1)
    return _ratio(_covered(learners, mentors), asked), asked > 0


def focus(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """Cosine of n and s: a specialist in just this beats a mentor of everything."""
    need, strength = learners["need"], mentors["strength"]
    lengths = np.sqrt(np.outer((strength**2).sum(axis=1), (need**2).sum(axis=1)))
    return _ratio(_products(strength, need), lengths), need.any(axis=1)


def evidence(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """Return the share of the covered need that a practice of the mentor backs."""
    covered = _covered(learners, mentors)
    proven = mentors["strength_steps"] * np.repeat(mentors["proven"], 4, axis=1)
    backed = _products(proven, learners["need_steps"])
    return _ratio(backed, covered), covered > 0


def language(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """1 with a shared working language, else 0."""
    shared = _products(mentors["languages"], learners["languages"])
    spoken = [np.diff(side["languages"].indptr) > 0 for side in (mentors, learners)]
    return shared > 0, np.logical_and.outer(*spoken)


def _likeness(
    mentors: Features, learners: Features, block: str, sigma: float
) -> tuple[Values, Known]:
    """Return exp(−difference² / (2·sigma²)) of one number of each city."""
    sides = [mentors[block], learners[block]]
    known = np.logical_and.outer(*(~np.isnan(side[:, 0]) for side in sides))
    return rbf_kernel(*map(np.nan_to_num, sides), gamma=0.5 / sigma**2), known


def context(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """Mean of the known ones of likeness in size and in share of migrants.

    Shares are compared under the same definition only.
    """
    size, size_known = _likeness(mentors, learners, "log_population", SIGMA_POPULATION)
    share, share_known = _likeness(mentors, learners, "share", SIGMA_SHARE)
    share_known &= mentors["definition"] == learners["definition"].T
    total = size * size_known + share * share_known
    count = size_known.astype(np.int8) + share_known
    return _ratio(total, count), count > 0


def kilometres(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """Return great-circle distances in kilometres, from chords of the unit sphere.

    Differences of coordinates, squared and summed, keep near places apart as well as
    the haversine formula does, at a third of the time.
    """
    sides = [mentors["sphere"], learners["sphere"]]
    known = np.logical_and.outer(*(~np.isnan(side[:, 0]) for side in sides))
    squares = pairwise_distances(*map(np.nan_to_num, sides), metric="sqeuclidean")
    half_chord = np.sqrt(squares, out=squares) / 2
    return 2 * EARTH_KM * np.arcsin(np.minimum(half_chord, 1)), known


def proximity(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """exp(−km / 1000) along the great circle."""
    distance, known = kilometres(mentors, learners)
    return np.exp(distance / -SCALE_KM), known


def give_back(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """`needs_met` with the roles swapped: what the mentor may learn."""
    value, known = needs_met(mentors=learners, learners=mentors)
    return value.T, known[:, np.newaxis]


def practice_text(mentors: Features, learners: Features) -> tuple[Values, Known]:
    """Cosine of the word counts of the learner's needs and the mentor's practices.

    Only texts in one declared language are compared: practices declare theirs, and
    the needs are taken to be in the learner's working languages. With several such
    languages the best one counts.
    """
    shape = (len(mentors.cities), len(learners.cities))
    best, known = np.zeros(shape), np.zeros(shape, np.bool_)
    needs = [features.needs_text(city) for city in learners.cities]
    spoken = {
        code
        for city, text in zip(learners.cities, needs, strict=True)
        if text
        for code in city.languages
    }
    for code in sorted(spoken):
        texts = [features.practice_text(city, code) for city in mentors.cities]
        rows = np.flatnonzero([bool(text) for text in texts])
        columns = np.flatnonzero(
            [
                bool(text) and code in city.languages
                for city, text in zip(learners.cities, needs, strict=True)
            ]
        )
        if rows.size and columns.size:
            here = np.ix_(rows, columns)
            likeness = cosine_similarity(
                WORDS.transform([texts[row] for row in rows]),
                WORDS.transform([needs[column] for column in columns]),
            )
            best[here] = np.maximum(best[here], likeness)
            known[here] = True
    return best, known


CRITERIA: Mapping[Criterion, Callable[[Features, Features], tuple[Values, Known]]] = {
    "needs_met": needs_met,
    "focus": focus,
    "evidence": evidence,
    "language": language,
    "context": context,
    "proximity": proximity,
    "give_back": give_back,
    "practice_text": practice_text,
}
"""Every criterion by its name, in the order in which explanations list them."""

OF_LEVELS: frozenset[Criterion] = frozenset(
    ("needs_met", "focus", "evidence", "give_back")
)
"""Those that look at needs and strengths."""
