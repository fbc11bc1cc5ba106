"""One door to the solvers: pins first, then the objective over what is left."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matching._arrays import Bools, Ints
from matching._solving.branched import NODES, Program, TooHard
from matching._solving.circulation import Impossible
from matching._solving.dense import is_dense, most_points_dense
from matching._solving.fair import best_for_the_worst_off
from matching._solving.limited import Demand, LimitedFlow, families
from matching._solving.limits import Limits
from matching._solving.served import most_served
from matching._solving.stable import stable
from matching._solving.total import most_points

OBJECTIVES = ("total", "served", "fair", "stable")
"""What can be maximised."""
Engine = Literal["flow", "milp", "deferred_acceptance"]


def _no_matter(done: int) -> None:
    """Take no notice of how far the solver is."""


@dataclass(frozen=True, eq=False)
class Solved:
    """The best pairs, and how it is known that they are.

    Attributes:
        chosen: (mentors, learners) pairs, pins included.
        engine: What found them.
        gap: By how much the first goal that is not proven may be missed; 0: proven.
        counts: Whether that goal counts learners or pairs, not worth.
        flow: The flow under limits, if it was one: prices can be read from it.

    """

    chosen: Bools
    engine: Engine = "flow"
    gap: float = 0.0
    counts: bool = False
    flow: LimitedFlow | None = None


@dataclass(frozen=True, eq=False)
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
        ranks: What `stable` compares, of the mentors and of the learners, if not
            `worth`: (mentors, learners) numbers, no two of a city alike.
        limits: Caps and minimum loads.

    """

    worth: Ints
    allowed: Bools
    capacity: Ints
    demand: Ints
    pinned: Bools
    order: NDArray[Any] | None = None
    ranks: tuple[Ints, Ints] | None = None
    limits: Limits = field(default_factory=Limits)

    def solve(
        self, objective: str, settled: Callable[[int], None] = _no_matter
    ) -> Solved:
        """Return the best pairs, pins included.

        Args:
            objective: One of `OBJECTIVES`; `stable` knows no limits.
            settled: Called by `fair` with the number of learners already settled.

        Raises:
            Impossible: If nothing keeps the limits, or pins need more than the places.
            TooHard: If nothing that keeps them was found within the work allowed.

        """
        if self.limits:
            return self._solve_limited(objective, settled)
        capacity = self.capacity - self.pinned.sum(axis=1)
        demand = self.demand - self.pinned.sum(axis=0)
        if (capacity < 0).any() or (demand < 0).any():
            raise Impossible
        candidate = self.allowed & ~self.pinned
        candidate &= (capacity > 0)[:, np.newaxis] & (demand > 0)
        has_pin = self.pinned.sum(axis=0) > 0
        if objective == "served":
            # A pin serves its learner: its further places come second.
            return Solved(
                self.pinned
                | most_served(self.worth, candidate, capacity, demand, has_pin)
            )
        if objective == "fair":
            order = self.worth if self.order is None else self.order
            candidate &= order > 0
            best_pin = np.where(self.pinned, order, order.min(initial=0)).max(
                axis=0, initial=order.min(initial=0)
            )
            levels = np.concatenate([order, [np.where(has_pin, best_pin, 0)]])
            ranks = np.unique(levels, return_inverse=True)[1].reshape(levels.shape)
            return Solved(
                self.pinned
                | best_for_the_worst_off(
                    self.worth,
                    ranks[:-1],
                    candidate,
                    capacity,
                    demand,
                    ranks[-1],
                    settled,
                )
            )
        if objective == "stable":
            ranks_of = self.ranks or strict_ranks(self.worth, self.worth)
            found = stable(*ranks_of, candidate, capacity, demand)
            return Solved(self.pinned | found, "deferred_acceptance")
        return Solved(
            self.pinned | most_points(self.worth, candidate, capacity, demand)
        )

    def solve_small(self, objective: str) -> Bools:
        """Return the best pairs of one of many small instances, in less time."""
        plain = objective == "total" and not self.limits and not self.pinned.any()
        if plain and is_dense(self.capacity, self.demand):
            return most_points_dense(
                self.worth, self.allowed, self.capacity, self.demand
            )
        return self.solve(objective).chosen

    def part(self, mentors: Bools, learners: Bools) -> "Instance":
        """Return the instance of some mentors and some learners alone."""
        both = np.ix_(mentors, learners)
        sides = {"mentor": mentors, "learner": learners}
        caps = tuple(
            replace(cap, group=cap.group[sides[cap.side]]) for cap in self.limits.caps
        )
        return Instance(
            self.worth[both],
            self.allowed[both],
            self.capacity[mentors],
            self.demand[learners],
            self.pinned[both],
            order=None if self.order is None else self.order[both],
            ranks=None if self.ranks is None else _both(self.ranks, both),
            limits=replace(self.limits, caps=caps),
        )

    def solve_keeping(self, kept: Bools, undone: int) -> Bools | None:
        """Return the pairs with most points of which few are undone.

        None if nothing is possible, or the best is not proven within the work allowed.

        Args:
            kept: (mentors, learners) pairs that stand, all of them allowed.
            undone: How many of them may be missing.

        """
        program = Program(self._demand(self._usable("total") | kept))
        standing = program.pairs[kept[program.mentor, program.learner]]
        term = np.zeros_like(standing), standing, 1
        program.keep(1, [term], lower=standing.size - undone)
        try:
            program.most(self.worth)
        except (Impossible, TooHard):
            return None
        if program.gap:
            return None
        chosen = program.chosen()
        return chosen & ~self._idle(chosen, kept)

    def is_possible(
        self, nodes: int = NODES, counted: Callable[[int], None] = _no_matter
    ) -> bool:
        """Tell whether anything keeps places, pins and limits.

        Args:
            nodes: Most nodes of branch and bound, where it needs any.
            counted: Called with the number of nodes that it took.

        Raises:
            TooHard: If that is not known within the work allowed.

        """
        solver = self._limited(self.allowed, whole=False)
        if isinstance(solver, Program):
            solver.most_nodes = nodes
        try:
            solver.most(np.zeros_like(self.worth))
        except Impossible:
            return False
        finally:
            if isinstance(solver, Program):
                counted(solver.nodes)
        return True

    def _limited(self, usable: Bools, *, whole: bool) -> LimitedFlow | Program:
        """Return what finds assignments under the limits.

        Args:
            usable: Pairs that may be used; pins always are.
            whole: Whether a learner's best pairing counts as such.

        """
        given = self._demand(usable)
        nested = families(self.limits, *self.worth.shape)
        keyed = whole and bool((self.demand > 1).any())
        if nested is None or self.limits.only_if_used:
            return Program(given)
        if keyed and nested[-1].most.size:
            return Program(given)
        return LimitedFlow(given, nested, keyed=keyed)

    def _usable(self, objective: str) -> Bools:
        """Return the pairs that may be used: those that bring points or must be.

        Only `served` and a minimum load fill places without bringing points.
        """
        if objective == "served" or self.limits.least > 0:
            return self.allowed
        return self.allowed & (self.worth > 0)

    def _demand(self, usable: Bools) -> Demand:
        return Demand(
            usable=usable | self.pinned,
            pinned=self.pinned,
            capacity=self.capacity,
            demand=self.demand,
            limits=self.limits,
        )

    def _solve_limited(self, objective: str, settled: Callable[[int], None]) -> Solved:
        """Return the best pairs under the limits; `worth` is never below 0 here."""
        solver = self._limited(self._usable(objective), whole=objective == "fair")
        if objective == "served":
            solver.most_learners()
            solver.most_pairs(np.ones_like(self.allowed))
        elif objective == "fair":
            ranks = np.unique(np.append(self.worth, 0), return_inverse=True)[1]
            level = ranks[:-1].reshape(self.worth.shape)
            solver.best_for_the_worst_off(level, int(ranks[-1]), settled)
            solver.most_pairs(self.worth > 0)
        counts = isinstance(solver, Program) and solver.gap > 0
        solver.most(self.worth)
        chosen = solver.chosen()
        if objective != "served":
            chosen &= ~self._idle(chosen, self.pinned)
        if isinstance(solver, Program):
            return Solved(chosen, "milp", solver.gap, counts)
        return Solved(chosen, flow=solver)

    def _idle(self, chosen: Bools, kept: Bools) -> Bools:
        """Return the pairs that bring no points and that nothing asks for.

        Args:
            chosen: (mentors, learners) pairs that are made.
            kept: Pairs that stay, whatever they bring.

        """
        idle = np.zeros_like(chosen)
        load = chosen.sum(axis=1)
        for mentor, learner in np.argwhere(chosen & ~kept & (self.worth == 0)):
            if load[mentor] > self.limits.least:
                load[mentor] -= 1
                idle[mentor, learner] = True
        return idle


def _both(ranks: tuple[Ints, Ints], part: Any) -> tuple[Ints, Ints]:  # noqa: ANN401 -- any index
    return ranks[0][part], ranks[1][part]


def strict_ranks(of_mentors: Ints, of_learners: Ints) -> tuple[Ints, Ints]:
    """Return both sides' preferences without ties: the smaller index is preferred.

    Args:
        of_mentors: (mentors, learners) how much each mentor likes each learner.
        of_learners: (mentors, learners) how much each learner likes each mentor.

    """
    mentors, learners = of_mentors.shape
    return (
        of_mentors * (learners + 1) + np.arange(learners, 0, -1),
        of_learners * (mentors + 1) + np.arange(mentors, 0, -1)[:, np.newaxis],
    )
