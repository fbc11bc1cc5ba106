"""Networks with integer costs, solved exactly by OR-tools.

`SimpleMinCostFlow` is a cost-scaling push-relabel solver (Goldberg, "An efficient
implementation of a scaling minimum-cost flow algorithm", J. Algorithms 22, 1997). It is
exact and deterministic as long as no cost times the number of nodes leaves 64 bits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from matching._arrays import Ints

MOST_COST = 2**62
"""Every cost times (nodes + 1) must stay below this."""


class Network:
    """A network that is built from arrays of arcs and solved for the cheapest flow.

    Args:
        nodes: How many nodes there are, numbered from 0.

    """

    def __init__(self, nodes: int) -> None:
        self.supply: Ints = np.zeros(nodes, np.int64)
        self._arcs: list[Sequence[Any]] = []

    def add(self, tail: Any, head: Any, capacity: Any, cost: Any = 0) -> int:  # noqa: ANN401 -- arrays or numbers
        """Add arcs, whatever broadcasts together; return the batch's number."""
        self._arcs.append(np.broadcast_arrays(tail, head, capacity, cost))
        return len(self._arcs) - 1

    def solve(self) -> list[Ints]:
        """Return the flow on the arcs of each batch, of least total cost.

        Raises:
            RuntimeError: If the supplies cannot be met; callers build networks in
                which they can.

        """
        tail, head, capacity, cost = (
            np.concatenate([arcs[part] for arcs in self._arcs]) for part in range(4)
        )
        solver = SimpleMinCostFlow()
        solver.add_arcs_with_capacity_and_unit_cost(
            tail.astype(np.int32),
            head.astype(np.int32),
            capacity.astype(np.int64),
            cost.astype(np.int64),
        )
        nodes = np.arange(self.supply.size, dtype=np.int32)
        solver.set_nodes_supplies(nodes, self.supply)
        status = solver.solve()
        if status != solver.OPTIMAL:
            raise RuntimeError(f"The flow solver answered {status}.")
        flow = solver.flows(np.arange(tail.size, dtype=np.int32))
        ends = np.cumsum([arcs[0].size for arcs in self._arcs])
        return np.split(flow, ends[:-1])


def fullest(row: Ints, column: Ints, want: Ints, offer: Ints) -> Any:  # noqa: ANN401 -- OR-tools has no types
    """Return a solved network that makes as many of the pairs as can be at once.

    Its nodes are the rows, the columns, the source and the sink.

    Args:
        row: The row of every pair.
        column: Its column.
        want: How many pairs each row may have.
        offer: How many each column may have.

    """
    rows, columns = want.size, offer.size
    source, sink = rows + columns, rows + columns + 1
    solver = SimpleMaxFlow()
    for tail, head, most in (
        (np.full(rows, source), np.arange(rows), want),
        (row, rows + column, np.ones(row.size)),
        (rows + np.arange(columns), np.full(columns, sink), offer),
    ):
        solver.add_arcs_with_capacity(
            tail.astype(np.int32), head.astype(np.int32), most.astype(np.int64)
        )
    status = solver.solve(source, sink)
    if status != solver.OPTIMAL:
        raise RuntimeError(f"The flow solver answered {status}.")
    return solver
