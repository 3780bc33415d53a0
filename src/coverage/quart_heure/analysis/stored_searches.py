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
from quart_heure.cache import Cache, Like, checked, hash_of, packed, unpacked
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
    limit_min: float = np.inf,
) -> list[TravelTimes]:
    """Return the minutes from each cell to the nearest service of each of some groups.

    Parameters
    ----------
    groups
        The services of each category.
    discreet
        Whether a discreet place is among those of each.
    limit_min
        Longer walks are not asked for: their minutes may be inf.
    """
    searched = graph.searches(cells.attachment, limit_min=limit_min)

    def times(sources: Attachment) -> dict[str, NDArray[Any]]:
        found = searched(sources)
        return {"minutes": found.minutes, "nearest": found.nearest}

    found = []
    for sources, hidden in zip(groups, discreet, strict=True):
        kept = Cache(None) if hidden else cache
        key = [graph.digest, sources.digest, cells.attachment.digest]
        key += [] if limit_min == np.inf else [f"{limit_min!r} min"]
        read = functools.partial(_times, n_cells=len(cells), n_services=sources.n_places)
        found.append(kept.recall_as("times", key, functools.partial(times, sources), read))
    return found


def _times(arrays: dict[str, NDArray[Any]], n_cells: int, n_services: int) -> TravelTimes:
    return TravelTimes(
        **checked(
            arrays,
            minutes=Like("f", n_cells),
            nearest=Like("i", n_cells, below=n_services, least=-1),
        )
    )


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
        read = functools.partial(_contours, number=len(thresholds_min))
        compute = functools.partial(draw, of_cells)
        drawn[category] = kept.recall_as("contours", key, compute, read)
    return drawn


def _contours(arrays: dict[str, NDArray[Any]], number: int) -> list[shapely.MultiPolygon]:
    shapes = unpacked(arrays)
    if [shape.geom_type for shape in shapes] != ["MultiPolygon"] * number:
        msg = "its shapes are not like those of today"
        raise ValueError(msg)
    return shapes


_REACH = ("offsets", "place", "minutes")


def _reach(
    arrays: dict[str, NDArray[Any]], n_services: int, n_places: int, limit_min: float
) -> Reach:
    kept = checked(
        arrays,
        offsets=Like("i", n_services + 1, parts_of="place"),
        place=Like("i", below=n_places),
        minutes=Like("f", "place"),
    )
    return Reach(**kept, n_places=n_places, limit_min=limit_min)


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
    shown, hidden = np.flatnonzero(~discreet), np.flatnonzero(discreet)
    cells = doors.cells

    def compute() -> dict[str, NDArray[Any]]:
        reach = doors.reach(sources[shown], limit_min=limit_min)
        return {name: getattr(reach, name) for name in _REACH}

    key = [doors.graph.digest, sources[shown].digest, cells.attachment.digest, limit_min]
    read = functools.partial(
        _reach, n_services=len(shown), n_places=len(cells), limit_min=limit_min
    )
    kept = cache.recall_as("reach", key, compute, read)
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

    def moved(which: NDArray[np.intp]) -> Reach:
        # All sides of a service one after the other: what they reach is looked up at once.
        to = (xy[which, None] + np.array(ELSEWHERE_M)).reshape(-1, 2)
        return doors.reach(doors.at(to), limit_min=limit_min)

    def compute() -> dict[str, NDArray[Any]]:
        reach = moved(shown)
        return {name: getattr(reach, name) for name in _REACH}

    key = [
        *(doors.graph.digest, doors.network.digest, doors.cells.attachment.digest),
        *(hash_of(doors.usable), hash_of(xy[shown]), doors.snap_m),
        *("" if doors.ground is None else doors.ground.digest, limit_min, ELSEWHERE_M),
    ]
    n_sides = len(ELSEWHERE_M)
    read = functools.partial(
        _reach,
        n_services=n_sides * len(shown),
        n_places=len(doors.cells),
        limit_min=limit_min,
    )
    kept = cache.recall_as("elsewhere", key, compute, read)
    every = kept
    if len(hidden):
        every = kept.followed_by(moved(hidden))
    # Of the services in their own order, where each side stands.
    position = np.empty((len(xy), n_sides), dtype=np.intp)
    order = np.concatenate([shown, hidden])
    position[order] = np.arange(n_sides * len(xy)).reshape(-1, n_sides)
    return tuple(every.take(side) for side in position.T)
