"""The bare solver: a matrix of scores in, the best pairs out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from matching._arrays import Bools, Ints
from matching._errors import Infeasible
from matching._solving.flow import MOST_COST
from matching._solving.instance import OBJECTIVES, Instance, strict_ranks


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who is paired with whom.

    Attributes:
        pairs: (k, 2) mentor row and learner column, sorted, each pair once.
        total: Sum of the caller's scores over the pairs.
        error_bound: Most by which a better total could exceed this one, because scores
            were rounded to whole numbers of a common unit; 0.0 where none was.

    """

    pairs: NDArray[np.int64]
    total: float
    error_bound: float


def assign(  # noqa: PLR0913 -- the contract's
    scores: ArrayLike | Any,  # noqa: ANN401 -- any scipy.sparse format
    mentor_capacity: ArrayLike,
    learner_demand: ArrayLike | None = None,
    *,
    allowed: ArrayLike | Any | None = None,  # noqa: ANN401 -- also sparse
    pins: Iterable[Sequence[int]] = (),
    objective: str = "total",
) -> Assignment:
    """Return the assignment with the best scores, proven optimal.

    `total` maximises the sum. `served` maximises the learners that have a mentor, then
    the places filled, then the sum. `fair` is leximin over the learners' best pairings
    (0 without one), then places, then the sum. `stable` lets no two cities rather have
    each other: both sides rank by score, ties by index. Pairs with a score of 0 or less
    are used only by `served` or a pin.

    Args:
        scores: (mentors, learners) numbers, dense or `scipy.sparse`; the stored entries
            of a sparse matrix, explicit zeros too, are the admissible pairs.
        mentor_capacity: (mentors,) most learners of each mentor.
        learner_demand: (learners,) most mentors of each learner; None: 1 each.
        allowed: (mentors, learners) booleans, the admissible pairs; None: all.
        pins: (mentor row, learner column) of pairs that must be.
        objective: `total`, `served`, `fair` or `stable`.

    Raises:
        Infeasible: If pins need more places than there are, or a pair that is not
            admissible.
        ValueError: If a score or the sum of the chosen ones is not finite, or a shape,
            a count, a pin or the objective is not what it must be.

    Examples:
        >>> found = assign([[9.0, 8.0], [7.0, 3.0]], [1, 1])
        >>> found.pairs.tolist(), found.total
        ([[0, 1], [1, 0]], 15.0)

    """
    if objective not in OBJECTIVES:
        raise ValueError(f"objective must be one of {OBJECTIVES}, not {objective!r}")
    table, admissible = _scores(scores)
    admissible &= _allowed(allowed, table.shape)
    capacity = _counts("mentor_capacity", mentor_capacity, table.shape[0])
    demand = _counts("learner_demand", learner_demand, table.shape[1])
    pinned = _pins(pins, admissible, capacity, demand)
    worth, unit, error = _whole(table, admissible, capacity.size + demand.size)
    instance = Instance(worth, admissible, capacity, demand, pinned, order=table)
    if objective == "stable":
        instance = _stable(instance, table)
    pairs = np.argwhere(instance.solve(objective).chosen)
    chosen = table[pairs[:, 0], pairs[:, 1]]
    exact = sum if np.issubdtype(table.dtype, np.integer) else math.fsum
    most = int(min(capacity.sum(), demand.sum()))
    try:
        return Assignment(
            pairs=pairs.astype(np.int64),
            total=float(exact(chosen.tolist())),
            error_bound=math.ldexp(2 * most * error, -unit),
        )
    except OverflowError:
        message = "scores are so large that their sum is not finite: divide them"
        raise ValueError(message) from None


def _stable(instance: Instance, table: NDArray[Any]) -> Instance:
    """Return the instance in which both sides rank by score, ties by index."""
    order = np.unique(table, return_inverse=True)[1].reshape(table.shape)
    return replace(
        instance,
        allowed=instance.allowed & (table > 0),
        ranks=strict_ranks(order, order),
    )


def _scores(scores: Any) -> tuple[NDArray[Any], Bools]:  # noqa: ANN401 -- see `assign`
    """Return the scores as a dense table of int64 or float64, and which are given."""
    stored: Bools
    if sparse.issparse(scores):
        entries: Any = scores
        entries = entries.tocoo()
        table = entries.toarray()
        stored = np.zeros(table.shape, np.bool_)
        stored[entries.row, entries.col] = True
    else:
        table = np.asarray(scores)
        stored = np.ones(table.shape, np.bool_)
    if table.ndim != len(("mentors", "learners")):
        raise ValueError(f"scores must be (mentors, learners), not {table.shape}")
    if not table.size:
        return np.zeros(table.shape), stored
    if table.dtype.kind not in "iuf":
        raise ValueError(f"scores must be numbers, not {table.dtype}")
    if np.can_cast(table.dtype, np.int64):
        return table.astype(np.int64), stored
    with np.errstate(over="ignore"):
        table = table.astype(np.float64)
    if not np.isfinite(table).all():
        message = "scores must be finite; leave a pair out by `allowed`, not by NaN"
        raise ValueError(message)
    return table, stored


def _allowed(allowed: Any, shape: tuple[int, ...]) -> Bools:  # noqa: ANN401 -- see `assign`
    if allowed is None:
        return np.ones(shape, np.bool_)
    to_dense = getattr(allowed, "toarray", None)  # scipy.sparse
    mask = np.asarray(to_dense() if to_dense else allowed)
    if mask.shape != shape:
        raise ValueError(f"allowed must have shape {shape}, not {mask.shape}")
    if mask.dtype != np.bool_:
        raise ValueError(f"allowed must be booleans, not {mask.dtype}")
    return mask


def _counts(name: str, given: ArrayLike | None, size: int) -> Ints:
    """Return how many partners each may have; more than there are pairs is the same."""
    if given is None:
        return np.ones(size, np.int64)
    counts = np.asarray(given)
    if counts.shape != (size,):
        raise ValueError(f"{name} must have shape {(size,)}, not {counts.shape}")
    if size and counts.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, not {counts.dtype}")
    if (counts < 0).any():
        raise ValueError(f"{name} must not be negative")
    most: Ints = np.minimum(counts, 2**31).astype(np.int64)
    return most


def _pins(
    pins: Iterable[Sequence[int]], admissible: Bools, capacity: Ints, demand: Ints
) -> Bools:
    pinned = np.zeros(admissible.shape, np.bool_)
    places = [tuple(pin) for pin in pins]
    for at, pin in enumerate(places):
        is_pair = len(pin) == 2 and all(  # noqa: PLR2004 -- a pair
            isinstance(index, int | np.integer) and 0 <= index < size
            for index, size in zip(pin, admissible.shape, strict=True)
        )
        if not is_pair:
            raise ValueError(f"pins[{at}] must be a mentor row and a learner column")
        if pinned[pin]:
            raise ValueError(f"pins[{at}] stands there twice")
        pinned[pin] = True
    clashes = [
        (
            f"/pins/{at}",
            "not_allowed",
            f"{mentor} and {learner} are no admissible pair.",
        )
        for at, (mentor, learner) in enumerate(places)
        if not admissible[mentor, learner]
    ]
    for role, axis, most in (("mentor", 1, capacity), ("learner", 0, demand)):
        load = pinned.sum(axis=axis)
        clashes += [
            ("/pins", role, f"{role} {at}: {load[at]} pins for {most[at]} places.")
            for at in np.flatnonzero(load > most)
        ]
    if clashes:
        raise Infeasible(clashes)
    return pinned


def _whole(
    table: NDArray[Any], admissible: Bools, cities: int
) -> tuple[Ints, int, float]:
    """Return the scores as whole numbers of 2**-unit, the unit, and the worst rounding.

    The unit is the smallest for which no cost times the number of nodes leaves the
    solver's 64 bits. Source and sinks are nodes, too, and a learner may be four.
    """
    used = np.where(admissible, table, 0)
    largest = (
        max(int(used.max(initial=0)), -int(used.min(initial=0)))
        if (np.issubdtype(table.dtype, np.integer))
        else float(np.abs(used).max(initial=0))
    )
    if not largest:
        return np.zeros(table.shape, np.int64), 0, 0.0
    nodes = 4 * cities + 4
    if isinstance(largest, int) and largest * nodes < MOST_COST:
        return used, 0, 0.0
    numbers = used.astype(np.float64)
    # largest = fraction * 2**exponent with fraction < 1, so it stays below the limit.
    exponent = math.frexp(largest)[1]
    unit = (MOST_COST // nodes).bit_length() - 1 - exponent
    scaled = np.ldexp(numbers, unit)
    whole = np.rint(scaled)
    error = np.abs(scaled - whole).max()
    if isinstance(largest, int):
        error += math.ldexp(int(_rounded_by(used, numbers).max()), unit)
    return whole.astype(np.int64), unit, float(error)


def _rounded_by(exact: Ints, rounded: NDArray[np.float64]) -> Ints:
    """Return by how much whole numbers of 64 bits differ from the floats nearest."""
    beyond = rounded >= 2.0**63  # no whole number of 64 bits is as large
    inside = np.where(beyond, 0, rounded).astype(np.int64)
    by: Ints = np.where(
        beyond, np.iinfo(np.int64).max - exact + 1, np.abs(exact - inside)
    )
    return by
