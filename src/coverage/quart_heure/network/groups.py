"""Groups: what hangs together, told without a library of graphs.

scipy answers the same, and in less time where there are millions of links. Loading it takes longer
than the answer for one city, in a run that has nothing else to ask of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def connected_groups(a: NDArray[np.integer], b: NDArray[np.integer], n: int) -> NDArray[np.int32]:
    """Label what links join, directly or by way of others.

    Parameters
    ----------
    a, b
        Ends of each link, from 0; shapes (k,).
    n
        Number of things that may be linked.

    Returns
    -------
    NDArray[np.int32]
        Group of each, from 0 in the order of their first members; shape (n,).
    """
    first = np.arange(n)
    a, b = a.astype(np.int64), b.astype(np.int64)
    while len(a):
        # Each group goes over to the least that it is linked to, and takes all its own along.
        np.minimum.at(first, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(further := first[first], first):
            first = further
        a, b = first[a], first[b]
        apart = a != b
        a, b = a[apart], b[apart]
    number = np.cumsum(first == np.arange(n), dtype=np.int32) - np.int32(1)
    group: NDArray[np.int32] = number[first]
    return group
