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
    own = np.arange(n)
    first = own.copy()
    a, b = a.astype(np.int64, copy=False), b.astype(np.int64, copy=False)
    # Each goes over to the least that it is linked to, and from there to where that one went.
    np.minimum.at(first, np.maximum(a, b), np.minimum(a, b))
    while not np.array_equal(further := first[first], first):
        first = further
    number = np.cumsum(first == own, dtype=np.int32) - np.int32(1)
    group: NDArray[np.int32] = number[first]
    a, b = group[a], group[b]
    if (apart := a != b).any():
        # What has gone together goes over together: far fewer are left to be grouped.
        group = connected_groups(a[apart], b[apart], int(number[-1]) + 1)[group]
    return group
