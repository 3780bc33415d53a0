"""Limits: what it means to be within some minutes, for every figure and every page alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-9
"""Sums of floats miss a threshold that they reach exactly; a billionth of it is forgiven."""


def within(minutes: NDArray[np.float64], limit_min: float) -> NDArray[np.bool_]:
    """Tell which walks take at most some minutes; one of NaN does not.

    Examples
    --------
    >>> within(np.array([14.0, 15.0 + 1e-12, 15.1, np.inf]), 15.0).tolist()
    [True, True, False, False]
    """
    near: NDArray[np.bool_] = minutes <= limit_min * (1 + TOLERANCE)
    return near
