"""One door to the solvers: pins first, then the objective over what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching._arrays import Bools, Ints
from matching._solving.fair import best_for_the_worst_off
from matching._solving.served import most_served
from matching._solving.total import most_points

OBJECTIVES = ("total", "served", "fair")
"""What can be maximised; DESIGN names more, which follow."""


def _no_matter(done: int) -> None:
    """Take no notice of how far the solver is."""


@dataclass(frozen=True)
class Instance:
    """Who can be paired with whom, how good it is, and who must be.

    Attributes:
        worth: (mentors, learners) whole numbers, the larger the better.
        allowed: (mentors, learners) pairs that may be made.
        capacity: Most learners of each mentor.
        demand: Most mentors of each learner.
        pinned: (mentors, learners) pairs that are made whatever they are worth.
        order: (mentors, learners) what `fair` compares when `worth` is a rounding of
            it; else None.

    """

    worth: Ints
    allowed: Bools
    capacity: Ints
    demand: Ints
    pinned: Bools
    order: NDArray[Any] | None = None

    def solve(
        self, objective: str, settled: Callable[[int], None] = _no_matter
    ) -> Bools:
        """Return the best pairs, (mentors, learners), pins included.

        Args:
            objective: One of `OBJECTIVES`.
            settled: Called by `fair` with the number of learners already settled.

        """
        capacity = self.capacity - self.pinned.sum(axis=1)
        demand = self.demand - self.pinned.sum(axis=0)
        candidate = self.allowed & ~self.pinned
        candidate &= (capacity > 0)[:, np.newaxis] & (demand > 0)
        has_pin = self.pinned.sum(axis=0) > 0
        if objective == "served":
            # A pin serves its learner: its further places come second.
            return self.pinned | most_served(
                self.worth, candidate, capacity, demand, has_pin
            )
        if objective == "fair":
            order = self.worth if self.order is None else self.order
            candidate &= order > 0
            best_pin = np.where(self.pinned, order, order.min(initial=0)).max(
                axis=0, initial=order.min(initial=0)
            )
            levels = np.concatenate([order, [np.where(has_pin, best_pin, 0)]])
            ranks = np.unique(levels, return_inverse=True)[1].reshape(levels.shape)
            return self.pinned | best_for_the_worst_off(
                self.worth, ranks[:-1], candidate, capacity, demand, ranks[-1], settled
            )
        return self.pinned | most_points(self.worth, candidate, capacity, demand)
