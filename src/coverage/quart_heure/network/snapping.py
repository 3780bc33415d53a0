"""Snapping: where places meet the network.

A place is attached to the nearest useful *edge* within a limit, at a position along it. The
distance to it is walked too.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.graph import WalkNetwork

__all__ = ["SNAP_M", "Attachment", "snap"]

SNAP_M = 100.0
"""A place further than this from every useful edge is off the network, in metres."""


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
    points = shapely.points(xy)
    place, edge = _nearest_edges(network, candidates, points, max_distance_m)
    line = network.lines[edge]
    found.edge[place] = edge
    # A share of the length, not metres of the drawing: length_m may be better than the drawing.
    share = shapely.line_locate_point(line, points[place], normalized=True)
    found.offset_m[place] = share * network.length_m[edge]
    found.access_m[place] = shapely.distance(line, points[place])
    return found


def _nearest_edges(
    network: WalkNetwork,
    candidates: NDArray[np.intp],
    points: NDArray[np.object_],
    max_distance_m: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return places that have an edge in reach, and for each the first of its nearest edges."""
    # A tree of straight segments answers several times faster than one of whole streets, whose
    # boxes overlap more and whose distances cost more.
    starts = network.offsets[candidates]
    counts = network.offsets[candidates + 1] - starts - 1
    first = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    vertex = first + np.arange(counts.sum())
    owner = np.repeat(candidates, counts)
    segments = shapely.linestrings(np.stack([network.xy[vertex], network.xy[vertex + 1]], axis=1))
    place, segment = shapely.STRtree(segments).query_nearest(points, max_distance=max_distance_m)
    edge = owner[segment]
    order = np.lexsort((edge, place))
    place, edge = place[order], edge[order]
    keep = np.ones(len(place), dtype=bool)
    keep[1:] = place[1:] != place[:-1]
    return place[keep], edge[keep]
