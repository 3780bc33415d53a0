"""Calls: which unknown of which service would tell most if somebody asked for it.

Coverage is a range where something is not known: at least what is covered for sure, at most what
perhaps is. Each answer narrows it from one side: a *yes* makes sure what was perhaps covered by
that service, a *no* rules out what was perhaps covered by it alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.reach import Reach


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Range:
    """What is covered at least and at most, and what one answer about each service changes.

    Parameters
    ----------
    at_least, at_most
        Weight that is covered for sure, and with what perhaps is.
    if_yes, if_no
        Per service asked about, what becomes sure if it counts, and what is ruled out if it does
        not; shapes (k,).
    """

    at_least: float
    at_most: float
    if_yes: NDArray[np.float64]
    if_no: NDArray[np.float64]


def range_of(
    reach: Reach, sure: Sequence[int], perhaps: Sequence[int], weight: NDArray[np.float64]
) -> Range:
    """Tell what each answer would change.

    Parameters
    ----------
    reach
        The cells within the threshold of each service.
    sure, perhaps
        Positions of the services that count for sure, and of those that perhaps do.
    weight
        What a cell is worth, such as its residents; shape (n,).
    """
    threshold_min = reach.limit_min
    covered = reach.count(np.asarray(sure, dtype=np.intp), threshold_min) > 0
    times = reach.count(np.asarray(perhaps, dtype=np.intp), threshold_min)
    open_cells = ~covered & (times > 0)
    yes, no = np.zeros(len(perhaps)), np.zeros(len(perhaps))
    for at, service in enumerate(perhaps):
        cells = reach.of(int(service))[0]
        cells = cells[open_cells[cells]]
        yes[at] = weight[cells].sum()
        no[at] = weight[cells[times[cells] == 1]].sum()
    return Range(
        at_least=float(weight[covered].sum()),
        at_most=float(weight[covered | open_cells].sum()),
        if_yes=yes.round(6),
        if_no=no.round(6),
    )
