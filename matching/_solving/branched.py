"""Assignments under limits that no flow can hold, by branch and bound (HiGHS).

Goals are lexicographic: each is solved, then kept as a constraint while the next is.
Work is limited by the number of nodes, never by seconds, so the same input gives the
same answer everywhere; a limit that stops a proof is told as a gap.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from matching._arrays import Bools, Floats, Ints
from matching._solving.circulation import Impossible
from matching._solving.limited import Demand

NODES = 20_000
"""Most nodes of branch and bound for each goal."""
LEVELS = 50_000
"""Up to so many pairs, over all goals, `fair` goes from level to level."""
_HALF = 0.5
_OPTIMAL, _STOPPED, _INFEASIBLE = 0, 1, 2
"""How `milp` says that it is done, out of nodes, or that nothing is possible."""
_PROVEN = 1e-3
"""Goals are whole numbers: a bound this near to the next one proves the optimum."""

Term = tuple[Ints, Ints, Any]
"""Entries of a matrix: the row and the variable of each, and the factor."""


class TooHard(Exception):
    """Within so many nodes no assignment was found, and none ruled out."""


class Program:
    """A growing integer program over pairs that are made or not.

    Args:
        given: Places, pins and limits.

    Attributes:
        mentor: The mentor of each pair.
        learner: The learner of each pair.
        pairs: The variable of each pair.
        gap: By how much the first goal that is not proven may be missed.
        most_nodes: Most nodes for each goal.
        nodes: How many have been looked at, over all goals.

    """

    def __init__(self, given: Demand) -> None:
        self._shape = given.usable.shape
        self.mentor, self.learner = np.nonzero(given.usable)
        self._least: list[Ints] = []
        self._size = 0
        self._rows: list[tuple[int, list[Term], Any, Any]] = []
        self._values: Floats = np.zeros(0)
        self.gap = 0.0
        self.most_nodes, self.nodes = NODES, 0
        self.variables(np.zeros(1))  # `milp` wants at least one, even without any pair
        self.pairs = self.variables(given.pinned[self.mentor, self.learner])
        mentors, learners = self._shape
        load = (self.mentor, self.pairs, 1)
        limits = given.limits
        if limits.only_if_used:
            every = np.arange(mentors)
            used = self.variables(np.zeros(mentors, np.int64))
            self.keep(mentors, [load, (every, used, -given.capacity)], upper=0)
            self.keep(mentors, [load, (every, used, -limits.least)], lower=0)
        else:
            self.keep(mentors, [load], lower=limits.least, upper=given.capacity)
        self.keep(learners, [(self.learner, self.pairs, 1)], upper=given.demand)
        for cap in limits.caps:
            own, partner, partners = self.mentor, self.learner, learners
            if cap.side == "learner":
                own, partner, partners = self.learner, self.mentor, mentors
            for members in cap.members():
                inside = np.flatnonzero(members[own])
                row = partner[inside] if cap.within_partner else np.zeros_like(inside)
                term = row, self.pairs[inside], 1
                self.keep(partners if cap.within_partner else 1, [term], upper=cap.most)

    def variables(self, least: Any) -> Ints:  # noqa: ANN401 -- an array of 0 and 1
        """Add variables that are 1, or `least` at the lowest; return their numbers."""
        self._least.append(np.asarray(least, np.int64))
        first, self._size = self._size, self._size + self._least[-1].size
        return np.arange(first, self._size)

    def keep(
        self,
        rows: int,
        terms: list[Term],
        lower: Any = -np.inf,  # noqa: ANN401 -- a number or one per row
        upper: Any = np.inf,  # noqa: ANN401
    ) -> None:
        """Require that the terms of every row add up to something between the two."""
        self._rows.append((rows, terms, lower, upper))

    def make_most(self, variables: Ints, weight: Ints) -> None:
        """Find the largest sum of weights, and keep it for the goals to come.

        Raises:
            Impossible: If nothing keeps all constraints.
            TooHard: If nothing was found within `most_nodes`.

        """
        cost = np.zeros(self._size)
        np.subtract.at(cost, variables, weight)
        found = milp(
            cost,
            integrality=np.ones(self._size, np.int64),
            bounds=Bounds(np.concatenate(self._least).astype(float), 1),
            constraints=[
                LinearConstraint(self._matrix(rows, terms), lower, upper)
                for rows, terms, lower, upper in self._rows
                if rows
            ],
            options={"mip_rel_gap": 0, "node_limit": self.most_nodes},
        )
        self.nodes += found.mip_node_count or 0
        if found.status == _INFEASIBLE:
            raise Impossible
        if found.status not in {_OPTIMAL, _STOPPED}:
            raise RuntimeError(f"HiGHS answered {found.status}: {found.message}")
        if found.x is None:
            raise TooHard
        self._values = np.rint(found.x)
        reached = round(float(weight @ self._values[variables]))
        most = float(weight.sum())  # in case the search told of no bound
        possible = math.floor(min(-found.mip_dual_bound, most) + _PROVEN)
        if not self.gap:
            self.gap = float(max(0, possible - reached))
        self.keep(1, [(np.zeros_like(variables), variables, weight)], lower=reached)

    def _matrix(self, rows: int, terms: list[Term]) -> Any:  # noqa: ANN401 -- sparse
        row, column, factor = (
            np.concatenate([np.broadcast_to(t[part], t[0].shape) for t in terms])
            for part in range(3)
        )
        shape = rows, self._size
        return csr_array((factor.astype(np.float64), (row, column)), shape=shape)

    def chosen(self) -> Bools:
        """Return the pairs that are made."""
        chosen = np.zeros(self._shape, np.bool_)
        made = self._values[self.pairs] > _HALF
        chosen[self.mentor[made], self.learner[made]] = True
        return chosen

    def most_learners(self) -> None:
        """Keep the assignments that serve most learners."""
        learners = self._shape[1]
        served = self.variables(np.zeros(learners, np.int64))
        every = np.arange(learners)
        partners = (self.learner, self.pairs, -1)
        self.keep(learners, [(every, served, 1), partners], upper=0)
        self.make_most(served, np.ones(learners, np.int64))

    def most_pairs(self, counted: Bools) -> None:
        """Keep the assignments with most of the pairs that count."""
        self.most(counted.astype(np.int64))

    def most(self, worth: Ints) -> None:
        """Keep the assignments with the largest sum of worth."""
        self.make_most(self.pairs, worth[self.mentor, self.learner])

    def best_for_the_worst_off(
        self, level: Ints, base: int, settled: Callable[[int], None]
    ) -> None:
        """Keep the assignments that are leximin over the learners' best pairings.

        Every level in use is a goal; after `LEVELS` pairs' worth of them the rest of
        the levels is left as it comes, and `gap` counts the learners concerned.

        Args:
            level: (mentors, learners) how good a pair is for its learner, as ranks.
            base: The level of a learner without a mentor.
            settled: Called with the number of learners that can no longer change level.

        """
        levels = level[self.mentor, self.learner]
        # A learner's key is the pairing that counts: at most one, and one it has.
        key = self.variables(np.zeros(self.pairs.size, np.int64))
        self.keep(self._shape[1], [(self.learner, key, 1)], upper=1)
        pair = np.arange(self.pairs.size)
        self.keep(pair.size, [(pair, key, 1), (pair, self.pairs, -1)], upper=0)
        for _ in range(max(1, LEVELS // max(self.pairs.size, 1))):
            # Most learners above the level: fewest at or below it.
            above = key[levels > base]
            self.make_most(above, np.ones(above.size, np.int64))
            reached = np.where(self.chosen(), level, base).max(axis=0, initial=base)
            further = reached[reached > base]
            settled(reached.size - further.size)
            if not further.size:
                return
            # Nobody needs to be between the two levels, so nobody is to be.
            base = int(further.min())
            above = key[levels >= base]
            self.keep(1, [(np.zeros_like(above), above, 1)], lower=further.size)
        self.gap = self.gap or float(further.size)
