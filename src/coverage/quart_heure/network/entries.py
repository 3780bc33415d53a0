"""Entries that can never be the least: dropped once per city, and no minute changes.

Most places have several entries, and some of them lie on the way from others: whoever enters at the
nearest corner walks past the next one sooner than a straight line gets there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.ordering import numbered
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph

_SHORTER_M = 1e-9
"""A way round counts as shorter by at least this: of equals both stay, whatever floats say."""

_MOST_ROUNDS = 8
"""Streets walked along one after the other between two entries of a place."""


def needed_entries(graph: SearchGraph, places: Attachment) -> Attachment:
    """Return the same places without the entries that another entry makes needless.

    Parameters
    ----------
    graph
        The network as one walker sees it; speed plays no part.
    places
        Where people set out; not services, which they come to.

    Returns
    -------
    Attachment
        An entry is dropped where another entry of the place and the walk from there, along streets
        that the place enters at too, lead to the same point by a shorter way: every walk through it
        then has a shorter one. Of entries at one junction, which are one point, the first stays.
        The minutes to any service are the same, and so are those straight along an edge.
    """
    edge = places.edge
    u, v, n_corners = _corners(graph, places.place, edge)
    level_m = np.full(n_corners, np.inf)
    for end, (_, free, way_m) in zip((u, v), graph.ways_out(places), strict=True):
        np.minimum.at(level_m, end[free], way_m[free])
    _walk_on(graph, edge, u, v, level_m)
    # Metres to the point of each entry by way of either end of its edge.
    on_u = places.offset_m == 0
    on_v = np.maximum(graph.length_m[edge] - places.offset_m, 0.0) == 0
    by_ends_m = _metres_by_ends(graph, places, level_m[u], level_m[v])
    needed = by_ends_m >= places.access_m - _SHORTER_M
    return places.take(needed & _first_at_junction(u, v, on_u, on_v, n_corners))


def walked_to(graph: SearchGraph, places: Attachment, points: Attachment) -> NDArray[np.float64]:
    """Return how far places are from points on the streets around them.

    Parameters
    ----------
    graph
        The network as one walker sees it; speed plays no part.
    places
        Where people set out, entering at these entries alone.
    points
        Points beside the same places: each is the edge and offset of one of these entries.

    Returns
    -------
    NDArray[np.float64]
        Metres of level street to each of the points by the edges that either attachment has at the
        place, inf where these do not lead there; shape (entries of points,).
    """
    # Those of the places, then the points.
    place = np.concatenate([places.place, points.place]).astype(np.int64)
    edge = np.concatenate([places.edge, points.edge])
    n = len(places.edge)
    u, v, n_corners = _corners(graph, place, edge)
    level_m = np.full(n_corners, np.inf)
    for end, (_, free, way_m) in zip((u, v), graph.ways_out(places), strict=True):
        np.minimum.at(level_m, end[:n][free], way_m[free])
    _walk_on(graph, edge, u, v, level_m)
    reached_m = _metres_by_ends(graph, points, level_m[u[n:]], level_m[v[n:]])
    # Along the edge itself, where the place enters at it.
    at_edge, position = numbered(place * len(graph.u) + edge)
    own = np.full(len(at_edge), -1, dtype=np.intp)
    own[position[:n][::-1]] = np.arange(n)[::-1]
    entry = own[position[n:]]
    here = np.flatnonzero(entry >= 0)
    entry, edge = entry[here], points.edge[here]
    along_m = points.offset_m[here] - places.offset_m[entry]
    ahead = along_m >= 0
    free = np.where(ahead, graph.forward[edge], graph.backward[edge]) | (along_m == 0)
    effort = np.where(ahead, graph.effort_forward[edge], graph.effort_backward[edge])
    direct_m = places.access_m[entry] + np.abs(along_m) * effort
    here, direct_m = here[free], direct_m[free]
    reached_m[here] = np.minimum(reached_m[here], direct_m)
    return reached_m


def _corners(
    graph: SearchGraph, place: NDArray[np.integer], edge: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return numbers of the junctions around each place, of its own: at u, at v, how many."""
    ends = np.concatenate([graph.u[edge], graph.v[edge]])
    # Some places are near few of all junctions: small numbers are put in order sooner.
    near = np.zeros(len(graph.indptr) - 1, dtype=bool)
    near[ends] = True
    number = np.cumsum(near) - 1
    keys = np.tile(place.astype(np.int64), 2) * int(near.sum()) + number[ends]
    different, position = numbered(keys)
    u, v = np.split(position, 2)
    return u, v, len(different)


def _metres_by_ends(
    graph: SearchGraph,
    points: Attachment,
    u_m: NDArray[np.float64],
    v_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the metres to points on edges by way of either end."""
    edge = points.edge
    rest_m = np.maximum(graph.length_m[edge] - points.offset_m, 0.0)
    by_u = u_m + points.offset_m * graph.effort_forward[edge]
    by_v = v_m + rest_m * graph.effort_backward[edge]
    by_u[~(graph.forward[edge] | (points.offset_m == 0))] = np.inf
    by_v[~(graph.backward[edge] | (rest_m == 0))] = np.inf
    return np.minimum(by_u, by_v)


def _walk_on(
    graph: SearchGraph,
    edge: NDArray[np.int32],
    u: NDArray[np.intp],
    v: NDArray[np.intp],
    level_m: NDArray[np.float64],
) -> None:
    """Walk on from the junctions around each place, along its edges, while that is shorter."""
    forward, backward = graph.forward[edge], graph.backward[edge]
    there_m = (graph.length_m * graph.effort_forward)[edge[forward]]
    back_m = (graph.length_m * graph.effort_backward)[edge[backward]]
    links = ((u[forward], v[forward], there_m), (v[backward], u[backward], back_m))
    moved = np.ones(len(level_m), dtype=bool)
    for _ in range(_MOST_ROUNDS):
        # Who sets out from a corner that came no nearer gets nowhere sooner than before.
        nearer = np.zeros(len(level_m), dtype=bool)
        for tail, head, metres in links:
            some = np.flatnonzero((moved | nearer)[tail])
            onward, head_of = level_m[tail[some]] + metres[some], head[some]
            less = np.flatnonzero(onward < level_m[head_of])
            head_of = head_of[less]
            np.minimum.at(level_m, head_of, onward[less])
            nearer[head_of] = True
        if not nearer.any():
            return
        moved = nearer


def _first_at_junction(
    u: NDArray[np.intp],
    v: NDArray[np.intp],
    on_u: NDArray[np.bool_],
    on_v: NDArray[np.bool_],
    n_corners: int,
) -> NDArray[np.bool_]:
    """Tell which entries are not at a junction, or are the first of their place there."""
    first = np.ones(len(u), dtype=bool)
    corner = np.flatnonzero(on_u | on_v)
    junction = np.where(on_u, u, v)[corner]
    first[corner] = False
    # Of values put into one place the last one stays.
    at = np.empty(n_corners, dtype=np.intp)
    at[junction[::-1]] = corner[::-1]
    first[at[junction]] = True
    return first
