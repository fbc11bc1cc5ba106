"""Who cannot all be served, by Hall's theorem, read from a minimum cut.

Some rows must go short exactly when a set of them asks for more than the columns open
to it offer (Hall, "On representatives of subsets", J. London Math. Soc. 10, 1935); the
source side of a minimum cut is such a set with the largest shortfall.
"""

from dataclasses import dataclass

import numpy as np

from matching._arrays import Bools, Ints
from matching._solving.flow import fullest


@dataclass(frozen=True, eq=False)
class Deficiency:
    """Rows that ask for more than is open to them.

    Attributes:
        rows: Which rows.
        columns: The columns that they use up.
        wanted: What the rows ask for together.
        open: What is open to them: the columns' places, and one for each pair with
            another column.

    """

    rows: Bools
    columns: Bools
    wanted: int
    open: int

    @property
    def short(self) -> int:
        """How many units must stay away, whatever is decided."""
        return self.wanted - self.open


def deficiency(can: Bools, want: Ints, offer: Ints) -> Deficiency:
    """Return the smallest set of rows with the largest shortfall; empty without one.

    Args:
        can: (rows, columns) who may have whom, each pair once.
        want: What each row asks for.
        offer: What each column has.

    """
    rows, columns = can.shape
    row, column = np.nonzero(can)
    solver = fullest(row, column, want, offer)
    reached = np.zeros(rows + columns + 2, np.bool_)
    reached[solver.get_source_side_min_cut()] = True
    mine, theirs = reached[:rows], reached[rows : rows + columns]
    beside = can & mine[:, np.newaxis] & ~theirs
    return Deficiency(
        rows=mine,
        columns=theirs,
        wanted=int(want[mine].sum()),
        open=int(offer[theirs].sum()) + int(np.count_nonzero(beside)),
    )
