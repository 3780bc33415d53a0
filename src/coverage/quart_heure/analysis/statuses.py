"""Statuses: what minutes make of a cell, covered or not, and how surely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.limits import within

BORDERLINE = 0.10
"""Change of walking speed that makes a cell borderline if it changes the answer."""

STATUSES = (
    "covered",
    "borderline_covered",
    "borderline_uncovered",
    "uncovered",
    "off_network",
    "water",
)
"""Statuses of a cell, in the order of their codes 0 … 5; the last two are in no share."""


def classify(
    minutes: NDArray[np.float64],
    on_network: NDArray[np.bool_],
    threshold_min: float,
    *,
    water: NDArray[np.bool_] | None = None,
) -> NDArray[np.int8]:
    """Give each cell its status, as a position in `STATUSES`.

    A cell is covered when its minutes are at most the threshold. It is borderline, on either side
    of that line, when a walker 10 % faster or slower would get the other answer: minutes between
    0.9 and 1.1 times the threshold. Water is not land, whatever is near.
    """
    bounds = threshold_min * np.array([1 - BORDERLINE, 1.0, 1 + BORDERLINE])
    # Three comparisons are faster than a search, and NaN counts as beyond them all.
    status = np.full(minutes.shape, len(bounds), dtype=np.int8)
    for bound in bounds:
        status -= within(minutes, bound)
    status[~on_network] = STATUSES.index("off_network")
    if water is not None:
        status[water] = STATUSES.index("water")
    return status
