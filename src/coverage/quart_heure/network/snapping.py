"""Snapping: where places meet the network.

A place is attached to the nearest useful *edge* within a limit, at a position along it. The
distance to it is walked too.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.cache import hash_of
from quart_heure.network.graph import WalkNetwork

SNAP_M = 100.0
"""A place further than this from every useful edge is off the network, in metres."""


_MOST_THREADS = 8
_AT_ONCE = 10_000
"""Places asked for in one call, each an object of its own; several calls share the cores."""


@dataclasses.dataclass(frozen=True, eq=False)
class Attachment:
    """Where places meet the network.

    Parameters
    ----------
    edge
        Edge of each place, -1 for a place off the network; shape (n,).
    offset_m
        Metres along the edge from its node u, NaN off the network; shape (n,).
    access_m
        Metres between the place and the edge, NaN off the network; shape (n,).
    """

    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    access_m: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.edge)

    def __getitem__(self, places: NDArray[np.bool_] | NDArray[np.intp]) -> Attachment:
        """Return the attachments of some places, by mask or by position."""
        return Attachment(self.edge[places], self.offset_m[places], self.access_m[places])

    @functools.cached_property
    def digest(self) -> str:
        """Hash of all of it."""
        return hash_of(self.edge, self.offset_m, self.access_m)

    @property
    def attached(self) -> NDArray[np.bool_]:
        """Whether each place is on the network; shape (n,)."""
        return self.edge >= 0


def snap(
    network: WalkNetwork,
    xy: NDArray[np.float64],
    *,
    usable: NDArray[np.bool_],
    max_distance_m: float = SNAP_M,
) -> Attachment:
    """Attach places to their nearest usable edge.

    Parameters
    ----------
    network
        The walking network.
    xy
        Coordinates of the places in the CRS of the network; shape (n, 2).
    usable
        Edges that places may attach to; shape (E,).
    max_distance_m
        Places further away stay off the network.

    Returns
    -------
    Attachment
        Of n places. Of several edges at the same distance, the one that comes first is taken.
    """
    n = len(xy)
    found = Attachment(
        edge=np.full(n, -1, dtype=np.int32),
        offset_m=np.full(n, np.nan),
        access_m=np.full(n, np.nan),
    )
    candidates = np.flatnonzero(usable)
    if n == 0 or len(candidates) == 0:
        return found
    segments = _segments_near(network, candidates, xy, max_distance_m)
    if len(segments) == 0:
        return found
    owner = np.searchsorted(network.offsets, segments, side="right") - 1
    start, end = network.xy[segments], network.xy[segments + 1]
    # A tree of straight segments answers several times faster than one of whole streets, whose
    # boxes overlap more and whose distances cost more.
    # So does one of few branches: it is not asked often enough to pay for a flatter one.
    tree = shapely.STRtree(shapely.linestrings(np.stack([start, end], axis=1)), node_capacity=4)
    place, nearest = _nearest(tree, xy, max_distance_m)
    # Vertices are in the order of the edges: of equals, the first edge and its first segment win.
    order = np.lexsort((segments[nearest], place))
    place, nearest = place[order], nearest[order]
    first = np.ones(len(place), dtype=bool)
    first[1:] = place[1:] != place[:-1]
    place, nearest = place[first], nearest[first]
    edge = owner[nearest]
    share, access_m = _project(xy[place], start[nearest], end[nearest])
    before, whole = network.drawn_m[segments[nearest]], network.drawn_m
    total = whole[network.offsets[edge + 1] - 1]
    piece = whole[segments[nearest] + 1] - before
    found.edge[place] = edge
    # A share of the length, not metres of the drawing: length_m may be better than the drawing.
    along = np.minimum((before + share * piece) / total, 1.0)
    found.offset_m[place] = along * network.length_m[edge]
    found.access_m[place] = access_m
    return found


def _nearest(
    tree: shapely.STRtree, xy: NDArray[np.float64], max_distance_m: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the nearest shapes of each place, all that are equally near: places and shapes."""
    parts = np.array_split(np.arange(len(xy)), len(xy) // _AT_ONCE + 1)
    n_threads = min(os.cpu_count() or 1, _MOST_THREADS, len(parts))

    def ask(part: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        points = shapely.points(xy[part])
        place, nearest = tree.query_nearest(points, max_distance=max_distance_m)
        return part[place], nearest

    # GEOS works without Python's lock: the cores of a machine share the cells of a city.
    with concurrent.futures.ThreadPoolExecutor(n_threads) as threads:
        found = list(threads.map(ask, parts))
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _segments_near(
    network: WalkNetwork,
    candidates: NDArray[np.intp],
    xy: NDArray[np.float64],
    max_distance_m: float,
) -> NDArray[np.intp]:
    """Return the first vertices of the straight segments that may lie within reach of a place.

    A few services would not pay for a tree of the whole city. The plane is cut in squares as
    large as the reach: what is in reach and no longer than it has its ends at most two squares
    away; longer segments are always kept.
    """
    squares = np.floor(xy / max_distance_m).astype(np.int64)
    low = squares.min(axis=0) - 3
    shape = squares.max(axis=0) - low + 4
    near = np.zeros(shape, dtype=bool)
    c, r = (squares - low).T
    for dc in range(-3, 4):
        for dr in range(-3, 4):
            near[c + dc, r + dr] = True
    # Most vertices of a city are nowhere near a few services: their squares are not looked up.
    x, y = network.xy.T
    (west, south), (east, north) = low * max_distance_m, (low + shape) * max_distance_m
    around = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
    square = np.floor(network.xy[around] / max_distance_m).astype(np.int64) - low
    square = np.clip(square, 0, shape - 1)  # a rounded quotient may be one square off
    kept = np.zeros(len(network.xy), dtype=bool)
    kept[around] = near[square[:, 0], square[:, 1]]
    kept[:-1] |= kept[1:] | (np.diff(network.drawn_m) > max_distance_m)
    vertex = np.flatnonzero(kept)
    edge = np.searchsorted(network.offsets, vertex, side="right") - 1
    usable = np.zeros(network.n_edges, dtype=bool)
    usable[candidates] = True
    return vertex[usable[edge] & (vertex + 1 < network.offsets[edge + 1])]


def _project(
    xy: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far along its segment each point projects (0 … 1), and its distance to it."""
    direction, away = end - start, xy - start
    squared = np.einsum("ij,ij->i", direction, direction)
    dot = np.einsum("ij,ij->i", direction, away)
    share = np.clip(np.divide(dot, squared, out=np.zeros_like(dot), where=squared > 0), 0, 1)
    foot = away - share[:, None] * direction
    return share, np.hypot(foot[:, 0], foot[:, 1])
