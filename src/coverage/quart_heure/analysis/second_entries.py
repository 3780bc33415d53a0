"""Second entries: services that would reach less by their nearest street alone.

What is reached by another street than the nearest hangs on how the place is drawn: a wrong
coordinate, a street that is missing or one that is not joined there moves the figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.basis import Basis
from quart_heure.network.reach import Reach, reach_of_services
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import TravelTimes

TOLD_PCT = 5.0
"""Services that reach less than this by their other entries are not told, in percent."""

SECOND_ENTRY_COLUMNS = (
    *("service", "service_id", "category", "name", "entries"),
    *("ha_reached", "residents_reached", "ha_nearest", "residents_nearest", "lost_pct"),
    *("nearest_edge", "nearest_m", "second_edge", "second_m"),
)


def second_entries(basis: Basis, *, more_than_pct: float = TOLD_PCT) -> pd.DataFrame:
    """Return the services whose other entries change what they reach, the most first.

    Parameters
    ----------
    basis
        Of an analysis.
    more_than_pct
        A service is told when, by its nearest entry alone, it would have more than this less
        within the threshold: area, or residents where they are known.

    Returns
    -------
    pandas.DataFrame
        Columns `SECOND_ENTRY_COLUMNS`: ``service`` is its position in the basis; ``second_edge``
        the entry by which most of what the nearest lacks comes to it, and ``second_m`` how its
        access counts.
        Residents are NaN where not known. Discreet places are left out.
    """
    doors = basis.doors.at(basis.xy)
    n_entries = np.diff(doors.begin)
    several = np.flatnonzero((n_entries > 1) & ~basis.discreet)
    candidates = doors[several]
    graph, cells = basis.doors.graph, basis.cells.attachment
    every = basis.reach.take(several)
    by_nearest = reach_of_services(
        graph, _nearest_alone(candidates), cells, limit_min=basis.threshold_min
    )
    full, alone = _Figures(basis, every), _Figures(basis, by_nearest)
    lost_pct = np.fmax(_lost_pct(full.ha, alone.ha), _lost_pct(full.residents, alone.residents))
    told = np.flatnonzero(lost_pct > more_than_pct)
    told = told[np.lexsort((told, -lost_pct[told]))]
    which = several[told]
    search = graph.searches(cells, limit_min=basis.threshold_min)
    second = np.zeros(len(told), dtype=np.intp)
    for at, one in enumerate(told.tolist()):
        lost = np.setdiff1d(every.of(one)[0], by_nearest.of(one)[0], assume_unique=True)
        second[at] = candidates.begin[one] + _second(
            candidates[np.array([one])], lost[basis.on_network[lost]], search
        )
    services = basis.services.iloc[which]
    return pd.DataFrame(
        {
            "service": which,
            "service_id": services["service_id"].to_numpy(dtype=object),
            "category": services["category"].to_numpy(dtype=object),
            "name": services["name"].to_numpy(dtype=object),
            "entries": n_entries[which],
            "ha_reached": full.ha[told],
            "residents_reached": full.residents[told],
            "ha_nearest": alone.ha[told],
            "residents_nearest": alone.residents[told],
            "lost_pct": lost_pct[told],
            "nearest_edge": doors.nearest_edge[which],
            "nearest_m": doors.nearest_m[which],
            "second_edge": candidates.edge[second],
            "second_m": candidates.access_m[second],
        },
        columns=list(SECOND_ENTRY_COLUMNS),
    )


class _Figures:
    """Area and residents of the study area within the threshold of each service; shapes (s,)."""

    def __init__(self, basis: Basis, reach: Reach) -> None:
        service = np.repeat(np.arange(reach.n_services), np.diff(reach.offsets))
        here = basis.on_network[reach.place]
        service, place = service[here], reach.place[here]
        n = reach.n_services
        self.ha = np.bincount(service, minlength=n).astype(np.float64) * basis.cells.cell_ha
        self.residents = np.full(n, np.nan, dtype=np.float64)
        if basis.people is not None:
            people = basis.people.astype(np.float64)[place]
            self.residents = np.bincount(service, weights=people, minlength=n).astype(np.float64)


def _nearest_alone(doors: Attachment) -> Attachment:
    first = np.zeros(len(doors.edge), dtype=bool)
    first[doors.begin[:-1][doors.attached]] = True
    return doors.take(first)


def _lost_pct(full: NDArray[np.float64], alone: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is lost of some figures in percent, NaN of nothing and of the unknown."""
    lost: NDArray[np.float64] = np.full(len(full), np.nan)
    np.divide(100 * (full - alone), full, out=lost, where=full > 0)
    return lost


def _second(
    doors: Attachment, lost: NDArray[np.int32], search: Callable[[Attachment], TravelTimes]
) -> int:
    """Return the entry of one service by which most of some cells come to it."""
    n = len(doors.edge)
    each = dataclasses.replace(doors, place=np.arange(n, dtype=np.int32), n_places=n)
    by = search(each).nearest[lost]
    return int(np.bincount(by[by >= 0], minlength=n).argmax())
