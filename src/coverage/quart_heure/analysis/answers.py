"""Answers: minutes, nearest service and status of every cell, per category and composite."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.districts import NO_DISTRICT
from quart_heure.analysis.statuses import STATUSES, classify
from quart_heure.analysis.stored_searches import stored_times
from quart_heure.analysis.surface import Cells
from quart_heure.cache import Cache
from quart_heure.categories import RESERVED_IDS
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph, TravelTimes

if TYPE_CHECKING:
    import geopandas as gpd


COMPOSITES = RESERVED_IDS
"""Every essential category within the threshold; at least one of them."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What is known of each cell for one category or composite; shapes (n,).

    Parameters
    ----------
    minutes
        Minutes to the nearest service, inf where none can be reached or off the network.
    nearest
        Position of that service in the services, -1 for none.
    status
        Position in `quart_heure.analysis.statuses.STATUSES`.
    in_reach
        Whether a service lies within reach as the crow flies.
    """

    minutes: NDArray[np.float64]
    nearest: NDArray[np.int32]
    status: NDArray[np.int8]
    in_reach: NDArray[np.bool_]

    @functools.cached_property
    def by_time(self) -> NDArray[np.int32]:
        """Cells in the order of their minutes; shape (n,)."""
        return np.argsort(self.minutes).astype(np.int32)  # kept for each category: half the size

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether the minutes are within the threshold."""
        return self.status <= STATUSES.index("borderline_covered")


def search_answers(
    cells: Cells,
    graph: SearchGraph,
    services: gpd.GeoDataFrame,
    attachment: Attachment,
    *,
    categories: Sequence[str],
    would: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    reach_m: float,
    threshold_min: float,
    cache: Cache,
    searched: Callable[[Sequence[Attachment]], Sequence[TravelTimes]] | None = None,
    limit_min: float = np.inf,
) -> dict[str, Answer]:
    """Search the network once per category, from the services that are open for sure.

    Parameters
    ----------
    cells, graph
        Where minutes are asked for, and the network as the walker sees it.
    services, attachment
        All services, and where each meets the network.
    would, sure
        Services that count whatever the hour and the person, and for sure; shapes (s,). What is
        near as the crow flies is so at any hour: it tells a barrier.
    reach_m, threshold_min
        Metres walked within the threshold, and the threshold.
    cache
        Keeps the minutes for the next run.
    searched
        Searches from each of some groups of services to these cells without the cache, where
        somebody has prepared it.
    limit_min
        Longer walks are not asked for: their minutes may be inf.
    """
    xy = shapely.get_coordinates(services.geometry.to_numpy()).reshape(-1, 2)
    members = [(services["category"] == category).to_numpy() for category in categories]
    hidden = services["discreet"].to_numpy(dtype=bool)
    groups = [attachment[sure & mine] for mine in members]
    times: Sequence[TravelTimes]
    if searched is not None:
        times = searched(groups)
    else:
        times = stored_times(
            graph,
            groups,
            cells,
            discreet=[bool((sure & mine & hidden).any()) for mine in members],
            cache=cache,
            limit_min=limit_min,
        )
    answers = {}
    for category, mine, found in zip(categories, members, times, strict=True):
        position = np.append(np.flatnonzero(sure & mine), -1).astype(np.int32)
        answers[category] = _answer(
            cells,
            minutes=found.minutes,
            nearest=position[found.nearest],
            in_reach=_crow_reach(cells, xy[would & mine], reach_m),
            threshold_min=threshold_min,
        )
    return answers


def composite_answers(
    cells: Cells, essentials: Sequence[Answer], *, threshold_min: float
) -> dict[str, Answer]:
    """Combine the essential categories: the furthest of them, and the nearest of them.

    Without essential categories there is no composite.
    """
    if not essentials:
        return {}
    first, *others = essentials
    combined = {}
    for name, worse, both in (
        ("essential_all", np.greater, np.logical_and),
        ("essential_any", np.less, np.logical_or),
    ):
        minutes, nearest = first.minutes.copy(), first.nearest.copy()
        in_reach = first.in_reach.copy()
        for one in others:
            # Of equals the category that comes first stays.
            taken = worse(one.minutes, minutes)
            np.copyto(minutes, one.minutes, where=taken)
            np.copyto(nearest, one.nearest, where=taken)
            both(in_reach, one.in_reach, out=in_reach)
        combined[name] = _answer(
            cells,
            minutes=minutes,
            nearest=nearest,
            in_reach=in_reach,
            threshold_min=threshold_min,
        )
    return combined


def within_count(cells: Cells, essentials: Sequence[Answer]) -> NDArray[np.int8]:
    """Count the essential categories within the threshold, -1 off the network or in water; (n,)."""
    count = np.zeros(len(cells), dtype=np.int8)
    for one in essentials:
        count += one.covered
    count[~cells.attachment.attached] = -1
    return count


def cell_table(
    cells: Cells,
    answers: Mapping[str, Answer],
    *,
    people: NDArray[np.float64] | None,
    within: NDArray[np.int8],
    district_ids: Sequence[str],
    service_ids: Sequence[str],
) -> pd.DataFrame:
    """Return one row per cell of the area.

    Returns
    -------
    pandas.DataFrame
        Columns col, row, x_m, y_m (centre), district_id, residents (NaN where not known),
        on_network, access_m; minutes_C, nearest_C and status_C for each category C;
        essentials_within. Minutes are NaN off the network and inf where nothing can be reached.
    """
    keep = np.flatnonzero(cells.inside)
    centre = cells.centre_xy[keep]
    on = cells.attachment.attached[keep]
    columns: dict[str, object] = {
        "col": cells.col[keep],
        "row": cells.row[keep],
        "x_m": centre[:, 0],
        "y_m": centre[:, 1],
        "district_id": _words(cells.district[keep], [*district_ids, NO_DISTRICT]),
        "residents": np.full(len(keep), np.nan) if people is None else people[keep],
        "on_network": on,
        "access_m": cells.attachment.nearest_m[keep],
    }
    for name, one in answers.items():
        columns[f"minutes_{name}"] = np.where(on, one.minutes[keep], np.nan)
        columns[f"nearest_{name}"] = _words(one.nearest[keep], [*service_ids, ""])
        columns[f"status_{name}"] = _words(one.status[keep], STATUSES)
    columns["essentials_within"] = within[keep]
    return pd.DataFrame(columns, copy=False)  # every column is a copy of its own already


def _answer(
    cells: Cells,
    *,
    minutes: NDArray[np.float64],
    nearest: NDArray[np.int32],
    in_reach: NDArray[np.bool_],
    threshold_min: float,
) -> Answer:
    """Classify the minutes of a category (see `Answer` for the shapes)."""
    status = classify(minutes, cells.attachment.attached, threshold_min, water=cells.water)
    return Answer(minutes=minutes, nearest=nearest, status=status, in_reach=in_reach)


def _crow_reach(cells: Cells, xy: NDArray[np.float64], reach_m: float) -> NDArray[np.bool_]:
    """Tell which cells have one of some points within reach as the crow flies.

    Parameters
    ----------
    cells
        The grid.
    xy
        The points, in metres; shape (s, 2).
    reach_m
        How far one walks within the threshold.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n,).
    """
    first, sides = np.array(cells.first), np.array(cells.shape[::-1])
    near: NDArray[np.bool_] = np.zeros(cells.shape, dtype=np.bool_)
    for point in xy:
        # Each point is stamped on the grid as a disc of cells.
        low = np.clip(np.floor((point - reach_m) / cells.cell_m) - first, 0, sides).astype(int)
        high = np.clip(np.ceil((point + reach_m) / cells.cell_m) - first, 0, sides).astype(int)
        dx = (first[0] + np.arange(low[0], high[0]) + 0.5) * cells.cell_m - point[0]
        dy = (first[1] + np.arange(low[1], high[1]) + 0.5) * cells.cell_m - point[1]
        disc = dx**2 + dy[:, None] ** 2 <= reach_m**2
        near[low[1] : high[1], low[0] : high[0]] |= disc
    return near.ravel()[cells.place]


def _words(codes: NDArray[np.integer], words: Sequence[str]) -> pd.Categorical[str]:
    """Return words by position, -1 standing for the last."""
    last = len(words) - 1
    return pd.Categorical.from_codes(
        np.where(codes < 0, last, codes), categories=pd.Index(list(words))
    )
