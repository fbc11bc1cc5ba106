"""Circulations with lower bounds, made cheapest by one cost after another.

Before the next cost the bounds shrink to the flows that are cheapest by the last: by
complementary slackness, what has a positive reduced cost stays at its lower bound, what
has a negative one at its upper bound, in every cheapest flow (Ahuja, Magnanti and
Orlin, Network Flows, 1993, chapter 9). So goals are lexicographic without any large
constant.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from matching._arrays import Floats, Ints


class Impossible(Exception):
    """No assignment keeps all caps, minimum loads and pins."""


class Circulation:
    """Arcs with bounds; each `make_cheapest` chooses among what the last one left.

    Args:
        nodes: How many nodes there are, numbered from 0.

    Attributes:
        nodes: How many there are.
        flow: What `make_cheapest` found last, one entry per arc.

    """

    def __init__(self, nodes: int) -> None:
        self.nodes = nodes
        self._parts: list[Sequence[Any]] = []
        self._ends = [0]
        self.flow: Ints = np.zeros(0, np.int64)
        self._last: Ints | None = None

    def add(self, tail: Any, head: Any, upper: Any, lower: Any = 0) -> int:  # noqa: ANN401 -- arrays or numbers
        """Add arcs, whatever broadcasts together; return the batch's number."""
        arcs = [
            np.atleast_1d(part)
            for part in np.broadcast_arrays(tail, head, lower, upper)
        ]
        self._parts.append(arcs)
        self._ends.append(self._ends[-1] + arcs[0].size)
        return len(self._parts) - 1

    def close(self) -> None:
        """Take no more arcs: from now on flows can be asked for."""
        self._tail, self._head, self._lower, self._upper = (
            np.concatenate([arcs[part] for arcs in self._parts]).astype(np.int64)
            for part in range(4)
        )
        # Prices ask for the network as it was before goals narrowed it.
        self._first = self._lower, self._upper

    def costs(self, by_batch: Mapping[int, Any]) -> Ints:
        """Return a cost per arc: what is given for these batches, 0 elsewhere."""
        cost = np.zeros(self._tail.size, np.int64)
        for batch, given in by_batch.items():
            cost[self._ends[batch] : self._ends[batch + 1]] = given
        return cost

    def flow_of(self, batch: int) -> Ints:
        """Return the flow on the arcs of a batch."""
        return self.flow[self._ends[batch] : self._ends[batch + 1]]

    def make_cheapest(self, cost: Ints) -> None:
        """Find a flow that costs least among those that earlier costs left.

        Raises:
            Impossible: If no flow keeps the bounds.

        """
        self._narrow()
        if (self._lower > self._upper).any():
            raise Impossible
        solver = SimpleMinCostFlow()
        solver.add_arcs_with_capacity_and_unit_cost(
            self._tail.astype(np.int32),
            self._head.astype(np.int32),
            self._upper - self._lower,
            cost,
        )
        supply = np.zeros(self.nodes, np.int64)
        np.add.at(supply, self._head, self._lower)
        np.subtract.at(supply, self._tail, self._lower)
        solver.set_nodes_supplies(np.arange(self.nodes, dtype=np.int32), supply)
        status = solver.solve()
        if status == solver.INFEASIBLE:
            raise Impossible
        if status != solver.OPTIMAL:
            raise RuntimeError(f"The flow solver answered {status}.")
        extra = solver.flows(np.arange(self._tail.size, dtype=np.int32))
        self.flow = self._lower + extra
        self._last = cost

    def _narrow(self) -> None:
        """Leave only the flows that are cheapest by the last cost."""
        if self._last is None or not self._last.any():
            return
        cost, lower, upper = self._last, self._lower, self._upper
        reduced = self._reduced(cost, self._potentials(cost, lower, upper))
        self._lower = np.where(reduced < 0, upper, lower)
        self._upper = np.where(reduced > 0, lower, upper)

    def _residual(self, cost: Ints, lower: Ints, upper: Ints) -> tuple[Ints, ...]:
        """Return tails, heads and costs of all ways in which the flow may change."""
        up, down = self.flow < upper, self.flow > lower
        return (
            np.concatenate([self._tail[up], self._head[down]]),
            np.concatenate([self._head[up], self._tail[down]]),
            np.concatenate([cost[up], -cost[down]]),
        )

    def _potentials(self, cost: Ints, lower: Ints, upper: Ints) -> Ints:
        """Return potentials that prove the flow cheapest within these bounds.

        They are the shortest distances in the residual network from anywhere (Bellman
        and Ford), all arcs relaxed at once until nothing changes.
        """
        tail, head, length = self._residual(cost, lower, upper)
        potential = np.zeros(self.nodes, np.int64)
        while True:
            shorter = potential.copy()
            np.minimum.at(shorter, head, potential[tail] + length)
            if np.array_equal(shorter, potential):
                return potential
            potential = shorter

    def _reduced(self, cost: Ints, potential: Ints) -> Ints:
        reduced: Ints = cost + potential[self._tail] - potential[self._head]
        return reduced

    def detours(self, cost: Ints, sources: Ints) -> Floats:
        """Return (sources, nodes) the least cost of leading one more unit there.

        The flow must be cheapest by `cost` within the bounds that were given at first.
        `inf` where no unit can go. Costs are whole numbers whose sums along a path stay
        below 2**53, so the floats are exact.

        Args:
            cost: Per arc.
            sources: Nodes from which the unit starts.

        """
        lower, upper = self._first
        potential = self._potentials(cost, lower, upper)
        tail, head, length = self._residual(
            self._reduced(cost, potential), lower, upper
        )
        # Of parallel arcs the cheapest counts; a matrix would add them up.
        order = np.lexsort((length, head, tail))
        tail, head, length = tail[order], head[order], length[order]
        cheapest = np.ones(tail.size, np.bool_)
        cheapest[1:] = (np.diff(tail) != 0) | (np.diff(head) != 0)
        graph = csr_array(
            (length[cheapest].astype(np.float64), (tail[cheapest], head[cheapest])),
            shape=(self.nodes, self.nodes),
        )
        far: Floats = dijkstra(graph, indices=sources)
        return far + potential - potential[sources][:, np.newaxis]
