"""States: no, perhaps, yes in the order of closed, unknown, open: the lesser holds of both."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN

NO, PERHAPS, YES = CLOSED, UNKNOWN, OPEN
"""Whether a service admits somebody, or a cell is covered; perhaps where the sources do not say."""

STATE_WORDS = ("closed", "unknown", "open")
"""Words of the states of a service, in the order of their codes."""


def combine_states(*states: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the least of several states, service by service: what one refuses is refused.

    Shapes that numpy broadcasts may be mixed.
    """
    return functools.reduce(np.minimum, states)
