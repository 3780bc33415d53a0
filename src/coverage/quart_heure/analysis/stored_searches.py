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

from quart_heure.analysis.doors import ELSEWHERE_M, Doors
from quart_heure.analysis.isochrones import contour_polygons
from quart_heure.analysis.surface import Cells, minutes_grid
from quart_heure.cache import Cache, hash_of, packed, unpacked
from quart_heure.network.reach import Reach
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
    doors: Doors,
    sources: Attachment,
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
    cells = doors.cells

    def compute() -> dict[str, NDArray[Any]]:
        reach = doors.reach(sources[shown], limit_min=limit_min)
        return {name: getattr(reach, name) for name in names}

    key = [doors.graph.digest, sources[shown].digest, cells.attachment.digest, limit_min]
    arrays = cache.recall("reach", key, compute)
    kept = Reach(**{n: arrays[n] for n in names}, n_places=len(cells), limit_min=limit_min)
    if not len(hidden):
        return kept
    every = kept.followed_by(doors.reach(sources[hidden], limit_min=limit_min))
    return every.take(np.argsort(np.concatenate([shown, hidden])))


def stored_reach_elsewhere(
    doors: Doors,
    xy: NDArray[np.float64],
    *,
    discreet: NDArray[np.bool_],
    limit_min: float,
    cache: Cache,
) -> tuple[Reach, ...]:
    """Return the reach of services that stand at each of `ELSEWHERE_M`, by way of the cache.

    Parameters
    ----------
    xy
        Where the services are; shape (s, 2).
    discreet
        Services whose reach is searched each time; shape (s,).
    """
    shown, hidden = np.flatnonzero(~discreet), np.flatnonzero(discreet)
    names = ("offsets", "place", "minutes")

    def moved(which: NDArray[np.intp]) -> Reach:
        # All sides in one search: what the streets lead to is looked up once.
        to = np.concatenate([xy[which] + np.array(offset_m) for offset_m in ELSEWHERE_M])
        return doors.reach(doors.at(to), limit_min=limit_min)

    def compute() -> dict[str, NDArray[Any]]:
        reach = moved(shown)
        return {name: getattr(reach, name) for name in names}

    key = [
        *(doors.graph.digest, doors.network.digest, doors.cells.attachment.digest),
        *(hash_of(doors.usable), hash_of(xy[shown]), doors.snap_m),
        *("" if doors.ground is None else doors.ground.digest, limit_min, ELSEWHERE_M),
    ]
    arrays = cache.recall("elsewhere", key, compute)
    n_cells = len(doors.cells)
    kept = Reach(**{n: arrays[n] for n in names}, n_places=n_cells, limit_min=limit_min)
    every, n_sides = kept, len(ELSEWHERE_M)
    if len(hidden):
        every = kept.followed_by(moved(hidden))
    # The services of each side in their own order.
    position = np.empty((n_sides, len(xy)), dtype=np.intp)
    position[:, shown] = np.arange(n_sides * len(shown)).reshape(n_sides, -1)
    position[:, hidden] = n_sides * len(shown) + np.arange(n_sides * len(hidden)).reshape(
        n_sides, -1
    )
    return tuple(every.take(side) for side in position)
