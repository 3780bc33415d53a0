"""What was searched from the services, kept between runs: a cache is a file like any other.

Each category is kept by itself, so that one service more leaves the others warm. What tells where
a discreet place is, is kept nowhere: it is searched each time.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.isochrones import contour_polygons
from quart_heure.analysis.surface import Cells, minutes_grid
from quart_heure.cache import Cache, hash_of, packed, unpacked
from quart_heure.network.reach import Reach, reach_of_services
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph, TravelTimes


def stored_times(
    graph: SearchGraph,
    groups: Sequence[Attachment],
    cells: Cells,
    *,
    discreet: Sequence[bool],
    cache: Cache,
) -> list[TravelTimes]:
    """Return the minutes from each cell to the nearest service of each of some groups.

    Parameters
    ----------
    groups
        The services of each category.
    discreet
        Whether a discreet place is among those of each.
    """
    searched = graph.searches(cells.attachment)

    def times(sources: Attachment) -> dict[str, NDArray[Any]]:
        found = searched(sources)
        return {"minutes": found.minutes, "nearest": found.nearest}

    found = []
    for sources, hidden in zip(groups, discreet, strict=True):
        kept = Cache(None) if hidden else cache
        key = [graph.digest, sources.digest, cells.attachment.digest]
        found.append(TravelTimes(**kept.recall("times", key, functools.partial(times, sources))))
    return found


def stored_contours(
    minutes: Mapping[str, NDArray[np.float64]],
    cells: Cells,
    thresholds_min: tuple[float, ...],
    *,
    clip: shapely.Geometry,
    discreet: frozenset[str],
    cache: Cache,
) -> dict[str, list[shapely.MultiPolygon]]:
    """Return the isochrones of each category (see `contour_polygons`).

    Parameters
    ----------
    minutes
        Minutes of each cell, per category.
    discreet
        Categories with a discreet place.
    """

    def draw(of_cells: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        return packed(contour_polygons(*minutes_grid(cells, of_cells), thresholds_min, clip=clip))

    where = [hash_of(cells.place), *cells.first, *cells.shape, cells.cell_m]
    around = hash_of(*packed([clip]).values())
    drawn = {}
    for category, of_cells in minutes.items():
        kept = Cache(None) if category in discreet else cache
        key = [hash_of(of_cells), where, thresholds_min, around]
        drawn[category] = unpacked(kept.recall("contours", key, functools.partial(draw, of_cells)))
    return drawn


def stored_reach(
    graph: SearchGraph,
    sources: Attachment,
    cells: Cells,
    *,
    discreet: NDArray[np.bool_],
    limit_min: float,
    cache: Cache,
) -> Reach:
    """Return the reach of each service (see `reach_of_services`), by way of the cache.

    Parameters
    ----------
    discreet
        Services whose reach is searched each time, for it tells where they are; shape (s,).
    """
    names = ("offsets", "place", "minutes")
    shown, hidden = np.flatnonzero(~discreet), np.flatnonzero(discreet)
    searched = functools.partial(
        reach_of_services, graph, targets=cells.attachment, limit_min=limit_min
    )

    def compute() -> dict[str, NDArray[Any]]:
        reach = searched(sources[shown])
        return {name: getattr(reach, name) for name in names}

    key = [graph.digest, sources[shown].digest, cells.attachment.digest, limit_min]
    arrays = cache.recall("reach", key, compute)
    kept = Reach(**{n: arrays[n] for n in names}, n_places=len(cells), limit_min=limit_min)
    if not len(hidden):
        return kept
    every = kept.followed_by(searched(sources[hidden]))
    return every.take(np.argsort(np.concatenate([shown, hidden])))
