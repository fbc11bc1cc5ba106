"""Shortest paths between all nodes of a dense graph with whole lengths.

Floyd and Warshall (Comm. ACM 5, 1962; J. ACM 9, 1962), a block of intermediate nodes at
a time so that the rows at work stay in the processor's cache (Venkataraman, Sahni and
Mukhopadhyaya, ACM J. Experimental Algorithmics 8, 2003). SciPy's needs floats, takes a
length of 0 for no edge, and is twice as slow.
"""

import numpy as np

from matching._arrays import Ints

FAR = np.int64(2**60)
"""The length of what is no edge, or no path."""
_FAR = np.int32(2**30 - 1)
"""The same among lengths that fit 32 bits; twice this does, too."""
_ROWS = 32


def shortest(length: Ints) -> Ints:
    """Return (nodes, nodes) lengths of shortest paths, `FAR` where there is none.

    Args:
        length: (nodes, nodes), `FAR` where there is no edge, 0 on the diagonal; no
            cycle may be shorter than 0.

    """
    # Potentials make all lengths 0 or more, and then most fit half the bits.
    potential = np.zeros(len(length), np.int64)
    while True:
        nearer = (potential[:, np.newaxis] + length).min(axis=0, initial=0)
        if np.array_equal(nearer, potential):
            break
        potential = nearer
    edge = length < FAR // 2
    reduced = length + potential[:, np.newaxis] - potential
    if reduced[edge].max(initial=0) < _FAR // 2:
        small = np.where(edge, reduced, _FAR).astype(np.int32)
        _relax(small)
        path, found = small < _FAR, small.astype(np.int64)
    else:
        found = np.where(edge, reduced, FAR)
        _relax(found)
        path = found < FAR // 2
    found -= potential[:, np.newaxis] - potential
    found[~path] = FAR
    return found


def _relax(length: Ints | np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> None:
    """Replace lengths of edges, all 0 or more, by those of shortest paths."""
    nodes = len(length)
    through = np.empty((_ROWS, nodes), length.dtype)
    for first in range(0, nodes, _ROWS):
        block = length[first : first + _ROWS]
        for start in (first, *range(0, nodes, _ROWS)):
            rows = length[start : start + _ROWS]
            sums = through[: len(rows)]
            for at in range(len(block)):
                np.add(rows[:, first + at, np.newaxis], block[at], out=sums)
                np.minimum(rows, sums, out=rows)
