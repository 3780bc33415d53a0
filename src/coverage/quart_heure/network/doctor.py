"""The network doctor: what is doubtful in a network, and where, so that a mapper can mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from quart_heure.network.components import (
    entry_edges,
    label_components,
    useful_edges,
    walkable_edges,
)
from quart_heure.network.edge_doubts import longer_than_drawn
from quart_heure.network.findings import Finding, MissedJunction, finding_table
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import snap
from quart_heure.network.travel_time import search_graph
from quart_heure.profiles import WalkProfile

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["examine_network", "finding_table"]

DANGLING_M = 2.0
"""A dead end this near another street was probably meant to join it, in metres."""

_NO_WAY_M = 2 * DANGLING_M
"""A way round of no more than this is no way round, in metres."""

ROUND_M = 1000.0
"""Ways round a dead end are looked for up to this length, in metres."""

_AT_ONCE = 64
"""Dead ends searched in one call: its answer is a row of all nodes for each."""

_LONG_M = 3000.0
"""A street without a junction over this many metres is worth a look."""

_MOST_PARTS = 200
"""Parts of a network listed one by one, the largest first."""


def examine_network(network: WalkNetwork, profile: WalkProfile) -> Iterator[Finding]:
    """Find small parts, dead ends that nearly meet a street, and odd lengths."""
    yield from _small_parts(network, profile)
    yield from _dangling_ends(network, profile)
    yield from _odd_lengths(network)
    for osm_id in network.meta.get("squares_without_entrance", ()):
        yield Finding(
            kind="square_without_entrance",
            place=f"OSM {abs(osm_id)}",
            detail="No street shares a node with the outline of this square.",
            value=0,
            unit="entrances",
            osm_id=int(osm_id),
        )


def examine_services(
    services: gpd.GeoDataFrame,
    network: WalkNetwork,
    profile: WalkProfile,
    *,
    snap_m: float,
    barriers: NDArray[np.object_] | None = None,
) -> Iterator[Finding]:
    """Find services that meet no useful street, or meet it across water or a railway.

    Parameters
    ----------
    services
        Table of services in the CRS of the network. Discreet ones are passed over.
    snap_m
        Limit of snapping in metres.
    barriers
        Polygons that cannot be walked across, in the CRS of the network.
    """
    shown = services[~services["discreet"]]
    xy = shapely.get_coordinates(shown.geometry.to_numpy()).reshape(-1, 2)
    useful = entry_edges(network, profile)
    on = snap(network, xy, usable=useful, max_distance_m=snap_m)
    anywhere = snap(network, xy, usable=walkable_edges(network, profile), max_distance_m=snap_m)
    streets = network.lines[useful]
    tree = shapely.STRtree(barriers if barriers is not None else [])
    ids = shown["service_id"] if "service_id" in shown else [""] * len(shown)
    rows = zip(shown["name"], ids, shown.geometry, strict=True)
    for at, (name, service_id, point) in enumerate(rows):
        if not on.attached[at]:
            island = bool(anywhere.attached[at])
            yield Finding(
                kind="service_on_island" if island else "service_off_network",
                place=str(name),
                detail="The only streets in reach lead nowhere."
                if island
                else f"No street lies within {snap_m:g} m.",
                value=float(anywhere.nearest_m[at]) if island else _nearest_m(point, streets),
                unit="m",
                osm_id=int(network.osm_id[anywhere.nearest_edge[at]]) if island else 0,
                geometry=point,
                service_id=str(service_id),
            )
            continue
        line = network.lines[on.nearest_edge[at]]
        access = shapely.shortest_line(point, line)
        if len(tree.query(access, predicate="crosses")):
            yield Finding(
                kind="service_across_barrier",
                place=str(name),
                detail="Water or a railway lies between this service and the nearest street "
                f"({network.name_of(int(on.nearest_edge[at])) or 'no name'}).",
                value=float(on.nearest_m[at]),
                unit="m",
                osm_id=int(network.osm_id[on.nearest_edge[at]]),
                geometry=access,
                service_id=str(service_id),
            )


def _nearest_m(point: shapely.Point, streets: NDArray[np.object_]) -> float:
    """Return the metres to the nearest of some streets, inf if there are none."""
    return round(float(shapely.distance(point, streets).min(initial=np.inf)), 1)


def _small_parts(network: WalkNetwork, profile: WalkProfile) -> Iterator[Finding]:
    """List the parts that are not useful, the largest first."""
    walkable = walkable_edges(network, profile)
    useful = useful_edges(network, profile)
    components = label_components(network, walkable)
    lost = np.flatnonzero(walkable & ~useful)
    part = components.label[network.u[lost]]
    length = np.bincount(part, weights=network.length_m[lost], minlength=len(components.size))
    named = _first_named(network, lost, part)
    by_part = lost[np.argsort(part, kind="stable")]
    begin = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=len(length)))])
    for one in np.argsort(-length, kind="stable")[:_MOST_PARTS]:
        if length[one] <= 0:
            break
        edge = named[int(one)]
        yield Finding(
            kind="small_part",
            place=network.name_of(edge) or network.kind_of(edge),
            detail=f"{int(components.size[one])} nodes that lead nowhere else.",
            value=round(float(length[one]), 1),
            unit="m",
            osm_id=int(network.osm_id[edge]),
            geometry=network.lines[edge],
            part=tuple(by_part[begin[one] : begin[one + 1]].tolist()),
        )


def _first_named(
    network: WalkNetwork, edges: NDArray[np.intp], part: NDArray[np.int32]
) -> Mapping[int, int]:
    """Return one edge of each part, one with a name if there is any."""
    has_name = np.array([name != "" for name in network.names])[network.name_code[edges]]
    found: dict[int, int] = {}
    for edge, one, named in zip(edges.tolist(), part.tolist(), has_name.tolist(), strict=True):
        if one not in found or (named and not network.name_of(found[one])):
            found[one] = edge
    return found


def _dangling_ends(network: WalkNetwork, profile: WalkProfile) -> Iterator[Finding]:
    """Find dead ends that stop short of another street by a few steps, and the way round."""
    walkable = np.flatnonzero(walkable_edges(network, profile))
    u, v = network.u[walkable], network.v[walkable]
    degree = np.bincount(np.concatenate([u, v]), minlength=network.n_nodes)
    ends = np.flatnonzero(degree == 1)
    if len(ends) == 0:
        return
    lines = network.lines[walkable]
    points = shapely.points(network.node_xy[ends])
    at, near = shapely.STRtree(lines).query(points, predicate="dwithin", distance=DANGLING_M)
    own = (u[near] == ends[at]) | (v[near] == ends[at])
    gap = shapely.distance(points[at], lines[near])
    bridge, tunnel = network.bridge[walkable], network.tunnel[walkable]
    # A bridge over a path or a passage below one is no missed junction.
    # Nor are the two sides of a shut gate, which end at one place on purpose.
    level = bridge[near] | tunnel[near] | (gap == 0)
    kept = np.flatnonzero(~own & ~level)
    edge, gap = walkable[near[kept]], gap[kept]
    along_m = shapely.line_locate_point(network.lines[edge], points[at[kept]])
    ways_m = _ways_round(network, profile, ends[at[kept]], edge, along_m)
    # Of several streets that a dead end nearly meets, the one that is furthest from it on foot;
    # its own street, around a bend, is none that it fails to join.
    worth = np.flatnonzero(ways_m > _NO_WAY_M)
    worth = worth[np.lexsort((gap[worth], -ways_m[worth], at[kept][worth]))]
    worth = worth[np.unique(at[kept][worth], return_index=True)[1]]
    place, edge, gap, ways_m = points[at[kept][worth]], edge[worth], gap[worth], ways_m[worth]
    node, along_m = ends[at[kept][worth]], along_m[worth]
    # Of a dead end there is one edge.
    own = np.zeros(network.n_nodes, dtype=np.intp)
    own[u], own[v] = walkable, walkable
    ending = zip(own[node].tolist(), (network.u[own[node]] == node).tolist(), along_m, strict=True)
    for point, one, short_m, way_m, (last, at_u, foot_m) in zip(
        place, edge.tolist(), gap, ways_m, ending, strict=True
    ):
        known = np.isfinite(way_m)
        yield Finding(
            kind="dangling_end",
            place=network.name_of(one) or network.kind_of(one),
            detail=f"A dead end stops {short_m:.2f} m short of a street it does not join; "
            f"the way round is {'this long' if known else 'longer, or there is none'}.",
            value=round(float(way_m), 1) if known else ROUND_M,
            unit="m",
            osm_id=int(network.osm_id[one]),
            geometry=point,
            junction=MissedJunction(
                own=last,
                own_m=0.0 if at_u else float(network.length_m[last]),
                edge=one,
                along_m=float(min(foot_m, network.length_m[one])),
                gap_m=float(short_m),
            ),
        )


def _ways_round(
    network: WalkNetwork,
    profile: WalkProfile,
    nodes: NDArray[np.intp],
    edges: NDArray[np.intp],
    along_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far it is between a node and a place on an edge, inf beyond `ROUND_M`.

    The shorter of there and back, where streets are one-way.

    Parameters
    ----------
    nodes, edges
        One edge for each node; shapes (n,).
    along_m
        Metres along the edge from its node u to the place; shape (n,).
    """
    graph = search_graph(network, profile)
    links = csr_array((graph.level_m, graph.indices, graph.indptr), shape=(network.n_nodes,) * 2)
    ways_m = np.full(len(nodes), np.inf)
    starts, which = np.unique(nodes, return_inverse=True)
    rest_m = np.maximum(network.length_m[edges] - along_m, 0)
    for ways in (links, links.T.tocsr()):
        for begin in range(0, len(starts), _AT_ONCE):
            node_m = dijkstra(ways, indices=starts[begin : begin + _AT_ONCE], limit=ROUND_M)
            here = np.flatnonzero((which >= begin) & (which < begin + _AT_ONCE))
            row, edge = which[here] - begin, edges[here]
            by_u = node_m[row, network.u[edge]] + along_m[here]
            by_v = node_m[row, network.v[edge]] + rest_m[here]
            ways_m[here] = np.minimum(ways_m[here], np.minimum(by_u, by_v))
    ways_m[ways_m > ROUND_M] = np.inf
    return ways_m


def _odd_lengths(network: WalkNetwork) -> Iterator[Finding]:
    """Find streets whose length is not that of their line, and very long ones without a junction.

    A length below the beeline between the ends is refused when a table is read.
    """
    drawn_m = network.drawn_m[network.offsets[1:] - 1]
    longer = longer_than_drawn(network.length_m, drawn_m)
    long = network.length_m > _LONG_M
    for edge in np.flatnonzero(longer | long).tolist():
        detail = (
            f"Its line is drawn {drawn_m[edge]:.0f} m long."
            if longer[edge]
            else "No junction over this length."
        )
        yield Finding(
            kind="odd_length",
            place=network.name_of(edge) or network.kind_of(edge),
            detail=detail,
            value=round(float(network.length_m[edge]), 1),
            unit="m",
            osm_id=int(network.osm_id[edge]),
            geometry=network.lines[edge],
        )
